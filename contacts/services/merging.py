"""The merge of contacts: one takes over what the others have, and these go to the trash, in one change set."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

from django.db.models import Q, prefetch_related_objects
from django.utils.translation import gettext_noop

from contacts.hooks import hooks
from contacts.models import Contact
from contacts.services.trash import trash_contacts
from contacts.services.write import COLUMNS, hold, write_contacts
from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.changes import change_set
from crm_project.errors import FieldError, Invalid, NotFound
from crm_project.records.locks import for_update
from crm_project.records.writing.columns import Change
from crm_project.records.writing.receipts import Receipt
from crm_project.versions import Versions

# Taken together from one contact: a first name of one and a last name of another make no person.
NAMES = ("first_name", "last_name", "name")
PLAIN = tuple(name for name in COLUMNS if name != "kind")
RELATED = ("company", "owner")
CHOICES = (*PLAIN, *RELATED)
CUSTOM = "custom_fields."
MOST_SOURCES = 20
# The name of a field, and the id or uuid of the contact whose value is kept.
Choices = Mapping[str, Any]


def merge_contacts(
    *,
    actor: Actor,
    sources: Sequence[Contact],
    target: Contact,
    fields: Choices | None = None,
    if_match: Versions | None = None,
) -> Receipt[Contact]:
    """Move everything that the sources have to the target, and the sources to the trash.

    `fields` names the contact whose value is kept, by field. Without a choice the target keeps its values, and its
    empty fields get those of the first source that has one. E-mail addresses and phone numbers that are not chosen
    become further ones. All live deals and activities move, including those that the actor may not see: none may be
    left without its contact.
    """
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor):
        for prepare in hooks.before_merge:
            prepare(actor)
        merged, kept, people = _held(actor, sources, target)
        change = _change(kept, merged, _chosen(fields or {}, [kept, *merged]))
        for pass_on in hooks.after_merge:
            pass_on(actor, merged, kept)
        moves = [(person, {"company": kept.pk}) for person in people]
        if moves:
            write_contacts(actor, moves)
        # First, since e-mail address and references are unique among live contacts.
        trash_contacts(actor=actor, rows=merged, merged_into=kept)
        expected = {} if if_match is None else {"if_match": if_match}
        return write_contacts(actor, [(kept, {**change, **expected})])[0]


def _held(
    actor: Actor, sources: Sequence[Contact], target: Contact
) -> tuple[list[Contact], Contact, list[Contact]]:
    """The contacts and the people of the sources, locked against writes and against new links to deals."""
    ids = [target.pk, *(row.pk for row in sources)]
    visible = Contact.objects.visible_to(actor.member)
    before = _with_addresses(list(visible.filter(pk__in=ids)))
    hold(actor, [_keys(row) for row in before])
    people = Q(company__in=ids[1:])
    companies = Q(pk__in=[row.company_id for row in before if row.company_id])
    rows = {row.pk: row for row in for_update(visible.filter(Q(pk__in=ids) | people | companies))}
    if not rows.keys() >= set(ids):
        raise NotFound
    if wrong := misfit([rows[pk] for pk in ids]):
        raise Invalid(wrong, fields=[FieldError("contact_uuids", "invalid", wrong)])
    kept, *merged = _with_addresses([rows[pk] for pk in ids])
    return merged, kept, [row for row in rows.values() if row.company_id in ids[1:] and row.pk not in ids]


def _with_addresses(rows: list[Contact]) -> list[Contact]:
    prefetch_related_objects(rows, "addresses", "references", "company", "owner__user", "owner__organization")
    return rows


def _keys(row: Contact) -> Change:
    """What is unique of a contact, as a change."""
    return {"further_emails": _emails(row), "external_references": _references(row)}


def misfit(rows: Sequence[Contact]) -> str:
    """Why these contacts cannot be merged; empty if they can."""
    if len(rows) < 2 or len({row.pk for row in rows}) < len(rows):
        return gettext_noop("Name at least two different contacts.")
    if len(rows) > MOST_SOURCES + 1:
        return gettext_noop("These are too many contacts for one merge.")
    if len({row.kind for row in rows}) > 1:
        return gettext_noop("A person and a company cannot be one.")
    return ""


def _chosen(fields: Choices, rows: Sequence[Contact]) -> dict[str, Contact]:
    """The contact whose value is kept, by field."""
    by_key = {key: row for row in rows for key in (row.pk, row.uuid)}
    errors, chosen = [], {}
    for name, key in fields.items():
        if name not in CHOICES and not name.startswith(CUSTOM):
            errors.append(FieldError(f"fields.{name}", "unknown_field", "There is no such field."))
        elif key not in by_key:
            template = gettext_noop("This is none of the contacts that are merged.")
            errors.append(FieldError(f"fields.{name}", "does_not_exist", template))
        else:
            chosen[name] = by_key[key]
    if errors:
        raise Invalid(fields=errors)
    return chosen


def _change(target: Contact, sources: Sequence[Contact], chosen: Mapping[str, Contact]) -> Change:
    """The change of the target."""
    rows = [target, *sources]
    named = next((row for row in rows if any(getattr(row, name) for name in NAMES)), target)
    change: dict[str, Any] = {}
    for name in PLAIN:
        among = [named] if name in NAMES else rows
        kept = chosen.get(name) or next((row for row in among if getattr(row, name)), target)
        change[name] = getattr(kept, name)
    change |= _related(target, sources, chosen)
    emails, phones = (dict.fromkeys(chain.from_iterable(map(of, rows))) for of in (_emails, _phones))
    custom = {key: value for row in reversed(rows) for key, value in row.custom_fields.items()}
    for name, row in chosen.items():
        if name.startswith(CUSTOM):
            custom[name.removeprefix(CUSTOM)] = row.custom_fields.get(name.removeprefix(CUSTOM))
    return {
        **change,
        # Without the first ones, which the write leaves out.
        "further_emails": [*emails],
        "further_phones": [*phones],
        "custom_fields": {
            key: value for key, value in custom.items() if value != target.custom_fields.get(key)
        },
        "free_custom_fields": True,
        "external_references": list(chain.from_iterable(map(_references, rows))),
    }


def _related(target: Contact, sources: Sequence[Contact], chosen: Mapping[str, Contact]) -> Change:
    """Company and owner, where they change. A company in the trash and a deactivated member are not passed on."""
    able: dict[str, Callable[[Contact], bool]] = {
        "company": lambda row: row.company is not None and row.company.deleted_at is None,
        "owner": lambda row: row.owner is not None and row.owner.has_access,
    }
    change: dict[str, Any] = {}
    for name in RELATED:
        kept = chosen.get(name)
        if kept is None and getattr(target, f"{name}_id") is None:
            kept = next((row for row in sources if able[name](row)), None)
        if kept is not None and kept.pk != target.pk:
            change[name] = getattr(kept, f"{name}_id")
    return change


def _emails(row: Contact) -> list[str]:
    return [email for email in (row.email, *row.further_emails) if email]


def _phones(row: Contact) -> list[str]:
    return [phone for phone in (row.phone, row.mobile, *row.further_phones) if phone.strip()]


def _references(row: Any) -> list[tuple[str, str]]:
    return [(reference.system, reference.external_id) for reference in row.references.all()]
