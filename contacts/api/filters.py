"""What lists of contacts can be narrowed by."""

from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from contacts.models import Contact, ContactReference
from contacts.querysets import fold_email
from crm_project.api.filters import ChoicesFilter, InstantFilter, StrictFilterSet, TextFilter, UUIDFilter
from crm_project.records.models import DEFAULT_SYSTEM


class ContactFilter(StrictFilterSet):
    custom_kind = "contact"

    email = TextFilter(method="filter_email")
    kind = ChoicesFilter(choices=Contact.Kinds.values)
    company = UUIDFilter(method="filter_company")
    owner = UUIDFilter("owner__uuid")
    created_at_after = InstantFilter("created_at", "gte")
    created_at_before = InstantFilter("created_at", "lte")
    updated_at_after = InstantFilter("updated_at", "gte")
    updated_at_before = InstantFilter("updated_at", "lte")
    external_system = TextFilter(method="filter_external_system")
    external_id = TextFilter(method="filter_external_id")
    q = TextFilter(method="filter_text", help_text="In name, e-mail and phone numbers.")

    def filter_company(self, rows: QuerySet[Any], name: str, value: UUID) -> QuerySet[Any]:
        """A company in the trash shows on none of its people, and finds none."""
        return rows.filter(company__uuid=value, company__deleted_at=None)

    def filter_email(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(email=fold_email(value))

    def filter_external_system(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(Exists(ContactReference.objects.filter(row=OuterRef("pk"), system=value)))

    def filter_external_id(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        system = self.form.cleaned_data.get("external_system") or DEFAULT_SYSTEM
        held = ContactReference.objects.filter(row=OuterRef("pk"), system=system, external_id=value)
        return rows.filter(Exists(held))

    def filter_text(self, rows: Any, name: str, value: str) -> Any:
        return rows.matching(value)
