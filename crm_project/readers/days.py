"""Days and instants as people and programs write them: `31.12.2025 12:00`, `12/31/25`, `Dec 31, 2025`, `20251231`."""

import datetime
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from babel import Locale

from crm_project.readers import Unreadable, quoted

ORDERS = ("dmy", "mdy", "ymd")
ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
YEAR_FIRST = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})\.?")
THREE = re.compile(r"([0-9]{1,2})([-/.]) ?([0-9]{1,2})\2 ?([0-9]{4}|[0-9]{2})\.?")
EIGHT = re.compile(r"((?:19|20|21)[0-9]{2})([0-9]{2})([0-9]{2})")
SERIAL = re.compile(r"([0-9]{5})(?:[.,]([0-9]{1,12}))?")
# The name of a month, between two numbers or before them. A weekday in front is ignored.
DAY_MONTH_YEAR = re.compile(
    r"([0-9]{1,2})\.?(?:st|nd|rd|th|er|o)?[ -]+(?:de +)?([^\W\d_]+)\.?,?[ -]+(?:de +)?([0-9]{4}|[0-9]{2})"
)
MONTH_DAY_YEAR = re.compile(r"([^\W\d_]+)\.? +([0-9]{1,2})(?:st|nd|rd|th)?,? +([0-9]{4})")
FIRST_WORD = re.compile(r"([^\W\d_]+)\.?,? +")
CLOCK = re.compile(
    r"[T, ]+(?:(?:at|um|à|o) +)?([0-9]{1,2})[:h]([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r"(?: ?([ap])\.? ?m\.?)?(?: ?(Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?",
    re.IGNORECASE,
)
# Two digits are a year of this century, or of the last one.
PIVOT = 70
# Days since the end of 1899, as spreadsheets count them: from 1954 to 2119.
FIRST_SERIAL, LAST_SERIAL = 20_000, 80_000
EPOCH = datetime.datetime(1899, 12, 30)
LANGUAGES = ("en", "fr", "pl", "es", "it", "de", "pt", "nl")


@dataclass(frozen=True)
class Moment:
    """A written day, perhaps with a time: the day by the order under which it has it, the time and its zone."""

    days: Mapping[str, datetime.date]
    time: datetime.time | None = None


def read_moment(written: str) -> Moment:
    """The readings of a text; raises Unreadable."""
    if iso := ISO.fullmatch(written):
        return Moment(dict.fromkeys(ORDERS, _day(iso[1], iso[2], iso[3], written)))
    text = " ".join(unicodedata.normalize("NFKC", written).split())
    if serial := SERIAL.fullmatch(text):
        return from_serial(float(f"{serial[1]}.{serial[2] or 0}"), written)
    text, time = _without_clock(text, written)
    return Moment(_days(text, written), time)


def from_serial(number: float, written: str = "") -> Moment:
    """The day and time of a spreadsheet's number."""
    if not FIRST_SERIAL <= number < LAST_SERIAL:
        raise _no_day(written or str(number))
    at = EPOCH + datetime.timedelta(days=int(number), seconds=round(number % 1 * 86_400))
    return Moment(dict.fromkeys(ORDERS, at.date()), at.time() if number % 1 else None)


def _without_clock(text: str, written: str) -> tuple[str, datetime.time | None]:
    """The text before its time, and the time."""
    for match in CLOCK.finditer(text):
        if match.end() == len(text) and match.start():
            return text[: match.start()], _time(match, written)
    return text, None


def _time(match: re.Match[str], written: str) -> datetime.time:
    hour, minute, second, fraction, half, zone = match.groups()
    hours = int(hour)
    if half:
        if not 1 <= hours <= 12:
            raise _no_day(written)
        hours = hours % 12 + (12 if half.lower() == "p" else 0)
    try:
        micro = int((fraction or "0")[:6].ljust(6, "0"))
        return datetime.time(hours, int(minute), int(second or 0), micro, _zone(zone))
    except ValueError:
        raise _no_day(written) from None


def _zone(zone: str | None) -> datetime.tzinfo | None:
    if not zone:
        return None
    if zone[0] not in "+-":
        return datetime.UTC
    digits = zone[1:].replace(":", "")
    offset = datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return datetime.timezone(offset if zone[0] == "+" else -offset)


def _days(text: str, written: str) -> dict[str, datetime.date]:
    if match := YEAR_FIRST.fullmatch(text) or EIGHT.fullmatch(text):
        parts = match.groups()
        return dict.fromkeys(ORDERS, _day(parts[0], parts[-2], parts[-1], written))
    if match := THREE.fullmatch(text):
        days = dict(_numeric(*match.groups()))
        if match[2] == ".":  # between points the day comes first everywhere
            days = dict.fromkeys(ORDERS, days["dmy"]) if "dmy" in days else {}
        if not days:
            raise _no_day(written)
        return days
    return dict.fromkeys(ORDERS, _with_name(text, written))


def _numeric(first: str, separator: str, middle: str, last: str) -> Iterator[tuple[str, datetime.date]]:
    """The days of three numbers, by order. Two digits for a year come first only with hyphens."""
    orders = {"dmy": (last, middle, first), "mdy": (last, first, middle)}
    if separator == "-" and len(last) == 2:
        orders["ymd"] = (first, middle, last)
    for order, parts in orders.items():
        try:
            yield order, datetime.date(_year(parts[0]), int(parts[1]), int(parts[2]))
        except ValueError:
            continue


def _with_name(text: str, written: str) -> datetime.date:
    """A day whose month is named."""
    bare = plain(text)
    if (first := FIRST_WORD.match(bare)) and first[1] not in months():
        bare = bare[first.end() :]
    if match := DAY_MONTH_YEAR.fullmatch(bare):
        day, name, year = match.groups()
    elif match := MONTH_DAY_YEAR.fullmatch(bare):
        name, day, year = match.groups()
    else:
        raise _no_day(written)
    month = months().get(name)
    if month is None:
        raise _no_day(written)
    return _day(str(_year(year)), str(month), day, written)


def plain(text: str) -> str:
    """In lower case, without accents."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) > 2:
        return year
    return year + (2000 if year < PIVOT else 1900)


def _day(year: str, month: str, day: str, written: str) -> datetime.date:
    try:
        return datetime.date(int(year), int(month), int(day))
    except ValueError:
        raise _no_day(written) from None


@cache
def months() -> dict[str, int]:
    """The names of months and their short forms, folded; a form of two months is left out."""
    names: dict[str, set[int]] = {"sept": {9}}
    for language in LANGUAGES:
        locale = Locale.parse(language)
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in locale.months[context][width].items():
                    names.setdefault(plain(name).rstrip("."), set()).add(number)
    return {name: next(iter(numbers)) for name, numbers in names.items() if len(numbers) == 1}


def _no_day(written: str) -> Unreadable:
    return Unreadable("%(value)s is not a date; write YYYY-MM-DD.", {"value": quoted(written)})
