"""A goal: the amount that a member, or the whole organization, is to win in a month."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from crm_project.accounts.models import Member
from crm_project.goals.querysets import GoalQuerySet
from crm_project.records.constraints import organization_key, same_organization
from crm_project.records.fields import MoneyField, RowForeignKey
from crm_project.records.models import ExternalReference, Row, reference_constraints


class Goal(Row):
    """`amount` in the organization's currency, for the deals won in the month that begins with the day `month`."""

    row_kind: ClassVar[str] = "goal"

    # None for the whole organization.
    member = RowForeignKey(Member, null=True, blank=True, db_index=True)
    month = models.DateField()
    amount = MoneyField()

    objects: Any = GoalQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            organization_key("goals_goal"),
            models.UniqueConstraint(
                fields=["organization", "member", "month"],
                condition=Q(deleted_at=None),
                name="goals_goal_live_of_member",
            ),
            # The one above does not compare nulls.
            models.UniqueConstraint(
                fields=["organization", "month"],
                condition=Q(deleted_at=None, member=None),
                name="goals_goal_live_of_organization",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="goals_goal_amount"),
            *same_organization("goals_goal", "member"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "created_at", "id"], name="goals_goal_oldest"),
            models.Index(fields=["organization", "month", "id"], name="goals_goal_by_month"),
        ]

    def __str__(self) -> str:
        return str(self.month)[:7]


class GoalReference(ExternalReference):
    kind: ClassVar[str] = "goal"
    row: Any = RowForeignKey(Goal, related_name="references", db_index=True)

    class Meta(ExternalReference.Meta):
        constraints: ClassVar = reference_constraints("goals_goalreference")
