"""The writer of a kind of ordinary rows: columns, foreign keys, external references, a trash, lists of mixed writes.

It makes the calls that `crm_project.records.writing` lists. A kind declares one, and its services are a line each.
"""

import datetime
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from types import MappingProxyType
from typing import Any

from django.db.models import Q
from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.changes import ChangeSet, before_storing, change_set
from crm_project.errors import Conflict, DomainError, FieldError, Invalid, NotFound, refuse
from crm_project.records import bulk, references
from crm_project.records.bulk import NO_DELETIONS, Deletions, Found, Operation
from crm_project.records.instances import fast_instance
from crm_project.records.locks import for_update
from crm_project.records.reverting import by_action, write_in_order
from crm_project.records.writing import store
from crm_project.records.writing.columns import (
    Change,
    inactive,
    missing,
    rows_by_key,
    set_columns,
    split_keys,
)
from crm_project.records.writing.receipts import HasKey, Receipt, has
from crm_project.records.writing.store import Draft
from crm_project.versions import Versions, refusal

Target = tuple[Any | None, Change]
Related = Mapping[str, Mapping[Any, Any]]
ANY: Mapping[int, Versions] = MappingProxyType({})
# The keys of an upsert of ordinary rows, each with whether a change has it.
MATCH: Mapping[str, HasKey] = {"uuid": has("uuid"), "external_reference": has("external_references")}
MATCH_KEYS = tuple(MATCH)


class Lock(Enum):
    """How the rows that a change names are locked. Rows of a lower rank are locked before the written rows."""

    # They have no trash.
    NONE = "none"
    # They stay live until the transaction ends.
    SHARE = "share"
    # `derive` updates columns of them, and of those that the written rows have referred to before.
    UPDATE = "update"


@dataclass(frozen=True)
class Relation:
    """A foreign key of the kind: `rows(actor)` may be named."""

    rows: Callable[[Actor], Any]
    lock: Lock = Lock.SHARE


def _derives_nothing(drafts: Sequence[Draft]) -> None:
    """For a kind that derives nothing in other rows."""


@dataclass(frozen=True)
class RowWriter:
    """`relations` are in the order of the ranks of their kinds.

    `settle(row, change, now)` makes a changed row consistent and returns its errors; `fit(row)` returns those of a row
    with its present values. `derive(drafts)` updates columns of other rows that follow from the written ones.
    """

    model: Any
    references: Any
    permission: Permission
    columns: Sequence[str]
    relations: Mapping[str, Relation]
    settle: Callable[[Any, Change, datetime.datetime], list[FieldError]]
    fit: Callable[[Any], list[FieldError]]
    derive: Callable[[Sequence[Draft]], None] = _derives_nothing

    def create(self, actor: Actor, changes: Sequence[Change]) -> list[Any]:
        return [receipt.row for receipt in self.write(actor, [(None, change) for change in changes])]

    def write(
        self,
        actor: Actor,
        targets: Sequence[Target],
        *,
        adding: Collection[int] = (),
        deletions: Deletions = NO_DELETIONS,
        rows: Any = None,
    ) -> list[Receipt[Any]]:
        """Apply each change to its row, or to a new one for None.

        The references of the indices in `adding` are added to those of the row. `deletions` are those of the same list.
        `rows` are the rows that may be written, instead of those visible to the actor.
        """
        actor.require(self.permission)
        sent = [change for _, change in targets]
        with change_set(actor) as changes:
            references.hold(self.references, actor.organization_id, references.keys_of(sent))
            related = self.look_up(actor, [row.pk for row, _ in targets if row is not None], sent)
            drafts = self._drafts(actor, [row for row, _ in targets], rows)
            now = timezone.now()
            errors: dict[int, DomainError] = {}
            for index, (draft, change) in enumerate(zip(drafts, sent, strict=True)):
                if error := self._applied(draft, change, related, now, add=index in adding):
                    errors[index] = error
            good = [index for index in range(len(drafts)) if index not in errors]
            clashing = references.clashes(
                self.references, actor.organization_id, [drafts[i] for i in good], without=deletions.ids
            )
            errors |= {good[place]: error for place, error in clashing.items()}
            refuse(errors, rows=len(drafts))
            before_storing()
            deletions.carry_out()
            self._store(changes, actor, drafts, now)
            return [Receipt.of(draft) for draft in drafts]

    def trash(self, actor: Actor, rows: Sequence[Any], if_match: Mapping[int, Versions] = ANY) -> list[Any]:
        """Move rows to the trash. `if_match` has the expected version by id."""
        return self._set_live(actor, rows, if_match, self.model.objects.visible_to(actor.member), live=False)

    def restore(self, actor: Actor, rows: Sequence[Any], if_match: Mapping[int, Versions] = ANY) -> list[Any]:
        """Restore rows from the trash, unless a live row has one of their references."""
        trashed = self.model.objects.trash_visible_to(actor.member, timezone.now())
        return self._set_live(actor, rows, if_match, trashed, live=True)

    def carry_out(self, actor: Actor, operations: Sequence[Operation]) -> list[Receipt[Any]]:
        """Carry out all operations or none: RowsRefused has an error for each refused one."""
        actor.require(self.permission)
        with change_set(actor):
            return bulk.carry_out(operations, _Work(self, actor))

    def look_up(self, actor: Actor, ids: Sequence[int], changes: Sequence[Change]) -> Related:
        """The rows that the changes name, by id and uuid under the name of the foreign key, locked as declared."""
        related: dict[str, Mapping[Any, Any]] = {}
        for name, relation in self.relations.items():
            keys = [change.get(name) for change in changes]
            if relation.lock is Lock.UPDATE:
                self._lock_parents(actor, name, ids, keys)
            related[name] = rows_by_key(relation.rows(actor), keys, lock=relation.lock is Lock.SHARE)
        return related

    def _lock_parents(self, actor: Actor, name: str, ids: Sequence[int], keys: Sequence[Any]) -> None:
        """Lock the rows that the changes name and those that the rows with the ids refer to, in one id order."""
        numbers, uuids = split_keys(keys)
        if ids:
            own = self.model.objects.of(actor.organization_id).filter(pk__in=ids)
            numbers += own.exclude(**{name: None}).values_list(f"{name}_id", flat=True)
        if numbers or uuids:
            parents = self.model._meta.get_field(name).related_model.objects.of(actor.organization_id)
            list(for_update(parents.filter(Q(pk__in=numbers) | Q(uuid__in=uuids))).values_list("pk"))

    def _drafts(self, actor: Actor, rows: Sequence[Any], among: Any = None) -> list[Draft]:
        """Drafts of the rows, locked in id order; of a new row for None."""
        ids = [row.pk for row in rows if row is not None]
        store.refuse_twice(ids)
        among = self.model.objects.visible_to(actor.member) if among is None else among
        locked = {row.pk: row for row in for_update(among.filter(pk__in=ids))} if ids else {}
        gone = {index: NotFound() for index, row in enumerate(rows) if row and row.pk not in locked}
        refuse(gone, rows=len(rows))
        drafts = [Draft.of(locked[row.pk]) if row else Draft(self._new(actor)) for row in rows]
        for draft in drafts:
            draft.row.organization = actor.organization
        references.note(self.references, drafts)
        return drafts

    def _new(self, actor: Actor) -> Any:
        return fast_instance(self.model, organization_id=actor.organization_id)

    def _applied(
        self, draft: Draft, change: Change, related: Related, now: datetime.datetime, *, add: bool
    ) -> DomainError | None:
        """Apply the change to the draft; returns one refusal with all field errors, or None."""
        if stale := refusal(draft.row, change.get("if_match")):
            return stale
        errors = set_columns(draft.row, change, self.columns)
        for name, rows in related.items():
            errors += _set_related(draft, change, name, rows)
        errors += references.set_on(draft, change, add=add)
        errors = errors or self.settle(draft.row, change, now)
        return Invalid(fields=errors) if errors else None

    def _store(
        self, changes: ChangeSet, actor: Actor, drafts: Sequence[Draft], now: datetime.datetime
    ) -> None:
        new = [draft for draft in drafts if not draft.before]
        store.insert(new, now=now)
        touched = store.update([draft for draft in drafts if draft.before], now=now)
        references.write(self.references, actor.organization_id, [*new, *touched])
        store.record(changes, new, "created")
        store.record(changes, touched, "updated")
        self.derive([*new, *touched])

    def _set_live(
        self, actor: Actor, rows: Sequence[Any], if_match: Mapping[int, Versions], among: Any, *, live: bool
    ) -> list[Any]:
        actor.require(self.permission)
        with change_set(actor) as changes:
            if live:
                held = self.references.objects.filter(row__in=[row.pk for row in rows])
                references.hold(
                    self.references, actor.organization_id, held.values_list("system", "external_id")
                )
            self.look_up(actor, [row.pk for row in rows], [])
            drafts = self._drafts(actor, rows, among)
            stale = ((place, refusal(d.row, if_match.get(d.row.pk))) for place, d in enumerate(drafts))
            refuse({place: error for place, error in stale if error}, rows=len(drafts))
            if live:
                references.check_restorable(self.references, [draft.row.pk for draft in drafts])
                refuse(self._unrestorable(drafts), rows=len(drafts))
            now = timezone.now()
            for draft in drafts:
                draft.row.deleted_at = None if live else now
            store.record(changes, store.update(drafts, now=now), "restored" if live else "trashed")
            written = [draft.row for draft in drafts]
            references.set_live(self.references, written, live=live)
            self.derive(drafts)
            return written

    def _unrestorable(self, drafts: Sequence[Draft]) -> dict[int, DomainError]:
        gone = self.gone(drafts)
        return {
            index: Conflict(
                "The %(relation)s that it belongs to is in the trash.",
                {"relation": gone[index][0].field},
                code="restore_conflict",
            )
            for index in gone
        }

    def gone(self, drafts: Sequence[Draft]) -> dict[int, list[FieldError]]:
        """By index, the errors of drafts with a foreign key to a row that is in the trash or gone for good."""
        errors: dict[int, list[FieldError]] = {}
        for name, relation in self.relations.items():
            if relation.lock is Lock.NONE:
                continue
            ids = {getattr(draft.row, f"{name}_id") for draft in drafts} - {None}
            model = self.model._meta.get_field(name).related_model
            live = set(model.objects.live().filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()
            for index, draft in enumerate(drafts):
                key = getattr(draft.row, f"{name}_id")
                if key is not None and key not in live:
                    errors.setdefault(index, []).append(FieldError(name, "gone", "This row is in the trash."))
        return errors

    def revert(self, changes: ChangeSet, drafts: Sequence[Draft], actor: Actor) -> None:
        """Store drafts that an undo has restored and checked."""
        touched = store.update(drafts, now=timezone.now())
        write_in_order(touched, partial(references.write, self.references, actor.organization_id))
        for action, acted in by_action(touched).items():
            store.record(changes, acted, action)
            if action != "updated":
                rows = [draft.row for draft in acted]
                references.set_live(self.references, rows, live=action == "restored")
        self.derive(touched)


def _set_related(draft: Draft, change: Change, name: str, rows: Mapping[Any, Any]) -> list[FieldError]:
    if name not in change:
        return []
    key, column = change[name], f"{name}_id"
    target = rows.get(key) if key is not None else None
    if key is not None and target is None:
        return [missing(name)]
    setattr(draft.row, name, target)
    changed = draft.before.get(column) != getattr(draft.row, column)
    return [inactive(name)] if changed and not getattr(target, "has_access", True) else []


@dataclass
class _Work:
    """The steps of a list of mixed writes."""

    writer: RowWriter
    actor: Actor
    match_keys: Mapping[str, HasKey] = field(default_factory=lambda: MATCH)

    @property
    def visible(self) -> Any:
        return self.writer.model.objects.visible_to(self.actor.member)

    def find(
        self, operations: Mapping[int, Operation], keys: Mapping[int, str]
    ) -> dict[int, Found | DomainError]:
        named = references.keys_of([operation.change for operation in operations.values()])
        references.hold(self.writer.references, self.actor.organization_id, named)
        sorted_out = bulk.sort_out(operations, keys)
        rows = bulk.by_uuid(self.visible, sorted_out["uuid"].values())
        by_reference = sorted_out["external_reference"]
        return (
            {index: Found() for index in sorted_out["new"]}
            | {index: bulk.found_by_uuid(rows, one) for index, one in sorted_out["uuid"].items()}
            | bulk.found_by_reference(self.actor, self.visible, self.writer.references, by_reference)
        )

    def lock(self, ids: Collection[int], changes: Sequence[Change]) -> None:
        self.writer.look_up(self.actor, list(ids), changes)
        list(for_update(self.visible.filter(pk__in=ids)).values_list("pk"))

    def write(
        self, targets: Sequence[Target], *, adding: Collection[int], deletions: Deletions
    ) -> list[Receipt[Any]]:
        return self.writer.write(self.actor, targets, adding=adding, deletions=deletions)

    def trash(self, rows: Sequence[Any], *, if_match: Mapping[int, Versions]) -> list[Any]:
        return self.writer.trash(self.actor, rows, if_match)
