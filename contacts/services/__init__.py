"""Services of contacts: the only functions that write contacts, for the API, the admin, imports and dialects."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, prefetch_related_objects

from contacts.hooks import hooks
from contacts.models import Contact
from contacts.querysets import further_matches
from contacts.services import addresses
from contacts.services.bulk import MATCH, MATCH_KEYS, carry_out_contacts, upsert_contacts
from contacts.services.merging import merge_contacts
from contacts.services.people import (
    NewPerson,
    companies_by_name,
    find_or_create_company,
    find_or_create_people,
    upsert_person,
)
from contacts.services.trash import restore_contacts, trash_contacts
from contacts.services.write import (
    COLUMNS,
    after_rename,
    clashes,
    email_key,
    refresh_people,
    row_errors,
    write_contacts,
)
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member, Organization
from crm_project.records.bulk_sql import update_rows
from crm_project.records.locks import for_update
from crm_project.records.writing.columns import Change
from crm_project.records.writing.receipts import Receipt
from crm_project.records.writing.store import refresh_derived

__all__ = [
    "COLUMNS",
    "MATCH",
    "MATCH_KEYS",
    "NewPerson",
    "after_rename",
    "carry_out_contacts",
    "clashes",
    "companies_by_name",
    "create_contacts",
    "email_key",
    "find_or_create_company",
    "find_or_create_people",
    "hand_over_contacts",
    "merge_contacts",
    "renormalize_phones",
    "restore_contacts",
    "row_errors",
    "trash_contacts",
    "update_contacts",
    "upsert_contacts",
    "upsert_person",
]

PORTION = 1000


def create_contacts(*, actor: Actor, changes: Sequence[Change]) -> list[Contact]:
    return [receipt.row for receipt in write_contacts(actor, [(None, change) for change in changes])]


def update_contacts(*, actor: Actor, changes: Sequence[tuple[Any, Change]]) -> list[Receipt[Contact]]:
    """Apply each change to its contact, of which only the id is used."""
    return write_contacts(actor, changes)


def renormalize_phones(organization_id: int) -> None:
    """Normalize all numbers again, by the organization's present country. Versions and journal stay the same."""
    last = 0
    with_number = Contact.objects.of(organization_id).filter(
        ~Q(phone="") | ~Q(mobile="") | further_matches("phone", Q())
    )
    with_number = with_number.order_by("id")
    while rows := list(for_update(with_number.filter(pk__gt=last))[:PORTION]):
        last = rows[-1].pk
        organization = Organization.objects.get(pk=organization_id)
        before = {row.pk: (row.phone_normalized, row.mobile_normalized, row.search_text) for row in rows}
        prefetch_related_objects(rows, "addresses")
        for row in rows:
            row.organization = organization
        refresh_derived(rows)
        addresses.renormalize(rows)
        changed = [
            row
            for row in rows
            if before[row.pk] != (row.phone_normalized, row.mobile_normalized, row.search_text)
        ]
        update_rows(changed, ["phone_normalized", "mobile_normalized", "search_text"])
        refresh_people([row.pk for row in changed if row.kind == Contact.Kinds.COMPANY])
        hooks.after_rename([row.pk for row in changed])


def hand_over_contacts(actor: Actor, leaver: Member, heir: Member, with_closed: bool) -> int:
    """Hand over all live contacts; a contact is never closed."""
    contacts = list(Contact.objects.of(actor.organization_id).live().filter(owner=leaver).order_by("id"))
    update_contacts(actor=actor, changes=[(contact, {"owner": heir.pk}) for contact in contacts])
    return len(contacts)
