"""Functions of outer apps that rates call."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Hooks:
    # after_change(organization_id, currency, since): rates of the currency of this day or later have changed.
    after_change: Callable[[int, str, datetime.date], None] = lambda organization_id, currency, since: None


hooks = Hooks()
