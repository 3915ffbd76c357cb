"""The write of contacts: look up related rows, lock, apply changes and rules to each row, store set-wise."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, prefetch_related_objects
from django.utils import timezone

from contacts.hooks import hooks
from contacts.models import Contact, ContactReference
from contacts.querysets import fold_email
from contacts.rules import contact_errors
from contacts.services import addresses
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.accounts.rules import Permission
from crm_project.changes import ChangeSet, before_storing, change_set
from crm_project.errors import DomainError, FieldError, Invalid, NotFound, refuse
from crm_project.records import references
from crm_project.records.bulk import NO_DELETIONS, Deletions
from crm_project.records.bulk_sql import update_rows
from crm_project.records.instances import fast_instance
from crm_project.records.locks import for_update, hold_keys, lock_all
from crm_project.records.writing import store
from crm_project.records.writing.columns import (
    Change,
    definitions_of,
    found_by_key,
    inactive,
    missing,
    set_columns,
    set_custom_fields,
    split_keys,
    without,
)
from crm_project.records.writing.receipts import Receipt
from crm_project.records.writing.store import Draft
from crm_project.versions import refusal

COLUMNS = (
    "kind first_name last_name name email phone mobile job_title department website street postal_code city country"
    " description origin"
).split()
# What a deal is found by, too.
NAMING = frozenset(
    {"first_name", "last_name", "name", "email", "kind", "phone", "mobile", "company_id", *addresses.LISTS}
)


@dataclass
class _Context:
    """What a list of changes refers to, looked up once for all of them."""

    companies: Mapping[Any, Contact] = field(default_factory=dict)
    members: Mapping[Any, Member] = field(default_factory=dict)
    definitions: Mapping[str, Any] = field(default_factory=dict)


def write_contacts(
    actor: Actor,
    targets: Sequence[tuple[Contact | None, Change]],
    *,
    add_references: Collection[int] = (),
    deletions: Deletions = NO_DELETIONS,
    unused_emails: Collection[str] = (),
) -> list[Receipt[Contact]]:
    """Apply each change to its contact or to a new one.

    The references of a change replace those of the contact, or are added to them if its index is in `add_references`:
    that is an upsert, whose e-mail address stays a further one of the contact if it is one.
    `deletions` are those of the same list. `unused_emails` are addresses that no live contact has, which the caller has
    looked up under their keys.
    """
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor) as changes:
        sent = [change for _, change in targets]
        hold(actor, sent)
        lock_together(actor, [target.pk for target, _ in targets if target is not None], sent)
        context = _context(actor, sent)
        context.companies = without(context.companies, deletions.ids)
        drafts = _drafts(actor, targets)
        errors: dict[int, DomainError] = {}
        for index, (draft, (_, change)) in enumerate(zip(drafts, targets, strict=True)):
            if stale := refusal(draft.row, change.get("if_match")):
                errors[index] = stale
                continue
            adds = index in add_references
            wrong = _apply(draft, change, context, creating=not draft.before, add_references=adds)
            if wrong:
                errors[index] = Invalid(fields=wrong)
        good = [index for index in range(len(drafts)) if index not in errors]
        clashing = clashes(
            actor, [drafts[index] for index in good], without=deletions.ids, unused_emails=unused_emails
        )
        errors |= {good[place]: error for place, error in clashing.items()}
        refuse(errors, rows=len(drafts))
        before_storing()
        deletions.carry_out()
        _store(changes, actor, drafts)
        return [Receipt.of(draft) for draft in drafts]


def hold(actor: Actor, changes: Sequence[Change]) -> None:
    references.hold(ContactReference, actor.organization_id, references.keys_of(changes))
    hold_keys(email_key(actor, email) for change in changes for email in addresses.sent_emails(change))


def email_key(actor: Actor, email: str) -> tuple[Any, ...]:
    return ("contact_email", actor.organization_id, email)


def lock_together(actor: Actor, ids: Collection[int], changes: Sequence[Change]) -> None:
    """Lock the written contacts, the companies of their changes and the people of renamed companies in id order."""
    keys, uuids = split_keys(change.get("company") for change in changes)
    renames = any(change.get("name") for change in changes)
    if ids and (keys or uuids or renames):
        named = Q(pk__in={*ids, *keys}) | Q(uuid__in=uuids)
        lock_with_people(actor, named, ids if renames else ())


def lock_with_people(actor: Actor, named: Q, company_ids: Collection[int]) -> None:
    """Lock the named contacts and the people of these companies, which are found by its name, in id order.

    A person may join a company until it is locked.
    """
    contacts = Contact.objects.of(actor.organization_id).filter(named | Q(company__in=company_ids))
    if company_ids:
        lock_all(contacts)
    else:
        list(for_update(contacts).values_list("pk"))


def _context(actor: Actor, changes: Sequence[Change]) -> _Context:
    member = actor.member
    return _Context(
        companies=found_by_key(
            lambda: Contact.objects.visible_to(member).filter(kind=Contact.Kinds.COMPANY),
            [change.get("company") for change in changes],
            lock=True,
        ),
        members=found_by_key(
            lambda: Member.objects.visible_to(member).select_related("user"),
            [change.get("owner") for change in changes],
        ),
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
    gone = {index: NotFound() for index, (row, _) in enumerate(targets) if row and row.pk not in locked}
    refuse(gone, rows=len(targets))
    drafts = [
        Draft.of(locked[row.pk])
        if row
        else Draft(fast_instance(Contact, organization_id=actor.organization_id))
        for row, _ in targets
    ]
    for draft in drafts:
        # Phone numbers are normalized by the organization's country.
        draft.row.organization = actor.organization
    references.note(ContactReference, drafts)
    addresses.note(drafts)
    return drafts


def _apply(
    draft: Draft, change: Change, context: _Context, *, creating: bool, add_references: bool
) -> list[FieldError]:
    row = draft.row
    change = {**change}
    if isinstance(change.get("email"), str):
        change["email"] = fold_email(change["email"])
        if add_references and change["email"] in draft.lists["further_emails"]:
            del change["email"]
    errors = set_columns(row, change, COLUMNS)
    for name, targets in (("company", context.companies), ("owner", context.members)):
        if name in change:
            target = targets.get(change[name]) if change[name] is not None else None
            setattr(row, name, target)
            if change[name] is not None and target is None:
                errors.append(missing(name))
    if row.owner_id != draft.before.get("owner_id") and row.owner and not row.owner.has_access:
        errors.append(inactive("owner"))
    if row.pk is not None and row.company_id == row.pk:
        errors.append(FieldError("company", "invalid", "A contact does not belong to itself."))
    errors += _set_creation(draft, change)
    errors += set_custom_fields(row, change, context.definitions, creating=creating)
    errors += references.set_on(draft, change, add=add_references)
    errors += addresses.set_on(draft, change, row.organization.country)
    return errors or row_errors(row)


def _set_creation(draft: Draft, change: Change) -> list[FieldError]:
    """A new contact that comes from another system was created there."""
    given = change.get("created_at")
    if draft.before or given is None:
        return []
    if given > timezone.now():
        return [FieldError("created_at", "future", "This is in the future.")]
    draft.created_at = given
    return []


def row_errors(row: Contact) -> list[FieldError]:
    """The errors of a contact with its present values."""
    return contact_errors(
        kind=row.kind,
        name=row.name,
        first_name=row.first_name,
        last_name=row.last_name,
        email=row.email,
        company=row.company_id,
    )


def clashes(
    actor: Actor,
    drafts: Sequence[Draft],
    *,
    without: Collection[int] = (),
    unused_emails: Collection[str] = (),
) -> dict[int, DomainError]:
    """An error for each draft, by index, whose e-mail address or reference another live row or earlier draft has.

    The ids in `without` are those of rows that the same list deletes. `unused_emails` are not looked up.
    """
    errors = addresses.email_clashes(
        actor.organization_id, drafts, without=without, unused_emails=unused_emails
    )
    return references.clashes(ContactReference, actor.organization_id, drafts, without=without) | errors


def _store(changes: ChangeSet, actor: Actor, drafts: Sequence[Draft]) -> None:
    now = timezone.now()
    new = [draft for draft in drafts if not draft.before]
    store.insert(new, now=now)
    touched = store.update([draft for draft in drafts if draft.before], now=now)
    references.write(ContactReference, actor.organization_id, [*new, *touched])
    addresses.write(actor.organization_id, [*new, *touched])
    store.record(changes, new, "created")
    store.record(changes, touched, "updated")
    after_rename(touched)


def after_rename(drafts: Sequence[Draft]) -> None:
    """Refresh what is found by these contacts' names, addresses or numbers, if those have changed."""
    renamed = [draft.row for draft in drafts if draft.changed.keys() & NAMING]
    refresh_people([row.pk for row in renamed if row.kind == Contact.Kinds.COMPANY])
    if renamed:
        hooks.after_rename([row.pk for row in renamed])


def refresh_people(company_ids: Collection[int]) -> None:
    """People are found by their company, whose name has changed. That is not a change of the people."""
    if not company_ids:
        return
    # No joins: after waiting for a lock, the row is read again, but joined rows are not.
    people = list(for_update(Contact.objects.filter(company__in=company_ids)))
    prefetch_related_objects(people, "addresses")
    store.refresh_derived(people)
    update_rows(people, ["search_text"])
