"""Undo: restore every row of a change set to its values before, unless one of the same fields has changed since.

An undo is a write with a change set of its own, so that it can be undone too. The changes of a row are split into
facts: the value of a column, of one custom field, or one entry of a list. Later changes of other facts stay; a
later change of the same fact is a conflict.
"""

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.batches import in_batches
from crm_project.changes import ChangeSet, Recorded, change_set
from crm_project.errors import Conflict, NotFound
from crm_project.journal import net_changes
from crm_project.journal.hooks import hooks
from crm_project.journal.models import Event
from crm_project.journal.net_changes import (
    NetChange,
    RowKey,
    batches,
    compare,
    restore,
)
from crm_project.journal.services import event_of
from crm_project.journal.undo_conflicts import conflicts_of, refusal_of_changed
from crm_project.records.kinds import Kind, Undoer, kind_of, kinds
from crm_project.records.locks import hold_catalogue
from crm_project.records.writing.store import Draft


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
        nets = _nets(chain.from_iterable(in_batches(events, net_changes.BATCH)))
        by_kind = _by_kind(nets)
        for name in by_kind:
            actor.require(kinds[name].permission)
        now = timezone.now()
        hidden = _note_hidden(actor, by_kind)
        drafts = _locked(actor, by_kind, now)
        conflicts = conflicts_of(actor, event, nets, by_kind)
        shown = {key: errors for key, errors in conflicts.items() if key not in hidden}
        if shown and not keep_changed:
            raise refusal_of_changed(nets, shown)
        if len(shown) < len(conflicts):
            raise Conflict("Rows that you may not see have changed since.", code="undo_conflict")
        left = _without(actor, nets, shown) if shown else by_kind
        stayed = len(nets) - sum(map(len, left.values()))
        if stayed and not left:
            raise refusal_of_changed(nets, shown)
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


def _note_hidden(actor: Actor, by_kind: Mapping[str, Sequence[NetChange]]) -> frozenset[RowKey]:
    """Set `is_hidden` of the rows that a merge has moved and that the actor may not see; returns their keys.

    Their undo restores nothing but their relations to the merged rows. Other change sets have none: `_read` refuses
    them.
    """
    movers = {name for name, nets in by_kind.items() for net in nets if net.is_mover}
    hidden: set[RowKey] = set()
    for name, nets in by_kind.items() if movers else ():
        kind = kinds[name]
        for batch in batches(nets) if kind.is_private else ():
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
    are_few = sum(map(len, by_kind.values())) <= net_changes.BATCH
    restored: dict[RowKey, Draft] = {}
    for nets in by_kind.values():
        for batch in batches(sorted(nets, key=lambda net: net.row_id)):
            drafts = _read(actor, batch)
            for net in batch:
                compare(net, drafts[net.key], now)
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
        for batch in batches(nets):
            drafts = restored or _read_again(actor, batch, now)
            _undoer(batch[0].kind).revert(changes, actor, [drafts[net.key] for net in batch])
    for nets in filter(None, merged):
        nets[0].kind.check_moved(actor, [net.row_id for net in nets])


def _read_again(actor: Actor, nets: Sequence[NetChange], now: datetime.datetime) -> dict[RowKey, Draft]:
    drafts = _read(actor, nets)
    for net in nets:
        restore(drafts[net.key], net, now)
    return drafts


def _is_outer(net: NetChange) -> bool:
    return not net.is_inner


def _without(
    actor: Actor, nets: Mapping[RowKey, NetChange], changed: Iterable[RowKey]
) -> dict[str, list[NetChange]]:
    """The net changes without those of the changed rows, and of the created rows to which these refer."""
    left, staying = dict(nets), set(changed)
    while staying:
        stay = _by_kind({key: left.pop(key) for key in staying})
        staying = set()
        for of_kind in stay.values():
            for batch in batches(of_kind):
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
