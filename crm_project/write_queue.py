"""A fair queue for the transactions that write an SQLite database file.

SQLite has one writer. A connection that waits for the write lock polls at growing intervals, so that later arrivals
overtake it and under load some writers time out. Here the threads of one process wait in order of arrival, and the
first of them competes with other processes for a lock file, which it polls at a steady interval.

Every transaction of the backend in `crm_project/sqlite` waits here: one that only polled would lose against those that
hand the lock on to each other.
"""

import fcntl
import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock
from typing import Any

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, transaction

from crm_project.sqlite_files import MODE

# Seconds between two attempts to lock the file. Only the first thread of each process tries.
POLL_INTERVAL = 0.001


class WriteQueue:
    """First in, first out among the threads of a process; an advisory lock on `path` between processes."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._guard = Lock()
        self._places: deque[Event] = deque()

    def __len__(self) -> int:
        """The threads of this process that wait or write."""
        return len(self._places)

    @contextmanager
    def turn(self, timeout: float) -> Iterator[None]:
        """Wait for the turn, at most `timeout` seconds, and hold it for the block.

        Raises OperationalError("database is locked") after that, as SQLite does.
        """
        deadline = time.monotonic() + timeout
        place = Event()
        with self._guard:
            waits = bool(self._places)
            self._places.append(place)
            self._places[0].set()
        try:
            if not place.wait(timeout):
                raise OperationalError("database is locked")
            if waits:
                # Leave a gap in which another process, or a writer outside the queue, gets the lock.
                time.sleep(2 * POLL_INTERVAL)
            with self._lock_file(deadline):
                yield
        finally:
            with self._guard:
                self._places.remove(place)
                if self._places:
                    self._places[0].set()

    @contextmanager
    def _lock_file(self, deadline: float) -> Iterator[None]:
        with open(self.path, "a", opener=_opener) as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise OperationalError("database is locked") from None
                    time.sleep(POLL_INTERVAL)
            try:
                yield
            finally:
                # Explicitly: a forked child may hold a copy of the descriptor, and with it the lock.
                fcntl.flock(file, fcntl.LOCK_UN)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags, MODE)


_queues: dict[str, WriteQueue] = {}


def queue_of(database: str) -> WriteQueue:
    """The queue of a database file."""
    path = f"{database}-turn"
    return _queues.setdefault(path, WriteQueue(path))


@contextmanager
def write_transaction(using: str = DEFAULT_DB_ALIAS, *, timeout: float | None = None) -> Iterator[None]:
    """`transaction.atomic()`, which waits at most `timeout` seconds if it begins a transaction on an SQLite file."""
    connection: Any = connections[using]
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        connection.turn_timeout = timeout
    with transaction.atomic(using=using):
        yield
