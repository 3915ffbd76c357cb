"""The trash of contacts. Another contact may take the e-mail address and references of a trashed one."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from django.utils import timezone

from contacts.hooks import hooks
from contacts.models import Contact, ContactReference
from contacts.services.write import email_key
from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.changes import ChangeSet, change_set
from crm_project.errors import Conflict, DomainError, NotFound, Uses, refuse
from crm_project.records import references
from crm_project.records.locks import for_update, hold_keys
from crm_project.records.writing import store
from crm_project.records.writing.store import Draft
from crm_project.versions import Versions, refusal

IN_USE = "This contact is used by %(uses)s."
ANY: Mapping[int, Versions] = MappingProxyType({})


def trash_contacts(
    *, actor: Actor, rows: Sequence[Contact], if_match: Mapping[int, Versions] = ANY
) -> list[Contact]:
    """Move contacts to the trash, unless a live deal uses one of them. `if_match` has the expected version by id."""
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor) as changes:
        ids = [row.pk for row in rows]
        visible = Contact.objects.visible_to(actor.member).filter(pk__in=ids)
        found = {row.pk: row for row in for_update(visible)}
        errors: dict[int, DomainError] = {
            place: NotFound() for place, pk in enumerate(ids) if pk not in found
        }
        stale = ((place, refusal(found[pk], if_match.get(pk))) for place, pk in enumerate(ids) if pk in found)
        errors |= {place: error for place, error in stale if error}
        used = _used(actor, list(found))
        errors |= {
            place: used[pk].conflict(IN_USE)
            for place, pk in enumerate(ids)
            if pk in used and place not in errors
        }
        refuse(errors, rows=len(ids))
        _set_live(changes, list(found.values()), live=False)
        return [found[pk] for pk in ids]


def _used(actor: Actor, ids: Sequence[int]) -> dict[int, Uses]:
    """The live rows that use each contact, without the unused ones.

    One query counts for all contacts; only if it finds uses, the two halves of the list are counted.
    """
    uses = hooks.count_uses(actor, ids) if ids else Uses()
    if not uses or len(ids) == 1:
        return {ids[0]: uses} if uses else {}
    half = len(ids) // 2
    return _used(actor, ids[:half]) | _used(actor, ids[half:])


def restore_contacts(
    *, actor: Actor, rows: Sequence[Contact], if_match: Mapping[int, Versions] = ANY
) -> list[Contact]:
    """Restore contacts from the trash, unless a live row has their e-mail address or a reference."""
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor) as changes:
        now = timezone.now()
        trashed = Contact.objects.trash_visible_to(actor.member, now).filter(pk__in=[row.pk for row in rows])
        hold_keys(email_key(actor, contact.email) for contact in trashed if contact.email)
        found = list(for_update(trashed))
        if len(found) != len(rows):
            raise NotFound
        _require(found, if_match)
        emails = [(row.kind, row.email) for row in found if row.email]
        live = Contact.objects.of(actor.organization_id).live().with_email(email for _, email in emails)
        # Two trashed contacts may have the same address.
        if {(row.kind, row.email) for row in live} & set(emails) or len(set(emails)) != len(emails):
            raise Conflict("Another contact has this e-mail address now.", code="restore_conflict")
        _set_live(changes, found, live=True)
        return found


def _require(rows: Sequence[Contact], if_match: Mapping[int, Versions]) -> None:
    stale = ((index, refusal(row, if_match.get(row.pk))) for index, row in enumerate(rows))
    refuse({index: error for index, error in stale if error}, rows=len(rows))


def _set_live(changes: ChangeSet, rows: list[Contact], *, live: bool) -> None:
    now = timezone.now()
    drafts = [Draft.of(row) for row in rows]
    if live:
        references.check_restorable(ContactReference, [row.pk for row in rows])
    for row in rows:
        row.deleted_at = None if live else now
    store.record(changes, store.update(drafts, now=now), "restored" if live else "trashed")
    references.set_live(ContactReference, rows, live=live)
