"""Currencies, with their names and symbols in the organization's language."""

from decimal import Decimal
from functools import cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.numbers import get_currency_name, get_currency_symbol
from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.currencies import CURRENCY_DECIMALS
from crm_project.dialects.kit.fields import NumberField
from crm_project.dialects.onlyoffice.serializers.params import OnlyofficeParameters, OptionalTextParam

# Countries of currencies whose codes do not begin with one, as the vendor has them.
COUNTRIES = {"EUR": "FR"}
BASIC = frozenset("EUR USD GBP CHF JPY CNY RUB CAD AUD".split())


class OnlyofficeCurrencyNested(Serializer):
    title = serializers.CharField()
    symbol = serializers.CharField()
    abbreviation = serializers.CharField()
    cultureName = serializers.CharField()
    isConvertable = serializers.BooleanField()
    isBasic = serializers.BooleanField()


class OnlyofficeRatedCurrencyRead(OnlyofficeCurrencyNested):
    rate = NumberField()


class OnlyofficeRateRead(Serializer):
    fromCurrency = serializers.CharField()
    toCurrency = serializers.CharField()
    rate = NumberField()
    id = serializers.IntegerField()


class CurrencyCodeField(OptionalTextParam):
    """A currency code in any case."""

    default_error_messages = {"unknown": "There is no such currency."}

    def to_internal_value(self, data: Any) -> str:
        code = super().to_internal_value(data).strip().upper()
        if code and code not in CURRENCY_DECIMALS:
            self.fail("unknown")
        return code


class OnlyofficeCurrencyWrite(OnlyofficeParameters):
    currency = CurrencyCodeField(default="")

    def validate_currency(self, code: str | None) -> str:
        if not code:
            raise serializers.ValidationError("This field is required.", code="required")
        return code


class OnlyofficeConversionQuery(OnlyofficeParameters):
    amount = NumberField(default=Decimal(0))
    fromcurrency = CurrencyCodeField(default="")
    tocurrency = CurrencyCodeField(default="")


@cache
def currency(code: str, language: str) -> dict[str, Any]:
    """A currency. There are no exchange rates, hence none is convertible."""
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
    """All currencies, the basic ones first."""
    found = [currency(code, language) for code in CURRENCY_DECIMALS]
    return sorted(found, key=lambda row: (not row["isBasic"], row["abbreviation"]))


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-" if "-" in language else "_")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
