"""Pages by number: of the rows before a page only the keys are passed over, which an index holds."""

from collections.abc import Sequence
from typing import Any


def keys_between(rows: Any, start: int, stop: int) -> list[int]:
    """The keys of the rows of these places."""
    return list(rows.values_list("pk", flat=True)[start:stop])


def rows_of(rows: Any, keys: Sequence[int]) -> list[Any]:
    """The rows of these keys in their order, with all that belongs to them."""
    found = {row.pk: row for row in rows.order_by().filter(pk__in=keys)}
    return [found[key] for key in keys if key in found]


def rows_between(rows: Any, start: int, stop: int) -> list[Any]:
    """The rows of these places."""
    return rows_of(rows, keys_between(rows, start, stop))
