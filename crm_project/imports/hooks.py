"""The functions of outer rooms that imports call; each is set in an AppConfig."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Hooks:
    # Each takes an import whose run has ended, in the transaction that stores its outcome.
    after_run: list[Callable[[Any], None]] = field(default_factory=list)


hooks = Hooks()
