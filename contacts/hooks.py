"""The functions of outer apps that writes of contacts call; `deals/subscriptions.py` sets them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass
class Hooks:
    # count_uses(contact ids) -> the number of live rows that use any of them
    count_uses: Callable[[Sequence[int]], int] = lambda ids: 0
    # after_rename(contact ids): names, addresses, numbers or companies of these contacts have changed; update the
    # columns of other rows that are derived from them
    after_rename: Callable[[Sequence[int]], None] = lambda ids: None


hooks = Hooks()
