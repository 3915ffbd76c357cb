"""Undo: restore every row of a change set to its values before, unless one of the same fields has changed since.

An undo is a write with a change set of its own, so that it can be undone too. The changes of a row are split into
facts: the value of a column, of one custom field, or one entry of a list. Later changes of other facts stay; a
later change of the same fact is a conflict.
"""

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.batches import in_batches
from crm_project.changes import ChangeSet, Recorded, change_set, columns, plain, stored
from crm_project.errors import Conflict, DomainError, FieldError, NotFound
from crm_project.journal.hooks import hooks
from crm_project.journal.models import Event
from crm_project.journal.services import event_of
from crm_project.records.kinds import Kind, Undoer, kind_of, kinds
from crm_project.records.locks import hold_catalogue
from crm_project.records.writing.store import Draft

Fact = tuple[str, Any]
RowKey = tuple[str, int]
BATCH = 4_000
# Rows that a refusal names.
LISTED = 100
ABSENT = "\x00absent"  # no stored text holds a NUL


class UndoneElsewhere(Conflict):
    """The change set belongs to `row`, an import, which is undone as a whole in the background."""

    def __init__(
        self, template: str, params: Mapping[str, Any] | None = None, *, row: Any, **extra: Any
    ) -> None:
        super().__init__(template, params, **extra)
        self.row = row


@dataclass(frozen=True)
class UndoResult:
    """The result of an undo. Its events get their numbers when the outermost change set ends."""

    change_set: UUID
    undoes: UUID
    changes: ChangeSet = field(repr=False)
    already: int = 0
    # The number of rows that were left as they are, since they have been changed.
    stayed: int = 0
    # The rows that the actor may not see.
    hidden: Collection[RowKey] = ()

    @property
    def count(self) -> int:
        """The events of rows that the actor may see."""
        if self.hidden:
            return sum(1 for _ in self._seen())
        return len(self.changes.recorded) - self.already

    def first_events(self, count: int) -> list[Event]:
        """Built on demand: an undo of a large import has too many for a response."""
        if self.hidden:
            recorded = list(islice(self._seen(), count))
        else:
            recorded = self.changes.recorded[self.already : self.already + count]
        return [event_of(self.changes, change) for change in recorded]

    def _seen(self) -> Iterator[Recorded]:
        for change in islice(iter(self.changes.recorded), self.already, None):
            if (change.kind, change.row_id) not in self.hidden:
                yield change


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


def undo(*, actor: Actor, sequence: int) -> UndoResult:
    """Undo the change set of the event with this number, which must be visible to the actor."""
    event = Event.objects.visible_to(actor.member).filter(sequence=sequence).first()
    if event is None:
        raise NotFound
    with change_set(actor):
        hooks.before_undo(actor, event.change_set)
        result = take_back(actor=actor, event=event)
        hooks.after_undo(actor, result.undoes, result.change_set)
        return result


def take_back(*, actor: Actor, event: Event, keep_changed: bool = False) -> UndoResult:
    """Undo the change set of the event, without the hooks of `undo`.

    With `keep_changed`, rows that have been changed since stay as they are, and with them the rows to which they refer
    and which the change set created. Without it such rows refuse the undo.
    """
    with change_set(actor) as changes:
        changes.undoes = event.change_set
        already = len(changes.recorded)
        events = Event.objects.of_change_set(actor.organization_id, event.change_set)
        nets = _nets(chain.from_iterable(in_batches(events, BATCH)))
        by_kind = _by_kind(nets)
        for name in by_kind:
            actor.require(kinds[name].permission)
        now = timezone.now()
        hidden = _note_hidden(actor, by_kind)
        drafts = _locked(actor, by_kind, now)
        conflicts = _conflicts(actor, event, nets, by_kind)
        shown = {key: errors for key, errors in conflicts.items() if key not in hidden}
        if shown and not keep_changed:
            raise _changed(nets, shown)
        if len(shown) < len(conflicts):
            raise Conflict("Rows that you may not see have changed since.", code="undo_conflict")
        left = _without(actor, nets, shown) if shown else by_kind
        stayed = len(nets) - sum(map(len, left.values()))
        if stayed and not left:
            raise _changed(nets, shown)
        _revert(changes, actor, left, drafts, now)
        return UndoResult(changes.uuid, event.change_set, changes, already, stayed, hidden)


def can_undo(event: Event) -> bool:
    """Whether events of this kind and action can be undone; conflicts are found by the undo itself."""
    kind = kinds.get(event.kind)
    if kind is None or kind.undoer is None or event.action in ("redacted", "purged"):
        return False
    # The undo of a creation is a move to the trash, which members do not have.
    return event.action != "created" or hasattr(kind.model, "deleted_at")


def _nets(events: Iterable[Event]) -> dict[RowKey, NetChange]:
    """The net change of each row. A member who was created beside other rows stays: members have no trash."""
    nets: dict[RowKey, NetChange] = {}
    stays = False
    for event in events:
        if event.kind == "user" and event.action == "created":
            stays = True
            continue
        if not can_undo(event):
            raise Conflict("This change set cannot be undone.", code="not_undoable")
        key = (event.kind, event.row_id)
        net = nets.setdefault(key, NetChange(kinds[event.kind], event.row_id, event.row_uuid))
        net.add(event)
    if stays and not nets:
        raise Conflict("This change set cannot be undone.", code="not_undoable")
    return nets


def _by_kind(nets: Mapping[RowKey, NetChange]) -> dict[str, list[NetChange]]:
    """By kind, in the order of the ranks, which is the lock order."""
    return {
        name: of_kind
        for name in kinds
        if (of_kind := [net for net in nets.values() if net.kind.name == name])
    }


def moves_hidden(kind: str, changes: Mapping[str, Any]) -> bool:
    """Whether the event of a row has moved rows that its actor may not see: a merge."""
    declared = kinds[kind].moves_hidden
    return declared is not None and declared(changes)


def _note_hidden(actor: Actor, by_kind: Mapping[str, Sequence[NetChange]]) -> frozenset[RowKey]:
    """Set `is_hidden` of the rows that a merge has moved and that the actor may not see; returns their keys.

    Their undo restores nothing but their relations to the merged rows. Other change sets have none: `_read` refuses
    them.
    """
    movers = {name for name, nets in by_kind.items() for net in nets if net.is_mover}
    hidden: set[RowKey] = set()
    for name, nets in by_kind.items() if movers else ():
        kind = kinds[name]
        for batch in _batches(nets) if kind.is_private else ():
            rows = kind.rows(actor.member).filter(pk__in=[net.row_id for net in batch])
            seen = set(rows.order_by().values_list("pk", flat=True))
            for net in batch:
                moved = all(kind.fields[column].kind in movers for column in net.before)
                net.is_hidden = moved and net.row_id not in seen
            hidden |= {net.key for net in batch if net.is_hidden}
    return frozenset(hidden)


def _undoer(kind: Kind) -> Undoer:
    assert kind.undoer is not None, "checked when the events were read"
    return kind.undoer


def _locked(
    actor: Actor, by_kind: Mapping[str, Sequence[NetChange]], now: datetime.datetime
) -> dict[RowKey, Draft]:
    """Lock the catalogue, keys, then rows kind by kind, and set the last attributes of each net change.

    Returns drafts with the restored values, or none if there are more than a batch: those are read again by `_revert`.
    """
    hold_catalogue(actor.organization_id, alone=any(kinds[name].is_reference_data for name in by_kind))
    for name, nets in by_kind.items():
        _undoer(kinds[name]).hold(actor, [net.before for net in nets])
    are_few = sum(map(len, by_kind.values())) <= BATCH
    restored: dict[RowKey, Draft] = {}
    for nets in by_kind.values():
        for batch in _batches(sorted(nets, key=lambda net: net.row_id)):
            drafts = _read(actor, batch)
            for net in batch:
                _compare(net, drafts[net.key], now)
            restored |= drafts if are_few else {}
    return restored


def _read(actor: Actor, nets: Sequence[NetChange]) -> dict[RowKey, Draft]:
    kind = nets[0].kind
    rows = _with_hidden(actor, nets) if any(net.is_hidden for net in nets) else None
    locked = _undoer(kind).lock(actor, [net.row_id for net in nets], [net.before for net in nets], rows=rows)
    if len(locked) != len(nets):
        raise Conflict("It changed rows that you may not see.", code="not_undoable")
    return {(kind.name, row_id): draft for row_id, draft in locked.items()}


def _with_hidden(actor: Actor, nets: Sequence[NetChange]) -> Any:
    """The rows that the actor may see, and the hidden ones of these."""
    kind, hidden = nets[0].kind, [net.row_id for net in nets if net.is_hidden]
    seen = kind.rows(actor.member).order_by().values("pk")
    rows = kind.model._default_manager.filter(organization_id=actor.organization_id)
    return rows.filter(Q(pk__in=hidden) | Q(pk__in=seen))


def _compare(net: NetChange, draft: Draft, now: datetime.datetime) -> None:
    """Set the attributes of the net change that depend on the row, and restore the draft."""
    present = _present(draft)
    net.stale = [fact for fact, (_, after) in net.facts().items() if _value(net.kind, present, fact) != after]
    _restore(draft, net, now)
    net.is_trashed = getattr(draft.row, "deleted_at", None) is not None
    net.is_inner = net.kind.is_inner is None or net.kind.is_inner(draft.row)


def _revert(
    changes: ChangeSet,
    actor: Actor,
    by_kind: Mapping[str, Sequence[NetChange]],
    restored: Mapping[RowKey, Draft],
    now: datetime.datetime,
) -> None:
    """Write rows before the rows that refer to them, then trash rows after the rows that refer to them.

    A row that is merged again is trashed first: the kept one takes over its keys.
    """
    merged = [[net for net in nets if net.is_trashed and net.is_mover] for nets in by_kind.values()]
    live = [sorted((net for net in nets if not net.is_trashed), key=_is_outer) for nets in by_kind.values()]
    trashed = [
        [net for net in nets if net.is_trashed and not net.is_mover] for nets in reversed([*by_kind.values()])
    ]
    for nets in [*merged, *live, *trashed]:
        for batch in _batches(nets):
            drafts = restored or _read_again(actor, batch, now)
            _undoer(batch[0].kind).revert(changes, actor, [drafts[net.key] for net in batch])
    for nets in filter(None, merged):
        nets[0].kind.check_moved(actor, [net.row_id for net in nets])


def _read_again(actor: Actor, nets: Sequence[NetChange], now: datetime.datetime) -> dict[RowKey, Draft]:
    drafts = _read(actor, nets)
    for net in nets:
        _restore(drafts[net.key], net, now)
    return drafts


def _is_outer(net: NetChange) -> bool:
    return not net.is_inner


def _batches(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
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


def _conflicts(
    actor: Actor, event: Event, nets: Mapping[RowKey, NetChange], by_kind: Mapping[str, Sequence[NetChange]]
) -> dict[RowKey, dict[str, FieldError]]:
    """The errors of the rows that have been changed since, by field."""
    later = _later_events(actor.organization_id, event, by_kind)
    found = {key: _changed_since(net, later.get(key, ())) for key, net in nets.items()}
    return {key: errors for key, errors in found.items() if errors}


def _changed(
    nets: Mapping[RowKey, NetChange], conflicts: Mapping[RowKey, Mapping[str, FieldError]]
) -> Conflict:
    """The refusal. Of several rows, each error begins with the name of its row."""
    rows, fields = [], []
    names = _names(conflicts)
    for (kind, row_id), errors in conflicts.items():
        name = names.get((kind, row_id), "")
        row = {"kind": kind, "row": str(nets[kind, row_id].row_uuid), "name": name, "fields": sorted(errors)}
        rows.append(row)
        for _, error in sorted(errors.items()):
            named = replace(
                error, template=f"%(row)s: {error.template}", params={**(error.params or {}), "row": name}
            )
            fields.append(named if name and len(nets) > 1 else error)
    return conflict(fields, rows)


def _names(keys: Iterable[RowKey]) -> dict[RowKey, str]:
    """The names of the first rows of each kind, as many as a refusal lists."""
    ids = defaultdict(list)
    for kind, row_id in islice(keys, LISTED):
        ids[kind].append(row_id)
    return {
        (kind, row.pk): str(row)
        for kind, of_kind in ids.items()
        for row in kinds[kind].model.objects.filter(pk__in=of_kind).select_related(*kinds[kind].related)
    }


def _without(
    actor: Actor, nets: Mapping[RowKey, NetChange], changed: Iterable[RowKey]
) -> dict[str, list[NetChange]]:
    """The net changes without those of the changed rows, and of the created rows to which these refer."""
    left, staying = dict(nets), set(changed)
    while staying:
        stay = _by_kind({key: left.pop(key) for key in staying})
        staying = set()
        for of_kind in stay.values():
            for batch in _batches(of_kind):
                referred = {key for draft in _read(actor, batch).values() for key in _referred(draft)}
                staying |= {key for key in referred if key in left and left[key].created}
    return _by_kind(left)


def _referred(draft: Draft) -> Iterator[RowKey]:
    """The rows to which a row refers, by its foreign keys and its lists."""
    kind = kinds[draft.row.row_kind]
    for column in draft.row._meta.concrete_fields:
        target = kind_of(column.related_model) if column.is_relation else None
        if target is not None and (row_id := getattr(draft.row, column.attname)):
            yield target.name, row_id
    for name, entries_of in draft.lists.items():
        if target_name := kind.lists.get(name):
            yield from ((target_name, row_id) for row_id in entries_of)


def conflict(fields: Sequence[FieldError], rows: Sequence[Mapping[str, Any]] = ()) -> Conflict:
    """The refusal of an undo that would overwrite later changes, or whose values do not fit other rows."""
    names = ", ".join(dict.fromkeys(error.field for error in fields))
    return Conflict(
        "Changed since, so that it cannot be undone: %(fields)s.",
        {"fields": names},
        code="undo_conflict",
        fields=fields,
        conflicts=list(rows),
    )


def refuse_first(errors: Mapping[int, DomainError]) -> None:
    """Raise the error of the first row: an undo is one request, which has no errors by row."""
    if errors:
        raise errors[min(errors)]


def _later_events(
    organization_id: int, event: Event, by_kind: Mapping[str, Sequence[NetChange]]
) -> dict[RowKey, list[Event]]:
    """Later events of the same rows, without undone change sets and the change sets that undid them."""
    newer = [
        Event.objects.of(organization_id)
        .filter(kind=name, row_id__in=[net.row_id for net in batch], sequence__gt=event.sequence)
        .exclude(change_set=event.change_set)
        for name, nets in by_kind.items()
        for batch in _batches(nets)
    ]
    sets = {entry for events in newer for entry in events.change_sets()}
    settled = _settled(sets)
    if event.change_set in settled:
        raise Conflict("This change set has been undone already.", code="undo_conflict")
    by_row: dict[RowKey, list[Event]] = defaultdict(list)
    for events in newer if {uuid for _, uuid, _ in sets} - settled else ():
        for later in events.exclude(change_set__in=settled).with_actor().order_by("sequence"):
            by_row[later.kind, later.row_id].append(later)
    return by_row


def _settled(sets: Iterable[tuple[int, UUID, UUID | None]]) -> set[UUID]:
    """The change sets without a net effect: undone ones, and undos of one of these sets. Read from the newest."""
    undone: set[UUID] = set()
    undoing: set[UUID] = set()
    uuids = {uuid for _, uuid, _ in sets}
    for _, uuid, undoes in sorted(sets, reverse=True):
        if undoes and uuid not in undone:
            undone.add(undoes)
            if undoes in uuids:
                undoing.add(uuid)
    return undone | undoing


def _changed_since(net: NetChange, later: Sequence[Event]) -> dict[str, FieldError]:
    """An error for each field that has changed since, with the name of the member and the time."""
    facts = net.facts() if later else {}
    errors: dict[str, FieldError] = {}
    for event in later:
        touched = {
            fact
            for name, (old, new) in stored(event.changes).items()
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
    field = kind.fields.get(name)
    return field.name if field else name


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


def _restore(draft: Draft, net: NetChange, now: datetime.datetime) -> None:
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
