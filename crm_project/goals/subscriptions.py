"""What goals set in the hooks of inner apps."""

import datetime
from collections.abc import Mapping
from decimal import Decimal

from crm_project.accounts.models import Member
from crm_project.goals.attainment import attainments
from crm_project.goals.models import Goal
from deals.hooks import hooks
from deals.metrics import Period


def connect() -> None:
    hooks.goals = goals_of


def goals_of(
    reader: Member, owner: int | None, period: Period
) -> Mapping[datetime.date, tuple[Decimal, Decimal]]:
    """By month the amount and the percent attained, which is that of the whole month; none that is not visible."""
    goals = Goal.objects.visible_to(reader).filter(member=owner, month__in=period.months)
    return {one.goal.month: (one.goal.amount, one.percent) for one in attainments(reader, list(goals))}
