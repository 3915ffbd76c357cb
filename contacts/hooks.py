"""The functions of outer apps that writes of contacts call; `deals/subscriptions.py` sets them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_project.accounts.actors import Actor
from crm_project.errors import Uses


@dataclass
class Hooks:
    # count_uses(actor, contact ids) -> the live rows that use any of them
    count_uses: Callable[[Actor, Sequence[int]], Uses] = lambda actor, ids: Uses()
    # after_rename(contact ids): names, addresses, numbers or companies of these contacts have changed; update the
    # columns of other rows that are derived from them
    after_rename: Callable[[Sequence[int]], None] = lambda ids: None
    # Each is called with the actor before a merge, and takes the locks that come before those of contacts.
    before_merge: list[Callable[[Actor], Any]] = field(default_factory=list)
    # Each is called with (actor, sources, target), in the order of the ranks, and moves rows to the target.
    after_merge: list[Callable[[Actor, Sequence[Any], Any], None]] = field(default_factory=list)


hooks = Hooks()
