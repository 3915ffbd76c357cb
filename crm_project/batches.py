"""Read a long list in batches, without a server-side cursor and without a transaction that stays open meanwhile."""

from array import array
from collections.abc import Iterator
from typing import Any


def in_batches(queryset: Any, size: int) -> Iterator[list[Any]]:
    """The rows of the queryset in its order, in lists of at most `size`: model instances, or dicts of `values()`.

    The ids are read at once, eight bytes each, so every row appears once whatever changes meanwhile. The batches are
    read with the queryset's own conditions: a row that no longer meets them is left out.
    """
    ids = array("q", queryset.values_list("pk", flat=True))
    for start in range(0, len(ids), size):
        batch = ids[start : start + size].tolist()
        found = {_id(row): row for row in queryset.order_by().filter(pk__in=batch)}
        if rows := [found[key] for key in batch if key in found]:
            yield rows


def _id(row: Any) -> int:
    return int(row["id"] if isinstance(row, dict) else row.pk)
