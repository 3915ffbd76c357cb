"""Filters of the list of members."""

from typing import Any

from crm_project.api.filter_values import EmailValue
from crm_project.api.filters import BooleanFilter, StrictFilterSet, ValuesFilter


class LoginsFilter(ValuesFilter):
    """Logins have folded addresses."""

    value = EmailValue


class UserFilter(StrictFilterSet):
    email = LoginsFilter("user__email")
    is_active = BooleanFilter(method="filter_is_active")

    def filter_is_active(self, rows: Any, name: str, value: bool) -> Any:
        return rows.active() if value else rows.exclude(is_active=True, user__is_active=True)
