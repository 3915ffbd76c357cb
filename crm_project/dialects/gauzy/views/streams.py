"""Lists without an end, as the vendor's server gives them: what is too much to hold goes out as it is read."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from django.http import StreamingHttpResponse

from crm_project.dialects.kit.renderers import ExactJSONRenderer

AT_ONCE = 500


def streamed(rows: Any, total: int, shown: Callable[[list[Any]], list[Any]]) -> Any:
    """`{items, total}`, of which only some rows are in memory at a time; the first of them before anything is sent."""
    parts = _parts(rows.iterator(chunk_size=AT_ONCE), shown)
    first = next(parts, b"")
    return StreamingHttpResponse(_whole(first, parts, total), content_type=ExactJSONRenderer.media_type)


def _parts(rows: Iterator[Any], shown: Callable[[list[Any]], list[Any]]) -> Iterator[bytes]:
    """JSON lists without their brackets."""
    while some := list(islice(rows, AT_ONCE)):
        yield ExactJSONRenderer().render(shown(some))[1:-1]


def _whole(first: bytes, parts: Iterator[bytes], total: int) -> Iterator[bytes]:
    yield b'{"items":[' + first
    for part in parts:
        yield b"," + part
    yield b'],"total":%d}' % total
