"""How far goals are attained: by the deals that were won in their months, of those that the reader may see.

A win counts on the day of `closed_at` in the organization's time zone, for the present owner of the deal.
"""

import datetime
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from crm_project.accounts.models import Member
from crm_project.goals.models import Goal
from deals import metrics
from deals.metrics import Period, Totals
from deals.models import Deal

DAY = datetime.timedelta(days=1)
TENTH = Decimal("0.1")


@dataclass(frozen=True)
class Attainment:
    """A goal, and the totals of the won deals that count for it."""

    goal: Goal
    won: Totals
    # That of the organization.
    currency: str

    @property
    def attained(self) -> Decimal:
        """The sum in the organization's currency of the deals with a rate."""
        return metrics.base_of(self.won)

    @property
    def percent(self) -> Decimal:
        """With one decimal, rounded half up."""
        percent: Decimal = 100 * self.attained / self.goal.amount
        return percent.quantize(TENTH, ROUND_HALF_UP)

    @property
    def deals(self) -> int:
        return metrics.count_of(self.won)

    @property
    def without_rate(self) -> int:
        """The number of deals with an amount that has no rate, and so is not in `attained`."""
        return metrics.without_rate_of(self.won)

    @property
    def filters(self) -> dict[str, Any]:
        """The filters of the admin's list of deals that finds these deals."""
        last = metrics.month_start(self.goal.month, 1) - DAY
        days = {"closed_at_from": self.goal.month.isoformat(), "closed_at_to": last.isoformat()}
        own = {"owner": self.goal.member_id} if self.goal.member_id else {}
        return {"status": Deal.Statuses.WON.value, **own, **days}


def attainments(reader: Member, goals: Sequence[Goal]) -> list[Attainment]:
    """That of each goal, in one query."""
    if not goals:
        return []
    months = sorted(goal.month for goal in goals)
    zone = ZoneInfo(reader.organization.time_zone)
    period = Period(months[0], metrics.month_start(months[-1], 1), zone)
    won = Deal.objects.visible_to(reader).filter(status=Deal.Statuses.WON)
    by_owner: dict[Any, Totals] = defaultdict(list)
    for total in metrics.grouped(won, ("owner",), period=period, column="closed_at", bucket="month"):
        # Under None all deals of the month, those without an owner among them.
        for owner in {total["owner"], None}:
            by_owner[owner, total["period"]].append(total)
    currency = reader.organization.currency
    return [Attainment(goal, by_owner[goal.member_id, goal.month], currency) for goal in goals]
