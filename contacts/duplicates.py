"""Contacts that may be the same: those with an e-mail address, a phone number or a name in common."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from contacts.models import Contact
from contacts.querysets import fold_email, ids_with_email, ids_with_phones
from contacts.rules import folded_name
from crm_project.accounts.actors import Actor
from crm_project.records.phones import normalize_phone
from crm_project.records.text import END

MOST = 20
# Of a shorter name, the index of names has no part.
SHORTEST_NAME = 3
# What two contacts have in common, the most telling first.
REASONS = ("email", "phone", "name")


@dataclass(frozen=True)
class Likeness:
    """What a contact is compared by: folded addresses, normalized numbers, a folded full name."""

    kind: str
    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    name: str = ""

    @classmethod
    def typed(
        cls,
        *,
        kind: str,
        names: Sequence[str] = (),
        emails: Collection[str] = (),
        phones: Collection[str] = (),
        country: str,
    ) -> "Likeness":
        numbers = {normalize_phone(phone, country) for phone in phones}
        folded = {fold_email(email) for email in emails}
        return cls(kind, frozenset(folded - {""}), frozenset(numbers - {""}), folded_name(*names))

    @classmethod
    def of(cls, row: Contact, country: str) -> "Likeness":
        names = [row.first_name, row.last_name] if row.kind == Contact.Kinds.PERSON else [row.name]
        emails, phones = [row.email, *row.further_emails], [row.phone, row.mobile, *row.further_phones]
        return cls.typed(kind=row.kind, names=names, emails=emails, phones=phones, country=country)

    def common(self, other: "Likeness") -> list[str]:
        """The reasons why two contacts may be the same."""
        name = self.name if len(self.name) >= SHORTEST_NAME else ""
        found = {
            "email": self.emails & other.emails,
            "phone": self.phones & other.phones,
            "name": name and name == other.name,
        }
        return [reason for reason in REASONS if found[reason]]


@dataclass(frozen=True)
class Duplicate:
    contact: Contact
    reasons: Sequence[str]


def duplicates(actor: Actor, likeness: Likeness, *, without: Collection[int] = ()) -> list[Duplicate]:
    """At most MOST live contacts of the kind, those with most in common first."""
    if not (likeness.emails or likeness.phones or len(likeness.name) >= SHORTEST_NAME):
        return []
    country = actor.organization.country
    rows = Contact.objects.visible_to(actor.member).filter(
        kind=likeness.kind, pk__in=_ids(actor.organization_id, likeness)
    )
    found = []
    for row in rows.exclude(pk__in=without).order_by("id").for_reading()[: MOST * 2]:
        if reasons := likeness.common(Likeness.of(row, country)):
            found.append(Duplicate(row, reasons))
    return sorted(found, key=lambda one: (-len(one.reasons), REASONS.index(one.reasons[0])))[:MOST]


def duplicates_of(actor: Actor, row: Contact) -> list[Duplicate]:
    return duplicates(actor, Likeness.of(row, actor.organization.country), without=[row.pk])


def _ids(organization_id: int, likeness: Likeness) -> Any:
    parts = []
    if likeness.emails:
        parts.append(ids_with_email(likeness.emails, organization_id))
    if likeness.phones:
        parts.append(ids_with_phones(likeness.phones, organization_id))
    if len(likeness.name) >= SHORTEST_NAME:
        # The search text begins with the name, on a line of its own.
        named = Contact.objects.of(organization_id).live().filter(search_text__startswith=likeness.name + END)
        parts.append(named.order_by().values("pk"))
    first, *others = parts
    return first.union(*others, all=True) if others else first
