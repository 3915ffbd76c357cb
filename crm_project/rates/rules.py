"""Rules of exchange rates. No query; the caller passes the day of today."""

import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from crm_project.currencies import CURRENCY_DECIMALS
from crm_project.errors import FieldError
from crm_project.rates.models import ExchangeRate
from crm_project.records.fields import RATE_SCALE

MOST = Decimal(10) ** 8
UNIT = Decimal(1).scaleb(-RATE_SCALE)


def rate_errors(row: ExchangeRate, today: datetime.date) -> list[FieldError]:
    errors = []
    if row.currency not in CURRENCY_DECIMALS:
        errors.append(FieldError("currency", "invalid_choice", "This is not an ISO 4217 currency code."))
    elif row.currency == row.base:
        errors.append(FieldError("currency", "invalid", "This is the currency of the organization."))
    if row.date is None or row.date > today:
        errors.append(FieldError("date", "future", "A rate is of today or of an earlier day."))
    if not isinstance(row.rate, Decimal) or not row.rate.is_finite() or not 0 < row.rate < MOST:
        errors.append(FieldError("rate", "out_of_range", "Above 0, and less than 10^8."))
    elif row.rate != row.rate.quantize(UNIT):
        errors.append(FieldError("rate", "max_decimal_places", "At most 10 decimals."))
    return errors


def rounded(rate: Decimal) -> Decimal:
    """A quotient of two rates, half even, to the decimals that are stored."""
    return rate.quantize(UNIT, ROUND_HALF_EVEN)
