"""Pages by number or offset. The rows before a page are skipped by their keys alone, which an index contains."""

from collections.abc import Sequence
from typing import Any


def keys_between(rows: Any, start: int, stop: int | None) -> list[int]:
    """The primary keys of a slice of an ordered queryset."""
    return list(rows.values_list("pk", flat=True)[start:stop])


def rows_of(rows: Any, keys: Sequence[int]) -> list[Any]:
    """The rows of these keys, in this order, with what the queryset selects and prefetches."""
    found = {row.pk: row for row in rows.order_by().filter(pk__in=keys)}
    return [found[key] for key in keys if key in found]


def rows_between(rows: Any, start: int, stop: int) -> list[Any]:
    """A slice of an ordered queryset."""
    return rows_of(rows, keys_between(rows, start, stop))


def rows_of_page(rows: Any, number: int, size: int) -> list[Any]:
    """The rows of a page; the first page has the number 1."""
    return rows_between(rows, (number - 1) * size, number * size)
