"""Filters of lists of contacts."""

from typing import Any

from django.db.models import Q

from contacts.models import Contact
from contacts.querysets import ids_with_email
from crm_project.api.errors import InvalidQuery
from crm_project.api.filter_values import EmailValue
from crm_project.api.filters import (
    ChangeSetFilter,
    ChoicesFilter,
    EmptyFilter,
    MembersFilter,
    ReferencedFilterSet,
    SearchFilter,
    TextFilter,
    UUIDsFilter,
    ValuesFilter,
    instants,
)
from crm_project.api.saved_views import ViewFilter
from crm_project.records.phones import normalize_phone


class EmailsFilter(ValuesFilter):
    """E-mail addresses, first or further, of the contact in the column; rows without one match `_not`."""

    value = EmailValue

    def condition(self, values: list[Any]) -> Q:
        return Q(**{f"{self.field_name}__in": ids_with_email(values, self.parent.actor.organization_id)})


class CompanyFilter(UUIDsFilter):
    """A company in the trash has no people, as in the response."""

    def condition(self, values: list[Any]) -> Q:
        return Q(company__uuid__in=values, company__deleted_at=None)

    def without(self) -> Q:
        return Q(company=None) | Q(company__deleted_at__isnull=False)


class CompanyEmptyFilter(EmptyFilter):
    def condition(self) -> Q:
        return Q(company=None) | Q(company__deleted_at__isnull=False)


class ContactFilter(ReferencedFilterSet):
    custom_kind = "contact"
    columns_of = Contact

    uuid = UUIDsFilter("uuid", help_text="Batch read: without `page_size`, all of them are on one page.")
    email = EmailsFilter("pk", help_text="First or further address.")
    phone = TextFilter(method="filter_phone", help_text="Phone, mobile or further number, in any spelling.")
    kind = ChoicesFilter(choices=Contact.Kinds.values)
    company = CompanyFilter("company", nullable=True)
    company_empty = CompanyEmptyFilter("company")
    owner = MembersFilter("owner__uuid", nullable=True)
    created_at = instants()
    updated_at = instants()
    change_set = ChangeSetFilter(
        help_text="Rows that the change set of an event has written, or that of an import (`counts.change_set`)."
    )
    view = ViewFilter()
    q = SearchFilter(
        method="filter_text",
        help_text="Every word occurs in name, e-mail, phone numbers or company; phones in any spelling.",
    )

    def filter_phone(self, rows: Any, name: str, value: str) -> Any:
        organization = self.actor.organization
        if not normalize_phone(value, organization.country):
            raise InvalidQuery({name: ["A phone number has digits."]})
        # A plus that was not encoded arrives as a space.
        number = f"+{value[1:]}" if value.startswith(" ") else value
        return rows.with_phone(number, organization, in_trash=self.data.get("deleted") == "only")

    def filter_text(self, rows: Any, name: str, value: str) -> Any:
        return rows.matching(value)
