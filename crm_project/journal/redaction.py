"""Erasure of personal data from the journal: values are replaced; actor, field and time stay."""

from collections.abc import Collection
from typing import Any

from crm_project.journal.append_only import rewriting
from crm_project.journal.models import Event

ERASED = "(erased)"


def redact_events(*, kind: str, row_id: int, organization_id: int, fields: Collection[str]) -> int:
    """Replace the values of these fields by `(erased)` in all events of a row; returns the number of changed events."""
    redacted = []
    for event in Event.objects.of(organization_id).filter(kind=kind, row_id=row_id):
        changes = {
            name: [erased(value) for value in pair] if name in fields else pair
            for name, pair in event.changes.items()
        }
        if changes != event.changes:
            event.changes = changes
            redacted.append(event)
    with rewriting():
        Event.objects.bulk_update(redacted, ["changes"], batch_size=500)
    return len(redacted)


def erased(value: Any) -> Any:
    """The replacement of a value: `(erased)` for a text, an empty list or object for one, other types as they are."""
    if isinstance(value, str):
        return ERASED if value else ""
    return type(value)() if isinstance(value, list | dict) else value
