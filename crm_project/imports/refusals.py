"""The error file: the refused rows with their line and errors, to be corrected and imported again."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

from django.conf import settings
from django.utils.translation import get_language, gettext_noop, override
from django.utils.translation import gettext as _

from crm_project.batches import in_batches
from crm_project.imports.errors import shown
from crm_project.imports.fields import CUSTOM_PREFIX
from crm_project.imports.models import Import

COLUMNS = (gettext_noop("Line"), gettext_noop("Errors"))


def error_table(source: Import) -> Iterator[Sequence[Any]]:
    """In the language of the request, after whose end the rows are read."""
    return _rows(source, get_language())


def _rows(source: Import, language: str | None) -> Iterator[Sequence[Any]]:
    labels = [column["label"] for column in source.columns]
    with override(language):
        header = [*labels, *map(_, COLUMNS)]
    yield header
    for row in chain.from_iterable(in_batches(source.refused_rows.order_by("line"), 500)):
        cells = [*row.cells[: len(labels)], *[""] * (len(labels) - len(row.cells))]
        with override(language):
            text = sentence(row.errors)
        yield [*cells, row.line, text]


def is_error_file(labels: Sequence[str]) -> bool:
    return len(labels) > len(COLUMNS) and tuple(labels[-len(COLUMNS) :]) in _headers()


@cache
def _headers() -> frozenset[tuple[str, ...]]:
    """The two headers in each language, so that an error file is recognized in all of them."""
    found: set[tuple[str, ...]] = {COLUMNS}
    for language in dict(settings.LANGUAGES):
        with override(language):
            found.add(tuple(map(_, COLUMNS)))
    return frozenset(found)


def sentence(errors: Sequence[dict[str, Any]]) -> str:
    """The errors of one row as text."""
    return " ".join(f"{_place(error)}: {shown(error)}" for error in errors)


def _place(error: dict[str, Any]) -> str:
    """The header of the column, or the label of a field without a column."""
    if error["column"]:
        return str(error["column"])
    label = str(error.get("label") or error["field"])
    if not label:
        return _("Row")
    # The label of a custom field is a text of a member.
    return label if error["field"].startswith(CUSTOM_PREFIX) else _(label)
