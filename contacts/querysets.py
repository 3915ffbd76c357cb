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


def fold_email(email: str) -> str:
    return email.strip().lower()
