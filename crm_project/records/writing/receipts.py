"""The answer to a write: the row, what became of it, and by which key it was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from crm_project.errors import FieldError, Invalid
from crm_project.records.writing.store import Draft

T = TypeVar("T")
OUTCOMES = ("created", "updated", "unchanged")


@dataclass
class Receipt(Generic[T]):
    """`outcome` is created, updated or unchanged; `changed` holds the names of the core's columns and lists."""

    row: T
    outcome: str
    changed: list[str] = field(default_factory=list)
    matched_on: str | None = None

    @classmethod
    def of(cls, draft: Draft) -> "Receipt[Any]":
        if not draft.before:
            return cls(draft.row, "created")
        changed = sorted(draft.changed)
        return cls(draft.row, "updated" if changed else "unchanged", changed)


def match_key(change: Mapping[str, Any], keys: Sequence[str]) -> str:
    """The key that decides an upsert: the one that `match_on` names, else the first that the change has."""
    present = [key for key in keys if _has(change, key)]
    wanted = change.get("match_on")
    if wanted is None:
        if present:
            return present[0]
        known = ", ".join(keys)
        raise Invalid(
            fields=[FieldError("match_on", "required", f"An upsert needs a key to match on: {known}.")]
        )
    if wanted not in keys:
        raise Invalid(fields=[FieldError("match_on", "invalid_choice", f"One of: {', '.join(keys)}.")])
    if wanted not in present:
        raise Invalid(fields=[FieldError("match_on", "required", f"The body has no {wanted} to match on.")])
    return str(wanted)


def _has(change: Mapping[str, Any], key: str) -> bool:
    match key:
        case "external_reference":
            return bool(change.get("external_references"))
        case "contact_and_pipeline":
            return bool(change.get("contact") or change.get("contact_email"))
        case _:
            return bool(change.get(key))
