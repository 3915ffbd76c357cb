"""The functions of outer apps that writes of contacts call; `deals` sets them in its AppConfig."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crm_project.accounts.actors import Actor
from crm_project.errors import Uses


@dataclass
class Hooks:
    # count_uses(actor, contact ids) -> the live rows that use any of them
    count_uses: Callable[[Actor, Sequence[int]], Uses] = lambda actor, ids: Uses()
    # after_rename(contact ids): their names, addresses, numbers or companies have changed, and so must what is
    # derived from those
    after_rename: Callable[[Sequence[int]], None] = lambda ids: None


hooks = Hooks()
