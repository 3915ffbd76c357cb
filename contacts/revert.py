"""Undo for contacts: restored values have to satisfy the rules of a write."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.db.models import Q
from django.utils import timezone

from contacts.hooks import hooks
from contacts.models import Contact, ContactReference
from contacts.services import addresses, after_rename, clashes, email_key, row_errors
from contacts.services.trash import IN_USE
from contacts.services.write import lock_with_people
from crm_project.accounts.actors import Actor
from crm_project.changes import ChangeSet
from crm_project.errors import FieldError
from crm_project.journal.undo_conflicts import conflict, refuse_first
from crm_project.records import references
from crm_project.records.locks import for_update, hold_keys
from crm_project.records.reverting import by_action, write_in_order
from crm_project.records.writing import store
from crm_project.records.writing.store import Draft


class ContactUndoer:
    """The Undoer of contacts."""

    lists = ("external_references", *addresses.NAMES)

    def hold(self, actor: Actor, restored: Sequence[Mapping[str, Any]]) -> None:
        keys = [tuple(key) for before in restored for key in before.get("external_references") or ()]
        references.hold(ContactReference, actor.organization_id, keys)
        emails = {email for before in restored for email in addresses.sent_emails(before)}
        hold_keys(email_key(actor, email) for email in emails)

    def lock(
        self, actor: Actor, ids: Sequence[int], restored: Sequence[Mapping[str, Any]], *, rows: Any = None
    ) -> dict[int, Draft]:
        """With the companies that the rows get back, and the people of renamed companies, in one id order."""
        companies = {before["company_id"] for before in restored if before.get("company_id")}
        lock_with_people(actor, Q(pk__in={*ids, *companies}), ids)
        rows = Contact.objects.seen_by(actor.member) if rows is None else rows
        drafts = [Draft.of(row) for row in for_update(rows.filter(pk__in=ids))]
        for draft in drafts:
            draft.row.organization = actor.organization
        references.note(ContactReference, drafts)
        addresses.note(drafts)
        return {draft.row.pk: draft for draft in drafts}

    def revert(self, changes: ChangeSet, actor: Actor, drafts: Sequence[Draft]) -> None:
        if not drafts:
            return
        live = [draft for draft in drafts if draft.row.deleted_at is None]
        trashed = [draft for draft in drafts if draft.row.deleted_at is not None]
        # What uses a merged contact is moved later.
        refuse_used(actor, [draft.row.pk for draft in trashed if draft.row.merged_into_id is None])
        rows = Contact.objects.of(actor.organization_id).live()
        companies = rows.in_bulk([draft.row.company_id for draft in live if draft.row.company_id])
        # A company and its people may be restored together.
        companies |= {draft.row.pk: draft.row for draft in live}
        wrong = ((index, _errors(draft.row, companies)) for index, draft in enumerate(live))
        refuse_first({index: conflict(errors) for index, errors in wrong if errors})
        for batch in _releasing_first(live):
            refuse_first(clashes(actor, batch))
            _store(changes, actor, batch)
        _store(changes, actor, trashed)


def _releasing_first(drafts: Sequence[Draft]) -> tuple[list[Draft], list[Draft]]:
    """The drafts that release an e-mail address or a reference, and the others.

    The released values may belong to one of the others again, and are unique among live rows.
    """
    releasing: list[Draft] = []
    others: list[Draft] = []
    for draft in drafts:
        references_now = draft.lists["external_references"]
        emails_before = {draft.before["email"], *draft.lists_before["further_emails"]} - {""}
        releases = bool(emails_before - {*addresses.emails_of(draft)}) or any(
            key not in references_now for key in draft.lists_before["external_references"]
        )
        (releasing if releases else others).append(draft)
    return releasing, others


def refuse_used(actor: Actor, ids: Sequence[int]) -> None:
    if ids and (uses := hooks.count_uses(actor, ids)):
        raise uses.conflict(IN_USE)


def _errors(row: Contact, companies: Mapping[int, Contact]) -> list[FieldError]:
    if row.company_id and row.company_id not in companies:
        return [FieldError("company", "gone", "This company is in the trash.")]
    return row_errors(row)


def _store(changes: ChangeSet, actor: Actor, drafts: Sequence[Draft]) -> None:
    touched = store.update(drafts, now=timezone.now())
    write_in_order(touched, partial(references.write, ContactReference, actor.organization_id))
    write_in_order(touched, partial(addresses.write, actor.organization_id))
    for action, acted in by_action(touched).items():
        store.record(changes, acted, action)
        if action != "updated":
            rows = [draft.row for draft in acted]
            references.set_live(ContactReference, rows, live=action == "restored")
            addresses.set_live(rows, live=action == "restored")
    after_rename(touched)
