"""Uploaded tables: a header, then rows with their line numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

from django.conf import settings

from crm_project.imports.errors import UnreadableFile

MAX_COLUMNS = 500
# Rows of a title before the header, and the filled cells of a header below one.
TITLE_ROWS = 20
HEADER_CELLS = 3
# A description has at most 65,535 characters. A longer cell is an error of its row, up to this limit; then of the file.
CELL_LIMIT = 1_000_000
# A row is in memory as a whole with an object for each cell, so its length is limited too.
ROW_LIMIT = 4 * CELL_LIMIT


@dataclass(frozen=True)
class SourceLine:
    """One row of the file; `number` is its first line in the file, or its row in the sheet."""

    number: int
    cells: Sequence[Any]


@dataclass
class Table:
    """An open file: the labels of its columns, and an iterator of its rows."""

    labels: list[str]
    rows: Iterator[SourceLine]
    # Rows that the source writes and that are no data, as far as the file has been read.
    left_out: int = 0
    # The names of a workbook's sheets; the first one with rows is read if none is chosen.
    sheets: Sequence[str] = ()


@cache
def letters(index: int) -> str:
    """The column name in a spreadsheet: 0 → A, 26 → AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def labels_of(header: Sequence[Any]) -> list[str]:
    """A unique name for each column: an empty header gets the column's letter, a repeated one a number."""
    cells = [" ".join(str(cell).split()) if cell is not None else "" for cell in header]
    while cells and not cells[-1]:
        cells.pop()
    if not cells:
        raise UnreadableFile("The file has no header: its first row is empty.")
    if len(cells) > MAX_COLUMNS:
        params = {"columns": len(cells), "limit": MAX_COLUMNS}
        raise UnreadableFile("The file has %(columns)s columns; the limit is %(limit)s.", params)
    labels: list[str] = []
    for index, cell in enumerate(cells):
        name = cell.replace("\x00", "")[:200] or f"Column {letters(index)}"
        labels.append(_unused(name, labels))
    return labels


def _unused(name: str, taken: Sequence[str]) -> str:
    count = 1
    label = name
    while label in taken:
        count += 1
        label = f"{name} ({count})"
    return label


def header_and_rows(
    rows: Iterator[tuple[int, Sequence[Any]]],
) -> tuple[Sequence[Any], Iterator[tuple[int, Sequence[Any]]]] | None:
    """The header and the rows below it; None without a row that is not empty.

    A report begins with rows of its title: after a row with one filled cell, the header is the next one with several.
    """
    passed: list[tuple[int, Sequence[Any]]] = []
    for number, cells in rows:
        filled = sum(not (cell is None or cell == "") for cell in cells)
        if filled == 0:
            continue
        if filled >= (HEADER_CELLS if passed else 2):
            return cells, rows
        passed.append((number, cells))
        if len(passed) > TITLE_ROWS:
            break
    return (passed[0][1], chain(passed[1:], rows)) if passed else None


def leave_out_single_cells(table: "Table") -> None:
    """Leave out the rows with one filled cell, such as the last lines of a report; they are counted."""
    rows = table.rows

    def kept() -> Iterator[SourceLine]:
        for line in rows:
            if sum(not (cell is None or cell == "") for cell in line.cells) > 1:
                yield line
            else:
                table.left_out += 1

    table.rows = kept()


def lines(numbered: Iterator[tuple[int, Sequence[Any]]]) -> Iterator[SourceLine]:
    """The rows that are not empty; raises UnreadableFile beyond IMPORT_MAX_ROWS."""
    count = 0
    for number, cells in numbered:
        if all(cell is None or cell == "" for cell in cells):
            continue
        count += 1
        if count > settings.IMPORT_MAX_ROWS:
            params = {"limit": f"{settings.IMPORT_MAX_ROWS:,}"}
            raise UnreadableFile(
                "The file has more than %(limit)s rows. Split it into several files.", params
            )
        yield SourceLine(number, cells)
