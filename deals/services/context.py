"""The rows that a list of changes refers to, looked up once for the list and locked until the deals are written."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db.models import OuterRef, Q, Subquery

from contacts.models import Contact
from contacts.querysets import email_is, fold_email
from contacts.rules import PersonKey, person_key
from contacts.services.people import NewPerson, find_people_by_phone, person_keys
from contacts.services.people import find_people as find_contacts
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.errors import FieldError
from crm_project.records import references
from crm_project.records.instances import fast_instance
from crm_project.records.locks import hold_shared
from crm_project.records.rules import column_errors
from crm_project.records.writing.columns import Change, definitions_of, found_by_key, split_keys
from deals.models import Deal, DealReference, DealState, LostReason
from pipelines.catalogue import Catalogue, held_catalogue
from pipelines.models import Stage

PERSON_FIELDS = {
    "contact_first_name": "first_name",
    "contact_last_name": "last_name",
    "contact_phone": "phone",
}
CONTACT_LISTS = ("members", "add_members", "remove_members")
MEMBER_LISTS = ("followers", "access_list", "add_followers", "remove_followers")


@dataclass
class Context:
    catalogue: Catalogue
    # The organization's country, for the comparison of phone numbers.
    country: str
    people: dict[str, Contact]
    # People without an e-mail address; new ones are unsaved.
    named_people: Mapping[PersonKey, Contact]
    contacts: Mapping[Any, Contact]
    members: Mapping[Any, Member]
    lost_reasons: Mapping[Any, LostReason]
    next_deals: Mapping[Any, Deal]
    definitions: Mapping[str, Any]
    # The next deals of the deals to be written that the actor may not see, once those deals are locked.
    hidden_next: Collection[int] = ()
    # The contacts and clients of the deals to be written, once those deals are locked.
    contacts_of_deals: Collection[Contact] = ()


def look_up(actor: Actor, changes: Sequence[Change], known: Mapping[str, Contact] | None = None) -> Context:
    """Take the locks that come before those of the deals: the catalogue, external keys, contacts and their e-mail keys.

    `known` holds the people of an earlier look-up in the same transaction, by e-mail.
    """
    organization_id = actor.organization_id
    catalogue = hold(actor, changes)
    contacts = _named(changes, ("contact", "client"), CONTACT_LISTS)
    _hold_people(actor, changes, contacts)
    people = find_people(actor, changes, known or {})
    member = actor.member
    return Context(
        catalogue=catalogue,
        country=actor.organization.country,
        people=people,
        named_people=_named_people(actor, changes),
        contacts=found_by_key(lambda: Contact.objects.visible_to(member), contacts, lock=True),
        members=found_by_key(
            lambda: Member.objects.visible_to(member).select_related("user"),
            _named(changes, ("owner", "created_by"), MEMBER_LISTS),
        ),
        lost_reasons=found_by_key(
            lambda: LostReason.objects.seen_by(member), _named(changes, ("lost_reason",))
        ),
        next_deals=found_by_key(lambda: Deal.objects.visible_to(member), _named(changes, ("next_deal",))),
        # A deletion or a restore needs the catalogue alone.
        definitions=definitions_of(organization_id, "deal") if changes else {},
    )


def hold(actor: Actor, changes: Sequence[Change]) -> Catalogue:
    """Lock the catalogue, the external keys, and the e-mail addresses of contacts that may be created."""
    return held_catalogue(actor.organization_id, _keys(actor, changes))


def _keys(actor: Actor, changes: Sequence[Change]) -> Iterator[tuple[Any, ...]]:
    """Computed where they are locked: neither on SQLite nor by an import."""
    yield from references.lock_keys(DealReference, actor.organization_id, references.keys_of(changes))
    yield from person_keys(actor, _people(changes))


def hidden_next_deals(actor: Actor, deals: Sequence[Deal]) -> Collection[int]:
    """The ids of the next deals that the actor may not see; without a query if no deal has a next one."""
    keys: set[int] = {deal.next_deal_id for deal in deals if deal.next_deal_id}
    if not keys:
        return ()
    return keys - set(Deal.objects.visible_to(actor.member).filter(pk__in=keys).values_list("pk", flat=True))


def last_open_stages(deals: Sequence[Deal], context: Context) -> dict[int, Stage]:
    """The last open stage that each deal was in, of its present pipeline. No query if there is no deal."""
    if not deals:
        return {}
    states = DealState.objects.filter(
        deal=OuterRef("pk"),
        stage__pipeline=OuterRef("stage__pipeline"),
        stage__kind=Stage.Kinds.OPEN,
        stage__deleted_at=None,
    )
    last = Subquery(states.order_by("-valid_from").values("stage")[:1])
    rows = Deal.objects.filter(pk__in=[deal.pk for deal in deals]).annotate(last_open=last)
    stages = context.catalogue.stages
    return {pk: stages[key] for pk, key in rows.values_list("pk", "last_open") if key in stages}


def _hold_people(actor: Actor, changes: Sequence[Change], named: Collection[Any]) -> None:
    """Lock the contacts named by e-mail address and those named by id in one query, in id order."""
    given = (change.get("contact_email") for change in changes if change.get("contact") is None)
    emails = {fold_email(email) for email in given if isinstance(email, str) and email}
    ids, uuids = split_keys(named)
    if emails and (ids or uuids):
        hold_shared(
            Contact.objects.visible_to(actor.member).filter(
                email_is(emails, actor.organization_id) | Q(pk__in=ids) | Q(uuid__in=uuids)
            )
        )


def find_people(actor: Actor, changes: Sequence[Change], known: Mapping[str, Contact]) -> dict[str, Contact]:
    """The contacts of `contact_email` by address; new ones are unsaved, and invalid ones are left out."""
    unknown = [person for person in _people(changes) if fold_email(person.email) not in known]
    return {**known, **(find_contacts(actor=actor, people=unknown) if unknown else {})}


def _people(changes: Sequence[Change]) -> list[NewPerson]:
    """The people that the changes name by valid e-mail addresses."""
    return [
        _person(change)
        for change in changes
        if change.get("contact_email") and change.get("contact") is None and not person_errors(change)
    ]


def _named_people(actor: Actor, changes: Sequence[Change]) -> dict[PersonKey, Contact]:
    """The people of changes with a name and a phone number but no e-mail address, for deals without a contact."""
    people = [
        person
        for change in changes
        if names_person(change) and not change.get("contact") and not person_errors(change)
        if (person := _person(change)).phone and all(person_key_of(change, actor.organization.country))
    ]
    return find_people_by_phone(actor=actor, people=people) if people else {}


def names_person(change: Change) -> bool:
    """Whether the change has fields of a contact but no e-mail address."""
    return not change.get("contact_email") and any(change.get(field) for field in PERSON_FIELDS)


def person_key_of(change: Change, country: str) -> PersonKey:
    person = _person(change)
    return person_key(person.first_name, person.last_name, person.phone, country)


def new_person(organization_id: int, change: Change) -> Contact:
    """An unsaved contact without an e-mail address."""
    person = _person(change)
    names = {"first_name": person.first_name, "last_name": person.last_name, "phone": person.phone}
    return fast_instance(Contact, organization_id=organization_id, **names)


def person_errors(change: Change) -> list[FieldError]:
    """The errors of the contact fields of a change, by the names of the deal's fields."""
    values = {name: change[field] for field, name in PERSON_FIELDS.items() if change.get(field) is not None}
    email = change.get("contact_email") or ""
    if not email and not values:
        return []
    named = (*values.values(), email)
    # A write asks several times for each person, and the rows of an import name the same people.
    if all(isinstance(value, str) for value in named):
        return list(_texts_errors(tuple(values.items()), email))
    return _values_errors(values, email)


@lru_cache(maxsize=2_000)
def _texts_errors(values: tuple[tuple[str, str], ...], email: str) -> tuple[FieldError, ...]:
    return tuple(_values_errors(dict(values), email))


def _values_errors(values: Mapping[str, Any], email: Any) -> list[FieldError]:
    errors = column_errors(
        Contact, {**values, "email": fold_email(email) if isinstance(email, str) else email}
    )
    return [
        FieldError(f"contact_{error.field}", error.code, error.template, error.params) for error in errors
    ]


def _person(change: Change) -> NewPerson:
    names = {name: change.get(field) or "" for field, name in PERSON_FIELDS.items()}
    return NewPerson(email=change.get("contact_email") or "", **names)


def _named(changes: Sequence[Change], single: Sequence[str], lists: Sequence[str] = ()) -> set[Any]:
    keys = {change.get(name) for change in changes for name in single}
    return keys | {key for change in changes for name in lists for key in change.get(name) or ()}
