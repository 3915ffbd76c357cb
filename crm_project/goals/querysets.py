"""QuerySet of goals: `Goal.objects.visible_to(member).of_months(since, until)`."""

import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db.models import Q

from crm_project.accounts.rules import Permission, permissions
from crm_project.records.querysets import RowQuerySet

if TYPE_CHECKING:
    from crm_project.accounts.models import Member


class GoalQuerySet(RowQuerySet[Any]):
    def shared_with(self, member: "Member") -> Self:
        """Those of the organization and the member's own; managers and admins see those of all members."""
        goals = self.of(member.organization_id)
        if Permission.EDIT_PIPELINES in permissions(member.role):
            return goals
        return goals.filter(Q(member=None) | Q(member=member))

    def of_months(self, since: datetime.date, until: datetime.date) -> Self:
        """The goals of the months that begin on these days, `until` excluded."""
        return self.filter(month__gte=since, month__lt=until)
