"""Currencies, with their names and symbols in the organization's language."""

from functools import cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.numbers import get_currency_name, get_currency_symbol
from rest_framework import serializers

from deals.money import currency_decimals

# Most codes begin with their country's; the euro's country is the one that the vendor names.
COUNTRIES = {"EUR": "FR"}
BASIC = frozenset("EUR USD GBP CHF JPY CNY RUB CAD AUD".split())


class CurrencyPart(serializers.Serializer[Any]):
    title = serializers.CharField()
    symbol = serializers.CharField()
    abbreviation = serializers.CharField()
    cultureName = serializers.CharField()
    isConvertable = serializers.BooleanField()
    isBasic = serializers.BooleanField()


@cache
def currency(code: str, language: str) -> dict[str, Any]:
    """No rates are known here, hence nothing is convertible."""
    locale = _locale(language)
    return {
        "title": get_currency_name(code, locale=locale),
        "symbol": get_currency_symbol(code, locale=locale),
        "abbreviation": code,
        "cultureName": COUNTRIES.get(code, code[:2]),
        "isConvertable": False,
        "isBasic": code in BASIC,
    }


def currencies(language: str) -> list[dict[str, Any]]:
    """The basic ones first, as the vendor lists them."""
    found = [currency(code, language) for code in currency_decimals()]
    return sorted(found, key=lambda row: (not row["isBasic"], row["abbreviation"]))


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-" if "-" in language else "_")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
