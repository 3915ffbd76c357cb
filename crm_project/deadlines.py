"""Time limits for what a client sends and takes.

A socket in blocking mode waits for ever, and a client that sends a byte now and then is never silent: enough of them
would occupy all threads.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

HEAD_SECONDS = 10
BODY_SECONDS = 10
# A long body may take longer, at this rate.
BODY_BYTES_PER_SECOND = 20_000
# For the next piece of an answer: a block of a stream, or the whole of an answer of at most ANSWER_MAX_MIB.
SEND_SECONDS = 60


class Deadlines:
    """Shuts the receiving side of sockets at their deadline: who reads there gets the end of the stream."""

    def __init__(self) -> None:
        self._ends: dict[socket.socket, float] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def within(self, link: socket.socket | None, seconds: float) -> Iterator[None]:
        if link is None:
            yield
            return
        with self._lock:
            self._ends[link] = time.monotonic() + seconds
            # After a fork the thread of the parent is not alive here.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, name="deadlines", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._ends.pop(link, None)

    def clear(self, link: socket.socket | None) -> None:
        with self._lock:
            if link is not None:
                self._ends.pop(link, None)

    def _watch(self) -> None:
        while True:
            time.sleep(0.5)
            now = time.monotonic()
            with self._lock:
                overdue = [link for link, end in self._ends.items() if end < now]
                for link in overdue:
                    del self._ends[link]
            for link in overdue:
                with contextlib.suppress(OSError):
                    link.shutdown(socket.SHUT_RD)


deadlines = Deadlines()


def begin(environ: dict[str, Any]) -> socket.socket | None:
    """The head is complete: the socket of the client, if the server reveals it."""
    link: socket.socket | None = environ.get("gunicorn.socket")
    if link is not None:
        deadlines.clear(link)
        link.settimeout(SEND_SECONDS)
    return link


def seconds_for(size: int) -> float:
    """The time for receiving this number of bytes."""
    return BODY_SECONDS + size / BODY_BYTES_PER_SECOND
