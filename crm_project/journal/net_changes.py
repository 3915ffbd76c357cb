"""The net change of a row by a change set, and the row as it was before, fact by fact."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from crm_project.changes import columns, plain, stored
from crm_project.journal.models import Event
from crm_project.records.kinds import Kind, kinds
from crm_project.records.writing.store import Draft

Fact = tuple[str, Any]
RowKey = tuple[str, int]
BATCH = 4_000
ABSENT = "\x00absent"  # no stored text holds a NUL


@dataclass(slots=True)
class NetChange:
    """The net effect of a change set on one row: its columns and lists before and after all events of the row.

    A large import has 100,000 of them, while the rows are read in batches. The last three attributes are set when the
    row has been read: the facts that differ from `after`, whether the undo leaves the row in the trash, and whether
    other rows of its kind may refer to it.
    """

    kind: Kind
    row_id: int
    row_uuid: UUID
    created: bool = False
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    stale: Sequence[Fact] = ()
    is_trashed: bool = False
    is_inner: bool = False
    # Moved by a merge, and the actor may not see it.
    is_hidden: bool = False

    def add(self, event: Event) -> None:
        self.created = self.created or event.action == "created"
        for name, (old, new) in stored(event.changes).items():
            if self.created and name != "deleted_at":
                continue  # undone as a whole; an import has 100,000 of them
            self.before.setdefault(name, old)
            self.after[name] = new

    @property
    def is_mover(self) -> bool:
        """Whether the row was merged into another one, or is so again."""
        return moves_hidden(self.kind.name, self.before)

    @property
    def key(self) -> RowKey:
        return self.kind.name, self.row_id

    def facts(self) -> dict[Fact, tuple[Any, Any]]:
        """The changed facts, each as (before, after). The undo of a creation is a move to the trash."""
        if self.created:
            trashed = self.after.get("deleted_at") is not None
            return {} if trashed else {("deleted_at", None): (ABSENT, None)}
        return {
            fact: pair
            for name, old in self.before.items()
            for fact, pair in facts_of(self.kind, name, old, self.after[name]).items()
        }


def moves_hidden(kind: str, changes: Mapping[str, Any]) -> bool:
    """Whether the event of a row has moved rows that its actor may not see: a merge."""
    declared = kinds[kind].moves_hidden
    return declared is not None and declared(changes)


def batches(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Batches: the number of parameters of a statement is limited."""
    return (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))


def facts_of(kind: Kind, name: str, old: Any, new: Any) -> dict[Fact, tuple[Any, Any]]:
    """Split the change of a column or list into facts, each with its (old, new) value."""
    if name == "custom_fields":
        old, new = old or {}, new or {}
        keys = [key for key in {**old, **new} if old.get(key, ABSENT) != new.get(key, ABSENT)]
        return {(name, key): (old.get(key, ABSENT), new.get(key, ABSENT)) for key in keys}
    if name in kind.lists:
        before, after = entries(old), entries(new)
        return {(name, entry): (entry in before, entry in after) for entry in {*before} ^ {*after}}
    return {(name, None): (old, new)}


def entries(value: Any) -> list[Any]:
    """A list's entries as keys: ids, or (system, external id)."""
    return [tuple(entry) if isinstance(entry, list | tuple) else entry for entry in value or ()]


def compare(net: NetChange, draft: Draft, now: datetime.datetime) -> None:
    """Set the attributes of the net change that depend on the row, and restore the draft."""
    present = _present(draft)
    net.stale = [fact for fact, (_, after) in net.facts().items() if _value(net.kind, present, fact) != after]
    restore(draft, net, now)
    net.is_trashed = getattr(draft.row, "deleted_at", None) is not None
    net.is_inner = net.kind.is_inner is None or net.kind.is_inner(draft.row)


def _present(draft: Draft) -> dict[str, Any]:
    return {name: plain(value) for name, value in columns(draft.row).items()} | draft.lists_before


def _value(kind: Kind, present: Mapping[str, Any], fact: Fact) -> Any:
    """The present value of a fact, as in `facts_of`."""
    name, part = fact
    if name == "custom_fields":
        return present[name].get(part, ABSENT)
    if name in kind.lists:
        return part in entries(present.get(name))
    return present.get(name)


def restore(draft: Draft, net: NetChange, now: datetime.datetime) -> None:
    """Set the draft to the values before the change set, fact by fact."""
    fields = {column.attname: column for column in draft.row._meta.concrete_fields}
    for (name, part), (old, _) in net.facts().items():
        if name == "deleted_at":
            # The thirty days of the trash begin now; rows that are trashed together share the instant.
            draft.row.deleted_at = now if old is not None else None
        elif name == "custom_fields":
            values = dict(draft.row.custom_fields)
            values.pop(part, None)
            draft.row.custom_fields = values if old == ABSENT else {**values, part: old}
        elif name not in net.kind.lists:
            setattr(draft.row, name, fields[name].to_python(old))
    for name in net.before.keys() & draft.lists.keys() & net.kind.lists.keys():
        if not net.created:
            draft.lists[name] = _restored_list(draft.lists[name], net.before[name], net.after[name])


def _restored_list(present: Sequence[Any], old: Any, new: Any) -> list[Any]:
    """The list without the added entries and with the removed ones, in the old order if nothing else has changed."""
    before, after = entries(old), entries(new)
    result = [entry for entry in entries(present) if entry in before or entry not in after]
    result += [entry for entry in before if entry not in after and entry not in result]
    result = before if sorted(map(repr, result)) == sorted(map(repr, before)) else result
    return [list(entry) if isinstance(entry, tuple) else entry for entry in result]
