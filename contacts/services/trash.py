"""The trash of contacts. Another contact may take the e-mail address and references of a trashed one."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from django.utils import timezone
from django.utils.translation import gettext_noop

from contacts.hooks import hooks
from contacts.models import Contact, ContactReference
from contacts.services import addresses
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

IN_USE = gettext_noop("This contact is used by %(uses)s.")
ANY: Mapping[int, Versions] = MappingProxyType({})


def trash_contacts(
    *,
    actor: Actor,
    rows: Sequence[Contact],
    if_match: Mapping[int, Versions] = ANY,
    merged_into: Contact | None = None,
) -> list[Contact]:
    """Move contacts to the trash, unless a live deal uses one of them. `if_match` has the expected version by id.

    `merged_into` is the contact that has taken over everything that they had.
    """
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
        _set_live(changes, _drafts([*found.values()]), live=False, merged_into=merged_into)
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
        held = [*trashed.prefetch_related("addresses")]
        emails = {email for row in held for email in (row.email, *row.further_emails) if email}
        hold_keys(email_key(actor, email) for email in emails)
        found = list(for_update(trashed))
        if len(found) != len(rows):
            raise NotFound
        _require(found, if_match)
        drafts = _drafts(found)
        # Two trashed contacts may have the same address.
        if addresses.email_clashes(actor.organization_id, drafts):
            raise Conflict("Another contact has this e-mail address now.", code="restore_conflict")
        _set_live(changes, drafts, live=True)
        return found


def _require(rows: Sequence[Contact], if_match: Mapping[int, Versions]) -> None:
    stale = ((index, refusal(row, if_match.get(row.pk))) for index, row in enumerate(rows))
    refuse({index: error for index, error in stale if error}, rows=len(rows))


def _drafts(rows: Sequence[Contact]) -> list[Draft]:
    drafts = [Draft.of(row) for row in rows]
    addresses.note(drafts)
    return drafts


def _set_live(
    changes: ChangeSet, drafts: Sequence[Draft], *, live: bool, merged_into: Contact | None = None
) -> None:
    now = timezone.now()
    rows = [draft.row for draft in drafts]
    if live:
        references.check_restorable(ContactReference, [row.pk for row in rows])
    for row in rows:
        row.deleted_at, row.merged_into = None if live else now, merged_into
    store.record(changes, store.update(drafts, now=now), "restored" if live else "trashed")
    references.set_live(ContactReference, rows, live=live)
    addresses.set_live(rows, live=live)
