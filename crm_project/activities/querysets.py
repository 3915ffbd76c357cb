"""QuerySet of activities: `Activity.objects.visible_to(member).open().due_by(instant)`."""

import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from django.db.models import Q

from crm_project.records.days import end_of_today
from crm_project.records.querysets import RowQuerySet

if TYPE_CHECKING:
    from crm_project.accounts.models import Member


def is_due(states: Iterable[str], now: datetime.datetime, time_zone: str) -> Q:
    """The condition of open activities that are overdue, due later today, planned for later, or undated."""
    today = end_of_today(now, time_zone)
    conditions = {
        "overdue": Q(deadline__lt=now),
        "today": Q(deadline__gte=now, deadline__lte=today),
        "planned": Q(deadline__gt=today),
        "undated": Q(deadline=None),
    }
    chosen = Q(*(conditions[state] for state in states), _connector=Q.OR)
    return Q(done_at=None) & chosen


class ActivityQuerySet(RowQuerySet[Any]):
    def visible_to(self, member: "Member") -> Self:
        """Without the activities of a deal in the trash, and of a contact there if they have no deal."""
        return super().visible_to(member).with_live_parent()

    def with_live_parent(self) -> Self:
        of_deal = Q(deal__isnull=False, deal__deleted_at=None)
        return self.filter(of_deal | Q(deal=None, contact__deleted_at=None))

    def open(self) -> Self:
        return self.filter(done_at=None)

    def done(self) -> Self:
        return self.filter(done_at__isnull=False)

    def due(self, *states: str, now: datetime.datetime, time_zone: str) -> Self:
        """Open, and of one of these states: overdue, today, planned, undated."""
        return self.filter(is_due(states, now, time_zone))

    def owned_by(self, member: "Member") -> Self:
        return self.filter(owner=member)

    def for_reading(self) -> Self:
        """With all related rows of a response, in a fixed number of queries."""
        return self.select_related(
            "owner__user", "deal__contact", "deal__client", "contact"
        ).prefetch_related("references")
