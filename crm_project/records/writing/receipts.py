"""The result of a write of one row: the row, the outcome, and the key of an upsert."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from crm_project.changes import names_of
from crm_project.errors import FieldError, Invalid
from crm_project.records.writing.store import Draft

T = TypeVar("T")
OUTCOMES = ("created", "updated", "unchanged")


@dataclass
class Receipt(Generic[T]):
    """`outcome` is created, updated or unchanged; `changed` holds the names of the core's columns and lists.

    `ignored` has the fields of the change that were not written, because the change asked for that
    (`closed_probability`).
    """

    row: T
    outcome: str
    changed: list[str] = field(default_factory=list)
    matched_on: str | None = None
    ignored: Sequence[str] = ()

    @classmethod
    def of(cls, draft: Draft) -> "Receipt[Any]":
        if not draft.before:
            return cls(draft.row, "created", ignored=draft.ignored)
        changed = sorted(names_of(draft.reported))
        return cls(draft.row, "updated" if changed else "unchanged", changed, ignored=draft.ignored)


# Whether a change has the key that an upsert may match on.
HasKey = Callable[[Mapping[str, Any]], bool]


def has(*fields: str) -> HasKey:
    """The change has a value for one of the fields."""
    return lambda change: any(change.get(field) for field in fields)


def match_key(change: Mapping[str, Any], keys: Mapping[str, HasKey]) -> str:
    """The key that an upsert matches on: the one in `match_on`, else the first one that the change has."""
    present = [key for key, has_key in keys.items() if has_key(change)]
    requested = change.get("match_on")
    params = {"keys": ", ".join(keys)}
    if requested is None:
        if present:
            return present[0]
        template = "An upsert needs a key to match on: %(keys)s."
        raise Invalid(fields=[FieldError("match_on", "required", template, params)])
    if requested not in keys:
        raise Invalid(fields=[FieldError("match_on", "invalid_choice", "One of: %(keys)s.", params)])
    if requested not in present:
        template = "The body has no %(key)s to match on."
        raise Invalid(fields=[FieldError("match_on", "required", template, {"key": requested})])
    return str(requested)
