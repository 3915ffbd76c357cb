"""Exchange rates from files: a CSV of `currency`, `date` and `rate`, and the XML of the European Central Bank."""

import csv
import datetime
import io
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from xml.etree import ElementTree
from xml.parsers import expat

from django.utils.translation import gettext_noop

from crm_project.currencies import CURRENCY_DECIMALS
from crm_project.errors import FieldError, Invalid
from crm_project.rates.rules import rounded
from crm_project.records.rules import is_day

LONGEST_FILE = 2_000_000
HEADINGS = ("currency", "date", "rate")
EUROPEAN = "EUR"
MOST_RATES = 20_000


@dataclass(frozen=True)
class Read:
    currency: str
    date: datetime.date
    rate: Decimal


def _refused(template: str, **params: object) -> Invalid:
    return Invalid(fields=[FieldError("content", "unreadable_file", template, params)])


def read_file(content: bytes, base: str) -> list[Read]:
    """The rates of a file, which is XML if it begins with a tag."""
    if len(content) > LONGEST_FILE:
        raise _refused(gettext_noop("A file has at most %(most)s bytes."), most=LONGEST_FILE)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(gettext_noop("This is not a text in UTF-8.")) from None
    return read_ecb(text, base) if text.lstrip().startswith("<") else read_csv(text)


def read_csv(content: str) -> list[Read]:
    """The rates of a CSV, whose rates are worth that much of the organization's currency. The last of a day counts."""
    lines = csv.reader(io.StringIO(content.lstrip("\ufeff"), newline=""))
    headings = [heading.strip().lower() for heading in next(lines, [])]
    if not set(HEADINGS) <= set(headings):
        raise _refused(gettext_noop("The first line has the columns currency, date and rate."))
    places = [headings.index(name) for name in HEADINGS]
    found = {}
    for number, line in enumerate(lines, 2):
        if not any(line):
            continue
        if len(line) <= max(places):
            raise _refused(gettext_noop("Line %(line)s has too few columns."), line=number)
        currency, day, rate = (line[place].strip() for place in places)
        if not is_day(day) or (amount := _decimal(rate)) is None:
            raise _refused(
                gettext_noop("Line %(line)s has no date YYYY-MM-DD or no decimal number."), line=number
            )
        read = Read(currency.upper(), datetime.date.fromisoformat(day), amount)
        found[read.currency, read.date] = read
    return _bounded(list(found.values()))


def read_ecb(content: str, base: str) -> list[Read]:
    """The rates of the European Central Bank's XML, which are units of a currency for one euro, in `base`.

    A rate of another currency is the quotient of two of the same day, rounded half even to ten decimals; days without
    a rate of `base` are left out.
    """
    days: dict[datetime.date, dict[str, Decimal]] = {}
    day: dict[str, Decimal] = {}
    for cube in _parsed(content).iter():
        if is_day(cube.get("time", "")):
            day = days.setdefault(datetime.date.fromisoformat(cube.get("time", "")), {EUROPEAN: Decimal(1)})
        rate = _decimal(cube.get("rate", ""))
        if cube.get("currency") in CURRENCY_DECIMALS and rate:
            day[cube.get("currency", "")] = rate
    found = [
        Read(currency, date, rounded(rates[base] / rate))
        for date, rates in sorted(days.items())
        if base in rates
        for currency, rate in sorted(rates.items())
        if currency != base
    ]
    if not found:
        raise _refused(gettext_noop("There is no rate of %(currency)s in this file."), currency=base)
    return _bounded(found)


def _bounded(found: Sequence[Read]) -> list[Read]:
    if not found:
        raise _refused(gettext_noop("There is no rate in this file."))
    if len(found) > MOST_RATES:
        raise _refused(gettext_noop("A file has at most %(most)s rates."), most=MOST_RATES)
    return list(found)


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _parsed(content: str) -> ElementTree.Element:
    """Parse without a document type: entities could grow without bound, or name other files."""

    def refuse(*_: object) -> None:
        raise _refused(gettext_noop("A file with a document type is not read."))

    builder, parser = ElementTree.TreeBuilder(), expat.ParserCreate(namespace_separator="}")
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: builder.start(name, attributes)
    parser.EndElementHandler = lambda name: builder.end(name)
    try:
        parser.Parse(content.encode(), True)
        return builder.close()
    except (expat.ExpatError, AssertionError):
        raise _refused(gettext_noop("This is not XML.")) from None
