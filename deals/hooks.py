"""Functions of outer apps that the pages of deals call."""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from crm_project.accounts.models import Member
from deals.metrics import Period


@dataclass
class Hooks:
    # goals(reader, owner, period) -> by the first day of its month, the goal of this member, or of the organization
    # for None: its amount, and what has been attained of it in percent
    goals: Callable[[Member, int | None, Period], Mapping[datetime.date, tuple[Decimal, Decimal]]] = (
        lambda reader, owner, period: {}
    )


hooks = Hooks()
