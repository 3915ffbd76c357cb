"""Filters of the list of members."""

from typing import Any

from django.db.models import QuerySet

from crm_project.api.filters import BooleanFilter, StrictFilterSet, TextFilter
from crm_project.emails import fold_email


class UserFilter(StrictFilterSet):
    email = TextFilter(method="filter_email")
    is_active = BooleanFilter(method="filter_is_active")

    def filter_email(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Logins have folded addresses."""
        return rows.filter(user__email=fold_email(value))

    def filter_is_active(self, rows: Any, name: str, value: bool) -> Any:
        return rows.active() if value else rows.exclude(is_active=True, user__is_active=True)
