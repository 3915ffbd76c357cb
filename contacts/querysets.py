"""Reads of contacts."""

from collections.abc import Iterable
from typing import Any, Self

from crm_project.records.querysets import RowQuerySet


class ContactQuerySet(RowQuerySet[Any]):
    def with_email(self, emails: Iterable[str]) -> Self:
        return self.filter(email__in=[fold_email(email) for email in emails])

    def people_first(self) -> Self:
        """`person` sorts behind `company`."""
        return self.order_by("-kind", "id")

    def for_reading(self) -> Self:
        """Everything that a contact shows, in a fixed number of queries."""
        return self.select_related("company", "owner__user").prefetch_related("references")


def fold_email(email: str) -> str:
    return email.strip().lower()
