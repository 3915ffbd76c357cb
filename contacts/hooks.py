"""The functions of outer apps that writes of contacts call; `deals` sets them in its AppConfig."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass
class Hooks:
    # count_uses(contact ids) -> the number of live rows that use any of them
    count_uses: Callable[[Sequence[int]], int] = lambda ids: 0
    # after_rename(contact ids): their names, addresses, numbers or companies have changed, and so must what is
    # derived from those
    after_rename: Callable[[Sequence[int]], None] = lambda ids: None


hooks = Hooks()
