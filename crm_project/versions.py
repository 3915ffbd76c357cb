"""Optimistic locking: a write may name the version of the row that it is based on, and is refused if it has passed."""

from dataclasses import dataclass
from typing import Any

from crm_project.errors import PreconditionFailed


@dataclass(frozen=True)
class Versions:
    """The versions of a row that a write accepts, as in If-Match; None accepts every version (`*`)."""

    numbers: frozenset[int] | None

    @classmethod
    def any(cls) -> "Versions":
        return cls(None)

    def refusal(self, row: Any) -> PreconditionFailed | None:
        """The refusal if this locked row has none of the versions; a row that is not stored yet has none at all."""
        if row.pk is None:
            return PreconditionFailed("The row does not exist yet, so no version of it can match.")
        if self.numbers is None or row.version in self.numbers:
            return None
        older = [number for number in self.numbers if number < row.version]
        return PreconditionFailed(row=row, since=max(older, default=row.version))


def refusal(row: Any, expected: Versions | None) -> PreconditionFailed | None:
    """The same for a write that need not name a version."""
    return expected.refusal(row) if expected else None


def require(row: Any, expected: Versions | None) -> None:
    """Raise PreconditionFailed if this locked row has none of the expected versions."""
    if refused := refusal(row, expected):
        raise refused
