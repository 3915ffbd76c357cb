"""Filters of lists of deals."""

from typing import Any

from django.db.models import QuerySet

from contacts.querysets import fold_email
from crm_project.api.filters import (
    BooleanFilter,
    ChoicesFilter,
    DayFilter,
    InstantFilter,
    IntegerFilter,
    NumberFilter,
    ReferencedFilterSet,
    TextFilter,
    UUIDFilter,
)
from deals.models import Deal


class DealFilter(ReferencedFilterSet):
    """Bounds are included; a well-formed id of no visible row gives an empty page."""

    custom_kind = "deal"

    status = ChoicesFilter(choices=Deal.Statuses.values)
    amount_min = NumberFilter("amount", "gte")
    amount_max = NumberFilter("amount", "lte")
    amount_gross_min = NumberFilter("amount_gross", "gte")
    amount_gross_max = NumberFilter("amount_gross", "lte")
    expected_close_date_after = DayFilter("expected_close_date", "gte")
    expected_close_date_before = DayFilter("expected_close_date", "lte")
    closed_at_after = InstantFilter("closed_at", "gte")
    closed_at_before = InstantFilter("closed_at", "lte")
    created_at_after = InstantFilter("created_at", "gte")
    created_at_before = InstantFilter("created_at", "lte")
    updated_at_after = InstantFilter("updated_at", "gte")
    updated_at_before = InstantFilter("updated_at", "lte")
    date_after = DayFilter("date", "gte")
    date_before = DayFilter("date", "lte")
    pipeline = IntegerFilter("stage__pipeline")
    stage = IntegerFilter("stage")
    owner = UUIDFilter("owner__uuid")
    contact = UUIDFilter("contact__uuid")
    contact_email = TextFilter(method="filter_contact_email")
    client = UUIDFilter("client__uuid")
    currency = TextFilter(method="filter_currency")
    origin = TextFilter("origin")
    lost_reason = IntegerFilter("lost_reason")
    department_id = IntegerFilter("department_id")
    project_id = IntegerFilter("project_id")
    is_private = BooleanFilter("is_private")
    q = TextFilter(
        method="filter_text",
        help_text="Every word occurs in name, description, number, or the name or e-mail of contact or client.",
    )

    def filter_contact_email(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(contact__email=fold_email(value))

    def filter_currency(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(currency=value.upper())

    def filter_text(self, rows: Any, name: str, value: str) -> Any:
        return rows.matching(value)
