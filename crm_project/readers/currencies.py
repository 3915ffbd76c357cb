"""Currencies by code, symbol or name."""

import re
import unicodedata
from functools import cache

from babel import Locale
from iso4217 import Currency

CODES = frozenset(str(currency.value).upper() for currency in Currency)
# Symbols of one currency, and those that several countries use for theirs.
SYMBOLS: dict[str, frozenset[str]] = {
    symbol: frozenset(codes.split())
    for symbol, codes in {
        "€": "EUR",
        "£": "GBP",
        "$": "USD CAD AUD NZD SGD HKD MXN ARS CLP COP TWD BRL",
        "us$": "USD",
        "u$s": "USD",
        "c$": "CAD",
        "ca$": "CAD",
        "a$": "AUD",
        "au$": "AUD",
        "nz$": "NZD",
        "hk$": "HKD",
        "s$": "SGD",
        "mx$": "MXN",
        "r$": "BRL",
        "¥": "JPY CNY",
        "₹": "INR",
        "rs": "INR PKR LKR",
        "zł": "PLN",
        "zl": "PLN",
        "kč": "CZK",
        "ft": "HUF",
        "kr": "SEK NOK DKK ISK",
        "fr": "CHF",
        "sfr": "CHF",
        "₺": "TRY",
        "tl": "TRY",
        "₽": "RUB",
        "₴": "UAH",
        "₪": "ILS",
        "₩": "KRW",
        "lei": "RON",
        "лв": "BGN",
        "฿": "THB",
        "₱": "PHP",
        "₫": "VND",
        "r": "ZAR",
        "rm": "MYR",
        "rp": "IDR",
    }.items()
}
LANGUAGES = ("en", "fr", "pl", "es", "it", "de", "pt", "nl")
NONE: frozenset[str] = frozenset()
BORDER = re.compile(r"\s+|(?<=[A-Za-z])(?=[^A-Za-z\s])|(?<=[^A-Za-z\s])(?=[A-Za-z])")


@cache
def currencies_of(written: str) -> frozenset[str]:
    """The codes that a code, a symbol or a name may mean; several for `$`, none if it is unknown."""
    text = " ".join(unicodedata.normalize("NFKC", written).split())
    plain = text.casefold().rstrip(".")
    if found := _code_or_symbol(text) or _names().get(plain, NONE):
        return found
    # `$ USD` and `EUR €`: a code and its symbol.
    parts = [part for part in BORDER.split(text) if part]
    if len(parts) == 2:
        first, second = (_code_or_symbol(part) for part in parts)
        return first & second
    return NONE


def _code_or_symbol(text: str) -> frozenset[str]:
    code = text.upper()
    return frozenset([code]) if code in CODES else SYMBOLS.get(text.casefold().rstrip("."), NONE)


@cache
def _names() -> dict[str, frozenset[str]]:
    """Names of currencies in use, in some languages; a name of several currencies means each of them."""
    names: dict[str, set[str]] = {}
    for language in LANGUAGES:
        locale = Locale.parse(language)
        for code, name in locale.currencies.items():
            if code in CODES:
                names.setdefault(name.casefold(), set()).add(code)
    names.setdefault("euros", {"EUR"})
    return {name: frozenset(codes) for name, codes in names.items()}
