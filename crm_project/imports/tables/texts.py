"""CSV in the encodings and with the delimiters that spreadsheets write."""

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import islice
from typing import IO

from crm_project.imports.errors import UnreadableFile
from crm_project.imports.tables import CELL_LIMIT, ROW_LIMIT, Table, labels_of, lines

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
)
# UTF-32's mark begins like UTF-16's, so it is looked for first.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Whose letters are Windows-1250's; where nothing else tells, the text is taken for the organization's own.
CENTRAL_EUROPEAN = frozenset("pl cs sk hu sl hr ro bs sq".split())
BLOCK = 1024 * 1024
SAMPLE = 64 * 1024
SAMPLE_ROWS = 50

# The limit is the process's; a cell above it ends the reading with a sentence instead of filling the memory.
csv.field_size_limit(CELL_LIMIT)


def sniff_encoding(file: IO[bytes], language: str = "") -> str:
    """By its mark, else UTF-8 if all of it is, else what Windows writes in this language; anything else is no text."""
    file.seek(0)
    start = file.read(SAMPLE)
    for mark, encoding in MARKS:
        if start.startswith(mark):
            return encoding
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if len(start) > 3 and max(even, odd) > len(start) / 5:
        return "utf-16-be" if even > odd else "utf-16-le"
    windows = "cp1250" if language[:2].lower() in CENTRAL_EUROPEAN else "cp1252"
    for encoding in ("utf-8", windows):
        if _decodes(file, encoding):
            return encoding
    raise UnreadableFile("The file is no text: neither UTF-8 nor UTF-16 nor what Windows writes.")


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
    """The file as text from its start, without its mark; the wrapper must be detached, not closed."""
    file.seek(0)
    return io.TextIOWrapper(file, encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="")


def sniff_delimiter(file: IO[bytes], encoding: str) -> str:
    """The one that cuts the first rows into the same number of columns, and into more than one."""
    sample = read_sample(file, encoding)
    if sample[:4].lower() == "sep=" and sample[4:5] in DELIMITERS:
        return sample[4]
    scores = {delimiter: _consistency(sample, delimiter) for delimiter in DELIMITERS}
    return max(DELIMITERS, key=lambda delimiter: scores[delimiter])


def read_sample(file: IO[bytes], encoding: str) -> str:
    """The beginning of the text."""
    text = text_of(file, encoding)
    try:
        return text.read(SAMPLE)
    except UnicodeError:
        raise _wrong_encoding(encoding) from None
    finally:
        text.detach()


def _consistency(sample: str, delimiter: str) -> tuple[float, int]:
    try:
        rows = list(islice(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter), SAMPLE_ROWS))
    except csv.Error:
        return 0.0, 0
    widths = [len(row) for row in rows if row]
    if not widths or widths[0] < 2:
        return 0.0, 0
    return sum(width == widths[0] for width in widths) / len(widths), widths[0]


def open_text(file: IO[bytes], *, encoding: str, delimiter: str) -> Table:
    rows = _rows(file, encoding, delimiter)
    header = next(((number, cells) for number, cells in rows if any(cells)), None)
    if header is None:
        raise UnreadableFile("The file is empty.")
    if any("\x00" in cell for cell in header[1]):
        raise UnreadableFile("The file is no text: its first row holds NUL characters.")
    return Table(labels_of(header[1]), lines(rows))


def _rows(file: IO[bytes], encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it begins at: a quoted cell may run over several lines."""
    text = text_of(file, encoding)
    bounded = _Bounded(text)
    reader = csv.reader(bounded, delimiter=delimiter)
    begun = 1
    try:
        for cells in reader:
            bounded.begun, bounded.room = reader.line_num + 1, ROW_LIMIT
            if not (begun == 1 and len(cells) <= 2 and delimiter.join(cells).lower().startswith("sep=")):
                yield begun, cells
            begun = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFile(_sentence(error, begun)) from None
    except UnicodeError:
        raise _wrong_encoding(encoding, begun) from None
    finally:
        text.detach()


class _Bounded:
    """The lines of a text, as long as those of one row together are no longer than a row may be."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.text, self.begun, self.room = text, 1, ROW_LIMIT

    def __iter__(self) -> Iterator[str]:
        while line := self.text.readline(self.room + 1):
            self.room -= len(line)
            if self.room < 0:
                limit = f"{ROW_LIMIT:,} characters"
                raise UnreadableFile(f"The row at line {self.begun} has more than {limit}; is this a table?")
            yield line


def _sentence(error: csv.Error, line: int) -> str:
    if "field larger than" in str(error):
        limit = f"{CELL_LIMIT:,} characters"
        return f"A cell of the row at line {line} has more than {limit}; is a quotation mark not closed?"
    return f"The row at line {line} cannot be read: {error}."


def _wrong_encoding(encoding: str, line: int | None = None) -> UnreadableFile:
    place = f" from line {line} on" if line else ""
    return UnreadableFile(f"The file is not in the encoding {encoding}{place}; choose another.")
