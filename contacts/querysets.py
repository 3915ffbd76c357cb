"""QuerySet of contacts."""

from collections.abc import Collection, Iterable
from typing import Any, Self

from django.apps import apps
from django.db.models import Exists, OuterRef, Q

from contacts.rules import company_key
from crm_project.accounts.models import Organization
from crm_project.emails import fold_email
from crm_project.records.phones import normalize_phone
from crm_project.records.querysets import RowQuerySet

__all__ = ["ContactQuerySet", "email_is", "fold_email", "phone_contains", "phone_is"]


def ids_with_email(emails: Iterable[str], organization_id: int) -> Any:
    """The ids of the contacts that have one of the addresses as their first or as a further one.

    A union, since PostgreSQL would read the whole organization for an OR of two tables.
    """
    folded = [fold_email(email) for email in emails]
    first = _contacts(organization_id).filter(email__in=folded)
    further = _addresses(organization_id, "email").filter(normalized__in=folded)
    return first.values("pk").union(further.values("contact"), all=True)


def email_is(emails: Iterable[str], organization_id: int) -> Q:
    """The condition of an e-mail address, first or further."""
    return Q(pk__in=ids_with_email(emails, organization_id))


def ids_with_phones(numbers: Collection[str], organization_id: int, *, in_trash: bool = False) -> Any:
    """The ids of the live contacts with one of the normalized numbers as phone, mobile or further number."""
    contacts = _contacts(organization_id).filter(deleted_at__isnull=not in_trash)
    # The comparisons with an empty text let the partial indexes be used.
    phones = contacts.filter(phone_normalized__in=numbers).exclude(phone_normalized="")
    mobiles = contacts.filter(mobile_normalized__in=numbers).exclude(mobile_normalized="")
    further = _addresses(organization_id, "phone").filter(normalized__in=numbers)
    return phones.values("pk").union(mobiles.values("pk"), further.values("contact"), all=True)


def phone_is(text: str, organization: Organization, *, in_trash: bool = False) -> Q:
    """The condition of a number as phone, mobile or further number of a live contact, in any spelling.

    No contact meets that of a text without digits.
    """
    number = normalize_phone(text, organization.country)
    return Q(pk__in=ids_with_phones([number], organization.pk, in_trash=in_trash) if number else [])


def phone_contains(text: str, columns: Iterable[str] = ("phone", "mobile"), *, further: bool = True) -> Q:
    """The condition of a part of a phone number: as it was typed, or its digits in international form."""
    digits = "".join(character for character in text if character.isdecimal()).lstrip("0")
    found, of_address = Q(pk__in=[]), Q(value__icontains=text)
    for column in columns:
        found |= Q(**{f"{column}__icontains": text})
        if digits:
            found |= Q(**{f"{column}_normalized__contains": digits})
    if digits:
        of_address |= Q(normalized__contains=digits)
    return found | further_matches("phone", of_address) if further else found


def further_matches(medium: str, condition: Q) -> Q:
    """The condition for contacts with a further address that meets a condition."""
    addresses = _model("ContactAddress").objects.filter(condition, contact=OuterRef("pk"), medium=medium)
    return Q(Exists(addresses))


def _contacts(organization_id: int) -> Any:
    return _model("Contact").objects.filter(organization_id=organization_id).order_by()


def _addresses(organization_id: int, medium: str) -> Any:
    rows = _model("ContactAddress").objects.filter(organization_id=organization_id, medium=medium)
    return rows.order_by()


def _model(name: str) -> Any:
    return apps.get_model("contacts", name)


class ContactQuerySet(RowQuerySet[Any]):
    def with_email(self, emails: Iterable[str], organization_id: int) -> Self:
        """Contacts with one of these addresses, as the first or a further one."""
        return self.filter(email_is(emails, organization_id))

    def with_phone(self, text: str, organization: Organization, *, in_trash: bool = False) -> Self:
        """Contacts with this number, in any spelling, live or in the trash. No rows if the text has no digits."""
        return self.filter(phone_is(text, organization, in_trash=in_trash))

    def with_company_names(self, names: Collection[str]) -> Self:
        """A superset of the companies with these tidy names in any spelling: long ones are compared in part.

        Companies that a previous release has written have no folded name; they have exactly one of the names.
        """
        folded = {company_key(name)[:255] for name in names}
        written = ~Q(name_folded="") | Q(name__in=set(names))
        return self.filter(written, kind="company", name_folded__in={*folded, ""})

    def people_first(self) -> Self:
        """Order people before companies."""
        return self.order_by("-kind", "id")

    def for_reading(self) -> Self:
        """With all related rows of a response, in a fixed number of queries."""
        return self.select_related("company", "owner__user").prefetch_related("references", "addresses")
