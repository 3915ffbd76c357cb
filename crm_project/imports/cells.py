"""Readers of cells: text, numbers, dates and choices in the notations of several countries. Nothing is guessed."""

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_noop

from crm_project.imports.errors import UnreadableCell
from crm_project.imports.people import Several, addresses, people, phones
from crm_project.readers import quoted
from crm_project.readers.days import Moment, from_serial, read_moment
from crm_project.readers.figures import Figure, read_figure

# Text that a spreadsheet would run as a formula. A quote before it marks it as text, in imports and in exports.
# Spreadsheets of some languages take the full-width and small forms of the signs for the signs.
SIGNS = "=+-@\t\r\n\x00\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
FORMULA = re.compile(f"'*[{re.escape(SIGNS)}]")
DANGEROUS = frozenset(f"'{SIGNS}")
QUOTED = re.compile(f"'+[{re.escape(SIGNS)}]")
CUT = "… [cut by the export]"
SHORTENED = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]{1,3}", re.IGNORECASE)
NO_COMMA = gettext_noop("%(value)s is not a number with a decimal comma.")
NO_POINT = gettext_noop("%(value)s is not a number with a decimal point.")
NO_ORDER = {
    "ymd": gettext_noop("%(value)s is not a date in the order year-month-day."),
    "dmy": gettext_noop("%(value)s is not a date in the order day-month-year."),
    "mdy": gettext_noop("%(value)s is not a date in the order month-day-year."),
}
# Doubles are exact up to here.
EXACT = 2**53
YES = frozenset("true yes y 1 x on ja wahr oui vrai sí si sim verdadero vero tak prawda".split())
NO = frozenset("false no n 0 off nein falsch non faux nao não falso nie fałsz".split())


@dataclass(frozen=True)
class CellFormat:
    """How a column writes numbers and dates; empty where no cell of it can be read in two ways.

    `zone` is the time zone of times without an offset, `unit` what the numbers count: `cents`, or a `fraction` of one.
    `known` has cells that were read already, by field and text: many columns repeat few of them.
    """

    decimal: str = ""
    date_order: str = ""
    zone: datetime.tzinfo = datetime.UTC
    unit: str = ""
    known: dict[tuple[str, str], Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class Money:
    """An amount with the currencies that the cell names: none, one, or those of an ambiguous symbol."""

    amount: Decimal
    currencies: frozenset[str] = frozenset()
    unit: str = ""


Reader = Callable[[Any, CellFormat], Any]
PLAIN = CellFormat()


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


def email(cell: Any, cell_format: CellFormat) -> Several:
    return addresses(word(cell, cell_format))


def phone(cell: Any, cell_format: CellFormat) -> Several:
    return phones(word(cell, cell_format))


def person(cell: Any, cell_format: CellFormat) -> Several:
    return people(word(cell, cell_format))


def identifier(cell: Any, cell_format: CellFormat) -> str:
    """An id of another system. Spreadsheets shorten long numbers, which then no longer name a row."""
    written = word(cell, cell_format)
    if SHORTENED.fullmatch(written) or (isinstance(cell, float) and abs(cell) >= EXACT):
        raise UnreadableCell(
            "%(value)s was shortened by a spreadsheet. Export the file again, and keep this column as text.",
            {"value": quoted(written)},
        )
    return written


def identifiers(cell: Any, cell_format: CellFormat) -> list[str]:
    """Ids of other rows, separated by semicolons or line breaks."""
    if isinstance(cell, float):
        return [identifier(cell, cell_format)]
    return list(dict.fromkeys(identifier(item, cell_format) for item in items(cell, cell_format)))


def is_empty(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def refuse_cut(cell: Any) -> None:
    """An XLSX cell has at most 32,767 characters. A text that the export cut must not replace the complete one."""
    if isinstance(cell, str) and cell.endswith(CUT):
        raise UnreadableCell(
            "This text was cut by the export. Empty the cell, or import a CSV export instead."
        )


def number(cell: Any, cell_format: CellFormat) -> Decimal:
    return money(cell, cell_format).amount


def money(cell: Any, cell_format: CellFormat) -> Money:
    """The amount, and the currency if the cell has a symbol or a code."""
    if isinstance(cell, bool | datetime.date | datetime.time):
        raise UnreadableCell("This is not a number.")
    if isinstance(cell, int | float):
        # Numbers in a sheet are doubles: the shortest form of one is the number as typed.
        return Money(_in_units(_finite(Decimal(repr(cell))), cell_format))
    written = word(cell, cell_format)
    figure = read_figure(written)
    return Money(
        _in_units(_value(figure, written, cell_format.decimal), cell_format), figure.currencies, figure.unit
    )


def _value(figure: Figure, written: str, sign: str) -> Decimal:
    if not sign and len(set(figure.values.values())) > 1:
        raise UnreadableCell(
            "%(value)s can be read in two ways: say which one is meant.", {"value": quoted(written)}
        )
    value = figure.values.get(sign) if sign else next(iter(figure.values.values()))
    if value is None:
        raise UnreadableCell(NO_COMMA if sign == "," else NO_POINT, {"value": quoted(written)})
    return value


def _in_units(value: Decimal, cell_format: CellFormat) -> Decimal:
    return value / 100 if cell_format.unit == "cents" else value


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise UnreadableCell("This is not a number.")
    return value


def whole(cell: Any, cell_format: CellFormat) -> int:
    value = number(cell, cell_format)
    if value != value.to_integral_value():
        raise UnreadableCell("%(value)s is not a whole number.", {"value": f"{value:f}"})
    return int(value)


def percent(cell: Any, cell_format: CellFormat) -> int:
    """A whole number of percent, rounded half up. Below one percent a fraction of one is meant, which is refused."""
    bare = cell.strip().rstrip("%").rstrip() if isinstance(cell, str) else cell
    value = number(bare, cell_format)
    if cell_format.unit == "fraction" and bare == (cell.strip() if isinstance(cell, str) else cell):
        value *= 100
    elif 0 < value < 1:
        raise UnreadableCell(
            "%(value)s is below one percent; write 40 for 40 percent.", {"value": f"{value:f}"}
        )
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def boolean(cell: Any, cell_format: CellFormat) -> bool:
    if isinstance(cell, bool):
        return cell
    written = word(cell, cell_format).lower()
    if written in YES or written in NO:
        return written in YES
    raise UnreadableCell("%(value)s is neither yes nor no.", {"value": quoted(written)})


def day(cell: Any, cell_format: CellFormat) -> datetime.date:
    """The day as it is written; a time is left out."""
    if isinstance(cell, datetime.datetime):
        return cell.date()
    if isinstance(cell, datetime.date):
        return cell
    return _day(_moment(cell, cell_format), cell, cell_format)


def iso_day(cell: Any, cell_format: CellFormat) -> str:
    return day(cell, cell_format).isoformat()


def instant(cell: Any, cell_format: CellFormat) -> datetime.datetime:
    """With an offset, or in the time zone of the organization. A date without a time is its midnight."""
    if isinstance(cell, datetime.datetime):
        return cell if cell.tzinfo else cell.replace(tzinfo=cell_format.zone)
    if isinstance(cell, datetime.date):
        return _in_utc(datetime.datetime.combine(cell, datetime.time(), cell_format.zone))
    moment = _moment(cell, cell_format)
    time = moment.time or datetime.time()
    at = datetime.datetime.combine(_day(moment, cell, cell_format), time)
    return _in_utc(at if at.tzinfo else at.replace(tzinfo=cell_format.zone))


def _moment(cell: Any, cell_format: CellFormat) -> Moment:
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        # 20251231 as a number of a sheet is that day, too.
        return read_moment(str(cell)) if isinstance(cell, int) and cell > 10**7 else from_serial(cell)
    return read_moment(word(cell, cell_format))


def _day(moment: Moment, cell: Any, cell_format: CellFormat) -> datetime.date:
    order = cell_format.date_order
    if not order and len(set(moment.days.values())) > 1:
        params = {"value": quoted(str(cell))}
        raise UnreadableCell("%(value)s can be read in two ways: say which one is meant.", params)
    found = moment.days.get(order) if order else next(iter(moment.days.values()))
    if found is None:
        raise UnreadableCell(NO_ORDER[order], {"value": quoted(str(cell))})
    return found


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
    raise UnreadableCell("%(value)s is not a UUID.", {"value": quoted(written)})


def items(cell: Any, cell_format: CellFormat) -> list[str]:
    """A list of texts, separated by semicolons or line breaks."""
    parts = re.split(r"[;\n]", text(cell, cell_format))
    return [part.strip() for part in parts if part.strip()]


def some_of(options: Sequence[str]) -> Reader:
    """A list of options. Commas separate them, too, where the text between semicolons is none of them."""
    known = frozenset(options)

    def read(cell: Any, cell_format: CellFormat) -> list[str]:
        found = []
        for item in items(cell, cell_format):
            parts = [part.strip() for part in item.split(",") if part.strip()] if item not in known else []
            found += parts if parts and known.issuperset(parts) else [item]
        return list(dict.fromkeys(found))

    return read


def uuids(cell: Any, cell_format: CellFormat) -> list[UUID]:
    return [uuid(item, cell_format) for item in items(cell, cell_format)]


def choice(*values: str) -> Reader:
    def read(cell: Any, cell_format: CellFormat) -> str:
        written = word(cell, cell_format).lower()
        if written not in values:
            params = {"value": quoted(written), "choices": ", ".join(values)}
            raise UnreadableCell("%(value)s is none of: %(choices)s.", params)
        return written

    return read
