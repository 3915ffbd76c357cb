"""Errors of the domain: a stable code, a message and the fields concerned.

Messages are templates with named parameters (`"At most %(limit)s characters."`, `{"limit": 255}`), so that a catalogue
can translate them (into the language that is active); they are never built with f-strings.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import formats
from django.utils.translation import gettext, ngettext

# Begins the list of the known names in the message of an unknown one.
KNOWN = " Known: "


def message(template: str, params: Mapping[str, Any]) -> str:
    """The text of a template. Without parameters a percent sign stands for itself."""
    text = gettext(template) if template else ""
    return text % params if params else text


@dataclass(frozen=True)
class FieldError:
    """One wrong field: a dotted path in the core's own names (`stage`, `stages.0.name`), which each edge translates."""

    field: str
    code: str
    template: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict, compare=False)

    @property
    def detail(self) -> str:
        return message(self.template, self.params)


class DomainError(Exception):
    """Base of all domain errors. `extra` holds what a caller needs to act on it (a count, the candidates)."""

    code = "invalid"
    template = "The request cannot be carried out."

    def __init__(
        self,
        template: str = "",
        params: Mapping[str, Any] | None = None,
        *,
        code: str = "",
        fields: Iterable[FieldError] = (),
        **extra: Any,
    ) -> None:
        self.template = template or self.template
        self.params = params or {}
        self.code = code or self.code
        self.fields = tuple(fields)
        self.extra = extra
        super().__init__(self.detail)

    @property
    def detail(self) -> str:
        return message(self.template, self.params)


class Invalid(DomainError):
    """The input is wrong; `fields` names every wrong field."""

    template = "Some fields are not valid."


class Forbidden(DomainError):
    """The actor's role or token does not allow this."""

    code = "forbidden"
    template = "Your role or token does not allow this."


class NotFound(DomainError):
    """No such row, or none that the actor may see."""

    code = "not_found"
    template = "There is no such row."


class Conflict(DomainError):
    """The input is fine, the state of the data forbids it."""

    code = "conflict"
    template = "The data has changed or is in use."


class PreconditionFailed(DomainError):
    """The row has another version than the write expects; `row` and `since` locate its later events."""

    code = "precondition_failed"
    template = "The row has changed since you read it."

    def __init__(self, template: str = "", *, row: Any = None, since: int = 0) -> None:
        super().__init__(template)
        self.row = row
        self.since = since


class RowsRefused(DomainError):
    """Some rows of a list were refused; `errors` maps the row's index to its refusal."""

    template = "Some rows are not valid."

    def __init__(self, errors: dict[int, DomainError]) -> None:
        super().__init__()
        self.errors = errors


def refuse(errors: Mapping[int, DomainError], *, rows: int) -> None:
    """Raise the collected errors, if there are any: of a single row its own error, else RowsRefused."""
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


@dataclass(frozen=True)
class Uses:
    """The live deals that use a row: how many of them the actor may see, and whether there are `others`."""

    count: int = 0
    others: bool = False

    def __bool__(self) -> bool:
        return bool(self.count or self.others)

    def __str__(self) -> str:
        if not self.count:
            return gettext("deals that you may not see")
        count = formats.number_format(self.count, force_grouping=True)
        visible = ngettext("%(count)s deal", "%(count)s deals", self.count) % {"count": count}
        return (
            gettext("%(deals)s and others that you may not see") % {"deals": visible}
            if self.others
            else visible
        )

    def conflict(self, template: str, **params: Any) -> Conflict:
        """The refusal of a write for these rows, which the template names as `uses`."""
        return Conflict(
            template, {**params, "uses": str(self)}, code="in_use", count=self.count, others=self.others
        )
