"""Functions of outer apps that the pages of deals call."""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from crm_project.accounts.models import Member
from deals.metrics import Period


@dataclass
class Hooks:
    # goals(reader, period) -> by the first day of its month, the organization's goal: its amount, and what has been
    # attained of it in percent
    goals: Callable[[Member, Period], Mapping[datetime.date, tuple[Decimal, Decimal]]] = (
        lambda reader, period: {}
    )


hooks = Hooks()
