"""Writes of reference data: small rows that have columns, external references and a trash, and nothing else."""

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.accounts.services import bump_catalogue
from crm_project.changes import ChangeSet, before_storing, change_set
from crm_project.errors import Conflict, FieldError, NotFound, refuse, refuse_fields
from crm_project.records import references
from crm_project.records.kinds import Services
from crm_project.records.locks import for_update, hold_catalogue
from crm_project.records.models import Row
from crm_project.records.writing import store
from crm_project.records.writing.columns import Change, set_columns
from crm_project.records.writing.receipts import Receipt
from crm_project.records.writing.store import Draft
from crm_project.versions import Versions, require

Check = Callable[[Any], list[FieldError]]


@contextmanager
def catalogue_writing(actor: Actor) -> Iterator[ChangeSet]:
    """Open a change set under the exclusive lock of the catalogue, and bump the catalogue's version at its end."""
    actor.require(Permission.EDIT_PIPELINES)
    with change_set(actor) as changes:
        hold_catalogue(actor.organization_id, alone=True)
        yield changes
        # Last, so that a refused write updates no row.
        before_storing()
        bump_catalogue(actor.organization_id)


def locked(model: Any, actor: Actor, row_id: int, if_match: Versions | None = None) -> Any:
    row = for_update(model.objects.visible_to(actor.member).filter(pk=row_id)).first()
    if row is None:
        raise NotFound
    require(row, if_match)
    return row


def trashed(model: Any, actor: Actor, row_id: int, if_match: Versions | None = None) -> Any:
    """The row, locked, if it can still be restored."""
    rows = model.objects.trash_visible_to(actor.member, timezone.now())
    row = for_update(rows.filter(pk=row_id)).first()
    if row is None:
        raise NotFound
    require(row, if_match)
    return row


def save_named(
    *,
    actor: Actor,
    row: Row,
    change: Change,
    columns: Sequence[str],
    reference_model: type[Any],
    check: Check,
) -> Any:
    """Create the row, or change it if it has an id. `check` takes the changed row and returns its errors."""
    with catalogue_writing(actor) as changes:
        draft = Draft.of(locked(type(row), actor, row.pk, change.get("if_match"))) if row.pk else Draft(row)
        references.note(reference_model, [draft])
        errors = set_columns(draft.row, change, columns)
        refuse_fields([*errors, *([] if errors else check(draft.row))])
        set_references(reference_model, actor, draft, change)
        now = timezone.now()
        if draft.before:
            written, action = store.update([draft], now=now), "updated"
        else:
            store.insert([draft], now=now)
            written, action = [draft], "created"
        references.write(reference_model, actor.organization_id, [draft])
        store.record(changes, written, action)
        return draft.row


def set_references(model: type[Any], actor: Actor, draft: Draft, change: Change) -> None:
    refuse_fields(references.set_on(draft, change))
    references.hold(model, actor.organization_id, references.keys_of([change]))
    refuse(references.clashes(model, actor.organization_id, [draft]), rows=1)


def trash_rows(
    changes: ChangeSet,
    reference_model: type[Any],
    rows: Sequence[Any],
    *,
    now: datetime.datetime | None = None,
) -> None:
    """Move locked rows to the trash, which frees their external references."""
    now = now or timezone.now()
    drafts = [Draft.of(row) for row in rows]
    for row in rows:
        row.deleted_at = now
        if hasattr(row, "position") and row._meta.get_field("position").null:
            row.position = None
    store.record(changes, store.update(drafts, now=now), "trashed")
    references.set_live(reference_model, rows, live=False)


def restore_named(
    *, actor: Actor, row: Row, reference_model: type[Any], check: Check, if_match: Versions | None = None
) -> Any:
    """Restore a row from the trash; `check` raises Conflict if a live row has its name or key."""
    with catalogue_writing(actor) as changes:
        draft = Draft.of(trashed(type(row), actor, row.pk, if_match))
        try:
            refuse_fields(check(draft.row))
        except Conflict as error:
            raise Conflict(error.template, error.params, code="restore_conflict") from error
        restore_rows(changes, reference_model, [draft])
        return draft.row


def restore_rows(
    changes: ChangeSet,
    reference_model: type[Any],
    drafts: Sequence[Draft],
    *,
    now: datetime.datetime | None = None,
) -> None:
    """Restore locked rows and their external references."""
    references.check_restorable(reference_model, [draft.row.pk for draft in drafts])
    for draft in drafts:
        draft.row.deleted_at = None
    store.record(changes, store.update(drafts, now=now or timezone.now()), "restored")
    references.set_live(reference_model, [draft.row for draft in drafts], live=True)


def one_by_one(
    row_name: str,
    *,
    create: Callable[..., Any],
    update: Callable[..., Any],
    trash: Callable[..., Any],
    restore: Callable[..., Any],
) -> Services:
    """Services of a kind that is written one row at a time.

    `row_name` is the keyword of the row in `update`, `trash` and `restore`.
    """

    def create_all(*, actor: Actor, changes: Sequence[Change]) -> list[Any]:
        with change_set(actor):
            return [create(actor=actor, change=change) for change in changes]

    def update_all(*, actor: Actor, changes: Sequence[tuple[Any, Change]]) -> list[Receipt[Any]]:
        with change_set(actor) as events:
            receipts = []
            for row, change in changes:
                already = len(events.recorded)
                saved = update(actor=actor, **{row_name: row}, change=change)
                # The events of this update, which may have written other rows too.
                own = [event for event in events.recorded[already:] if event.row_uuid == saved.uuid]
                changed = sorted({name for event in own for name in event.changes})
                receipts.append(Receipt(saved, "updated" if own else "unchanged", changed))
            return receipts

    def each(service: Callable[..., Any]) -> Callable[..., list[Any]]:
        def call(
            *, actor: Actor, rows: Sequence[Any], if_match: Mapping[int, Versions] | None = None, **extra: Any
        ) -> list[Any]:
            expected = if_match or {}
            with change_set(actor):
                results = [
                    service(actor=actor, **{row_name: row}, if_match=expected.get(row.pk), **extra)
                    for row in rows
                ]
            # A service that trashes a row returns None.
            return [row if result is None else result for result, row in zip(results, rows, strict=True)]

        return call

    return Services(create=create_all, update=update_all, trash=each(trash), restore=each(restore))
