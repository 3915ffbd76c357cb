"""Set-wise persistence: insert or update many rows with one statement, raise their versions, record their events."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import prefetch_related_objects

from crm_project.changes import ChangeSet, Columns, before_storing, columns, difference
from crm_project.errors import Invalid
from crm_project.records.bulk_sql import insert_rows, update_rows
from crm_project.records.models import Row


@dataclass
class Draft:
    """A row during a write: its columns before (empty for a new row) and now, and its lists in other tables.

    `ignored` has the fields of the change that were not written, because the change asked for that. `derived_before`
    has values that follow from columns (`effective_probability`), as they were. `created_at` is the instant of the
    creation of a new row that is older than its record here, and `passed` what it has been since: instants and values.
    """

    row: Any
    before: Columns = field(default_factory=dict)
    lists_before: Columns = field(default_factory=dict)
    lists: Columns = field(default_factory=dict)
    ignored: Sequence[str] = ()
    derived_before: Columns = field(default_factory=dict)
    created_at: datetime.datetime | None = None
    passed: list[tuple[datetime.datetime, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, row: Row) -> "Draft":
        """The draft of a locked row, before anything is changed."""
        return cls(row, columns(row))

    @property
    def changed(self) -> dict[str, tuple[Any, Any]]:
        """Columns and lists that differ, each as (old, new)."""
        return difference(self.before, columns(self.row)) | difference(self.lists_before, self.lists)

    @property
    def reported(self) -> dict[str, tuple[Any, Any]]:
        """What an event and a receipt name: what has changed, and what follows from it."""
        derived = {name: getattr(self.row, name) for name in self.derived_before}
        return self.changed | difference(self.derived_before, derived)


def insert(drafts: Sequence[Draft], *, now: datetime.datetime) -> None:
    """Insert new rows. The caller writes their lists, which are in tables of the app."""
    if not drafts:
        return
    before_storing()
    for draft in drafts:
        draft.row.created_at, draft.row.updated_at = draft.created_at or now, now
    refresh_derived([draft.row for draft in drafts])
    insert_rows([draft.row for draft in drafts])


def update(drafts: Sequence[Draft], *, now: datetime.datetime) -> list[Draft]:
    """Write the changed columns of locked rows; returns the changed drafts. An unchanged row keeps its version."""
    touched = [draft for draft in drafts if draft.changed]
    if not touched:
        return []
    before_storing()
    names: set[str] = set()
    for draft in touched:
        names |= difference(draft.before, columns(draft.row)).keys()
        draft.row.version += 1
        draft.row.updated_at = now
    refresh_derived([draft.row for draft in touched])
    model = type(touched[0].row)
    derived = [name for name in model.derived if any(f.attname == name for f in model._meta.concrete_fields)]
    update_rows([draft.row for draft in touched], sorted({*names, *derived}))
    return touched


def refresh_derived(rows: Sequence[Row]) -> None:
    """Compute the derived columns of rows of one kind; what they follow from is read with one query for a relation."""
    for name in rows[0].derived_from if rows else ():
        prefetch_related_objects([row for row in rows if getattr(row, f"{name}_id") is not None], name)
    for row in rows:
        row.refresh_derived()


def refuse_twice(ids: Sequence[Any]) -> None:
    """Refuse a list with two changes of one row, since the outcome would depend on their order."""
    if len(set(ids)) != len(ids):
        raise Invalid("The same row comes twice.", code="row_twice")


def record(changes: ChangeSet, drafts: Sequence[Draft], action: str) -> None:
    """Record an event for each row, after its columns and lists are written."""
    for draft in drafts:
        changes.record(draft.row, action, draft.reported)
