"""Readers of cells: text, numbers, dates and choices in the notations of several countries. Nothing is guessed."""

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

# Text that a spreadsheet would run as a formula. A quote before it marks it as text, in imports and in exports.
# Spreadsheets of some languages take the full-width and small forms of the signs for the signs.
SIGNS = "=+-@\t\r\n\x00\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
FORMULA = re.compile(f"'*[{re.escape(SIGNS)}]")
DANGEROUS = frozenset(f"'{SIGNS}")
QUOTED = re.compile(f"'+[{re.escape(SIGNS)}]")
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
class CellFormat:
    """How the file writes numbers and dates; `zone` is the time zone of times without an offset."""

    decimal: str = "."
    date_order: str = "ymd"
    zone: datetime.tzinfo = datetime.UTC

    @classmethod
    def of(cls, options: dict[str, Any], time_zone: str) -> "CellFormat":
        return cls(options["decimal"], options["date_order"], ZoneInfo(time_zone))


Reader = Callable[[Any, CellFormat], Any]


def safe(text: str) -> str:
    """The text with a quote before a formula; `text` removes it again."""
    return f"'{text}" if text[:1] in DANGEROUS and FORMULA.match(text) else text


def text(cell: Any, cell_format: CellFormat) -> str:
    """The text unchanged, except for the quote that an export puts before a formula."""
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


def word(cell: Any, cell_format: CellFormat) -> str:
    return text(cell, cell_format).strip()


def is_empty(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def refuse_cut(cell: Any) -> None:
    """An XLSX cell has at most 32,767 characters. A text that the export cut must not replace the complete one."""
    if isinstance(cell, str) and cell.endswith(CUT):
        raise UnreadableCell(
            "This text was cut by the export. Empty the cell, or import a CSV export instead."
        )


def number(cell: Any, cell_format: CellFormat) -> Decimal:
    if isinstance(cell, bool | datetime.date | datetime.time):
        raise UnreadableCell("This is not a number.")
    if isinstance(cell, int | float):
        # Numbers in a sheet are doubles: the shortest form of one is the number as typed.
        return _finite(Decimal(repr(cell)))
    written = word(cell, cell_format)
    if PLAIN.fullmatch(written) and cell_format.decimal == ".":
        return Decimal(written)
    bare = written.strip(SYMBOLS)
    closed_up = bare.translate(SPACES)
    if cell_format.decimal == "," and WITH_COMMA.fullmatch(closed_up):
        return Decimal(closed_up.replace(",", "."))
    if cell_format.decimal == "." and PLAIN.fullmatch(closed_up):
        return Decimal(closed_up)
    if not GROUPED[cell_format.decimal].fullmatch(closed_up):
        kind = "comma" if cell_format.decimal == "," else "point"
        raise UnreadableCell(
            "%(value)s is not a number with a decimal %(sign)s.", _value(written) | {"sign": kind}
        )
    group = "." if cell_format.decimal == "," else ","
    return Decimal(closed_up.replace(group, "").replace(",", "."))


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise UnreadableCell("This is not a number.")
    return value


def whole(cell: Any, cell_format: CellFormat) -> int:
    value = number(cell.strip().rstrip("%") if isinstance(cell, str) else cell, cell_format)
    if value != value.to_integral_value():
        raise UnreadableCell("%(value)s is not a whole number.", {"value": f"{value:f}"})
    return int(value)


def boolean(cell: Any, cell_format: CellFormat) -> bool:
    if isinstance(cell, bool):
        return cell
    written = word(cell, cell_format).lower()
    if written in YES or written in NO:
        return written in YES
    raise UnreadableCell("%(value)s is neither yes nor no.", _value(written))


def day(cell: Any, cell_format: CellFormat) -> datetime.date:
    if isinstance(cell, datetime.datetime):
        return cell.date()
    if isinstance(cell, datetime.date):
        return cell
    written = word(cell, cell_format)
    match = DAY.fullmatch(written.partition("T")[0].partition(" ")[0])
    if match is None or isinstance(cell, int | float):
        raise UnreadableCell("%(value)s is not a date; write YYYY-MM-DD.", _value(written))
    first, separator, middle, last = match.groups()
    order = "ymd" if len(first) == 4 else ("dmy" if separator == "." else cell_format.date_order)
    if order == "ymd" and len(first) != 4:
        raise UnreadableCell(
            "%(value)s is not a date that begins with a year of four digits.", _value(written)
        )
    parts = dict(zip(order, (first, middle, last), strict=True))
    if len(parts["y"]) != 4:
        raise UnreadableCell("%(value)s has no year of four digits.", _value(written))
    try:
        return datetime.date(int(parts["y"]), int(parts["m"]), int(parts["d"]))
    except ValueError:
        kind = {"ymd": "year-month-day", "dmy": "day-month-year", "mdy": "month-day-year"}[order]
        raise UnreadableCell(
            "%(value)s is not a date in the order %(order)s.", _value(written) | {"order": kind}
        ) from None


def instant(cell: Any, cell_format: CellFormat) -> datetime.datetime:
    """With an offset, or in the time zone of the organization. A date without a time is its midnight."""
    if isinstance(cell, datetime.datetime):
        return cell if cell.tzinfo else cell.replace(tzinfo=cell_format.zone)
    if isinstance(cell, str):
        try:
            parsed = parse_datetime(cell.strip())
        except ValueError:
            parsed = None
        if parsed is not None:
            return _in_utc(parsed if parsed.tzinfo else parsed.replace(tzinfo=cell_format.zone))
        if ":" in cell:
            template = "%(value)s is not a date with a time; write YYYY-MM-DDThh:mm:ss+hh:mm."
            raise UnreadableCell(template, _value(cell))
    return _in_utc(datetime.datetime.combine(day(cell, cell_format), datetime.time(), cell_format.zone))


def _in_utc(value: datetime.datetime) -> datetime.datetime:
    try:
        return value.astimezone(datetime.UTC)
    except OverflowError:
        raise UnreadableCell("This date is out of range.") from None


def uuid(cell: Any, cell_format: CellFormat) -> UUID:
    written = word(cell, cell_format)
    try:
        if len(written) == 36:
            return UUID(written)
    except ValueError:
        pass
    raise UnreadableCell("%(value)s is not a UUID.", _value(written))


def items(cell: Any, cell_format: CellFormat) -> list[str]:
    """A list of texts, separated by semicolons or line breaks."""
    parts = re.split(r"[;\n]", text(cell, cell_format))
    return [part.strip() for part in parts if part.strip()]


def uuids(cell: Any, cell_format: CellFormat) -> list[UUID]:
    return [uuid(item, cell_format) for item in items(cell, cell_format)]


def choice(*values: str) -> Reader:
    def read(cell: Any, cell_format: CellFormat) -> str:
        written = word(cell, cell_format).lower()
        if written not in values:
            params = _value(written) | {"choices": ", ".join(values)}
            raise UnreadableCell("%(value)s is none of: %(choices)s.", params)
        return written

    return read


def _value(written: str) -> dict[str, str]:
    """The cell, quoted and cut, as a parameter of a message."""
    return {"value": repr(written if len(written) <= 60 else f"{written[:60]}…")}
