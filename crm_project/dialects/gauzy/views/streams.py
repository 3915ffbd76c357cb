"""Streams long lists: the vendor's lists have no limit, and all rows would not fit into memory."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse

from crm_project.dialects.kit.renderers import ExactJSONRenderer

AT_ONCE = 500


Represent = Callable[[Sequence[int]], list[Any]]


def streamed(keys: Sequence[int], total: int, represent: Represent) -> StreamingHttpResponse:
    """`{items, total}` in chunks; `represent` takes the primary keys of one.

    The first chunk is read at once, so that an error in it has a status.
    """
    parts = _parts(keys, represent)
    first = next(parts, b"")
    return StreamingHttpResponse(_whole(first, parts, total), content_type=ExactJSONRenderer.media_type)


def _parts(keys: Sequence[int], represent: Represent) -> Iterator[bytes]:
    """JSON lists without their brackets, a chunk at a time."""
    size = AT_ONCE
    for start in range(0, len(keys), size):
        if some := represent(keys[start : start + size]):
            yield ExactJSONRenderer().render(some)[1:-1]


def _whole(first: bytes, parts: Iterator[bytes], total: int) -> Iterator[bytes]:
    yield b'{"items":[' + first
    for part in parts:
        yield b"," + part
    yield b'],"total":%d}' % total
