"""QuerySet of contacts."""

from collections.abc import Collection, Iterable
from typing import Any, Self

from django.db.models import Q

from contacts.rules import company_key
from crm_project.emails import fold_email
from crm_project.records.phones import normalize_phone
from crm_project.records.querysets import RowQuerySet

__all__ = ["ContactQuerySet", "fold_email", "phone_contains", "phone_is"]


def phone_is(text: str, country: str) -> Q:
    """The condition of a number as phone or mobile, in any spelling; no contact meets that of a text without digits."""
    number = normalize_phone(text, country)
    if not number:
        return Q(pk__in=[])
    # The comparisons with an empty text let the partial indexes be used.
    return Q(phone_normalized=number) & ~Q(phone_normalized="") | Q(mobile_normalized=number) & ~Q(
        mobile_normalized=""
    )


def phone_contains(text: str, columns: Iterable[str] = ("phone", "mobile")) -> Q:
    """The condition of a part of a phone number: as it was typed, or its digits in international form."""
    digits = "".join(character for character in text if character.isdecimal()).lstrip("0")
    found = Q(pk__in=[])
    for column in columns:
        found |= Q(**{f"{column}__icontains": text})
        if digits:
            found |= Q(**{f"{column}_normalized__contains": digits})
    return found


class ContactQuerySet(RowQuerySet[Any]):
    def with_email(self, emails: Iterable[str]) -> Self:
        return self.filter(email__in=[fold_email(email) for email in emails])

    def with_phone(self, text: str, country: str) -> Self:
        """Contacts with this number as phone or mobile, in any spelling. No rows if the text has no digits."""
        return self.filter(phone_is(text, country))

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
        return self.select_related("company", "owner__user").prefetch_related("references")
