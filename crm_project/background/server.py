"""The worker inside a server process, unless TASK_WORKER leaves the work to `manage.py worker`."""

from threading import Lock
from typing import Any

from django.conf import settings

_worker: Any = None
_guard = Lock()


def start(**_: Any) -> None:
    """Start the worker of this process, once; also the receiver of `request_started`, for servers without hooks."""
    global _worker
    if _worker is not None or settings.TASK_WORKER != "thread":
        return
    with _guard:
        if _worker is None:
            from crm_project.background.worker import Worker

            _worker = Worker()
            _worker.start()


def wake(queue: str) -> None:
    """Let the worker of this process look at the queue at once, if there is one."""
    if _worker is not None:
        _worker.wake(queue)


def begin_to_stop() -> None:
    """Claim no further task; for signal handlers."""
    if _worker is not None:
        _worker.begin_to_stop()


def stop(patience: float) -> None:
    """Wait so many seconds for the running tasks, then give them back. The process ends afterwards."""
    if _worker is not None:
        _worker.stop(patience)
