"""Lists without an end, as the vendor's server gives them: what is too much to hold goes out as it is read."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse

from crm_project.dialects.places import rows_of
from crm_project.dialects.renderers import ExactJSONRenderer

AT_ONCE = 500


def streamed(rows: Any, keys: Sequence[int], total: int, shown: Callable[[list[Any]], list[Any]]) -> Any:
    """`{items, total}`, of which only some rows are in memory at a time; the first of them before anything is sent."""
    parts = _parts(rows, keys, shown)
    first = next(parts, b"")
    return StreamingHttpResponse(_whole(first, parts, total), content_type=ExactJSONRenderer.media_type)


def _parts(rows: Any, keys: Sequence[int], shown: Callable[[list[Any]], list[Any]]) -> Iterator[bytes]:
    """JSON lists without their brackets."""
    size = AT_ONCE
    for start in range(0, len(keys), size):
        if some := rows_of(rows, keys[start : start + size]):
            yield ExactJSONRenderer().render(shown(some))[1:-1]


def _whole(first: bytes, parts: Iterator[bytes], total: int) -> Iterator[bytes]:
    yield b'{"items":[' + first
    for part in parts:
        yield b"," + part
    yield b'],"total":%d}' % total
