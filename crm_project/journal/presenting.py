"""The representation of events in the API: fields by their API names, ids with the names of the rows, page by page."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_project.accounts.models import Member
from crm_project.changes import EFFECTIVE
from crm_project.journal.models import Event
from crm_project.records.kinds import Field, kinds

# The representation of a row that is not visible to the member.
HIDDEN = {"hidden": True}
EMPTY: tuple[Any, ...] = (None, "", [], {}, False)


@dataclass
class Change:
    """The change of one field. `units` are those of the two values, such as their currencies."""

    field: str
    before: Any
    after: Any
    units: tuple[str, str] = ("", "")


@dataclass
class PresentedEvent:
    """An event and its changes, without names of rows that are hidden from the member."""

    event: Event
    changes: list[Change] = field(default_factory=list)

    def of(self, name: str) -> Change | None:
        return next((change for change in self.changes if change.field == name), None)


def present(events: Iterable[Event], member: Member) -> list[PresentedEvent]:
    """Present events to a member. The number of queries depends on the number of kinds, not of events."""
    presented_events = [PresentedEvent(event, list(_changes(event))) for event in events]
    names = _names(presented_events, member)
    for presented in presented_events:
        fields = {column.name: column for column in kinds[presented.event.kind].fields.values()}
        for change in presented.changes:
            column = fields.get(change.field)
            change.before, change.after = (
                _value(column, value, names) for value in (change.before, change.after)
            )
    _polish(presented_events)
    return presented_events


def rows_of(events: Iterable[Event], member: Member) -> dict[tuple[str, int], Any]:
    """The rows of events by (kind, id), without those hidden from the member, with one query for each kind."""
    ids_by_kind: dict[str, set[int]] = defaultdict(set)
    for event in events:
        ids_by_kind[event.kind].add(event.row_id)
    return {
        (name, row.pk): row
        for name, ids in ids_by_kind.items()
        for row in kinds[name].rows(member).filter(pk__in=ids)
    }


def _changes(event: Event) -> Iterable[Change]:
    fields = kinds[event.kind].fields
    for key, (before, after) in event.changes.items():
        column = key.removeprefix(EFFECTIVE)
        if f"{EFFECTIVE}{key}" in event.changes:
            continue  # The value in force stands for the column.
        if column == "custom_fields":
            yield from _custom_changes(before or {}, after or {})
        elif column in fields and not (event.action == "created" and after in EMPTY):
            yield Change(fields[column].name, before, after)


def _custom_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[Change]:
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield Change(f"custom_fields.{key}", before.get(key), after.get(key))


Names = Mapping[str, Mapping[int, dict[str, Any]]]


def _names(presented_events: Sequence[PresentedEvent], member: Member) -> Names:
    """The representations of the related rows by kind and id, without those hidden from the member."""
    row_ids: dict[str, set[int]] = defaultdict(set)
    for presented in presented_events:
        fields = {column.name: column for column in kinds[presented.event.kind].fields.values()}
        for change in presented.changes:
            if (column := fields.get(change.field)) and column.kind:
                row_ids[column.kind] |= {*_ids(change.before), *_ids(change.after)}
    return {
        name: {row.pk: kinds[name].part(row) for row in kinds[name].rows(member).filter(pk__in=ids)}
        for name, ids in row_ids.items()
        if ids
    }


def _ids(value: Any) -> list[int]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _value(column: Field | None, value: Any, names: Names) -> Any:
    if column is None or value is None:
        return value
    if column.name == "external_references":
        return [{"system": system, "external_id": external_id} for system, external_id in value]
    if column.is_instant:
        return value.replace("+00:00", "Z")  # as the API writes instants
    if not column.kind:
        return value
    parts = [names.get(column.kind, {}).get(row_id, HIDDEN) for row_id in _ids(value)]
    return parts if isinstance(value, list) else parts[0]


def _polish(presented_events: Sequence[PresentedEvent]) -> None:
    by_kind: dict[str, list[PresentedEvent]] = defaultdict(list)
    for presented in presented_events:
        by_kind[presented.event.kind].append(presented)
    for name, of_kind in by_kind.items():
        if polish := kinds[name].polish:
            polish(of_kind)
