"""Filters of lists of activities."""

from typing import Any

from django.db.models import Q
from django.utils import timezone

from contacts.models import Contact
from crm_project.activities.models import Activity
from crm_project.activities.querysets import about_contacts, is_due
from crm_project.api.filters import (
    BooleanFilter,
    ChangeSetFilter,
    ChoicesFilter,
    EmptyFilter,
    MembersFilter,
    ReferencedFilterSet,
    SearchFilter,
    UUIDsFilter,
    instants,
)
from deals.rules import NEXT_STEPS


class DueFilter(ChoicesFilter):
    """Open activities by their due date, by the time zone of the organization."""

    def condition(self, values: list[Any]) -> Q:
        return is_due(values, timezone.now(), self.parent.actor.organization.time_zone)


class CompanyFilter(UUIDsFilter):
    """Of a company or its people, and of deals that they take part in, as client, contact or participant."""

    def condition(self, values: list[Any]) -> Q:
        organization = self.parent.actor.organization_id
        named = Q(uuid__in=values) | Q(company__uuid__in=values, company__deleted_at=None)
        return about_contacts(
            organization, Contact.objects.of(organization).live().filter(named).values("pk")
        )


class DoneFilter(EmptyFilter):
    """Whether an activity is done."""

    def condition(self) -> Q:
        return Q(done_at__isnull=False)


class ActivityFilter(ReferencedFilterSet):
    """Bounds are included; a well-formed id of no visible row gives an empty page."""

    columns_of = Activity

    uuid = UUIDsFilter("uuid", help_text="Batch read: without `page_size`, all of them are on one page.")
    type = ChoicesFilter(choices=Activity.Types.values)
    is_done = DoneFilter("done_at", help_text="Whether it is done; a note always is.")
    due_state = DueFilter(
        "deadline",
        choices=[*NEXT_STEPS, "undated"],
        help_text="Open activities that are overdue, due later today, due later, or without a due date.",
    )
    due = instants("deadline")
    done_at = instants()
    owner = MembersFilter("owner__uuid", nullable=True)
    deal = UUIDsFilter("deal__uuid", nullable=True)
    contact = UUIDsFilter("contact__uuid", nullable=True, help_text="Exactly the field; see `company`.")
    company = CompanyFilter(help_text="Activities of a company, of its people and of their deals.")
    is_pinned = BooleanFilter("is_pinned")
    created_at = instants()
    updated_at = instants()
    change_set = ChangeSetFilter(
        help_text="Rows that the change set of an event has written, or that of an import (`counts.change_set`)."
    )
    q = SearchFilter(method="filter_text", help_text="Every word occurs in subject, text or result.")

    def filter_text(self, rows: Any, name: str, value: str) -> Any:
        return rows.matching(value)
