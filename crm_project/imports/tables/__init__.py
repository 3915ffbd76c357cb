"""Reading of uploaded tables: a header, then rows with the line each begins at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from crm_project.imports.errors import UnreadableFile

MAX_COLUMNS = 500
MAX_ROWS = 1_000_000
# A description has at most 65,535 characters; longer cells are told of by their row, absurd ones end the reading.
CELL_LIMIT = 1_000_000
# A row is held as a whole, each of its cells an object: one of millions of cells would fill the memory.
ROW_LIMIT = 4 * CELL_LIMIT


@dataclass(frozen=True)
class SourceLine:
    """One row of the file; `number` is the line, or the sheet's row, that a person looks for."""

    number: int
    cells: Sequence[Any]


@dataclass
class Table:
    """An open file: its columns' labels and its rows, which can be read once."""

    labels: list[str]
    rows: Iterator[SourceLine]


@cache
def letters(index: int) -> str:
    """0 → A, 26 → AA, as spreadsheets call their columns."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def labels_of(header: Sequence[Any]) -> list[str]:
    """One name for each column: an empty header is called by its letter, a doubled one is counted."""
    cells = [" ".join(str(cell).split()) if cell is not None else "" for cell in header]
    while cells and not cells[-1]:
        cells.pop()
    if not cells:
        raise UnreadableFile("The file has no header: its first row names no column.")
    if len(cells) > MAX_COLUMNS:
        raise UnreadableFile(f"The file has {len(cells)} columns; at most {MAX_COLUMNS} are read.")
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


def lines(numbered: Iterator[tuple[int, Sequence[Any]]]) -> Iterator[SourceLine]:
    """The rows that hold anything; a file of absurd length is refused, whatever it claims to be."""
    count = 0
    for number, cells in numbered:
        if all(cell is None or cell == "" for cell in cells):
            continue
        count += 1
        if count > MAX_ROWS:
            raise UnreadableFile(f"The file has more than {MAX_ROWS:,} rows; split it.")
        yield SourceLine(number, cells)
