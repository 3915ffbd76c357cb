"""Bodies of requests: chunked bodies are read like others, and a truncated body is an error."""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

from crm_project.deadlines import begin, deadlines, seconds_for

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
# A body is read in pieces, each of which has a deadline of its own.
PIECE = 64 * 1024
# Above the limits of all parsers.
CHUNKED_LIMIT = settings.IMPORT_MAX_BYTES + 1024 * 1024


class BrokenOff(OSError):
    """The client has disconnected or violates HTTP. Django raises it from `request.read()`."""


class Body:
    """A stream of `length` bytes. A chunked one has at most that many; the server finds its end."""

    def __init__(self, stream: Any, length: int, *, chunked: bool, link: Any = None) -> None:
        self.stream = stream
        self.left = length
        self.chunked = chunked
        self.link = link

    def read(self, size: int = -1) -> bytes:
        """Read in pieces, each of which has a deadline of its own."""
        limit, pieces = self._limit(size), []
        while limit > 0:
            asked = min(PIECE, limit)
            piece = self._counted(self._read(self.stream.read, asked), asked)
            pieces.append(piece)
            limit -= len(piece)
            if len(piece) < asked:
                break
        return b"".join(pieces)

    def readline(self, size: int = -1) -> bytes:
        limit = self._limit(size)
        line = self._read(self.stream.readline, limit)
        return self._counted(line, len(line) if line.endswith(b"\n") else limit)

    def _limit(self, size: int) -> int:
        return self.left if size < 0 else min(size, self.left)

    def _read(self, read: Callable[[int], bytes], size: int) -> bytes:
        try:
            with deadlines.within(self.link, seconds_for(size)):
                return read(size)
        except OSError:
            raise
        except Exception as error:
            # An invalid chunk: each server has its own exception for it.
            raise BrokenOff(str(error)) from error

    def _counted(self, piece: bytes, asked: int) -> bytes:
        self.left -= len(piece)
        if len(piece) < asked and not self.chunked:
            raise BrokenOff("The body ended before its Content-Length.")
        return piece


def whole_bodies(application: Application) -> Application:
    """Wrap the input stream. Django reads Content-Length bytes: none of a chunked body, which has no such header, and
    the present part of a truncated one.
    """

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or ""
        chunked = bool(environ.get("wsgi.input_terminated")) and "HTTP_TRANSFER_ENCODING" in environ
        link = begin(environ)
        if length.isdigit():
            environ["wsgi.input"] = Body(environ["wsgi.input"], int(length), chunked=False, link=link)
        elif chunked:
            environ["wsgi.input"] = Body(environ["wsgi.input"], CHUNKED_LIMIT, chunked=True, link=link)
            environ["CONTENT_LENGTH"] = str(CHUNKED_LIMIT)
        return application(environ, start_response)

    return answer
