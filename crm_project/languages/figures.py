"""Figures as the active language writes them, and as people type them in it."""

from decimal import Decimal

from django.utils import formats

from crm_project.readers import Unreadable
from crm_project.readers.figures import SIGNS, read_figure


def number(amount: Decimal | int, decimals: int = 2) -> str:
    """`15,000.50`, `15 000,50` or `15.000,50`; a whole number has no decimals."""
    return decimal(amount, 0 if amount == int(amount) else decimals)


def decimal(amount: Decimal | float, decimals: int) -> str:
    sign, groups = _signs()
    return f"{amount:,.{decimals}f}".translate({ord("."): sign, ord(","): groups})


def decimal_as_typed(amount: Decimal | float | str) -> str:
    """A plain decimal with the decimal sign of the language, as `read_decimal` reads it."""
    return str(amount).replace(".", _signs()[0])


def read_decimal(text: str) -> Decimal:
    """The value of a typed figure: the only one that it can have, else the one in the active language.

    `1500.50` is a figure on a French page too. `12.500` is none there: French groups its digits by spaces.
    Raises Unreadable.
    """
    figure = read_figure(text)
    values = {value for value in figure.values.values() if not figure.unit}
    if len(values) == 1:
        return values.pop()
    own = _signs()
    if any(sign in text and sign not in own for sign in SIGNS) or not values:
        raise Unreadable("%(value)s is not a number.", {"value": text})
    return figure.values[own[0]]


def plain_decimal(value: Decimal) -> str:
    """A text that `read_decimal` reads as this value in every language: three decimals could be a group of digits."""
    text = f"{value:f}"
    return f"{text}0" if len(text.partition(".")[2]) == 3 else text


def csv_signs() -> tuple[str, str]:
    """The delimiter and the decimal sign of a CSV for a spreadsheet in the language: `1,5;2,5` or `1.5,2.5`."""
    sign, _groups = _signs()
    return (";" if sign == "," else ","), sign


def _signs() -> tuple[str, str]:
    """The decimal sign, and what stands between groups of three digits."""
    return formats.get_format("DECIMAL_SEPARATOR"), formats.get_format("THOUSAND_SEPARATOR")
