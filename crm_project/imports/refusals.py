"""The error file: the refused rows with their line and errors, to be corrected and imported again."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from crm_project.batches import in_batches
from crm_project.imports.models import Import

COLUMNS = ("Line", "Errors")


def error_table(source: Import) -> Iterator[Sequence[Any]]:
    labels = [column["label"] for column in source.columns]
    yield [*labels, *COLUMNS]
    for row in chain.from_iterable(in_batches(source.refused_rows.order_by("line"), 500)):
        cells = [*row.cells[: len(labels)], *[""] * (len(labels) - len(row.cells))]
        yield [*cells, row.line, sentence(row.errors)]


def is_error_file(labels: Sequence[str]) -> bool:
    return len(labels) > len(COLUMNS) and tuple(labels[-len(COLUMNS) :]) == COLUMNS


def sentence(errors: Sequence[dict[str, Any]]) -> str:
    """The errors of one row as text."""
    return " ".join(f"{_place(error)}: {error['detail']}" for error in errors)


def _place(error: dict[str, Any]) -> str:
    """The header of the column, or the label of a field without a column."""
    return str(error["column"] or error.get("label") or error["field"] or "Row")
