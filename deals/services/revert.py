"""Undo for deals. All columns are restored as they were; the rules check the result and derive nothing from it."""

import datetime
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.utils import timezone

from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.changes import ChangeSet
from crm_project.errors import FieldError, Forbidden
from crm_project.journal.models import Event
from crm_project.journal.undo_conflicts import conflict, refuse_first
from crm_project.records import references
from crm_project.records.expressions import IsOneOf
from crm_project.records.locks import for_update, share
from crm_project.records.reverting import by_action, write_in_order
from crm_project.records.writing import store
from crm_project.records.writing.store import Draft
from deals import money, rules
from deals.links import NAMES, note_lists
from deals.models import Deal, DealReference
from deals.services.base_amounts import set_base_amounts
from deals.services.states import bring_back, note_state, take_back, write_states
from deals.services.write import may_set_privacy, write_lists
from pipelines.catalogue import Catalogue, held_catalogue

PEOPLE = ("contact_id", "client_id")


class DealUndoer:
    """The Undoer of deals."""

    lists = NAMES

    def hold(self, actor: Actor, restored: Sequence[Mapping[str, Any]]) -> None:
        keys = [tuple(key) for before in restored for key in before.get("external_references") or ()]
        references.hold(DealReference, actor.organization_id, keys)
        people = {before[name] for before in restored for name in PEOPLE if before.get(name)}
        people |= {key for before in restored for key in before.get("members") or ()}
        share(Contact.objects.of(actor.organization_id).filter(pk__in=people))

    def lock(
        self, actor: Actor, ids: Sequence[int], restored: Sequence[Mapping[str, Any]], *, rows: Any = None
    ) -> dict[int, Draft]:
        rows = Deal.objects.seen_by(actor.member) if rows is None else rows
        drafts = [Draft.of(row) for row in for_update(rows.filter(pk__in=ids))]
        note_lists(drafts)
        return {draft.row.pk: draft for draft in drafts}

    def revert(self, changes: ChangeSet, actor: Actor, drafts: Sequence[Draft]) -> None:
        if not drafts:
            return
        people = _attach(actor, drafts)
        refuse_first(
            {index: error for index, draft in enumerate(drafts) if (error := _refusal(actor, draft, people))}
        )
        live = [draft for draft in drafts if draft.row.deleted_at is None]
        refuse_first(references.clashes(DealReference, actor.organization_id, live))
        _store(changes, actor, drafts)


def _attach(actor: Actor, drafts: Sequence[Draft]) -> dict[int, Contact]:
    """Set stage, contact and client of the rows from their restored ids; returns the contacts by id."""
    catalogue: Catalogue = held_catalogue(actor.organization_id)
    ids = {getattr(draft.row, name) for draft in drafts for name in PEOPLE}
    ids |= {key for draft in drafts for key in draft.lists["members"]}
    people = Contact.objects.of(actor.organization_id).in_bulk([key for key in ids if key])
    for draft in drafts:
        row = draft.row
        row.contact, row.client = people.get(row.contact_id), people.get(row.client_id)
        if stage := catalogue.stages.get(row.stage_id):
            row.stage = stage
    return people


def _refusal(actor: Actor, draft: Draft, people: Mapping[int, Contact]) -> Any:
    """The error if the restored values are not possible: related rows in the trash, or contradictory values."""
    if not may_set_privacy(actor, draft, bool(draft.before["is_private"])):
        return Forbidden("Only its owner, its creator, its access list and admins set a deal's privacy.")
    if draft.row.deleted_at is not None:
        return None
    errors = [*_gone(draft, people), *rules.fit_errors(draft.row), *money.fit_errors(draft.row)]
    return conflict(errors) if errors else None


def _gone(draft: Draft, people: Mapping[int, Contact]) -> list[FieldError]:
    row = draft.row
    named = [("contact", row.contact_id), ("client", row.client_id)]
    named += [("participants", key) for key in draft.lists["members"]]
    errors = [
        FieldError(name, "gone", "This contact is in the trash.")
        for name, key in named
        if key and people[key].deleted_at is not None
    ]
    if row.stage.deleted_at is not None:
        errors.append(FieldError("stage", "gone", "This stage is in the trash."))
    return errors


def _store(changes: ChangeSet, actor: Actor, drafts: Sequence[Draft]) -> None:
    now = timezone.now()
    as_stored = Deal.objects.filter(pk__in=[draft.row.pk for draft in drafts]).select_related("stage")
    stored = {row.pk: row for row in as_stored}
    states = {draft.row.pk: note_state(draft, stored[draft.row.pk]) for draft in drafts}
    set_base_amounts(actor.organization, drafts)
    touched = store.update(drafts, now=now)
    write_in_order(touched, partial(write_lists, actor.organization_id))
    write_in_order(touched, partial(references.write, DealReference, actor.organization_id))
    write_states([draft.row for draft in touched], states, now=now)
    for action, those in by_action(touched).items():
        store.record(changes, those, action)
        if action != "updated":
            rows = [draft.row for draft in those]
            references.set_live(DealReference, rows, live=action == "restored")
            _write_past(changes, rows, now, is_restored=action == "restored")


def _write_past(
    changes: ChangeSet, rows: Sequence[Deal], now: datetime.datetime, *, is_restored: bool
) -> None:
    """The undo of an import takes back the past of the deals that it has created, too; its redo brings it back."""
    ids = [row.pk for row in rows]
    if is_restored:
        bring_back(ids)
    elif changes.undoes is not None:
        undone = Event.objects.of_change_set(rows[0].organization_id, changes.undoes)
        created = undone.filter(IsOneOf("row_id", ids), kind="deal", action="created")
        take_back(list(created.exclude(import_uuid=None).values_list("row_id", flat=True)), now)
