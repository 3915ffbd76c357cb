"""The progress and the heartbeat of a running import, stored outside its transaction."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection
from django.utils import timezone

from crm_project.imports.models import Import
from crm_project.imports.running import Progress

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 1.0
# SKIP LOCKED: the import's transaction locks the row at its end, while the journal of a large import is written.
HEARTBEAT = """
UPDATE imports_import SET progress = %s, heartbeat_at = %s WHERE id = (
    SELECT id FROM imports_import WHERE id = %s AND attempt = %s AND state = 'working' FOR UPDATE SKIP LOCKED
)
"""


@contextmanager
def progress_of(source: Import) -> Iterator[Progress]:
    """Store the number of rows and the heartbeat of a running import.

    A thread does it, since the last statements of a large import take minutes. SQLite allows no second writer: there
    only a preview, which works on a copy of the database, has a heartbeat.
    """
    is_writer = connection.in_atomic_block or source.task != Import.Tasks.PREVIEW
    if connection.vendor == "sqlite" and is_writer:
        yield lambda rows: None
        return
    heartbeat = _Heartbeat(source)
    heartbeat.start()
    try:
        yield heartbeat.update
    finally:
        heartbeat.stopped.set()
        heartbeat.join()


class _Heartbeat(threading.Thread):
    """Stores the heartbeat and the progress of an import every second."""

    def __init__(self, source: Import) -> None:
        super().__init__(name="imports-heartbeat", daemon=True)
        self.source, self.rows, self.stopped = source, 0, threading.Event()

    def update(self, rows: int) -> None:
        self.rows = rows

    def run(self) -> None:
        sql = HEARTBEAT.replace("FOR UPDATE SKIP LOCKED", "") if connection.vendor == "sqlite" else HEARTBEAT
        try:
            while not self.stopped.wait(HEARTBEAT_SECONDS):
                with connection.cursor() as cursor:  # a connection of this thread
                    cursor.execute(sql, [self.rows, timezone.now(), self.source.pk, self.source.attempt])
        except DatabaseError:
            log.exception("the heartbeat of import %s failed", self.source.uuid)
        finally:
            connection.close()
