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
    # after_merge(actor, source, target): the deals of the source are the target's; move the other rows of the source
    after_merge: list[Callable[[Actor, Any, Any], None]] = field(default_factory=list)


hooks = Hooks()
