"""Bodies of requests: chunked bodies are read like others, and a truncated body is an error."""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
# Above the limits of all parsers.
CHUNKED_LIMIT = settings.IMPORT_MAX_BYTES + 1024 * 1024


class BrokenOff(OSError):
    """The client has disconnected or violates HTTP. Django raises it from `request.read()`."""


class Body:
    """A stream of `length` bytes. A chunked one has at most that many; the server finds its end."""

    def __init__(self, stream: Any, length: int, *, chunked: bool) -> None:
        self.stream = stream
        self.left = length
        self.chunked = chunked

    def read(self, size: int = -1) -> bytes:
        limit = self._limit(size)
        piece = self._read(self.stream.read, limit)
        return self._counted(piece, whole=len(piece) == limit)

    def readline(self, size: int = -1) -> bytes:
        limit = self._limit(size)
        line = self._read(self.stream.readline, limit)
        return self._counted(line, whole=line.endswith(b"\n") or len(line) == limit)

    def _limit(self, size: int) -> int:
        return self.left if size < 0 else min(size, self.left)

    def _read(self, read: Callable[[int], bytes], size: int) -> bytes:
        try:
            return read(size)
        except OSError:
            raise
        except Exception as error:
            # An invalid chunk: each server has its own exception for it.
            raise BrokenOff(str(error)) from error

    def _counted(self, piece: bytes, *, whole: bool) -> bytes:
        self.left -= len(piece)
        if not whole and not self.chunked:
            raise BrokenOff("The body ended before its Content-Length.")
        return piece


def whole_bodies(application: Application) -> Application:
    """Wrap the input stream. Django reads Content-Length bytes: none of a chunked body, which has no such header, and
    the present part of a truncated one.
    """

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or ""
        chunked = bool(environ.get("wsgi.input_terminated")) and "HTTP_TRANSFER_ENCODING" in environ
        if length.isdigit():
            environ["wsgi.input"] = Body(environ["wsgi.input"], int(length), chunked=False)
        elif chunked:
            environ["wsgi.input"] = Body(environ["wsgi.input"], CHUNKED_LIMIT, chunked=True)
            environ["CONTENT_LENGTH"] = str(CHUNKED_LIMIT)
        return application(environ, start_response)

    return answer
