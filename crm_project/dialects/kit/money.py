"""Amounts as clients compute them: a double that is off by its own imprecision is the amount that it stands for."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from crm_project.currencies import CURRENCY_DECIMALS
from crm_project.dialects.kit.fields import NumberField
from deals.money import AMOUNT_FIELDS

# The imprecision of a double after a few operations, relative to its value.
RELATIVE = Decimal("1e-12")
# The greatest distance, as a part of the currency's smallest unit.
PARTS_OF_UNIT = 20
LIMIT = Decimal(10) ** 15


class JsonNumber(Decimal):
    """A number of the JSON body, as opposed to a string, which is never imprecise."""


class MoneyField(NumberField):
    """An amount in a write; `exact_amounts` reads it once the currency is known."""

    def to_internal_value(self, data: Any) -> Any:
        number = super().to_internal_value(data)
        return number if isinstance(data, str) else JsonNumber(number)


def exact_amount(number: Decimal, decimals: int) -> Decimal:
    """The value with these decimals that the number stands for, or the number itself if none is near enough.

    Near is within 1e-12 of the value, and within a twentieth of the currency's smallest unit.
    """
    if abs(number) >= LIMIT:
        return number
    unit = Decimal(1).scaleb(-decimals)
    nearest = number.quantize(unit)
    distance = abs(number - nearest)
    is_near = distance <= abs(nearest) * RELATIVE and distance * PARTS_OF_UNIT <= unit
    return nearest if is_near else number


def exact_amounts(change: Mapping[str, Any], currency: Any) -> dict[str, Any]:
    """The change with the amounts that its JSON numbers stand for in this currency."""
    decimals = CURRENCY_DECIMALS.get(str(currency).upper(), 2)
    return {
        name: exact_amount(Decimal(value), decimals)
        if name in AMOUNT_FIELDS and isinstance(value, JsonNumber)
        else value
        for name, value in change.items()
    }
