"""XLSX, row by row, once the archive has been found harmless: an XLSX is a ZIP of XML, and both can explode."""

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import IO, Any

import openpyxl
from openpyxl.xml import DEFUSEDXML

from crm_project.imports.errors import UnreadableFile
from crm_project.imports.tables import MAX_COLUMNS, ROW_LIMIT, Table, labels_of, lines

# Sheets are read as a stream, shared texts are kept as a list, and everything else is a small tree.
SHEET_LIMIT = 512 * 1024 * 1024
TEXTS_LIMIT = 64 * 1024 * 1024
PART_LIMIT = 4 * 1024 * 1024
# What may stand behind a sheet's rows: links, merged cells, formats.
REST_LIMIT = 16 * 1024 * 1024
PARTS = 2_000
# Deflate reaches 1,000; a sheet of equal rows stays far below this.
RATIO = 200
SMALL = 1024 * 1024
BLOCK = 256 * 1024
LAST_ROW = 1_048_576
# A row that is formatted to the sheet's end costs as much as thirty others.
WIDE_ROWS = 1_000
DECLARATIONS = re.compile("|".join(["<!DOCTYPE", "<!ENTITY"]).encode())
ROWS = re.compile(rb"</?(\w+:)?(row|si)\b")
REST = re.compile(rb"/(\w+:)?sheetData\b|sheetData\s*/")
READ_PARTS = re.compile(r"(\[content_types\]\.xml|.*\.(xml|rels))", re.IGNORECASE)
ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")

if not DEFUSEDXML:  # pragma: no cover
    raise ImportError("defusedxml is needed beside openpyxl")


def check_archive(file: IO[bytes]) -> None:
    """Refuse an archive that grows beyond reason, or whose XML declares entities; what it claims is not believed."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            if len(parts) > PARTS:
                raise UnreadableFile("This is no spreadsheet: the archive has too many parts.")
            _check_kind({part.filename for part in parts})
            for part in parts:
                _check_size(part)
            for part in parts:
                if READ_PARTS.fullmatch(part.filename):
                    _check_part(archive, part)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError):
        raise UnreadableFile(
            "The file is damaged: it begins as a spreadsheet and cannot be unpacked."
        ) from None


def _check_kind(names: set[str]) -> None:
    """Other things are zipped, too."""
    if "content.xml" in names:
        raise UnreadableFile("This is an OpenDocument file. Save it as XLSX or CSV.")
    if "xl/workbook.bin" in names:
        raise UnreadableFile("This is a binary workbook (XLSB). Save it as XLSX or CSV.")
    if "[Content_Types].xml" not in names:
        raise UnreadableFile(
            "This is a ZIP archive and no spreadsheet. Unpack it first; CSV and XLSX are read."
        )


def _check_size(part: zipfile.ZipInfo) -> None:
    limit = PART_LIMIT
    if "/worksheets/" in part.filename:
        limit = SHEET_LIMIT
    elif part.filename.endswith("sharedStrings.xml"):
        limit = TEXTS_LIMIT
    read = READ_PARTS.fullmatch(part.filename)
    swollen = part.file_size > SMALL and part.file_size > RATIO * max(part.compress_size, 1)
    if read and (part.file_size > limit or swollen):
        raise UnreadableFile("The spreadsheet grows too large when it is unpacked; save it as CSV.")


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Unpack it once: more than it claims to be, or another checksum, is an error of the archive."""
    tail, gap, limit = b"", 0, ROW_LIMIT
    with archive.open(part) as content:
        while block := content.read(BLOCK):
            # A text in UTF-16 has a NUL beside each letter.
            plain = (tail + block).replace(b"\x00", b"")
            if DECLARATIONS.search(plain):
                raise UnreadableFile("The spreadsheet declares XML entities, which no spreadsheet needs.")
            tail = plain[-16:]
            limit = REST_LIMIT if REST.search(plain) else limit
            gap = len(block) if ROWS.search(plain) else gap + len(block)
            if gap > limit:
                raise UnreadableFile("The spreadsheet has a row that is too large to be one of a table.")


def open_workbook(file: IO[bytes], *, sheet: str = "") -> Table:
    """The table in the sheet of this name, or, if it names none, in the first that can be seen."""
    check_archive(file)
    file.seek(0)
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except Exception as error:
        # Whatever the library stumbles over in a file from outside is a fault of the file.
        raise UnreadableFile(f"The spreadsheet cannot be read: {_reason(error)}.") from None
    sheets = [found for found in book.worksheets if hasattr(found, "iter_rows")]
    if not sheets:
        raise UnreadableFile("The workbook has no sheet.")
    chosen = _chosen(sheets, sheet)
    rows = _rows(chosen)
    header = next(
        ((number, cells) for number, cells in rows if any(cell not in (None, "") for cell in cells)), None
    )
    if header is None:
        raise UnreadableFile(f"The sheet {chosen.title!r} is empty.")
    return Table(labels_of(header[1]), lines(rows))


def _chosen(sheets: Sequence[Any], name: str) -> Any:
    if not name:
        return next((sheet for sheet in sheets if sheet.sheet_state == "visible"), sheets[0])
    for sheet in sheets:
        if sheet.title == name:
            return sheet
    known = ", ".join(repr(sheet.title) for sheet in sheets[:20])
    raise UnreadableFile(f"The workbook has no sheet {name!r}. Its sheets: {known}.")


def _rows(sheet: Any) -> Iterator[tuple[int, Sequence[Any]]]:
    # A sheet's own word on its size is not believed: it may be absent, or absurd.
    sheet.reset_dimensions()
    number = wide_rows = 0
    try:
        for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
            # Rows that are left out are counted one by one, and a row is as wide as its last cell says.
            wide_rows += len(row) > MAX_COLUMNS
            if number > LAST_ROW or wide_rows > WIDE_ROWS:
                raise UnreadableFile("The sheet claims to be larger than a sheet can be.")
            yield number, _cells(row, number)
    except UnreadableFile:
        raise
    except Exception as error:
        raise UnreadableFile(f"The sheet cannot be read after row {number}: {_reason(error)}.") from None


def _cells(row: Sequence[Any], number: int) -> list[Any]:
    if any(cell not in (None, "") for cell in row[MAX_COLUMNS:]):
        raise UnreadableFile(f"Row {number} has a cell beyond column {MAX_COLUMNS}; so many are not read.")
    return [_plain(cell) for cell in row[:MAX_COLUMNS]]


def _plain(cell: Any) -> Any:
    """Excel writes characters that XML has not as `_x000D_`."""
    if isinstance(cell, str) and "_x" in cell:
        return ESCAPE.sub(lambda match: chr(int(match[1], 16)), cell)
    return cell


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
