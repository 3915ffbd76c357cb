"""The functions of outer apps that the journal calls; each is set in an AppConfig."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from crm_project.accounts.actors import Actor


@dataclass
class Hooks:
    # before_undo(actor, change set): raise UndoneElsewhere for a change set that cannot be undone from the feed
    before_undo: Callable[[Actor, UUID], None] = lambda actor, change_set: None
    # after_undo(actor, change set, undo): the change set has been undone from the feed by the change set `undo`
    after_undo: Callable[[Actor, UUID, UUID], None] = lambda actor, change_set, by: None
    # after_redaction(row): erase copies of the row's personal data
    after_redaction: Callable[[Any], None] = lambda row: None


hooks = Hooks()
