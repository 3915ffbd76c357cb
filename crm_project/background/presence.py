"""Which worker processes are alive, without a look at the clock: it may be set while they work.

On PostgreSQL a process raises a number in its row; one whose number an observer has not seen change for the lease, by
the observer's monotonic clock, has died. SQLite serves one machine and has one writer, which may take minutes: there a
process holds a lock on a file beside the database, which the kernel frees when the process ends.
"""

import fcntl
import os
import socket
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import F
from django.utils import timezone

from crm_project.background.models import StoredTask, WorkerProcess
from crm_project.sqlite_files import MODE
from crm_project.write_queue import write_transaction

# A process looks, and raises its number, so many times during the lease.
BEATS = 6


class Presence(Protocol):
    """Of this process; `dead` returns the ids of others that have died."""

    id: str

    def begin(self) -> None: ...
    def beat(self) -> None: ...
    def dead(self) -> list[str]: ...
    def end(self, *, is_idle: bool) -> None: ...


def presence() -> Presence:
    connection: Any = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "sqlite" and not connection.is_in_memory_db():
        return LockedFile(str(connection.settings_dict["NAME"]))
    return Heartbeat(settings.TASK_LEASE_SECONDS)


def _known() -> dict[str, int | None]:
    """The last number of each process, None for one that has a running task and no row."""
    running = StoredTask.objects.filter(state=StoredTask.States.RUNNING)
    ids: dict[str, int | None] = dict.fromkeys(running.values_list("worker", flat=True).order_by().distinct())
    return ids | dict(WorkerProcess.objects.values_list("id", "beat"))


def _store(worker: str) -> None:
    with write_transaction():
        WorkerProcess.objects.get_or_create(
            pk=worker, defaults={"host": socket.gethostname()[:255], "pid": os.getpid()}
        )


def _forget(worker: str) -> None:
    with write_transaction():
        WorkerProcess.objects.filter(pk=worker).delete()


class Heartbeat:
    def __init__(self, lease: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.id = uuid.uuid4().hex
        self.lease, self._clock = lease, clock
        self._seen: dict[str, tuple[int | None, float]] = {}
        self._looked_at = clock()

    def begin(self) -> None:
        _store(self.id)

    def beat(self) -> None:
        """Raise the number. A process that was considered dead by mistake appears again."""
        mine = WorkerProcess.objects.filter(pk=self.id)
        if not mine.update(beat=F("beat") + 1, seen_at=timezone.now()):
            _store(self.id)

    def dead(self) -> list[str]:
        now = self._clock()
        if now - self._looked_at > self.lease / 2:
            self._seen.clear()  # the database was away, or this process stood still: the others may have, too
        self._looked_at = now
        known = _known()
        known.pop(self.id, None)
        self._seen = {
            worker: seen if (seen := self._seen.get(worker)) is not None and seen[0] == beat else (beat, now)
            for worker, beat in known.items()
        }
        return [worker for worker, (_, since) in self._seen.items() if now - since >= self.lease]

    def end(self, *, is_idle: bool) -> None:
        _forget(self.id)


class LockedFile:
    def __init__(self, database: str) -> None:
        self.id = uuid.uuid4().hex
        self._database = database
        self._descriptor: int | None = None

    def _path(self, worker: str) -> str:
        return f"{self._database}-worker-{worker}"

    def begin(self) -> None:
        if self._descriptor is None:
            self._descriptor = os.open(self._path(self.id), os.O_CREAT | os.O_RDWR, MODE)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _store(self.id)

    def beat(self) -> None:
        """Nothing is written: the lock is held."""

    def dead(self) -> list[str]:
        return [worker for worker in _known() if worker != self.id and not self.is_alive(worker)]

    def is_alive(self, worker: str) -> bool:
        """Whether a process holds the lock; the file of one that has died is deleted."""
        path = self._path(worker)
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            with suppress(FileNotFoundError):
                os.unlink(path)
            return False
        finally:
            os.close(descriptor)

    def end(self, *, is_idle: bool) -> None:
        """A task that is running may hold the write lock; the process that rescues it deletes the row of this one."""
        if is_idle:
            _forget(self.id)
        if self._descriptor is not None:
            with suppress(FileNotFoundError):
                os.unlink(self._path(self.id))
            os.close(self._descriptor)
            self._descriptor = None
