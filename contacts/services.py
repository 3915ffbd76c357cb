"""Writes of contacts: create, update, upsert, find or create by e-mail, trash and restore."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from django.utils import timezone

from contacts import hooks
from contacts.models import Contact, ContactReference
from contacts.querysets import fold_email
from contacts.rules import contact_errors
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.accounts.rules import Permission
from crm_project.changes import ChangeSet, change_set
from crm_project.errors import Conflict, DomainError, FieldError, Invalid, NotFound, refuse
from crm_project.records import references, store
from crm_project.records.apply import (
    Change,
    definitions_of,
    missing,
    rows_by_key,
    set_columns,
    set_custom_fields,
)
from crm_project.records.locks import for_update, hold_keys, share
from crm_project.records.matching import matches
from crm_project.records.receipts import Receipt, match_key
from crm_project.records.store import Draft
from crm_project.versions import Versions, refusal

COLUMNS = (
    "kind first_name last_name name email phone mobile job_title department website street postal_code city country"
    " description origin"
).split()
MATCH_KEYS = ("uuid", "external_reference", "email")
# What a deal is found by, too.
NAMING = frozenset({"first_name", "last_name", "name", "email", "kind"})
ANY: Mapping[int, Versions] = MappingProxyType({})


@dataclass(frozen=True)
class NewPerson:
    """Whom to find or create by e-mail; the names count only for a new contact."""

    email: str
    first_name: str = ""
    last_name: str = ""
    phone: str = ""


def create_contacts(*, actor: Actor, changes: Sequence[Change]) -> list[Contact]:
    return [receipt.row for receipt in _write(actor, [(None, change) for change in changes])]


def update_contacts(*, actor: Actor, changes: Sequence[tuple[Any, Change]]) -> list[Receipt[Contact]]:
    """Apply each change to the contact it comes with, which counts only for its id."""
    return _write(actor, changes)


def upsert_contacts(*, actor: Actor, changes: Sequence[Change]) -> list[Receipt[Contact]]:
    """Update what one key names, or create. A change's `match_on` names the key, else the first one it has."""
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor):
        matched = [match_key(change, MATCH_KEYS) for change in changes]
        _hold(actor, changes)
        visible = Contact.objects.visible_to(actor.member)
        targets = matches(actor, visible, ContactReference, matched, changes)
        by_email = _by_kind_and_email(
            visible, [c for c, key in zip(changes, matched, strict=True) if key == "email"]
        )
        for index, (key, change) in enumerate(zip(matched, changes, strict=True)):
            if key == "email":
                targets[index] = by_email.get(_kind_and_email(change))
        receipts = _write(actor, list(zip(targets, changes, strict=True)), add_references=True)
        for receipt, key in zip(receipts, matched, strict=True):
            receipt.matched_on = key if receipt.outcome != "created" else None
        return receipts


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
    return found | {contact.email: contact for contact in create_contacts(actor=actor, changes=new)}


def trash_contacts(
    *, actor: Actor, contacts: Sequence[Contact], if_match: Mapping[int, Versions] = ANY
) -> None:
    """Move to the trash, unless a live deal uses one of them; `if_match` holds the version expected of each id."""
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor) as changes:
        rows = list(
            for_update(Contact.objects.visible_to(actor.member).filter(pk__in=[c.pk for c in contacts]))
        )
        if len(rows) != len(contacts):
            raise NotFound
        _require(rows, if_match)
        uses = sum(count([row.pk for row in rows]) for count in hooks.count_uses)
        if uses:
            raise Conflict(f"{uses} deals use this contact.", code="in_use", count=uses)
        _set_live(changes, rows, live=False)


def hand_over_contacts(actor: Actor, leaver: Member, heir: Member) -> int:
    """All live contacts of somebody who leaves."""
    contacts = list(Contact.objects.of(actor.organization_id).live().filter(owner=leaver).order_by("id"))
    update_contacts(actor=actor, changes=[(contact, {"owner": heir.pk}) for contact in contacts])
    return len(contacts)


def restore_contacts(
    *, actor: Actor, contacts: Sequence[Contact], if_match: Mapping[int, Versions] = ANY
) -> list[Contact]:
    """Bring back from the trash what clashes with no live row."""
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor) as changes:
        now = timezone.now()
        trashed = Contact.objects.trash_visible_to(actor.member, now).filter(pk__in=[c.pk for c in contacts])
        hold_keys(email_key(actor, contact.email) for contact in trashed if contact.email)
        rows = list(for_update(trashed))
        if len(rows) != len(contacts):
            raise NotFound
        _require(rows, if_match)
        emails = [(row.kind, row.email) for row in rows if row.email]
        live = Contact.objects.of(actor.organization_id).live().with_email(email for _, email in emails)
        # Two contacts of the trash may have had the same address, one after the other.
        if {(row.kind, row.email) for row in live} & set(emails) or len(set(emails)) != len(emails):
            raise Conflict("Another contact has this e-mail address now.", code="restore_conflict")
        _set_live(changes, rows, live=True)
        return rows


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
    ContactReference.objects.filter(row__in=rows).update(is_live=live)


@dataclass
class _Context:
    """What a list of changes refers to, looked up once for all of them."""

    companies: Mapping[Any, Contact] = field(default_factory=dict)
    members: Mapping[Any, Member] = field(default_factory=dict)
    definitions: Mapping[str, Any] = field(default_factory=dict)


def _write(
    actor: Actor, targets: Sequence[tuple[Contact | None, Change]], *, add_references: bool = False
) -> list[Receipt[Contact]]:
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor) as changes:
        _hold(actor, [change for _, change in targets])
        context = _context(actor, [change for _, change in targets])
        drafts = _drafts(actor, targets)
        errors: dict[int, DomainError] = {}
        for index, (draft, (_, change)) in enumerate(zip(drafts, targets, strict=True)):
            if stale := refusal(draft.row, change.get("if_match")):
                errors[index] = stale
                continue
            creating = not draft.before
            wrong = _apply(draft, change, context, creating=creating, add_references=add_references)
            if wrong:
                errors[index] = Invalid(fields=wrong)
        errors |= {index: error for index, error in clashes(actor, drafts).items() if index not in errors}
        refuse(errors, rows=len(drafts))
        _store(changes, actor, drafts)
        return [Receipt.of(draft) for draft in drafts]


def _hold(actor: Actor, changes: Sequence[Change]) -> None:
    emails = [fold_email(change["email"]) for change in changes if isinstance(change.get("email"), str)]
    references.hold(ContactReference, actor.organization_id, references.keys_of(changes))
    hold_keys(email_key(actor, email) for email in emails if email)


def email_key(actor: Actor, email: str) -> tuple[Any, ...]:
    return ("contact_email", actor.organization_id, email)


def _context(actor: Actor, changes: Sequence[Change]) -> _Context:
    companies = Contact.objects.visible_to(actor.member).filter(kind=Contact.Kinds.COMPANY)
    members = Member.objects.visible_to(actor.member)
    return _Context(
        companies=rows_by_key(companies, [change.get("company") for change in changes], lock=True),
        members=rows_by_key(members, [change.get("owner") for change in changes]),
        definitions=definitions_of(actor.organization_id, "contact"),
    )


def _drafts(actor: Actor, targets: Sequence[tuple[Contact | None, Change]]) -> list[Draft]:
    ids = [target.pk for target, _ in targets if target is not None]
    store.refuse_twice(ids)
    locked = (
        {row.pk: row for row in for_update(Contact.objects.visible_to(actor.member).filter(pk__in=ids))}
        if ids
        else {}
    )
    drafts = []
    for target, _ in targets:
        if target is None:
            drafts.append(Draft(Contact(organization_id=actor.organization_id)))
            continue
        if target.pk not in locked:
            raise NotFound
        drafts.append(Draft.of(locked[target.pk]))
    references.note(ContactReference, drafts)
    return drafts


def _apply(
    draft: Draft, change: Change, context: _Context, *, creating: bool, add_references: bool
) -> list[FieldError]:
    row = draft.row
    change = {**change}
    if isinstance(change.get("email"), str):
        change["email"] = fold_email(change["email"])
    errors = set_columns(row, change, COLUMNS)
    for name, known in (("company", context.companies), ("owner", context.members)):
        if name in change:
            target = known.get(change[name]) if change[name] is not None else None
            setattr(row, name, target)
            if change[name] is not None and target is None:
                errors.append(missing(name))
    if row.pk is not None and row.company_id == row.pk:
        errors.append(FieldError("company", "invalid", "A contact does not belong to itself."))
    errors += set_custom_fields(row, change, context.definitions, creating=creating)
    errors += references.set_on(draft, change, add=add_references)
    return errors or row_errors(row)


def row_errors(row: Contact) -> list[FieldError]:
    """What is wrong with a contact as it stands."""
    return contact_errors(
        kind=row.kind,
        name=row.name,
        first_name=row.first_name,
        last_name=row.last_name,
        email=row.email,
        company=row.company_id,
    )


def clashes(actor: Actor, drafts: Sequence[Draft]) -> dict[int, DomainError]:
    """Whose e-mail or reference belongs to another live row, or to an earlier one of the same list."""
    emails = {draft.row.email for draft in drafts if draft.row.email}
    rows = Contact.objects.of(actor.organization_id).live().filter(email__in=emails) if emails else []
    by_email = {(row.kind, row.email): row.pk for row in rows}
    errors: dict[int, DomainError] = {}
    for index, draft in enumerate(drafts):
        key, owner = (draft.row.kind, draft.row.email), draft.row.pk or f"new {index}"
        if draft.row.email and by_email.setdefault(key, owner) != owner:
            wrong = FieldError("email", "email_taken", "Another contact has this e-mail address.")
            errors[index] = Conflict(wrong.detail, code="email_taken", fields=[wrong])
    return references.clashes(ContactReference, actor.organization_id, drafts) | errors


def _store(changes: ChangeSet, actor: Actor, drafts: Sequence[Draft]) -> None:
    now = timezone.now()
    new = [draft for draft in drafts if not draft.before]
    store.insert(new, now=now)
    touched = store.update([draft for draft in drafts if draft.before], now=now)
    references.write(ContactReference, actor.organization_id, [*new, *touched])
    store.record(changes, new, "created")
    store.record(changes, touched, "updated")
    renamed = [draft.row.pk for draft in touched if draft.changed.keys() & NAMING]
    for hook in hooks.after_rename:
        if renamed:
            hook(renamed)


def _kind_and_email(change: Change) -> tuple[str, str]:
    return change.get("kind") or Contact.Kinds.PERSON, fold_email(str(change["email"]))


def _by_kind_and_email(visible: Any, changes: Sequence[Change]) -> dict[tuple[str, str], Contact]:
    emails = {email for _, email in map(_kind_and_email, changes)}
    rows = visible.with_email(emails) if emails else []
    return {(row.kind, row.email): row for row in rows}


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
