"""Undo: every row of a change set goes back to what it was, unless somebody has changed the same fields since.

It is a write like any other, with a change set of its own, so that an undo can be undone. What a change set did to a
row is taken apart into single facts (a column's value, one custom field, one entry of a list): another's change to
another fact is left alone, and one to the same fact forbids the undo.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.changes import ChangeSet, change_set, columns, plain
from crm_project.errors import Conflict, DomainError, FieldError, NotFound
from crm_project.journal.hooks import hooks
from crm_project.journal.models import Event
from crm_project.journal.services import event_of
from crm_project.records.kinds import Kind, Undoer, kinds
from crm_project.records.locks import hold_catalogue
from crm_project.records.writing.store import Draft

Fact = tuple[str, Any]
RowKey = tuple[str, int]
BATCH = 4_000
ABSENT = "\x00absent"  # no stored text holds a NUL


class HasUndoOfItsOwn(Conflict):
    """The change set is the work of this row, which is undone as a whole and beside the request."""

    def __init__(
        self, template: str, params: Mapping[str, Any] | None = None, *, row: Any, **extra: Any
    ) -> None:
        super().__init__(template, params, **extra)
        self.row = row


@dataclass(frozen=True)
class Undone:
    """What an undo did. The events get their numbers when the outermost change set ends."""

    change_set: UUID
    undoes: UUID
    changes: ChangeSet = field(repr=False)
    already: int = 0

    @property
    def count(self) -> int:
        return len(self.changes.recorded) - self.already

    def first_events(self, count: int) -> list[Event]:
        """Made when they are asked for: nobody reads those of a great import."""
        recorded = self.changes.recorded[self.already : self.already + count]
        return [event_of(self.changes, one) for one in recorded]


@dataclass(slots=True)
class Net:
    """What a change set did to one row in all: each column and list as it was before, and as it was after.

    A great import has a hundred thousand of them. The rows themselves are read some thousands at a time; what is known
    once they have been: the facts that are not as the change set left them, whether the row goes, whether others refer
    to it.
    """

    kind: Kind
    row_id: int
    row_uuid: UUID
    created: bool = False
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    stale: Sequence[Fact] = ()
    goes: bool = False
    is_inner: bool = False

    def add(self, event: Event) -> None:
        self.created = self.created or event.action == "created"
        for name, (old, new) in event.changes.items():
            if self.created and name != "deleted_at":
                continue  # a new row goes as a whole, whatever it held; an import made a hundred thousand of them
            self.before.setdefault(name, old)
            self.after[name] = new

    @property
    def key(self) -> RowKey:
        return self.kind.name, self.row_id

    def facts(self) -> dict[Fact, tuple[Any, Any]]:
        """What it changed. To undo a creation is to trash the row, whatever it was created with."""
        if self.created:
            trashed = self.after.get("deleted_at") is not None
            return {} if trashed else {("deleted_at", None): (ABSENT, None)}
        return {
            fact: pair
            for name, old in self.before.items()
            for fact, pair in facts_of(self.kind, name, old, self.after[name]).items()
        }


def undo(*, actor: Actor, sequence: int) -> Undone:
    """Take back the whole change set of the event of this number, which the actor must see."""
    event = Event.objects.visible_to(actor.member).filter(sequence=sequence).first()
    if event is None:
        raise NotFound
    with change_set(actor):
        hooks.before_undo(actor, event.change_set)
        undone = take_back(actor=actor, event=event)
        hooks.after_undo(actor, undone.undoes, undone.change_set)
        return undone


def take_back(*, actor: Actor, event: Event) -> Undone:
    """Take back the whole change set of the event."""
    with change_set(actor) as changes:
        changes.undoes = event.change_set
        already = len(changes.recorded)
        events = Event.objects.of_change_set(actor.organization_id, event.change_set)
        nets = _nets(events.iterator(chunk_size=BATCH))
        by_kind = _by_kind(nets)
        _require(actor, by_kind)
        now = timezone.now()
        drafts = _locked(actor, by_kind, now)
        _refuse_conflicts(actor, event, nets, by_kind)
        _revert(changes, actor, by_kind, drafts, now)
        return Undone(changes.uuid, event.change_set, changes, already)


def can_undo(event: Event) -> bool:
    """Whether an undo of this event's row is offered at all; what has changed since is told when it is tried."""
    known = kinds.get(event.kind)
    if known is None or known.undoer is None or event.action == "redacted":
        return False
    # What is created goes to the trash; members have none.
    return event.action != "created" or hasattr(known.model, "deleted_at")


def _nets(events: Iterable[Event]) -> dict[RowKey, Net]:
    nets: dict[RowKey, Net] = {}
    undoable = True
    for event in events:
        undoable = undoable and can_undo(event)
        if not undoable:
            continue  # to the end, which closes the cursor
        key = (event.kind, event.row_id)
        net = nets.setdefault(key, Net(kinds[event.kind], event.row_id, event.row_uuid))
        net.add(event)
    if not undoable:
        raise Conflict("What this change set did cannot be taken back.", code="not_undoable")
    return nets


def _by_kind(nets: Mapping[RowKey, Net]) -> dict[str, list[Net]]:
    """In the order of the kinds' ranks, as locks are taken."""
    return {
        name: found for name in kinds if (found := [net for net in nets.values() if net.kind.name == name])
    }


def _undoer(kind: Kind) -> Undoer:
    assert kind.undoer is not None, "checked when the events were read"
    return kind.undoer


def _require(actor: Actor, by_kind: Mapping[str, Sequence[Net]]) -> None:
    for name in by_kind:
        actor.require(kinds[name].permission)


def _locked(
    actor: Actor, by_kind: Mapping[str, Sequence[Net]], now: datetime.datetime
) -> dict[RowKey, Draft]:
    """Lock in the order of the house: the catalogue, keys, then rows kind by kind.

    Answers the rows as they shall be, or none of so many that they are read anew when they are written.
    """
    hold_catalogue(actor.organization_id, alone=any(kinds[name].is_reference_data for name in by_kind))
    for name, nets in by_kind.items():
        _undoer(kinds[name]).hold(actor, [net.before for net in nets])
    are_few = sum(map(len, by_kind.values())) <= BATCH
    kept: dict[RowKey, Draft] = {}
    for nets in by_kind.values():
        for batch in _batches(sorted(nets, key=lambda net: net.row_id)):
            drafts = _read(actor, batch)
            for net in batch:
                _look_at(net, drafts[net.key], now)
            kept |= drafts if are_few else {}
    return kept


def _read(actor: Actor, nets: Sequence[Net]) -> dict[RowKey, Draft]:
    kind = nets[0].kind
    found = _undoer(kind).lock(actor, [net.row_id for net in nets])
    if len(found) != len(nets):
        raise Conflict("It changed rows that you may not see.", code="not_undoable")
    return {(kind.name, row_id): draft for row_id, draft in found.items()}


def _look_at(net: Net, draft: Draft, now: datetime.datetime) -> None:
    """Note what has to be known of all rows before one is written, and give the draft what the row was before."""
    present = _present(draft)
    net.stale = [fact for fact, (_, left) in net.facts().items() if _value(net.kind, present, fact) != left]
    _turn_back(draft, net, now)
    net.goes = getattr(draft.row, "deleted_at", None) is not None
    net.is_inner = net.kind.is_inner is None or net.kind.is_inner(draft.row)


def _revert(
    changes: ChangeSet,
    actor: Actor,
    by_kind: Mapping[str, Sequence[Net]],
    known: Mapping[RowKey, Draft],
    now: datetime.datetime,
) -> None:
    """What comes back comes from the inside out, for others refer to it; what goes, goes from the outside in."""
    back = [sorted((net for net in nets if not net.goes), key=_is_outer) for nets in by_kind.values()]
    gone = [[net for net in nets if net.goes] for nets in reversed([*by_kind.values()])]
    for nets in [*back, *gone]:
        for batch in _batches(nets):
            drafts = known or _read_back(actor, batch, now)
            _undoer(batch[0].kind).revert(changes, actor, [drafts[net.key] for net in batch])


def _read_back(actor: Actor, nets: Sequence[Net], now: datetime.datetime) -> dict[RowKey, Draft]:
    drafts = _read(actor, nets)
    for net in nets:
        _turn_back(drafts[net.key], net, now)
    return drafts


def _is_outer(net: Net) -> bool:
    return not net.is_inner


def _batches(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Some thousands at a time: a statement takes only so many parameters."""
    return (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))


def facts_of(kind: Kind, name: str, old: Any, new: Any) -> dict[Fact, tuple[Any, Any]]:
    """One column's or list's change as changes of single facts, each from what to what."""
    if name == "custom_fields":
        old, new = old or {}, new or {}
        keys = [key for key in {**old, **new} if old.get(key, ABSENT) != new.get(key, ABSENT)]
        return {(name, key): (old.get(key, ABSENT), new.get(key, ABSENT)) for key in keys}
    if name in kind.lists:
        was, now = entries(old), entries(new)
        return {(name, entry): (entry in was, entry in now) for entry in {*was} ^ {*now}}
    return {(name, None): (old, new)}


def entries(value: Any) -> list[Any]:
    """A list's entries as keys: ids, or (system, external id)."""
    return [tuple(entry) if isinstance(entry, list | tuple) else entry for entry in value or ()]


def _refuse_conflicts(
    actor: Actor, event: Event, nets: Mapping[RowKey, Net], by_kind: Mapping[str, Sequence[Net]]
) -> None:
    later = _later_events(actor.organization_id, event, by_kind)
    conflicts, fields = [], []
    for key, net in nets.items():
        names = _changed_since(net, later.get(key, ()))
        if not names:
            continue
        conflicts.append({"kind": net.kind.name, "row": str(net.row_uuid), "fields": sorted(names)})
        fields += [names[name] for name in sorted(names)]
    if conflicts:
        raise conflict(fields, conflicts)


def conflict(fields: Sequence[FieldError], rows: Sequence[Mapping[str, Any]] = ()) -> Conflict:
    """What was changed since would be lost, or does not fit what was."""
    names = ", ".join(dict.fromkeys(error.field for error in fields))
    return Conflict(
        "Changed since, so that it cannot be undone: %(fields)s.",
        {"fields": names},
        code="undo_conflict",
        fields=fields,
        conflicts=list(rows),
    )


def refuse_first(errors: Mapping[int, DomainError]) -> None:
    """An undo is one request about many rows: what is wrong with the first is told."""
    if errors:
        raise errors[min(errors)]


def _later_events(
    organization_id: int, event: Event, by_kind: Mapping[str, Sequence[Net]]
) -> dict[RowKey, list[Event]]:
    """What happened to the same rows since, but for what has been undone and the undoing itself."""
    newer = [
        Event.objects.of(organization_id)
        .filter(kind=name, row_id__in=[net.row_id for net in batch], sequence__gt=event.sequence)
        .exclude(change_set=event.change_set)
        for name, nets in by_kind.items()
        for batch in _batches(nets)
    ]
    sets = {found for events in newer for found in events.change_sets()}
    settled = _settled(sets)
    if event.change_set in settled:
        raise Conflict("This change set has been undone already.", code="undo_conflict")
    by_row: dict[RowKey, list[Event]] = defaultdict(list)
    for events in newer if {found for _, found, _ in sets} - settled else ():
        for one in events.exclude(change_set__in=settled).for_telling().order_by("sequence"):
            by_row[one.kind, one.row_id].append(one)
    return by_row


def _settled(sets: Iterable[tuple[int, UUID, UUID | None]]) -> set[UUID]:
    """The change sets that came to nothing: undone ones, and the undoing of later ones. The newest decides."""
    undone: set[UUID] = set()
    undoing: set[UUID] = set()
    known = {found for _, found, _ in sets}
    for _, found, undoes in sorted(sets, reverse=True):
        if undoes and found not in undone:
            undone.add(undoes)
            if undoes in known:
                undoing.add(found)
    return undone | undoing


def _changed_since(net: Net, later: Sequence[Event]) -> dict[str, FieldError]:
    """An error for each field of the change that is no longer as it left it: who changed it, and when."""
    facts = net.facts() if later else {}
    errors: dict[str, FieldError] = {}
    for event in later:
        touched = {
            fact
            for name, (old, new) in event.changes.items()
            for fact in facts_of(net.kind, name, old, new)
            if net.created or fact in facts
        }
        who = event.actor.full_name if event.actor else "The system"
        params = {"who": who, "at": f"{event.at:%Y-%m-%d %H:%M:%S}"}
        for name in {_field(net.kind, fact) for fact in touched}:
            errors[name] = FieldError(name, "changed_since", "%(who)s changed it at %(at)s UTC.", params)
    for name in {_field(net.kind, fact) for fact in net.stale} - errors.keys():
        errors[name] = FieldError(name, "changed_since", "It has changed.")
    return errors


def _field(kind: Kind, fact: Fact) -> str:
    name, part = fact
    if name == "custom_fields":
        return f"{name}.{part}"
    known = kind.fields.get(name)
    return known.name if known else name


def _present(draft: Draft) -> dict[str, Any]:
    return {name: plain(value) for name, value in columns(draft.row).items()} | draft.lists_before


def _value(kind: Kind, present: Mapping[str, Any], fact: Fact) -> Any:
    """The fact as it is, in the words of `facts_of`."""
    name, part = fact
    if name == "custom_fields":
        return present[name].get(part, ABSENT)
    if name in kind.lists:
        return part in entries(present.get(name))
    return present.get(name)


def _turn_back(draft: Draft, net: Net, now: datetime.datetime) -> None:
    """Give the draft what the row was before, fact by fact."""
    fields = {column.attname: column for column in draft.row._meta.concrete_fields}
    for (name, part), (old, _) in net.facts().items():
        if name == "deleted_at":
            # The trash counts its thirty days from now on; what goes together has one instant.
            draft.row.deleted_at = now if old is not None else None
        elif name == "custom_fields":
            values = dict(draft.row.custom_fields)
            values.pop(part, None)
            draft.row.custom_fields = values if old == ABSENT else {**values, part: old}
        elif name not in net.kind.lists:
            setattr(draft.row, name, fields[name].to_python(old))
    for name in net.before.keys() & draft.lists.keys() & net.kind.lists.keys():
        if not net.created:
            draft.lists[name] = _list_back(draft.lists[name], net.before[name], net.after[name])


def _list_back(present: Sequence[Any], old: Any, new: Any) -> list[Any]:
    """The list without what was added and with what was taken off, in the old order where nothing else has changed."""
    was, now = entries(old), entries(new)
    kept = [entry for entry in entries(present) if entry in was or entry not in now]
    result = [*kept, *(entry for entry in was if entry not in now and entry not in kept)]
    result = was if sorted(map(repr, result)) == sorted(map(repr, was)) else result
    return [list(entry) if isinstance(entry, tuple) else entry for entry in result]
