"""What a cell says: text, amounts, days and choices as people in several countries write them; never a guess."""

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.dateparse import parse_datetime

from crm_project.imports.errors import UnreadableCell

# What a spreadsheet would take for a formula. A quote before it makes it text, here and in what is exported.
FORMULA = re.compile(r"'*[=+\-@\t\r\x00]")
DANGEROUS = frozenset("'=+-@\t\r\x00")
QUOTED = re.compile(r"'+[=+\-@\t\r\x00]")
CUT = "… [cut by the export]"
SPACES = str.maketrans("", "", " \u00a0\u202f'’")
SYMBOLS = "€$£¥ \u00a0\u202f"
PLAIN = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
GROUPED = {
    ".": re.compile(r"-?[0-9]{1,3}(,[0-9]{3})*(\.[0-9]{1,20})?"),
    ",": re.compile(r"-?[0-9]{1,3}(\.[0-9]{3})*(,[0-9]{1,20})?"),
}
WITH_COMMA = re.compile(r"-?[0-9]{1,20}(,[0-9]{1,20})?")
DAY = re.compile(r"([0-9]{1,4})([./-])([0-9]{1,2})\2([0-9]{1,4})")
YES = frozenset("true yes y 1 x on ja wahr oui vrai sí si sim verdadero tak".split())
NO = frozenset("false no n 0 off nein falsch non faux nao não falso nie".split())


@dataclass(frozen=True)
class Habits:
    """How the file's people write numbers and days; `zone` is where their clocks hang."""

    decimal: str = "."
    date_order: str = "ymd"
    zone: datetime.tzinfo = datetime.UTC

    @classmethod
    def of(cls, options: dict[str, Any], time_zone: str) -> "Habits":
        return cls(options["decimal"], options["date_order"], ZoneInfo(time_zone))


Reader = Callable[[Any, Habits], Any]


def safe(text: str) -> str:
    """The text with a quote before what a spreadsheet would run; `text` takes it off again."""
    return f"'{text}" if text[:1] in DANGEROUS and FORMULA.match(text) else text


def text(cell: Any, habits: Habits) -> str:
    """Kept as it is written, but for the quote that an export puts before a formula."""
    if isinstance(cell, str):
        return cell[1:] if QUOTED.match(cell) else cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 10**15 else repr(cell)
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    return str(cell)


def word(cell: Any, habits: Habits) -> str:
    return text(cell, habits).strip()


def is_empty(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def refuse_cut(cell: Any) -> None:
    """A workbook's cell holds 32,767 characters; what an export had to cut must not replace the whole."""
    if isinstance(cell, str) and cell.endswith(CUT):
        raise UnreadableCell("This text was cut by the export; empty the cell, or import a CSV export.")


def number(cell: Any, habits: Habits) -> Decimal:
    if isinstance(cell, bool | datetime.date | datetime.time):
        raise UnreadableCell("This is not a number.")
    if isinstance(cell, int | float):
        # A sheet's numbers are doubles: their shortest form is what the person typed.
        return _finite(Decimal(repr(cell)))
    written = word(cell, habits)
    if PLAIN.fullmatch(written) and habits.decimal == ".":
        return Decimal(written)
    bare = written.strip(SYMBOLS)
    closed_up = bare.translate(SPACES)
    if habits.decimal == "," and WITH_COMMA.fullmatch(closed_up):
        return Decimal(closed_up.replace(",", "."))
    if habits.decimal == "." and PLAIN.fullmatch(closed_up):
        return Decimal(closed_up)
    if not GROUPED[habits.decimal].fullmatch(closed_up):
        kind = "comma" if habits.decimal == "," else "point"
        raise UnreadableCell(f"{_quoted(written)} is not a number with a decimal {kind}.")
    group = "." if habits.decimal == "," else ","
    return Decimal(closed_up.replace(group, "").replace(",", "."))


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise UnreadableCell("This is not a number.")
    return value


def whole(cell: Any, habits: Habits) -> int:
    value = number(cell.strip().rstrip("%") if isinstance(cell, str) else cell, habits)
    if value != value.to_integral_value():
        raise UnreadableCell(f"{value:f} is not a whole number.")
    return int(value)


def boolean(cell: Any, habits: Habits) -> bool:
    if isinstance(cell, bool):
        return cell
    said = word(cell, habits).lower()
    if said in YES or said in NO:
        return said in YES
    raise UnreadableCell(f"{_quoted(said)} is neither yes nor no.")


def day(cell: Any, habits: Habits) -> datetime.date:
    if isinstance(cell, datetime.datetime):
        return cell.date()
    if isinstance(cell, datetime.date):
        return cell
    written = word(cell, habits)
    match = DAY.fullmatch(written.partition("T")[0].partition(" ")[0])
    if match is None or isinstance(cell, int | float):
        raise UnreadableCell(f"{_quoted(written)} is not a day; write YYYY-MM-DD.")
    first, separator, middle, last = match.groups()
    order = "ymd" if len(first) == 4 else ("dmy" if separator == "." else habits.date_order)
    if order == "ymd" and len(first) != 4:
        raise UnreadableCell(f"{_quoted(written)} is not a day of four-digit year, month and day.")
    parts = dict(zip(order, (first, middle, last), strict=True))
    if len(parts["y"]) != 4:
        raise UnreadableCell(f"{_quoted(written)} has no year of four digits.")
    try:
        return datetime.date(int(parts["y"]), int(parts["m"]), int(parts["d"]))
    except ValueError:
        kind = {"ymd": "year-month-day", "dmy": "day-month-year", "mdy": "month-day-year"}[order]
        raise UnreadableCell(f"{_quoted(written)} is not a day, read as {kind}.") from None


def instant(cell: Any, habits: Habits) -> datetime.datetime:
    """With its offset, or by the clocks of the organization; a bare day begins at midnight."""
    if isinstance(cell, datetime.datetime):
        return cell if cell.tzinfo else cell.replace(tzinfo=habits.zone)
    if isinstance(cell, str):
        try:
            read = parse_datetime(cell.strip())
        except ValueError:
            read = None
        if read is not None:
            return _on_the_scale(read if read.tzinfo else read.replace(tzinfo=habits.zone))
        if ":" in cell:
            raise UnreadableCell(f"{_quoted(cell)} is not an instant; write YYYY-MM-DDThh:mm:ss+hh:mm.")
    return _on_the_scale(datetime.datetime.combine(day(cell, habits), datetime.time(), habits.zone))


def _on_the_scale(value: datetime.datetime) -> datetime.datetime:
    try:
        return value.astimezone(datetime.UTC)
    except OverflowError:
        raise UnreadableCell("This instant is beyond the calendar.") from None


def uuid(cell: Any, habits: Habits) -> UUID:
    written = word(cell, habits)
    try:
        if len(written) == 36:
            return UUID(written)
    except ValueError:
        pass
    raise UnreadableCell(f"{_quoted(written)} is not a uuid.")


def items(cell: Any, habits: Habits) -> list[str]:
    """Several words, separated by semicolons or line breaks."""
    parts = re.split(r"[;\n]", text(cell, habits))
    return [part.strip() for part in parts if part.strip()]


def uuids(cell: Any, habits: Habits) -> list[UUID]:
    return [uuid(item, habits) for item in items(cell, habits)]


def choice(*values: str) -> Reader:
    def read(cell: Any, habits: Habits) -> str:
        said = word(cell, habits).lower()
        if said not in values:
            raise UnreadableCell(f"{_quoted(said)} is none of: {', '.join(values)}.")
        return said

    return read


def _quoted(written: str) -> str:
    return repr(written if len(written) <= 60 else f"{written[:60]}…")
