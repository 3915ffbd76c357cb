"""Goals of the demo: of each member who has won deals, and of the whole organization."""

import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any

from django.db.models import Sum

from crm_project.accounts.actors import Actor
from crm_project.changes import change_set
from crm_project.goals.services import create_goal
from crm_project.setup.demo.clock import frozen_time
from deals.metrics import month_start
from deals.models import Deal

# The months from the fifth before this one to the second after it.
MONTHS = range(-5, 3)
THOUSANDS = Decimal(1000)


def create_demo_goals(actor: Actor, at: datetime.datetime) -> None:
    """By what was won a month since the first of these months, rounded up to thousands."""
    first = month_start(at.date(), MONTHS.start)
    won = Deal.objects.visible_to(actor.member).filter(status=Deal.Statuses.WON, closed_at__date__gte=first)
    by_member = dict(won.order_by().values_list("owner").annotate(total=Sum("amount_base")))
    sums: dict[Any, Decimal] = {None: sum(filter(None, by_member.values()), Decimal(0))}
    sums |= {member: total for member, total in by_member.items() if member and total}
    with frozen_time(at), change_set(actor):
        for member, total in sums.items():
            amount = (total / -MONTHS.start / THOUSANDS).to_integral_value(ROUND_CEILING) * THOUSANDS
            for number in MONTHS if amount else ():
                change = {"month": month_start(at.date(), number), "amount": amount, "member": member}
                create_goal(actor=actor, change=change)
