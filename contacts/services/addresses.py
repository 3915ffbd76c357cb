"""Further e-mail addresses and phone numbers: lists of a contact that are written with it, as its references are."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from contacts.models import Contact, ContactAddress
from contacts.querysets import fold_email
from contacts.rules import phone_key
from crm_project.errors import Conflict, DomainError, FieldError
from crm_project.records.bulk_sql import insert_rows
from crm_project.records.instances import fast_instance
from crm_project.records.phones import normalize_phone
from crm_project.records.rules import column_errors
from crm_project.records.writing.columns import Change
from crm_project.records.writing.store import Draft

EMAIL, PHONE = ContactAddress.Media.EMAIL.value, ContactAddress.Media.PHONE.value
LISTS: Mapping[str, str] = {"further_emails": EMAIL, "further_phones": PHONE}
NAMES = tuple(LISTS)
# What adds addresses to each list, instead of replacing it.
ADDING = {name: f"add_{name}" for name in LISTS}
# The fields of a change that decide which addresses are further ones.
ADDRESSES = frozenset({*LISTS, *ADDING.values(), "email", "phone", "mobile"})
MOST = 50
# The kind of a contact and an e-mail address.
Holding = tuple[str, str]


def note(drafts: Iterable[Draft]) -> None:
    """Set the further addresses of the drafts, with one query for those of existing contacts."""
    drafts = list(drafts)
    existing = {draft.row.pk: draft for draft in drafts if draft.before}
    for draft in existing.values():
        draft.lists_before |= {name: [] for name in LISTS}
    stored = ContactAddress.objects.filter(contact__in=existing).order_by("id") if existing else ()
    for address in stored:
        existing[address.contact_id].lists_before[f"further_{address.medium}s"].append(address.value)
    for draft in drafts:
        draft.lists |= {name: list(draft.lists_before.get(name, ())) for name in LISTS}
        draft.row.written_addresses = draft.lists


def set_on(draft: Draft, change: Change, country: str) -> list[FieldError]:
    """Replace the draft's further addresses by those of the change, or add `add_<list>` to them; returns the errors.

    An address is kept once: one that is the first address, too, is no further one.
    """
    if not change.keys() & ADDRESSES:
        return []
    errors = []
    for name, adding in ADDING.items():
        for sent in (name, adding):
            wrong = _errors(name, change.get(sent) or ())
            errors += wrong
            if sent in change and not wrong:
                texts = [
                    text if name == "further_phones" else fold_email(text) for text in change[sent] or ()
                ]
                draft.lists[name] = [*(draft.lists.get(name, ()) if sent == adding else ()), *texts]
    row, emails, phones = draft.row, draft.lists.get("further_emails"), draft.lists.get("further_phones")
    if emails:
        draft.lists["further_emails"] = [email for email in dict.fromkeys(emails) if email != row.email]
    if phones:
        draft.lists["further_phones"] = _others(phones, [row.phone, row.mobile], country)
    long = [name for name in LISTS if len(draft.lists.get(name, ())) > MOST]
    return errors + [FieldError(name, "max_length", "At most %(most)s.", {"most": MOST}) for name in long]


def _others(phones: Sequence[str], first: Sequence[str], country: str) -> list[str]:
    """The numbers without repetitions in any spelling, and without the first ones."""
    own = {phone_key(text, country) for text in first if text}
    by_key: dict[str, str] = {}
    for text in phones:
        by_key.setdefault(phone_key(text, country), text)
    return [text for key, text in by_key.items() if key not in own]


def _errors(name: str, sent: Sequence[Any]) -> list[FieldError]:
    """The errors of the entries, which are checked as the first address is."""
    column, errors = name.removeprefix("further_").removesuffix("s"), []
    for index, value in enumerate(sent):
        path = f"{name}.{index}"
        if isinstance(value, str) and not value.strip():
            errors.append(FieldError(path, "blank", "This may not be blank."))
            continue
        value = fold_email(value) if column == "email" and isinstance(value, str) else value
        wrong = column_errors(Contact, {column: value})
        errors += [FieldError(path, error.code, error.template, error.params) for error in wrong]
    return errors


def emails_of(draft: Draft) -> list[str]:
    """The first and the further e-mail addresses of the draft."""
    return [email for email in (draft.row.email, *draft.lists.get("further_emails", ())) if email]


def sent_emails(change: Change) -> list[str]:
    """The folded e-mail addresses that a change names."""
    lists = (change.get(name) or () for name in ("further_emails", "add_further_emails"))
    sent = [change.get("email"), *chain.from_iterable(lists)]
    return [fold_email(email) for email in sent if isinstance(email, str) and email.strip()]


def holders(organization_id: int, emails: Collection[str]) -> dict[Holding, int]:
    """The id of the live contact that has each folded address, first or further, by the kind of the contact."""
    if not emails:
        return {}
    first = Contact.objects.of(organization_id).live().filter(email__in=emails).order_by()
    further = ContactAddress.objects.filter(
        organization_id=organization_id, medium=EMAIL, is_live=True, normalized__in=emails
    ).order_by()
    pairs = first.values_list("kind", "email", "pk").union(
        further.values_list("contact_kind", "normalized", "contact"), all=True
    )
    return {(kind, email): contact_id for kind, email, contact_id in pairs}


def holdings(rows: Sequence[Contact], emails: Collection[str]) -> list[tuple[str, Contact]]:
    """Each of the folded addresses with each contact that has it, of rows that were found by them.

    A query only if an address is a further one of a row.
    """
    pairs = [(row.email, row) for row in rows if row.email in emails]
    if rows and (len(pairs) < len(rows) or {*emails} - {email for email, _ in pairs}):
        by_id = {row.pk: row for row in rows}
        further = ContactAddress.objects.filter(contact__in=by_id, medium=EMAIL, normalized__in=emails)
        pairs += [(email, by_id[pk]) for email, pk in further.values_list("normalized", "contact")]
    return pairs


def email_clashes(
    organization_id: int,
    drafts: Sequence[Draft],
    *,
    without: Collection[int] = (),
    unused_emails: Collection[str] = (),
) -> dict[int, DomainError]:
    """An error for each draft, by index, with an e-mail address that another live contact or earlier draft has."""
    emails = {email for draft in drafts for email in emails_of(draft)} - {*unused_emails}
    held = holders(organization_id, emails)
    owners: dict[Holding, Any] = {key: pk for key, pk in held.items() if pk not in without}
    errors: dict[int, DomainError] = {}
    for index, draft in enumerate(drafts):
        owner = draft.row.pk or f"new {index}"
        for email in emails_of(draft):
            if owners.setdefault((draft.row.kind, email), owner) != owner:
                name = "email" if email == draft.row.email else "further_emails"
                wrong = FieldError(name, "email_taken", "Another contact has this e-mail address.")
                errors[index] = Conflict(wrong.template, wrong.params, code="email_taken", fields=[wrong])
                break
    return errors


def write(organization_id: int, drafts: Iterable[Draft]) -> None:
    """Insert and delete further addresses of the written contacts, so that they match their drafts."""
    drafts, new = list(drafts), []
    removed: set[tuple[int, str, str]] = set()
    for draft in drafts:
        if draft.before and draft.before["kind"] != draft.row.kind:
            ContactAddress.objects.filter(contact=draft.row.pk).update(contact_kind=draft.row.kind)
        for name, medium in LISTS.items():
            before, after = draft.lists_before.get(name, ()), draft.lists.get(name, ())
            new += [
                _address(organization_id, draft.row, medium, text) for text in after if text not in before
            ]
            removed |= {(draft.row.pk, medium, text) for text in before if text not in after}
    if removed:
        rows = ContactAddress.objects.filter(contact__in={contact_id for contact_id, _, _ in removed})
        stored = rows.values_list("pk", "contact_id", "medium", "value")
        ContactAddress.objects.filter(pk__in=[pk for pk, *key in stored if tuple(key) in removed]).delete()
    if new:
        insert_rows(new)


def _address(organization_id: int, row: Contact, medium: str, text: str) -> ContactAddress:
    return fast_instance(
        ContactAddress,
        organization_id=organization_id,
        contact_id=row.pk,
        medium=medium,
        value=text,
        normalized=normalized(medium, text, row.organization.country),
        contact_kind=row.kind,
        is_live=row.deleted_at is None,
    )


def normalized(medium: str, text: str, country: str) -> str:
    return text if medium == EMAIL else normalize_phone(text, country)


def set_live(rows: Sequence[Contact], *, live: bool) -> None:
    """Set `is_live` of the further addresses of contacts that have been trashed or restored."""
    ContactAddress.objects.filter(contact__in=[row.pk for row in rows]).update(is_live=live)


def renormalize(rows: Sequence[Contact]) -> None:
    """Normalize the further numbers of contacts again, which are read, by the country of their organization."""
    changed = []
    for row in rows:
        for address in row.addresses.all():
            number = normalized(address.medium, address.value, row.organization.country)
            if number != address.normalized:
                address.normalized = number
                changed.append(address)
    ContactAddress.objects.bulk_update(changed, ["normalized"], batch_size=500)
