"""Whom a deal names by an e-mail address: found, or created."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contacts.models import Contact
from contacts.querysets import fold_email
from contacts.services.write import email_key, write_contacts
from crm_project.accounts.actors import Actor
from crm_project.records.apply import Change
from crm_project.records.locks import hold_keys, share


@dataclass(frozen=True)
class NewPerson:
    """Whom to find or create by e-mail; the names count only for a new contact."""

    email: str
    first_name: str = ""
    last_name: str = ""
    phone: str = ""


def find_or_create_people(*, actor: Actor, people: Sequence[NewPerson]) -> dict[str, Contact]:
    """The contact of each e-mail, people before companies, created where there is none; found ones stay untouched.

    Answered by folded e-mail; the rows are kept from being trashed. An e-mail that is missing from the answer has
    no contact and no first name to make one of.
    """
    wanted = {fold_email(person.email): person for person in people}
    found = _by_email(actor, wanted)
    absent = {
        email: person for email, person in wanted.items() if email not in found and person.first_name.strip()
    }
    if not absent:
        return found
    hold_keys(email_key(actor, email) for email in absent)
    found |= _by_email(actor, absent)
    new = [_person(person, email) for email, person in absent.items() if email not in found]
    made = write_contacts(actor, [(None, change) for change in new])
    return found | {receipt.row.email: receipt.row for receipt in made}


def _by_email(actor: Actor, emails: Mapping[str, Any]) -> dict[str, Contact]:
    rows = share(Contact.objects.visible_to(actor.member).with_email(emails)) if emails else []
    # A person's row is put in last and wins over a company's.
    return {row.email: row for row in sorted(rows, key=lambda row: row.kind)}


def _person(person: NewPerson, email: str) -> Change:
    return {
        "email": email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "phone": person.phone,
        # Whoever names a deal's contact by e-mail cannot fill in a form about it.
        "incomplete": True,
    }
