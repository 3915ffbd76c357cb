"""Adding up the counts of all server processes: one statement for each process and second in which it counted.

A thread does it, outside of every request. If the database cannot be written, each process counts alone until it can.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from crm_project.api import counters
from crm_project.api.models import RateWindow
from crm_project.database import describe, wait_budget
from crm_project.write_queue import write_transaction

log = logging.getLogger(__name__)

# Seconds between two settlements of a process, and after one that failed.
INTERVAL_SECONDS = 1.0
RETRY_SECONDS = 5.0
# Seconds that a settlement may take before it is given up until the next one.
TIMEOUT_SECONDS = 2.0
# Seconds without a request after which the thread gives its connection back.
IDLE_SECONDS = 10.0
# Windows in one statement; others wait for the next second.
MAX_WINDOWS = 1000
# A window that ended this many seconds ago is deleted; each process looks for some this often.
KEEP_SECONDS = 3600
SWEEP_LIMIT = 1000

SQL = """
INSERT INTO {table} (key, ends, units) VALUES {values}
ON CONFLICT (key) DO UPDATE SET
    units = CASE WHEN excluded.ends = {table}.ends THEN {table}.units + excluded.units
                 WHEN excluded.ends > {table}.ends THEN excluded.units ELSE {table}.units END,
    ends = CASE WHEN excluded.ends > {table}.ends THEN excluded.ends ELSE {table}.ends END
RETURNING key, ends, units
"""


def settle() -> int:
    """Add the counts of this process to those of the others and learn the totals; returns the number of windows."""
    sent = counters.counters.pending(MAX_WINDOWS)
    if not sent:
        return 0
    sql = SQL.format(table=RateWindow._meta.db_table, values=", ".join(["(%s, %s, %s)"] * len(sent)))
    rows = [value for key, (ends, units) in sent.items() for value in (key, ends, units)]
    with (
        wait_budget(TIMEOUT_SECONDS),
        write_transaction(timeout=TIMEOUT_SECONDS),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, rows)
        totals = cursor.fetchall()
    counters.counters.settle(sent, totals)
    return len(sent)


def ended_windows() -> Any:
    return RateWindow.objects.filter(ends__lt=time.time() - KEEP_SECONDS)


def sweep() -> int:
    """Delete windows that ended long ago, at most a thousand; returns their number."""
    ended = ended_windows()
    keys = list(ended.values_list("pk", flat=True)[:SWEEP_LIMIT])
    with wait_budget(TIMEOUT_SECONDS), write_transaction(timeout=TIMEOUT_SECONDS):
        return int(ended.filter(pk__in=keys).delete()[0]) if keys else 0


class Settler:
    """The thread of this process; it starts with the first request that counts, and does nothing without requests."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._counted = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Called after each count."""
        if self._counted.is_set() or not settings.RATE_LIMIT_SHARED:
            return
        self._counted.set()
        with self._guard:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="rate-limits", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        swept = time.time()
        failing = False
        while True:
            if not self._counted.wait(IDLE_SECONDS):
                connection.close()
                self._counted.wait()
            self._counted.clear()
            began = time.monotonic()
            try:
                _written(settle)
                if time.time() - swept > KEEP_SECONDS:
                    swept = time.time()
                    _written(sweep)
                failing = False
            except (DatabaseError, InterfaceError) as error:
                if not failing:
                    log.warning("each process counts its requests alone: %s", describe(error))
                failing = True
                self._counted.set()
            pause = RETRY_SECONDS if failing else INTERVAL_SECONDS
            time.sleep(max(0.0, pause - (time.monotonic() - began)))


def _written(write: Callable[[], int]) -> None:
    """Call `write` as a request is handled: with a connection that is usable, and returned if it is a pool's."""
    connection.close_if_unusable_or_obsolete()
    try:
        write()
    except (DatabaseError, InterfaceError):
        connection.close()
        raise
    connection.close_if_unusable_or_obsolete()


settler = Settler()


def _forget() -> None:
    """A forked process has a thread of its own."""
    global settler
    settler = Settler()


os.register_at_fork(after_in_child=_forget)
