"""The functions of outer apps that the journal calls; each is set in an AppConfig."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from crm_project.accounts.actors import Actor


@dataclass
class Hooks:
    # before_undo(actor, change set): raise UndoneElsewhere for a change set that cannot be undone from the feed
    before_undo: Callable[[Actor, UUID], None] = lambda actor, change_set: None
    # after_undo(actor, change set, undo): the change set has been undone from the feed by the change set `undo`
    after_undo: Callable[[Actor, UUID, UUID], None] = lambda actor, change_set, by: None
    # Each takes a redacted row, and erases copies of its personal data.
    after_redaction: list[Callable[[Any], None]] = field(default_factory=list)


hooks = Hooks()
