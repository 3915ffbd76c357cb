"""`Prefer: wait=<seconds>` (RFC 7240): a request that starts a background job may wait for its end.

It waits after the commit, without a transaction, and at most `WAITING_REQUESTS` of a process do at once: others are
answered without waiting.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.conf import settings
from django.db import connection
from django.http import HttpRequest

PREFER = "Prefer"
PREFERENCE_APPLIED = "Preference-Applied"
# The longest wait, in seconds.
LONGEST_WAIT = 30
# Seconds between two looks at the job: the first, and the longest.
FIRST_LOOK, RAREST_LOOK = 0.05, 0.5

T = TypeVar("T")


def preferred_wait(request: HttpRequest) -> int | None:
    """The seconds of the first `wait`, at most LONGEST_WAIT; None without a valid one, since a preference may be
    ignored.
    """
    for preference in request.headers.get(PREFER, "").split(","):
        token, _, value = preference.partition(";")[0].partition("=")
        seconds = value.strip().strip('"')
        if token.strip().lower() == "wait":
            is_number = seconds.isascii() and seconds.isdigit() and 0 < len(seconds) < 10
            return min(int(seconds), LONGEST_WAIT) if is_number else None
    return None


class Waiters:
    """The requests of this process that wait."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting = 0

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Whether there was a place, which is held for the block."""
        with self._guard:
            has_place = self._waiting < settings.WAITING_REQUESTS
            self._waiting += has_place
        try:
            yield has_place
        finally:
            with self._guard:
                self._waiting -= has_place


waiters = Waiters()


def wait_for(look: Callable[[], T | None], seconds: float) -> T | None:
    """What `look` returns as soon as it is not None; None if it still is when the time is over."""
    ends = time.monotonic() + seconds
    pause = FIRST_LOOK
    while True:
        found = look()
        left = ends - time.monotonic()
        if found is not None or left <= 0:
            return found
        if not connection.in_atomic_block:
            # A connection of a pool is needed by others meanwhile.
            connection.close_if_unusable_or_obsolete()
        time.sleep(min(pause, left))
        pause = min(pause * 2, RAREST_LOOK)
