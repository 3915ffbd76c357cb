"""Events in the API's words: fields by their names there, ids with the names of their rows, all of a page at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_project.accounts.models import Member
from crm_project.journal.models import Event
from crm_project.records.kinds import Field, kinds

# What a member learns of a row that is none of the member's business.
HIDDEN = {"hidden": True}
EMPTY: tuple[Any, ...] = (None, "", [], {}, False)


@dataclass
class Change:
    """One field's change. `units` are what its two values are counted in, where that is not the field's own matter."""

    field: str
    before: Any
    after: Any
    units: tuple[str, str] = ("", "")


@dataclass
class PresentedEvent:
    """An event and its changes as a member may read them."""

    event: Event
    changes: list[Change] = field(default_factory=list)

    def of(self, name: str) -> Change | None:
        return next((change for change in self.changes if change.field == name), None)


def present(events: Iterable[Event], member: Member) -> list[PresentedEvent]:
    """Tell events to a member, in a number of queries that depends on the kinds of row they name, not on how many."""
    shown = [PresentedEvent(event, list(_changes(event))) for event in events]
    names = _names(shown, member)
    for presented in shown:
        fields = {known.name: known for known in kinds[presented.event.kind].fields.values()}
        for change in presented.changes:
            known = fields.get(change.field)
            change.before, change.after = (
                _value(known, value, names) for value in (change.before, change.after)
            )
    _polish(shown)
    return shown


def _changes(event: Event) -> Iterable[Change]:
    fields = kinds[event.kind].fields
    for column, (before, after) in event.changes.items():
        if column == "custom_fields":
            yield from _custom_changes(before or {}, after or {})
        elif column in fields and not (event.action == "created" and after in EMPTY):
            yield Change(fields[column].name, before, after)


def _custom_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[Change]:
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield Change(f"custom_fields.{key}", before.get(key), after.get(key))


Names = Mapping[str, Mapping[int, dict[str, Any]]]


def _names(shown: Sequence[PresentedEvent], member: Member) -> Names:
    """The rows that the events name, kind by kind; one that is missing is not for the member's eyes."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for presented in shown:
        fields = {known.name: known for known in kinds[presented.event.kind].fields.values()}
        for change in presented.changes:
            if (known := fields.get(change.field)) and known.kind:
                wanted[known.kind] |= {*_ids(change.before), *_ids(change.after)}
    return {
        name: {row.pk: kinds[name].part(row) for row in kinds[name].rows(member).filter(pk__in=ids)}
        for name, ids in wanted.items()
        if ids
    }


def _ids(value: Any) -> list[int]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _value(known: Field | None, value: Any, names: Names) -> Any:
    if known is None or value is None:
        return value
    if known.name == "external_references":
        return [{"system": system, "external_id": external_id} for system, external_id in value]
    if known.is_instant:
        return value.replace("+00:00", "Z")  # as the API writes instants
    if not known.kind:
        return value
    parts = [names.get(known.kind, {}).get(row_id, HIDDEN) for row_id in _ids(value)]
    return parts if isinstance(value, list) else parts[0]


def _polish(shown: Sequence[PresentedEvent]) -> None:
    by_kind: dict[str, list[PresentedEvent]] = defaultdict(list)
    for presented in shown:
        by_kind[presented.event.kind].append(presented)
    for name, those in by_kind.items():
        if polish := kinds[name].polish:
            polish(those)
