"""Functions that every worker process calls again and again, each in a thread of its own.

For work that has a queue elsewhere, such as a position in the feed. Several processes run the same loop at the same
time, so that it must claim what it works on.
"""

import logging
from collections.abc import Callable, Mapping
from threading import Event

from django.db import DatabaseError, InterfaceError, close_old_connections, connections

Loop = Callable[[], bool]
# Seconds after a call that found nothing to do, and the most after calls that failed one after the other.
PAUSE = 1.0
LONGEST_PAUSE = 30.0

log = logging.getLogger("crm.task")
_loops: dict[str, Loop] = {}


def register(name: str, run: Loop) -> None:
    """Let workers call `run`: again at once while it returns True, else after a second. For `AppConfig.ready`."""
    _loops[name] = run


def registered() -> Mapping[str, Loop]:
    return _loops


def keep_calling(name: str, run: Loop, stopping: Event) -> None:
    """The body of the thread. An exception is logged, and the next call comes later after each of them."""
    pause = PAUSE
    try:
        while not stopping.is_set():
            try:
                has_more, pause = run(), PAUSE
            except (DatabaseError, InterfaceError):
                log.warning("the loop %s waits for the database", name, exc_info=True)
                has_more, pause = False, min(2 * pause, LONGEST_PAUSE)
            except Exception:
                log.exception("the loop %s failed", name)
                has_more, pause = False, min(2 * pause, LONGEST_PAUSE)
            close_old_connections()
            if not has_more:
                stopping.wait(pause)
    finally:
        connections.close_all()
