"""Django's SQLite backend, but that those who write take turns.

SQLite has one writer. Whoever else wants to write polls for its lock, ever more seldom the longer the wait, so that
newcomers overtake and under load somebody waits until the time is up. Here the threads of a process queue, first come
first served, and the one at the head waits for its process's turn at a lock file, which it polls at a steady pace.
"""

import fcntl
import os
import time
from collections import deque
from collections.abc import Callable
from threading import Lock

from django.db import OperationalError
from django.db.backends.sqlite3 import base

# Seconds between two looks at the lock file. Only one thread of a process looks.
POLL = 0.001


class Turn:
    """The right to write one database file, held by one thread of one process at a time."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.file: int | None = None
        self.guard = Lock()
        self.taken = False
        # One closed lock for each thread that waits. A plain Lock would let whoever gives up take it again at once.
        self.queue: deque[Lock] = deque()

    def take(self, timeout: float) -> None:
        until = time.monotonic() + timeout
        handed_on = self._queue_up(timeout)
        try:
            if handed_on:
                # Between two threads of one process another process gets its chance.
                time.sleep(2 * POLL)
            self._lock_file(until)
        except BaseException:
            self._hand_on()
            raise

    def give_up(self) -> None:
        assert self.file is not None
        fcntl.flock(self.file, fcntl.LOCK_UN)
        self._hand_on()

    def _queue_up(self, timeout: float) -> bool:
        """Whether another thread of this process had its turn just before."""
        place = Lock()
        with self.guard:
            if not self.taken:
                self.taken = True
                return False
            place.acquire()
            self.queue.append(place)
        if place.acquire(timeout=timeout):
            return True
        with self.guard:
            # The turn may have come between the end of the waiting and here.
            if place not in self.queue:
                return True
            self.queue.remove(place)
        raise OperationalError("database is locked")

    def _hand_on(self) -> None:
        with self.guard:
            if self.queue:
                self.queue.popleft().release()
            else:
                self.taken = False

    def _lock_file(self, until: float) -> None:
        if self.file is None:
            self.file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        while True:
            try:
                return fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    raise OperationalError("database is locked") from None
                time.sleep(POLL)


# One for each file, shared by the connections of all threads.
_turns: dict[str, Turn] = {}


class DatabaseWrapper(base.DatabaseWrapper):
    """A transaction has its turn from its BEGIN to its end; statements outside of one wait as SQLite does.

    What it overrides is private to Django, hence unknown to the type stubs.
    """

    _turn: Turn | None = None

    def _start_transaction_under_autocommit(self) -> None:
        if not self.is_in_memory_db():
            path = f"{self.settings_dict['NAME']}-turn"
            turn = _turns.setdefault(path, Turn(path))
            turn.take(self.settings_dict["OPTIONS"].get("timeout", 5))
            self._turn = turn
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._give_up_turn()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self._give_up_turn()

    def _rollback(self) -> None:
        self._ending(super()._rollback)  # type: ignore[misc]

    def _close(self) -> None:
        self._ending(super()._close)  # type: ignore[misc]

    def _ending(self, end: Callable[[], None]) -> None:
        try:
            end()
        finally:
            self._give_up_turn()

    def _give_up_turn(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.give_up()
