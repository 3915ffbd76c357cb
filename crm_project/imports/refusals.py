"""The error file: the refused rows as they came, each with its line and what is wrong, to be mended and sent."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from crm_project.batches import in_batches
from crm_project.imports.models import Import

COLUMNS = ("SourceLine", "Errors")


def error_table(source: Import) -> Iterator[Sequence[Any]]:
    labels = [column["label"] for column in source.columns]
    yield [*labels, *COLUMNS]
    for row in chain.from_iterable(in_batches(source.refused_rows.order_by("line"), 500)):
        cells = [*row.cells[: len(labels)], *[""] * (len(labels) - len(row.cells))]
        yield [*cells, row.line, sentence(row.errors)]


def sentence(errors: Sequence[dict[str, Any]]) -> str:
    """All that is wrong with one row, in one line."""
    return " ".join(f"{_place(error)}: {error['detail']}" for error in errors)


def _place(error: dict[str, Any]) -> str:
    """The column as the file calls it; a field that no column holds, as the mapping does."""
    return str(error["column"] or error.get("label") or error["field"] or "Row")
