"""CSV in the encodings and with the delimiters that spreadsheets write."""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, Any

from crm_project.imports.errors import UnreadableFile
from crm_project.imports.tables import CELL_LIMIT, ROW_LIMIT, Table, header_and_rows, labels_of, lines
from crm_project.imports.tables.encodings import guess_code_page

DELIMITERS = (",", ";", "\t", "|")
ENCODINGS = (
    "utf-8",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "cp1252",
    "iso-8859-1",
    "iso-8859-15",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1257",
    "iso-8859-2",
    "cp932",
    "gb18030",
    "big5",
    "cp949",
)
# UTF-32's byte order mark begins with UTF-16's, so it comes first.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
BLOCK = 1024 * 1024
SAMPLE = 64 * 1024
SAMPLE_ROWS = 50
# What every table has, in whichever code page.
TABLE = re.compile(rb"[A-Za-z0-9,;\t\r\n]")


def sniff_encoding(file: IO[bytes], language: str = "") -> str:
    """By the byte order mark, else UTF-8 if it can be decoded, else the code page that the letters suggest."""
    file.seek(0)
    start = file.read(SAMPLE)
    for mark, encoding in BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return encoding
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if len(start) > 3 and max(even, odd) > len(start) / 5:
        return "utf-16-be" if even > odd else "utf-16-le"
    if _decodes(file, "utf-8"):
        return "utf-8"
    if not TABLE.search(start):
        raise UnreadableFile(
            "This is not a text file: it is neither in UTF-8 or UTF-16 nor in a Windows encoding."
        )
    guess = guess_code_page(start, language)
    # A letter far below that the page lacks: every byte is some letter of this one.
    return guess if _decodes(file, guess) else "iso-8859-1"


def _decodes(file: IO[bytes], encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    try:
        while block := file.read(BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def text_of(file: IO[bytes], encoding: str) -> io.TextIOWrapper:
    """The file as text from its start, without the byte order mark; the wrapper must be detached, not closed."""
    file.seek(0)
    return io.TextIOWrapper(file, encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="")


def sniff_delimiter(file: IO[bytes], encoding: str) -> str:
    """The delimiter that splits most of the first rows into the same number of columns, more than one."""
    sample = read_sample(file, encoding)
    if sample[:4].lower() == "sep=" and sample[4:5] in DELIMITERS:
        return sample[4]
    scores = {delimiter: _consistency(sample, delimiter) for delimiter in DELIMITERS}
    return max(DELIMITERS, key=lambda delimiter: scores[delimiter])


def read_sample(file: IO[bytes], encoding: str) -> str:
    """The first SAMPLE characters."""
    text = text_of(file, encoding)
    try:
        return text.read(SAMPLE)
    except UnicodeError:
        raise _wrong_encoding(encoding) from None
    finally:
        text.detach()


def _consistency(sample: str, delimiter: str) -> tuple[float, int]:
    try:
        rows = list(islice(_reader(io.StringIO(sample, newline=""), delimiter), SAMPLE_ROWS))
    except csv.Error:
        return 0.0, 0
    widths = [len(row) for row in rows if row]
    if not widths or widths[0] < 2:
        return 0.0, 0
    return sum(width == widths[0] for width in widths) / len(widths), widths[0]


def open_text(file: IO[bytes], *, encoding: str, delimiter: str) -> Table:
    rows = _rows(file, encoding, delimiter)
    found = header_and_rows(rows)
    if found is None:
        raise UnreadableFile("The file is empty.")
    header, rest = found
    if any("\x00" in cell for cell in header):
        raise UnreadableFile("This is not a text file: its first row has NUL characters.")
    return Table(labels_of(header), lines(rest))


def _reader(lines: Iterable[str], delimiter: str) -> Any:
    """A CSV reader with our limit of a cell's size. The limit belongs to the process: the csv module has no other."""
    csv.field_size_limit(CELL_LIMIT)
    return csv.reader(lines, delimiter=delimiter)


def _rows(file: IO[bytes], encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with its first line: a quoted cell may have several lines."""
    text = text_of(file, encoding)
    bounded = _BoundedLines(text)
    reader = _reader(bounded, delimiter)
    first_line = 1
    try:
        for cells in reader:
            bounded.first_line, bounded.room = reader.line_num + 1, ROW_LIMIT
            if not (first_line == 1 and len(cells) <= 2 and delimiter.join(cells).lower().startswith("sep=")):
                yield first_line, cells
            first_line = reader.line_num + 1
    except csv.Error as error:
        raise _unreadable_row(error, first_line) from None
    except UnicodeError:
        raise _wrong_encoding(encoding, first_line) from None
    finally:
        text.detach()


class _BoundedLines:
    """The lines of a text; raises UnreadableFile if the lines of one row exceed ROW_LIMIT together."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.text, self.first_line, self.room = text, 1, ROW_LIMIT

    def __iter__(self) -> Iterator[str]:
        while line := self.text.readline(self.room + 1):
            self.room -= len(line)
            if self.room < 0:
                params = {"line": self.first_line, "limit": f"{ROW_LIMIT:,}"}
                raise UnreadableFile(
                    "The row at line %(line)s has more than %(limit)s characters. Is this a table?", params
                )
            yield line


def _unreadable_row(error: csv.Error, line: int) -> UnreadableFile:
    if "field larger than" in str(error):
        return UnreadableFile(
            "A cell of the row at line %(line)s has more than %(limit)s characters. Is a quotation mark missing?",
            {"line": line, "limit": f"{CELL_LIMIT:,}"},
        )
    return UnreadableFile(
        "The row at line %(line)s cannot be read: %(reason)s.", {"line": line, "reason": error}
    )


def _wrong_encoding(encoding: str, line: int | None = None) -> UnreadableFile:
    if line is None:
        return UnreadableFile(
            "The file is not in the encoding %(encoding)s. Choose another.", {"encoding": encoding}
        )
    return UnreadableFile(
        "The file is not in the encoding %(encoding)s from line %(line)s on. Choose another.",
        {"encoding": encoding, "line": line},
    )
