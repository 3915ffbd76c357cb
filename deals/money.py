"""Rules of amounts: exact decimals, ISO 4217 currencies, bids per period, gross from net. No query, no clock."""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext_noop

from crm_project.currencies import CURRENCY_DECIMALS
from crm_project.errors import FieldError
from crm_project.records.fields import SCALE
from deals.models import AMOUNT_LIMIT, Deal

TAX_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?")
AMOUNT_FIELDS = ("amount", "amount_gross", "bid_value")
BID_FIELDS = ("bid_type", "bid_value", "bid_periods")
FIXED = Deal.BidTypes.FIXED
BASE_UNIT = Decimal("0.0001")


@lru_cache(maxsize=4096)
def formatted(amount: Decimal | None, currency: str) -> str | None:
    """The amount as text, with the decimals of the currency, or more if the amount has more."""
    if amount is None:
        return None
    decimals = max(CURRENCY_DECIMALS.get(currency, 2), _decimals(amount))
    return f"{abs(amount):.{decimals}f}"  # no amount is below zero, but one may come as -0


def in_base(amount: Decimal) -> str:
    """An amount or a sum in the organization's currency as text, with the four decimals that are stored."""
    return f"{amount.quantize(BASE_UNIT, ROUND_HALF_UP):f}"


def rounded(amount: Decimal, currency: str) -> str:
    """A derived amount, rounded half up to the currency's decimals."""
    unit = Decimal(1).scaleb(-CURRENCY_DECIMALS.get(currency, 2))
    return f"{amount.quantize(unit, ROUND_HALF_UP):f}"


def price(deal: Deal, change: Mapping[str, Any]) -> list[FieldError]:
    """Apply the amounts, currency and bid of `change` to `deal`, which is a copy; returns the errors."""
    errors = _currency(deal, change)
    errors += [
        error for name in AMOUNT_FIELDS if name in change for error in amount_errors(name, change[name])
    ]
    if errors:
        return errors
    amount_before = deal.amount
    errors = _bid(deal, change)
    if errors:
        return errors
    if "tax_rate" in change:
        deal.tax_rate = change["tax_rate"] or ""
    _gross(deal, change, amount_before)
    return _sum_errors(deal, change)


def fit_errors(deal: Deal) -> list[FieldError]:
    """The errors of a deal whose present amounts contradict each other."""
    product = _bid_amount(deal, deal.bid_value, deal.bid_periods)
    if deal.bid_type != FIXED and product != deal.amount:
        return [FieldError("bid_value", "amount_conflict", "The bid and the amount disagree.")]
    return _sum_errors(deal, {})


def amount_errors(name: str, value: Decimal | None) -> list[FieldError]:
    if value is None:
        return []
    if not isinstance(value, Decimal) or not value.is_finite():
        return [FieldError(name, "invalid", "This is not an amount.")]
    if not 0 <= value < AMOUNT_LIMIT:
        return [FieldError(name, "out_of_range", "From 0 to less than 10^12.")]
    return []


def decimals_errors(name: str, value: Decimal, currency: str) -> list[FieldError]:
    decimals = _decimals_of(currency)
    if -int(value.as_tuple().exponent) <= decimals or _decimals(value) <= decimals:
        return []
    template = gettext_noop("%(currency)s has %(decimals)s decimals; nothing is rounded.")
    return [FieldError(name, "max_decimal_places", template, {"currency": currency, "decimals": decimals})]


def _currency(deal: Deal, change: Mapping[str, Any]) -> list[FieldError]:
    if "currency" not in change:
        return []
    code = str(change["currency"])
    # Some letters beyond ASCII have an upper case in ASCII.
    code = code.upper() if code.isascii() else code
    if code == deal.currency:
        return []  # even one that has been withdrawn since
    if code not in CURRENCY_DECIMALS:
        return [FieldError("currency", "invalid_choice", "This is not an ISO 4217 currency code.")]
    deal.currency = code
    return []


def _bid(deal: Deal, change: Mapping[str, Any]) -> list[FieldError]:
    """Make amount and bid agree. Of a fixed bid only the amount is stored."""
    says_bid = any(name in change for name in BID_FIELDS)
    if not says_bid:
        if "amount" in change and change["amount"] != deal.amount:
            deal.amount, deal.bid_type, deal.bid_value, deal.bid_periods = change["amount"], FIXED, None, None
        return []
    deal.bid_type = change.get("bid_type", deal.bid_type)
    stored_value = None if deal.bid_type == FIXED else deal.bid_value
    value, periods = change.get("bid_value", stored_value), change.get("bid_periods", deal.bid_periods)
    # 0 periods mean a bid without periods.
    if deal.bid_type == FIXED and change.get("bid_periods"):
        return [FieldError("bid_periods", "invalid", "A fixed bid has no periods.")]
    if deal.bid_type != FIXED and value is None:
        return [FieldError("bid_value", "required", "A bid per period needs its value.")]
    amount = _bid_amount(deal, value, periods)
    if "amount" in change and amount is not None and change["amount"] != amount:
        return [
            FieldError(
                "amount",
                "amount_conflict",
                "The bid amounts to %(amount)s; the sent amount differs.",
                {"amount": f"{amount:f}"},
            )
        ]
    deal.amount = amount if amount is not None else change.get("amount", deal.amount)
    deal.bid_value, deal.bid_periods = (None, None) if deal.bid_type == FIXED else (value, periods)
    return []


def _bid_amount(deal: Deal, value: Decimal | None, periods: int | None) -> Decimal | None:
    if value is None or deal.bid_type == FIXED:
        return value
    return value * (periods or 1)


def _gross(deal: Deal, change: Mapping[str, Any], amount_before: Decimal | None) -> None:
    """Set the gross amount. If only the amount changes, compute it from a tax rate in percent, else clear it."""
    if "amount_gross" in change:
        deal.amount_gross = change["amount_gross"]
    elif deal.amount != amount_before:
        deal.amount_gross = _with_tax(deal)


def _with_tax(deal: Deal) -> Decimal | None:
    if deal.amount is None or not TAX_PERCENT.fullmatch(deal.tax_rate):
        return None
    gross: Decimal = deal.amount * (1 + Decimal(deal.tax_rate) / 100)
    return gross.quantize(Decimal(1).scaleb(-_decimals_of(deal.currency)), ROUND_HALF_UP)


def _sum_errors(deal: Deal, change: Mapping[str, Any]) -> list[FieldError]:
    """The errors of amounts that are valid by themselves but not together."""
    errors = [error for name in AMOUNT_FIELDS for error in _stored_errors(name, deal, change)]
    if deal.amount_gross is None or errors:
        return errors
    if deal.amount is None:
        return [FieldError("amount_gross", "amount_conflict", "A gross amount needs a net amount.")]
    if deal.amount_gross < deal.amount:
        return [FieldError("amount_gross", "amount_conflict", "The gross amount is below the net amount.")]
    return []


def _stored_errors(name: str, deal: Deal, change: Mapping[str, Any]) -> list[FieldError]:
    value = getattr(deal, name)
    if value is None:
        return []
    # The product of a bid has no more decimals than the bid value, which has an error of its own.
    is_product = name == "amount" and deal.bid_type != FIXED
    errors = [] if is_product else decimals_errors(name, value, deal.currency)
    causes = ("currency", "bid_value") if errors else ("amount", "bid_value", "bid_periods")
    return [
        replace(error, field=_sent(change, name, *causes)) for error in errors or amount_errors(name, value)
    ]


def _sent(change: Mapping[str, Any], name: str, *causes: str) -> str:
    """The field of an error of `name`: if it was not sent, the sent field from which it is derived."""
    return next((field for field in (name, *causes) if field in change), name)


def _decimals_of(currency: str) -> int:
    """The decimals of the currency; those of the column for a withdrawn one, so that stored amounts stay valid."""
    return CURRENCY_DECIMALS.get(currency, SCALE)


def _decimals(amount: Decimal) -> int:
    """The number of decimals without trailing zeros: 0 of 100, 1 of 1.50. normalize() would round long ones."""
    _, digits, exponent = amount.as_tuple()
    zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return max(0, -int(exponent) - zeros) if any(digits) else 0
