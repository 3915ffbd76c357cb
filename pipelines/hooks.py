"""The functions of outer apps that writes of pipelines and stages call; `deals/subscriptions.py` sets them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crm_project.accounts.actors import Actor
from crm_project.errors import Uses
from pipelines.models import Stage


@dataclass
class Hooks:
    # count_uses(actor, stage ids) -> the live rows in any of them
    count_uses: Callable[[Actor, Sequence[int]], Uses] = lambda actor, ids: Uses()
    # after_probability(stage ids): the default probabilities of these stages have changed
    after_probability: Callable[[Sequence[int]], None] = lambda ids: None
    # move_all(actor, stage ids, stage): move every live row in these stages to `stage`
    move_all: Callable[[Actor, Sequence[int], Stage], None] = lambda actor, ids, stage: None


hooks = Hooks()
