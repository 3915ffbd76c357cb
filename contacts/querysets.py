"""QuerySet of contacts."""

from collections.abc import Iterable
from typing import Any, Self

from django.db.models import Q

from crm_project.emails import fold_email
from crm_project.records.phones import normalize_phone
from crm_project.records.querysets import RowQuerySet

__all__ = ["ContactQuerySet", "fold_email"]


class ContactQuerySet(RowQuerySet[Any]):
    def with_email(self, emails: Iterable[str]) -> Self:
        return self.filter(email__in=[fold_email(email) for email in emails])

    def with_phone(self, text: str, country: str) -> Self:
        """Contacts with this number as phone or mobile, in any spelling. No rows if the text has no digits."""
        number = normalize_phone(text, country)
        if not number:
            return self.none()
        return self.filter(
            Q(phone_normalized=number) & ~Q(phone_normalized="")
            | Q(mobile_normalized=number) & ~Q(mobile_normalized="")
        )

    def people_first(self) -> Self:
        """Order people before companies."""
        return self.order_by("-kind", "id")

    def for_reading(self) -> Self:
        """With all related rows of a response, in a fixed number of queries."""
        return self.select_related("company", "owner__user").prefetch_related("references")
