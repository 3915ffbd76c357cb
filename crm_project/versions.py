"""Expected versions: a write may say which version of a row it was made for, and is refused if that has passed."""

from dataclasses import dataclass
from typing import Any

from crm_project.errors import PreconditionFailed


@dataclass(frozen=True)
class Versions:
    """The versions that a write accepts of a row, as If-Match names them; None accepts every one."""

    numbers: frozenset[int] | None

    @classmethod
    def any(cls) -> "Versions":
        return cls(None)

    def refusal(self, row: Any) -> PreconditionFailed | None:
        """What to tell whoever expected another version of this locked row; a row that is new has none."""
        if row.pk is None:
            return PreconditionFailed("There is no such row yet, so that none of its versions can match.")
        if self.numbers is None or row.version in self.numbers:
            return None
        older = [number for number in self.numbers if number < row.version]
        return PreconditionFailed(row=row, since=max(older, default=row.version))


def refusal(row: Any, expected: Versions | None) -> PreconditionFailed | None:
    """The same for a write that may have said nothing."""
    return expected.refusal(row) if expected else None


def require(row: Any, expected: Versions | None) -> None:
    """Refuse a write of one locked row that was made for another version of it."""
    if refused := refusal(row, expected):
        raise refused
