"""Erasure of a contact's personal data: in its row, in its events, and in all copies of it."""

from dataclasses import dataclass

from django.utils import timezone

from contacts.kinds import PERSONAL
from contacts.models import Contact, ContactReference
from contacts.services import addresses, after_rename
from crm_project.changes import change_set
from crm_project.errors import NotFound
from crm_project.journal.hooks import hooks as journal_hooks
from crm_project.journal.redaction import ERASED, erased, redact_events
from crm_project.mail.services import forget_address
from crm_project.records import references
from crm_project.records.locks import for_update
from crm_project.records.writing import store
from crm_project.records.writing.store import Draft


@dataclass(frozen=True)
class Redacted:
    """The contact after the redaction, and the number of its events that were changed."""

    contact: Contact
    events: int


def redact_contact(*, contact: Contact) -> Redacted:
    """Erase name, addresses, numbers, texts, custom fields and external ids. Deals keep the contact, without its name.

    This cannot be undone. Names and descriptions of deals are not changed: a person has to check them.
    """
    with change_set(None) as changes:
        locked = for_update(Contact.objects.filter(pk=contact.pk)).first()
        if locked is None:
            raise NotFound
        draft = Draft.of(locked)
        references.note(ContactReference, [draft])
        addresses.note([draft])
        emails = addresses.emails_of(draft)
        _erase(draft)
        store.update([draft], now=timezone.now())
        references.write(ContactReference, draft.row.organization_id, [draft])
        addresses.write(draft.row.organization_id, [draft])
        row: Contact = draft.row
        count = redact_events(
            kind=row.row_kind, row_id=row.pk, organization_id=row.organization_id, fields=PERSONAL
        )
        recorded = {name: (erased(old), new) for name, (old, new) in draft.changed.items()}
        changes.record(row, "redacted", recorded)
        for email in emails:
            forget_address(organization_id=row.organization_id, address=email)
        after_rename([draft])
        for forget in journal_hooks.after_redaction:
            forget(row)
        return Redacted(row, count)


def _erase(draft: Draft) -> None:
    row = draft.row
    for name in PERSONAL - {"custom_fields", *draft.lists}:
        setattr(row, name, None if Contact._meta.get_field(name).null else "")
    row.custom_fields = {}
    for name in draft.lists:
        draft.lists[name] = []
    if row.kind == Contact.Kinds.COMPANY:
        row.name = ERASED
    else:
        row.first_name = ERASED
