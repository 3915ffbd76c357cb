"""People and companies that are named by an e-mail address, a phone number or a name: found, or created."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import prefetch_related_objects

from contacts.models import Contact
from contacts.querysets import fold_email, ids_with_phones
from contacts.rules import PersonKey, company_key, folded_name, person_key
from contacts.services.addresses import holdings
from contacts.services.write import email_key, write_contacts
from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.changes import change_set, is_checking
from crm_project.prepared import Prepared
from crm_project.records.instances import fast_instance
from crm_project.records.kinds import Everyone, kind_of
from crm_project.records.locks import FOR_SHARE, hold_keys, hold_names, share
from crm_project.records.phones import normalize_phone
from crm_project.records.text import tidy
from crm_project.records.writing.columns import Change
from crm_project.records.writing.receipts import Receipt


@dataclass(frozen=True)
class NewPerson:
    """Whom to find or create, by e-mail if there is one; the names then count only for a new contact."""

    email: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""


def find_or_create_people(*, actor: Actor, people: Sequence[NewPerson]) -> dict[str, Contact]:
    """The contact of each e-mail, people before companies, created where there is none; found ones stay untouched.

    The keys are the folded e-mails. An e-mail without a contact is left out if no first name came with it.
    """
    found = find_people(actor=actor, people=people)
    new = create_people(actor=actor, people=[row for row in found.values() if row.pk is None])
    return found | {row.email: row for row in new}


def find_people(*, actor: Actor, people: Sequence[NewPerson]) -> dict[str, Contact]:
    """Like `find_or_create_people`, with unsaved rows in place of the contacts that `create_people` would create.

    Existing rows are locked against the trash, and no other transaction creates the missing ones.
    """
    requested = {fold_email(person.email): person for person in people}
    hold_keys(person_keys(actor, people))
    found = _by_email(actor, requested)
    new = {
        email: _unsaved(actor, email, person)
        for email, person in requested.items()
        if email not in found and person.first_name.strip()
    }
    return found | new


def person_keys(actor: Actor, people: Iterable[NewPerson]) -> list[tuple[Any, ...]]:
    """The locks of the e-mail addresses for which a contact may be created."""
    return [email_key(actor, fold_email(person.email)) for person in people if person.first_name.strip()]


def find_people_by_phone(*, actor: Actor, people: Sequence[NewPerson]) -> dict[PersonKey, Contact]:
    """The only live person of each name and phone number; unsaved rows where there is none, or more than one.

    The people have a name and a phone number. No other transaction finds or creates the same ones meanwhile.
    """
    country = actor.organization.country
    requested = {
        person_key(person.first_name, person.last_name, person.phone, country): person for person in people
    }
    if not requested:
        return {}
    hold_names("contact_person", actor.organization_id, (" ".join(key) for key in requested))
    numbers = {phone for _, phone in requested}
    rows = Contact.objects.visible_to(actor.member).filter(kind=Contact.Kinds.PERSON)
    found: dict[PersonKey, set[Contact]] = {key: set() for key in requested}
    people = share(rows.filter(pk__in=ids_with_phones(numbers, actor.organization_id)))
    prefetch_related_objects(people, "addresses")
    for row in people:
        for phone in {row.phone, row.mobile, *row.further_phones} - {""}:
            found.get(person_key(row.first_name, row.last_name, phone, country), set()).add(row)
    return {
        key: next(iter(found[key])) if len(found[key]) == 1 else _unsaved(actor, "", person)
        for key, person in requested.items()
    }


def create_people(*, actor: Actor, people: Sequence[Contact]) -> list[Contact]:
    """Create the unsaved contacts of a look-up; returns the stored rows in the same order."""
    if not people:
        return []
    # No contact has these addresses: they were looked up while their keys were locked.
    targets = [(None, _change(person)) for person in people]
    receipts = write_contacts(actor, targets, unused_emails={person.email for person in people})
    return [receipt.row for receipt in receipts]


def upsert_person(*, actor: Actor, change: Change) -> Receipt[Contact]:
    """Update the person with the e-mail address, else the one with the phone number; else create a person.

    A person with another e-mail address is not found by phone. Of several people with the number, the oldest with the
    same name is found.
    """
    actor.require(Permission.EDIT_DEALS)
    email, phone = fold_email(change.get("email") or ""), change.get("phone") or ""
    keys = [email_key(actor, email)] if email else []
    if phone:
        country = actor.organization.country
        keys.append(("contact_phone", actor.organization_id, normalize_phone(phone, country) or phone))
    with change_set(actor):
        hold_keys(keys)
        people = Contact.objects.visible_to(actor.member).filter(kind=Contact.Kinds.PERSON).order_by("id")
        found = people.with_email([email], actor.organization_id).first() if email else None
        if found is not None and found.email != email:
            # A further address, which stays so.
            change = {name: value for name, value in change.items() if name != "email"}
        if found is None and phone:
            found = _by_phone(people.with_phone(phone, actor.organization), email, change)
        return write_contacts(actor, [(found, change)])[0]


def _by_phone(people: Iterable[Contact], email: str, change: Change) -> Contact | None:
    """A number is often that of a household or an office: an upsert must not make one person out of two."""
    found = [row for row in people if not (email and row.email)]
    if len(found) > 1:
        name = folded_name(change.get("first_name") or "", change.get("last_name") or "")
        found = [row for row in found if folded_name(row.first_name, row.last_name) == name]
    return found[0] if found else None


def find_or_create_company(*, actor: Actor, name: str) -> Contact:
    """The oldest company with this name in any spelling, of the exact one first; or a new one."""
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor):
        name = tidy(name)
        found = companies_by_name(actor, [name])[name]
        change = {"kind": Contact.Kinds.COMPANY, "name": name, "incomplete": True}
        return found[0] if found else write_contacts(actor, [(None, change)])[0].row


def companies_by_name(actor: Actor, names: Collection[str]) -> dict[str, list[Contact]]:
    """The companies with exactly this name, else those with another spelling of it, for each tidy name; oldest first.

    No other transaction finds or creates companies of these names meanwhile.
    """
    keys = {name: company_key(name) for name in names}
    hold_names("company_name", actor.organization_id, keys.values())
    companies = Contact.objects.visible_to(actor.member).with_company_names(keys)
    spelled: dict[str, list[Contact]] = {}
    for row in companies.order_by("id"):
        spelled.setdefault(company_key(row.name), []).append(row)
    found = {name: spelled.get(key, []) for name, key in keys.items()}
    return {name: [row for row in rows if tidy(row.name) == name] or rows for name, rows in found.items()}


def _by_email(actor: Actor, emails: Mapping[str, Any]) -> dict[str, Contact]:
    if not emails:
        return {}
    kind = kind_of(Contact)
    if len(emails) == 1 and kind is not None and kind.visible == Everyone():
        query = _of_one_email if is_checking() else _of_one_email_shared
        rows = query.rows(next(iter(emails)), actor.organization_id)
    else:
        rows = share(Contact.objects.visible_to(actor.member).with_email(emails, actor.organization_id))
    pairs = [(next(iter(emails)), row) for row in rows] if len(emails) == 1 else holdings(rows, emails)
    # People sort after companies, so that a person takes precedence over a company.
    return dict(sorted(pairs, key=lambda pair: pair[1].kind))


def _with_one_email(email: str, organization_id: int) -> Any:
    return Contact.objects.live().of(organization_id).with_email([email], organization_id).order_by("id")


_of_one_email = Prepared(_with_one_email)
_of_one_email_shared = Prepared(_with_one_email, ending=FOR_SHARE)


def _unsaved(actor: Actor, email: str, person: NewPerson) -> Contact:
    names = {"first_name": person.first_name, "last_name": person.last_name, "phone": person.phone}
    return fast_instance(Contact, organization_id=actor.organization_id, email=email, **names)


def _change(person: Contact) -> Change:
    return {
        "email": person.email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "phone": person.phone,
        # A deal names its contact by e-mail only: required custom fields are not demanded.
        "incomplete": True,
    }
