"""Countries, languages and time zones that an organization can have."""

from functools import cache
from zoneinfo import available_timezones

from babel import Locale
from babel.core import UnknownLocaleError, get_global
from babel.numbers import get_territory_currencies


def country_of_zone(time_zone: str) -> str:
    """The ISO 3166 alpha-2 code of the country of a time zone, or "" for UTC and other zones of no country."""
    aliases = get_global("zone_aliases")
    territory = get_global("zone_territories").get(aliases.get(time_zone, time_zone), "")
    return territory if territory in countries() else ""


def currency_of_country(country: str) -> str:
    """The ISO 4217 code of the currency of a country, or "" if it is not known."""
    return next(iter(get_territory_currencies(country)), "") if country else ""


@cache
def countries(reader: str = "en") -> dict[str, str]:
    """The name of each country in a language, by its code."""
    zones = set(get_global("zone_territories").values())
    names = Locale.parse(reader, sep="-").territories
    return {code: name for code, name in names.items() if code in zones and code != "ZZ"}


@cache
def languages(reader: str = "en") -> dict[str, str]:
    """The name of each language in a language, by its ISO 639-1 code."""
    return {code: name for code, name in Locale.parse(reader, sep="-").languages.items() if len(code) == 2}


@cache
def time_zones() -> frozenset[str]:
    """The names of all time zones: the standard library searches the disk for them at each call."""
    return frozenset(available_timezones())


def is_language(tag: str) -> bool:
    """Whether this is a language tag such as `fr` or `pt-BR`."""
    try:
        return Locale.parse(tag, sep="-").language in languages()
    except (ValueError, UnknownLocaleError):
        return False
