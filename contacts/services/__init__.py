"""Writes of contacts. Every write of a contact, whoever asks for it, goes through here."""

from collections.abc import Sequence
from typing import Any

from contacts.models import Contact
from contacts.services.bulk import MATCH, MATCH_KEYS, carry_out_contacts, upsert_contacts
from contacts.services.people import (
    NewPerson,
    find_or_create_company,
    find_or_create_people,
    upsert_person,
)
from contacts.services.trash import restore_contacts, trash_contacts
from contacts.services.write import COLUMNS, NAMING, clashes, email_key, row_errors, write_contacts
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.records.writing.columns import Change
from crm_project.records.writing.receipts import Receipt

__all__ = [
    "COLUMNS",
    "MATCH",
    "MATCH_KEYS",
    "NAMING",
    "NewPerson",
    "carry_out_contacts",
    "clashes",
    "create_contacts",
    "email_key",
    "find_or_create_company",
    "find_or_create_people",
    "hand_over_contacts",
    "restore_contacts",
    "row_errors",
    "trash_contacts",
    "update_contacts",
    "upsert_contacts",
    "upsert_person",
]


def create_contacts(*, actor: Actor, changes: Sequence[Change]) -> list[Contact]:
    return [receipt.row for receipt in write_contacts(actor, [(None, change) for change in changes])]


def update_contacts(*, actor: Actor, changes: Sequence[tuple[Any, Change]]) -> list[Receipt[Contact]]:
    """Apply each change to the contact it comes with, which counts only for its id."""
    return write_contacts(actor, changes)


def hand_over_contacts(actor: Actor, leaver: Member, heir: Member, with_closed: bool) -> int:
    """Hand over all live contacts; a contact is never closed."""
    contacts = list(Contact.objects.of(actor.organization_id).live().filter(owner=leaver).order_by("id"))
    update_contacts(actor=actor, changes=[(contact, {"owner": heir.pk}) for contact in contacts])
    return len(contacts)
