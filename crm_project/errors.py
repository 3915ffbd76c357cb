"""Every refusal the core can utter: a stable code, a sentence and the fields it is about."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FieldError:
    """One wrong field: a dotted path in the core's own words (`stage`, `stages.0.name`), which each edge translates."""

    field: str
    code: str
    detail: str


class DomainError(Exception):
    """Base of all refusals. `extra` holds what a caller needs to act on it (a count, the candidates)."""

    code = "invalid"
    detail = "The request cannot be carried out."

    def __init__(
        self,
        detail: str = "",
        *,
        code: str = "",
        fields: Iterable[FieldError] = (),
        **extra: Any,
    ) -> None:
        self.detail = detail or self.detail
        self.code = code or self.code
        self.fields = tuple(fields)
        self.extra = extra
        super().__init__(self.detail)


class Invalid(DomainError):
    """The input is wrong; `fields` names every wrong field."""

    detail = "Some fields are not valid."


class Forbidden(DomainError):
    """The actor's role or token does not allow this."""

    code = "forbidden"
    detail = "Your role or token does not allow this."


class NotFound(DomainError):
    """No such row, or none that the actor may see."""

    code = "not_found"
    detail = "There is no such row."


class Conflict(DomainError):
    """The input is fine, the state of the data forbids it."""

    code = "conflict"
    detail = "The data has changed or is in use."


class PreconditionFailed(DomainError):
    """The row is no longer the one that the write was made for; `row` and `since` tell where to look for changes."""

    code = "precondition_failed"
    detail = "The row has changed since you read it."

    def __init__(self, detail: str = "", *, row: Any = None, since: int = 0) -> None:
        super().__init__(detail)
        self.row = row
        self.since = since


class RowsRefused(DomainError):
    """Some rows of a list were refused; `errors` maps the row's index to its refusal."""

    detail = "Some rows are not valid."

    def __init__(self, errors: dict[int, DomainError]) -> None:
        super().__init__()
        self.errors = errors


def refuse(errors: Mapping[int, DomainError], *, rows: int) -> None:
    """Raise what was collected, if anything: a single row's refusal speaks for itself."""
    if not errors:
        return
    raise errors[0] if rows == 1 else RowsRefused(dict(errors))


def refuse_fields(fields: Iterable[FieldError]) -> None:
    """Raise one `Invalid` that names every wrong field, if there is any."""
    wrong = tuple(fields)
    if wrong:
        raise Invalid(fields=wrong, code=wrong[0].code if len({error.code for error in wrong}) == 1 else "")


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
