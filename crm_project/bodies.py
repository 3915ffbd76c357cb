"""Bodies of requests: one in chunks is read like any other, and one that breaks off is not taken for whole."""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

from crm_project.deadlines import begin, deadlines, seconds_for

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
# A body is read in pieces, each of which has a deadline of its own.
PIECE = 64 * 1024
# Whoever reads a body has a limit of its own, which is below this one.
CHUNKED_LIMIT = settings.IMPORT_MAX_BYTES + 1024 * 1024


class BrokenOff(OSError):
    """The client is gone, or does not keep to HTTP. Django tells it to whoever reads the body."""


class Body:
    """A stream of `length` bytes. Of one in chunks the server knows the end, and it has at most so many."""

    def __init__(self, stream: Any, length: int, *, chunked: bool, link: Any = None) -> None:
        self.stream = stream
        self.left = length
        self.chunked = chunked
        self.link = link

    def read(self, size: int = -1) -> bytes:
        """Read in pieces, each of which has a deadline of its own."""
        wanted, pieces = self._wanted(size), []
        while wanted > 0:
            asked = min(PIECE, wanted)
            piece = self._counted(self._taken(self.stream.read, asked), asked)
            pieces.append(piece)
            wanted -= len(piece)
            if len(piece) < asked:
                break
        return b"".join(pieces)

    def readline(self, size: int = -1) -> bytes:
        wanted = self._wanted(size)
        line = self._taken(self.stream.readline, wanted)
        return self._counted(line, len(line) if line.endswith(b"\n") else wanted)

    def _wanted(self, size: int) -> int:
        return self.left if size < 0 else min(size, self.left)

    def _taken(self, read: Callable[[int], bytes], size: int) -> bytes:
        try:
            with deadlines.within(self.link, seconds_for(size)):
                return read(size)
        except OSError:
            raise
        except Exception as error:
            # A chunk that cannot be understood: each server has an exception of its own for it.
            raise BrokenOff(str(error)) from error

    def _counted(self, piece: bytes, asked: int) -> bytes:
        self.left -= len(piece)
        if len(piece) < asked and not self.chunked:
            raise BrokenOff("The body ended before its Content-Length.")
        return piece


def whole_bodies(application: Application) -> Application:
    """Django reads as many bytes as Content-Length says: none of a body in chunks, which has no such header, and what
    there is of one that broke off."""

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
