"""The numbers of the queue, for probes and the doctor."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from crm_project.background.models import WorkerProcess
from crm_project.background.presence import LockedFile, presence

# Seconds since the last sign of a worker on PostgreSQL; by the clock, since nothing but a report follows from it.
SEEN_WITHIN = 60
NUMBERS = """
SELECT
    (SELECT count(*) FROM background_storedtask WHERE state = 'ready'),
    (SELECT count(*) FROM background_storedtask WHERE state = 'running'),
    (SELECT count(*) FROM background_storedtask WHERE state = 'failed'),
    (SELECT min(due_at) FROM background_storedtask WHERE state = 'ready')
"""


@dataclass(frozen=True)
class Status:
    """`oldest_due_seconds` is the age of the task that has been due for longest, 0 if none is due."""

    queued: int
    running: int
    failed: int
    oldest_due_seconds: int
    has_worker: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "queued": self.queued,
            "running": self.running,
            "failed": self.failed,
            "oldest_due_seconds": self.oldest_due_seconds,
            "worker": "ok" if self.has_worker else "missing",
        }


def status() -> Status:
    """Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS)
        queued, running, failed, due = cursor.fetchone()
    if isinstance(due, str):  # SQLite, which has no type for it
        due = datetime.datetime.fromisoformat(due).replace(tzinfo=datetime.UTC)
    age = max(0, round((timezone.now() - due).total_seconds())) if due else 0
    return Status(queued, running, failed, age, has_worker())


def has_worker() -> bool:
    """Whether a process that runs tasks was seen lately, on any machine."""
    match presence():
        case LockedFile() as files:
            return any(
                files.is_alive(worker) for worker in WorkerProcess.objects.values_list("id", flat=True)
            )
        case _:
            since = timezone.now() - datetime.timedelta(seconds=SEEN_WITHIN)
            return WorkerProcess.objects.filter(seen_at__gte=since).exists()
