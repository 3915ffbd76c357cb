"""What the journal calls in outer apps, which add their functions in `AppConfig.ready()`."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from crm_project.accounts.actors import Actor

# A change set is about to be undone from the feed or a row's history: refuse it here if it has an undo of its own.
before_undo: list[Callable[[Actor, UUID], None]] = []
# The first change set was undone there, by the second.
after_undo: list[Callable[[Actor, UUID, UUID], None]] = []
# This row has lost its personal data: erase what was kept of it elsewhere.
after_redaction: list[Callable[[Any], None]] = []
