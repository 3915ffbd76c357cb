"""Figures as people and programs write them: `1.234,56`, `1 234.56`, `12'500.50`, `(500.00)`, `$1,234.56`, `12k`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from crm_project.readers import Unreadable, quoted
from crm_project.readers.currencies import currencies_of

POINT, COMMA = ".", ","
SIGNS = (POINT, COMMA)
# One numeral with what is before and after it.
PARTS = re.compile(r"([^0-9]*?)([0-9](?:[0-9.,' ]*[0-9])?)([^0-9]*)")
PLAIN = re.compile(r"-?[0-9]{1,20}")
GROUPS = r"[1-9][0-9]{0,2}(?:%s[0-9]{3})+"
# India writes the last group with three digits and the others with two.
INDIAN = r"[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}"
GROUPED = {
    POINT: re.compile(f"{GROUPS % ','}|{INDIAN}"),
    COMMA: re.compile(GROUPS % r"\."),
}
SPACED = re.compile(f"{GROUPS % ' '}|{GROUPS % chr(39)}")
DIGITS = 20
SPACES = str.maketrans("\u00a0\u202f\u2009\u2019", "   '")
MINUS = re.compile("[-\u2212\u2010\u2013]")
# `500.-` is 500 francs.
FRANCS = re.compile(r"[.,][-\u2013\u2014]+\s*$")
THOUSANDS = re.compile(r"k", re.IGNORECASE)


@dataclass(frozen=True)
class Figure:
    """A written number: its value by the decimal sign under which it has it, and the currencies it may be in."""

    values: Mapping[str, Decimal]
    currencies: frozenset[str] = frozenset()
    # The symbol or code, as it is written.
    unit: str = ""


def read_figure(written: str) -> Figure:
    """The readings of a text; raises Unreadable."""
    if PLAIN.fullmatch(written):
        value = Decimal(written)
        return Figure({POINT: value, COMMA: value})
    text = written.translate(SPACES).strip()
    text = FRANCS.sub("", text)
    parts = PARTS.fullmatch(text)
    if parts is None or len(text) > 4 * DIGITS:
        raise _no_figure(written)
    before, numeral, after = parts.groups()
    values = _readings(numeral)
    negative, before, after = _sign(before, after, written)
    thousand = bool(after) and THOUSANDS.match(after) is not None and currencies_of(after) == frozenset()
    if thousand:
        after = after[1:].strip()
    if not values:
        raise _no_figure(written)
    factor = (-1 if negative else 1) * (1000 if thousand else 1)
    currencies, unit = _unit(before, after, written)
    return Figure({sign: value * factor for sign, value in values.items()}, currencies, unit)


def _readings(numeral: str) -> dict[str, Decimal]:
    if " " in numeral or "'" in numeral:
        return _spaced(numeral)
    values = {}
    for sign in SIGNS:
        whole, found, rest = numeral.rpartition(sign)
        if not found:
            whole, rest = numeral, ""
        digits = _digits(whole, sign)
        if digits is not None and (not found or rest.isdigit()) and len(rest) <= DIGITS:
            values[sign] = Decimal(f"{digits}.{rest or 0}") if found else Decimal(digits)
    return values


def _spaced(numeral: str) -> dict[str, Decimal]:
    """Groups with spaces or apostrophes leave no doubt about the sign."""
    sign = next((sign for sign in SIGNS if sign in numeral), "")
    whole, _, rest = numeral.partition(sign) if sign else (numeral, "", "")
    if not SPACED.fullmatch(whole) or (sign and not rest.isdigit()) or len(rest) > DIGITS:
        return {}
    value = Decimal(re.sub("[ ']", "", whole) + (f".{rest}" if rest else ""))
    return {sign: value} if sign else dict.fromkeys(SIGNS, value)


def _digits(whole: str, sign: str) -> str | None:
    """The digits before the decimal sign, without the groups that go with the sign; None if it is not a number."""
    if not whole:
        return "0"
    if whole.isdigit():
        return whole if len(whole) <= DIGITS else None
    other = COMMA if sign == POINT else POINT
    digits = whole.replace(other, "")
    return digits if GROUPED[sign].fullmatch(whole) and len(digits) <= DIGITS else None


def _sign(before: str, after: str, written: str) -> tuple[bool, str, str]:
    """Whether the figure is negative, and what is left before and after it."""
    brackets = before.count("("), after.count(")")
    minuses = len(MINUS.findall(before)) + len(MINUS.findall(after))
    if brackets not in ((0, 0), (1, 1)) or minuses + brackets[0] > 1:
        raise _no_figure(written)
    before = MINUS.sub("", before).replace("(", "").replace("+", "", 1).strip()
    after = MINUS.sub("", after).replace(")", "").strip()
    return minuses + brackets[0] == 1, before, after


def _unit(before: str, after: str, written: str) -> tuple[frozenset[str], str]:
    """The currencies of the symbols or codes around the numeral, which must agree."""
    found: frozenset[str] = frozenset()
    for text in filter(None, (before, after)):
        currencies = currencies_of(text)
        if not currencies:
            raise _no_figure(written)
        found = currencies if not found else found & currencies
        if not found:
            raise Unreadable("%(value)s names two currencies.", {"value": quoted(written)})
    return found, before or after


def _no_figure(written: str) -> Unreadable:
    return Unreadable("%(value)s is not a number.", {"value": quoted(written)})
