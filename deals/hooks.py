"""Functions of outer apps that the figures and the pages of deals call."""

import datetime
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from crm_project.accounts.models import Member


@dataclass(frozen=True)
class MonthGoal:
    """The goal of a member, or of the organization without one, and what the deals won in its month attain of it."""

    uuid: uuid.UUID
    member: Member | None
    amount: Decimal
    attained: Decimal
    percent: Decimal
    # The number of these deals, and of those whose amount has no rate.
    deals: int
    without_rate: int


@dataclass
class Hooks:
    # goals(reader, period, **filters) -> the goals that the reader may see, by the first day of the month: that of the
    # organization first. `member=None` narrows to those of the organization, `member=<id>` to those of a member
    goals: Callable[..., Mapping[datetime.date, Sequence[MonthGoal]]] = lambda reader, period, **filters: {}


hooks = Hooks()
