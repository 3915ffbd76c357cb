"""Rules of goals. No query, no clock."""

import datetime
from typing import Any

from crm_project.errors import FieldError
from crm_project.goals.models import Goal
from deals import money

FIRST, LAST = datetime.date(1970, 1, 1), datetime.date(2999, 12, 1)


def month_errors(month: Any) -> list[FieldError]:
    if month is None:
        return [FieldError("month", "required", "This field is required.")]
    if not isinstance(month, datetime.date) or month.day != 1:
        return [FieldError("month", "invalid", "A month is named by its first day, such as 2026-11-01.")]
    if not FIRST <= month <= LAST:
        params = {"first": FIRST, "last": LAST}
        return [FieldError("month", "out_of_range", "From %(first)s to %(last)s.", params)]
    return []


def amount_errors(amount: Any, currency: str) -> list[FieldError]:
    """The errors of a new amount. A stored one stays as it is when the organization changes its currency."""
    if amount is None:
        return [FieldError("amount", "required", "This field is required.")]
    if wrong := money.amount_errors("amount", amount):
        return wrong
    if amount == 0:
        return [FieldError("amount", "out_of_range", "Must be above 0.")]
    return money.decimals_errors("amount", amount, currency)


def goal_errors(goal: Goal, names: Any, currency: str) -> list[FieldError]:
    """The errors of the month and the amount that a change names; a new goal needs both."""
    errors = month_errors(goal.month) if goal.pk is None or "month" in names else []
    return errors + (amount_errors(goal.amount, currency) if goal.pk is None or "amount" in names else [])
