"""What goals set in the hooks of inner apps."""

import datetime
from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db.models import F

from crm_project.accounts.models import Member
from crm_project.goals.attainment import attainments
from crm_project.goals.models import Goal
from deals.hooks import MonthGoal, hooks
from deals.metrics import Period


def connect() -> None:
    hooks.goals = goals_of


def goals_of(
    reader: Member, period: Period, **filters: int | None
) -> Mapping[datetime.date, Sequence[MonthGoal]]:
    """What is attained is that of the whole month, whatever part of it is in the period."""
    goals = Goal.objects.visible_to(reader).filter(month__in=period.months, **filters)
    by_name = F("member__user__full_name").asc(nulls_first=True)
    found: dict[datetime.date, list[MonthGoal]] = defaultdict(list)
    for one in attainments(reader, list(goals.select_related("member__user").order_by(by_name, "member"))):
        goal = one.goal
        figures = one.attained, one.percent, one.deals, one.without_rate
        found[goal.month].append(MonthGoal(goal.uuid, goal.member, goal.amount, *figures))
    return found
