"""QuerySet of goals: `Goal.objects.visible_to(member)`."""

import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db.models import F, Q

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

    def on_the_home_page(self, member: "Member", month: datetime.date) -> Self:
        """The member's own goal of a month, and the organization's."""
        own = self.visible_to(member).filter(Q(member=member) | Q(member=None), month=month)
        return own.order_by(F("member").asc(nulls_last=True))
