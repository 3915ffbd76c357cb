"""Streamed exports in CSV or XLSX, with cells that a spreadsheet does not run as formulas."""

import csv
import datetime
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from itertools import chain, islice
from typing import Any, TypeVar
from uuid import UUID
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from django.http import StreamingHttpResponse

from crm_project.batches import in_batches
from crm_project.imports.cells import CUT, DANGEROUS, safe
from crm_project.imports.fields import CELLS, ExportRow, ImportField, cell_of, is_figure
from crm_project.imports.kinds.base import ImportKind
from crm_project.imports.layouts import PLAIN, Layout
from crm_project.imports.mapping import headers_of
from crm_project.imports.models import Export
from crm_project.imports.tables import letters

T = TypeVar("T")
Cells = Sequence[Any]
CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BLOCK = 1_000
# The characters of one piece of a file.
PIECE = 256 * 1024

# Limits of Excel, and its first date. Dates before March 1900 are text: Excel counts a 29 February 1900.
CELL_LIMIT = 32_767
FIRST_DAY = datetime.date(1899, 12, 30)
FIRST_INSTANT = datetime.datetime(1899, 12, 30)
DATES_FROM = datetime.date(1900, 3, 1)
EXACT_DIGITS = 15
DAY = datetime.timedelta(days=1)
NUMBERS = frozenset([int, float, Decimal])
# What writes the values whose texts are never formulas, and need no escape.
FIGURES: dict[type, Callable[[Any], str]] = {
    type_: CELLS[type_] for type_ in (bool, int, float, Decimal, datetime.date, datetime.datetime, UUID)
}
# The formats of cells in `STYLED`, by their place.
INSTANT, AMOUNT, THOUSANDTHS, HEADER = 2, 3, 4, 5
UNPRINTABLE = re.compile(r"_x[0-9A-Fa-f]{4}_|[\x00-\x08\x0b\x0c\x0e-\x1f\r\ufffe\uffff]")
# Signs at the ends of a text that XML drops unless they are marked.
BLANKS = frozenset(" \t\n")
# Any sign that a cell of a sheet has to escape, or the beginning of one.
SPECIAL = re.compile(r"[&<>_\x00-\x08\x0b\x0c\x0e-\x1f\r\ufffe\uffff]")


def table_of(
    kind: ImportKind[Any], rows: Iterable[dict[str, Any]], layout: Layout = PLAIN
) -> Iterator[Cells]:
    """The header, then the values of each row of `kind.for_export`."""
    header = dict(zip(kind.by_key, headers_of(kind.fields, layout.language), strict=True))
    exported = [field for field in kind.fields if field.show is not None]
    if layout.columns:
        by_key = {field.key: field for field in exported}
        exported = [by_key[key] for key in layout.columns if key in by_key]
    yield [header[field.key] for field in exported]
    values_of = [field.value_of if layout.is_plain else _value_of(field) for field in exported]
    for block in blocks(rows):
        kind.complete(block)
        for row in block:
            yield [value_of(row) for value_of in values_of]


def _value_of(field: ImportField) -> Callable[[ExportRow], Any]:
    """The value as a spreadsheet knows it: the day of a custom field is stored as a text."""
    value_of = field.value_of
    if not field.is_stored_day:
        return value_of

    def day_of(row: ExportRow) -> Any:
        value = value_of(row)
        return datetime.date.fromisoformat(value) if value else value

    return day_of


def text_of(value: Any, *, raw: bool) -> str:
    """The text of a value; formulas are quoted unless `raw`."""
    text = cell_of(value)
    return text if raw or is_figure(value) else safe(text)


def csv_stream(table: Iterable[Cells], *, raw: bool = False, layout: Layout = PLAIN) -> Iterator[bytes]:
    """CSV in UTF-8, with a byte order mark for Excel unless `raw`."""
    if not raw:
        yield b"\xef\xbb\xbf"
    yield from pieces(_csv_lines(table, raw, layout))


def _csv_lines(table: Iterable[Cells], raw: bool, layout: Layout) -> Iterator[str]:
    quoted = frozenset() if raw else DANGEROUS
    line_of = csv.writer(_Echo(), delimiter=layout.delimiter).writerow
    writer_of = _csv_writers(layout).get
    write = partial(text_of, raw=raw)
    for cells in table:
        # Most cells of an export are empty or texts: those need no call.
        yield line_of(
            [
                value
                if value is None or (type(value) is str and value[:1] not in quoted)
                else writer_of(type(value), write)(value)
                for value in cells
            ]
        )


def _csv_writers(layout: Layout) -> dict[type, Callable[[Any], str]]:
    """What writes the values of this file whose texts are never formulas, by their types."""
    if layout.is_plain:
        return FIGURES
    zone, decimal = ZoneInfo(layout.zone), layout.decimal

    def number(value: Any) -> str:
        return cell_of(value).replace(".", decimal)

    return FIGURES | {
        Decimal: number,
        float: number,
        datetime.datetime: lambda value: _wall_clock(value, zone).isoformat(" "),
    }


def _wall_clock(value: datetime.datetime, zone: datetime.tzinfo) -> datetime.datetime:
    """The time in the zone, in whole seconds: what a spreadsheet takes for a time."""
    return value.astimezone(zone).replace(microsecond=0, tzinfo=None)


class _Echo:
    """A file for `csv.writer`, whose `writerow` returns what `write` returns."""

    def write(self, line: str) -> str:
        return line


def pieces(lines: Iterable[str]) -> Iterator[bytes]:
    """The lines in pieces of about PIECE characters: a thousand rows of long texts would be large."""
    waiting: list[str] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= PIECE:
            yield "".join(waiting).encode("utf-8")
            waiting, size = [], 0
    yield "".join(waiting).encode("utf-8")


def blocks(rows: Iterable[T]) -> Iterator[list[T]]:
    rows = iter(rows)
    while block := list(islice(rows, BLOCK)):
        yield block


class _Outbox(io.RawIOBase):
    """An unseekable file for `zipfile`; `take` returns and clears what was written."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        pieces, self.pieces = self.pieces, []
        return b"".join(pieces)


def xlsx_stream(table: Iterable[Cells], *, raw: bool = False, layout: Layout = PLAIN) -> Iterator[bytes]:
    """XLSX with one sheet, in constant memory."""
    outbox = _Outbox()
    with zipfile.ZipFile(outbox, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        for name, content in (PARTS if layout.is_plain else PARTS | STYLED).items():
            archive.writestr(name, content)
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            rows = _Rows(table, raw, layout)
            sheet.write((SHEET_HEAD if layout.is_plain else STYLED_HEAD).encode())
            for piece in pieces(rows):
                sheet.write(piece)
                yield outbox.take()
            sheet.write(f"</sheetData>{rows.filter}</worksheet>".encode())
    yield outbox.take()


class _Rows:
    """The rows of a sheet, and the filter over those that were written."""

    def __init__(self, table: Iterable[Cells], raw: bool, layout: Layout) -> None:
        self.table, self.raw, self.layout = table, raw, layout
        self.last_cell = ""

    def __iter__(self) -> Iterator[str]:
        raw, formatted = self.raw, None if self.layout.is_plain else _formatted(ZoneInfo(self.layout.zone))
        columns: list[str] = []
        for number, cells in enumerate(self.table, 1):
            columns = columns or [letters(place) for place in range(len(cells))]
            inside = [
                _cell(f"{column}{number}", value, raw, formatted)
                for column, value in zip(columns, cells, strict=True)
                if value is not None and value != ""
            ]
            if number == 1 and formatted:
                inside = [cell.replace(" t=", f' s="{HEADER}" t=', 1) for cell in inside]
            self.last_cell = f"{columns[-1]}{number}"
            yield f'<row r="{number}">{"".join(inside)}</row>'

    @property
    def filter(self) -> str:
        return "" if self.layout.is_plain else f'<autoFilter ref="A1:{self.last_cell}"/>'


Formatted = Callable[[str, Any], str | None]


def _formatted(zone: datetime.tzinfo) -> Formatted:
    """What writes the cells that have a format of their own: instants and amounts."""

    def cell(place: str, value: Any) -> str | None:
        if isinstance(value, datetime.datetime):
            at = _wall_clock(value, zone)
            if at.date() >= DATES_FROM:
                return f'<c r="{place}" s="{INSTANT}"><v>{(at - FIRST_INSTANT) / DAY!r}</v></c>'
        elif isinstance(value, Decimal) and _is_exact(text := cell_of(value)):
            return f'<c r="{place}" s="{_amount_style(value)}"><v>{text}</v></c>'
        return None

    return cell


def _amount_style(value: Decimal) -> int:
    """Two decimals, or three where the currency has them; without groups, which not every spreadsheet reads again."""
    return THOUSANDTHS if value.as_tuple().exponent == -3 else AMOUNT


def _cell(place: str, value: Any, raw: bool, formatted: Formatted | None) -> str:
    if type(value) is str:
        text = value if raw or value[:1] not in DANGEROUS else safe(value)
    elif isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    elif type(value) is datetime.date and value >= DATES_FROM:
        return f'<c r="{place}" s="1"><v>{(value - FIRST_DAY).days}</v></c>'
    elif formatted and (cell := formatted(place, value)):
        return cell
    elif write := FIGURES.get(type(value)):
        text = write(value)
        if type(value) in NUMBERS and _is_exact(text):
            return f'<c r="{place}"><v>{text}</v></c>'
        return _text(place, text)
    else:
        text = text_of(value, raw=raw)
    if not text:
        return ""
    if len(text) > CELL_LIMIT:
        text = text[: CELL_LIMIT - len(CUT)] + CUT
    if SPECIAL.search(text):
        text = escape(UNPRINTABLE.sub(_escaped, text))
    if text[0] in BLANKS or text[-1] in BLANKS or "\n" in text:
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    return _text(place, text)


def _text(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def _is_exact(number: str) -> bool:
    """Whether a spreadsheet, which stores numbers as doubles, keeps all digits."""
    return len(number) <= EXACT_DIGITS or len(number.replace(".", "").lstrip("-0")) <= EXACT_DIGITS


def _escaped(match: re.Match[str]) -> str:
    """Excel's escape of characters that XML lacks; a text that looks like such an escape is escaped too."""
    found = match[0]
    return f"_x{ord(found):04X}_" if len(found) == 1 else f"_x005F{found}"


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
SHEET_HEAD = (
    f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
)
PARTS = {
    "[Content_Types].xml": f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>',
    "_rels/.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}">'
    '<sheets><sheet name="Export" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_DOCUMENT}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'{_HEAD}<styleSheet xmlns="{_MAIN}"><numFmts count="1">'
    '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf/><xf numFmtId="164" applyNumberFormat="1"/></cellXfs></styleSheet>',
}
STYLED_HEAD = SHEET_HEAD.replace(
    # Spreadsheets write dates that do not fit their column as ####.
    "<sheetData>",
    '<sheetFormatPr defaultColWidth="17" defaultRowHeight="15"/><sheetData>',
)
STYLED = {
    "xl/styles.xml": f'{_HEAD}<styleSheet xmlns="{_MAIN}"><numFmts count="3">'
    '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm"/>'
    '<numFmt numFmtId="166" formatCode="0.000"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="6"><xf/><xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="165" applyNumberFormat="1"/>'
    '<xf numFmtId="2" applyNumberFormat="1"/><xf numFmtId="166" applyNumberFormat="1"/>'
    '<xf fontId="1" applyFont="1"/></cellXfs></styleSheet>',
}
STREAMS = {"csv": (csv_stream, CSV), "xlsx": (xlsx_stream, XLSX)}


def export_file(export: Export) -> StreamingHttpResponse:
    """The stored file of an export."""
    blocks = (bytes(chunk.data) for (chunk,) in in_batches(export.chunks.order_by("number"), 1))
    return file_response(blocks, export.file_name, STREAMS[export.format][1])


def file_response(stream: Iterator[bytes], name: str, media_type: str) -> StreamingHttpResponse:
    """A download. The first block is made before the response begins, so that an error is still answered as one."""
    first = next(stream, b"")
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return StreamingHttpResponse(chain([first], stream), content_type=media_type, headers=headers)
