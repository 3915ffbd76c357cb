"""Filters of lists of contacts."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from contacts.models import Contact
from contacts.querysets import fold_email
from crm_project.api.errors import InvalidQuery
from crm_project.api.filters import ChoicesFilter, InstantFilter, ReferencedFilterSet, TextFilter, UUIDFilter
from crm_project.records.phones import normalize_phone


class ContactFilter(ReferencedFilterSet):
    custom_kind = "contact"

    email = TextFilter(method="filter_email")
    phone = TextFilter(method="filter_phone", help_text="Phone or mobile, in any spelling.")
    kind = ChoicesFilter(choices=Contact.Kinds.values)
    company = UUIDFilter(method="filter_company")
    owner = UUIDFilter("owner__uuid")
    created_at_after = InstantFilter("created_at", "gte")
    created_at_before = InstantFilter("created_at", "lte")
    updated_at_after = InstantFilter("updated_at", "gte")
    updated_at_before = InstantFilter("updated_at", "lte")
    q = TextFilter(
        method="filter_text",
        help_text="Every word occurs in name, e-mail or phone numbers; phones in any spelling.",
    )

    def filter_company(self, rows: QuerySet[Any], name: str, value: UUID) -> QuerySet[Any]:
        """A company in the trash has no people, as in the response."""
        return rows.filter(company__uuid=value, company__deleted_at=None)

    def filter_email(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(email=fold_email(value))

    def filter_phone(self, rows: Any, name: str, value: str) -> Any:
        country = self.actor.organization.country
        if not normalize_phone(value, country):
            raise InvalidQuery({name: ["A phone number has digits."]})
        # A plus that was not encoded arrives as a space.
        return rows.with_phone(f"+{value[1:]}" if value.startswith(" ") else value, country)

    def filter_text(self, rows: Any, name: str, value: str) -> Any:
        return rows.matching(value)
