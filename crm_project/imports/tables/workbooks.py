"""XLSX, read row by row after a check of the archive: an XLSX is a ZIP of XML, and both can expand without limit."""

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import IO, Any

import openpyxl
from openpyxl.xml import DEFUSEDXML

from crm_project.imports.errors import UnreadableFile
from crm_project.imports.tables import MAX_COLUMNS, ROW_LIMIT, Table, header_and_rows, labels_of, lines

# Sheets are streamed, shared strings are a list in memory, and all other parts are small trees.
SHEET_LIMIT = 512 * 1024 * 1024
TEXTS_LIMIT = 64 * 1024 * 1024
PART_LIMIT = 4 * 1024 * 1024
# The part of a sheet after its rows: links, merged cells, formats.
REST_LIMIT = 16 * 1024 * 1024
PARTS = 2_000
# Deflate reaches a ratio of 1,000; a sheet of equal rows stays far below this limit.
RATIO = 200
SMALL = 1024 * 1024
BLOCK = 256 * 1024
LAST_ROW = 1_048_576
# Rows beyond MAX_COLUMNS: each costs as much as thirty others.
WIDE_ROWS = 1_000
DECLARATIONS = re.compile("|".join(["<!DOCTYPE", "<!ENTITY"]).encode())
ROWS = re.compile(rb"</?(\w+:)?(row|si)\b")
REST = re.compile(rb"/(\w+:)?sheetData\b|sheetData\s*/")
READ_PARTS = re.compile(r"(\[content_types\]\.xml|.*\.(xml|rels))", re.IGNORECASE)
ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")

if not DEFUSEDXML:  # pragma: no cover
    raise ImportError("defusedxml is needed beside openpyxl")


def check_archive(file: IO[bytes]) -> None:
    """Refuse an archive that expands beyond the limits or declares XML entities; its own metadata is not trusted."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            if len(parts) > PARTS:
                raise UnreadableFile("This is not a spreadsheet: the archive has too many parts.")
            _check_kind({part.filename for part in parts})
            for part in parts:
                _check_size(part)
            for part in parts:
                if READ_PARTS.fullmatch(part.filename):
                    _check_part(archive, part)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError):
        raise UnreadableFile("The file is damaged: it cannot be unpacked.") from None


def _check_kind(names: set[str]) -> None:
    """Refuse other formats that are ZIP archives."""
    if "content.xml" in names:
        raise UnreadableFile("This is an OpenDocument file. Save it as XLSX or CSV.")
    if "xl/workbook.bin" in names:
        raise UnreadableFile("This is a binary workbook (XLSB). Save it as XLSX or CSV.")
    if "[Content_Types].xml" not in names:
        raise UnreadableFile(
            "This is a ZIP archive, not a spreadsheet. Unpack it; only CSV and XLSX can be imported."
        )


def _check_size(part: zipfile.ZipInfo) -> None:
    limit = PART_LIMIT
    if "/worksheets/" in part.filename:
        limit = SHEET_LIMIT
    elif part.filename.endswith("sharedStrings.xml"):
        limit = TEXTS_LIMIT
    read = READ_PARTS.fullmatch(part.filename)
    expands = part.file_size > SMALL and part.file_size > RATIO * max(part.compress_size, 1)
    if read and (part.file_size > limit or expands):
        raise UnreadableFile("The spreadsheet is too large when it is unpacked. Save it as CSV.")


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Unpack a part once: zipfile raises BadZipFile for a wrong size or checksum."""
    tail, gap, limit = b"", 0, ROW_LIMIT
    with archive.open(part) as content:
        while block := content.read(BLOCK):
            # UTF-16 has a NUL beside each ASCII letter.
            plain = (tail + block).replace(b"\x00", b"")
            if DECLARATIONS.search(plain):
                raise UnreadableFile("The spreadsheet declares XML entities, which are not allowed.")
            tail = plain[-16:]
            limit = REST_LIMIT if REST.search(plain) else limit
            gap = len(block) if ROWS.search(plain) else gap + len(block)
            if gap > limit:
                raise UnreadableFile("The spreadsheet has a row that is too large.")


def open_workbook(file: IO[bytes], *, sheet: str = "") -> Table:
    """The table in the sheet of this name; without a name, in the first sheet with rows, visible ones first."""
    check_archive(file)
    file.seek(0)
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except Exception as error:
        # Any exception of the library is caused by the file.
        raise UnreadableFile("The spreadsheet cannot be read: %(reason)s.", _reason(error)) from None
    sheets = [worksheet for worksheet in book.worksheets if hasattr(worksheet, "iter_rows")]
    if not sheets:
        raise UnreadableFile("The workbook has no sheet.")
    sheets.sort(key=lambda worksheet: worksheet.sheet_state != "visible")
    candidates = [_chosen(sheets, sheet)] if sheet else sheets
    found = next(filter(None, (header_and_rows(_rows(worksheet)) for worksheet in candidates)), None)
    if found is None:
        raise UnreadableFile("The sheet %(sheet)r is empty.", {"sheet": candidates[0].title})
    header, rest = found
    return Table(labels_of(header), lines(rest), sheets=[worksheet.title for worksheet in sheets])


def _chosen(sheets: Sequence[Any], name: str) -> Any:
    for sheet in sheets:
        if sheet.title == name:
            return sheet
    params = {"name": name, "titles": ", ".join(repr(sheet.title) for sheet in sheets[:20])}
    raise UnreadableFile("The workbook has no sheet %(name)r. Its sheets: %(titles)s.", params)


def _rows(sheet: Any) -> Iterator[tuple[int, Sequence[Any]]]:
    # The dimensions in the file are not trusted: they may be absent or wrong.
    sheet.reset_dimensions()
    number = wide_rows = 0
    try:
        for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
            # openpyxl fills gaps: rows that are absent, and a row up to its last cell.
            wide_rows += len(row) > MAX_COLUMNS
            if number > LAST_ROW or wide_rows > WIDE_ROWS:
                raise UnreadableFile("The sheet is larger than a sheet can be.")
            yield number, _cells(row, number)
    except UnreadableFile:
        raise
    except Exception as error:
        params = {"row": number, **_reason(error)}
        raise UnreadableFile("The sheet cannot be read after row %(row)s: %(reason)s.", params) from None


def _cells(row: Sequence[Any], number: int) -> list[Any]:
    if any(cell not in (None, "") for cell in row[MAX_COLUMNS:]):
        params = {"row": number, "limit": MAX_COLUMNS}
        raise UnreadableFile("Row %(row)s has a cell beyond column %(limit)s, which is the limit.", params)
    return [_plain(cell) for cell in row[:MAX_COLUMNS]]


def _plain(cell: Any) -> Any:
    """The text with its escapes resolved: Excel writes characters that XML lacks as `_x000D_`."""
    if isinstance(cell, str) and "_x" in cell:
        return ESCAPE.sub(lambda match: chr(int(match[1], 16)), cell)
    return cell


def _reason(error: Exception) -> dict[str, str]:
    return {"reason": " ".join(str(error).split())[:200] or type(error).__name__}
