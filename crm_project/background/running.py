"""Run one claimed task."""

import logging
import time
from functools import partial
from threading import Event
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.utils.module_loading import import_string

from crm_project.background import queue
from crm_project.background.api import Task, TaskContext
from crm_project.background.models import StoredTask
from crm_project.background.options import options_of
from crm_project.background.results import result_of
from crm_project.write_queue import write_transaction

log = logging.getLogger("crm.task")
# Seconds between two attempts to store how a task ended, while the database is away.
PAUSE = 1.0


class UnknownTask(Exception):
    """No task has this path in the release that runs here."""


def run(stored: StoredTask, stopping: Event | None = None) -> BaseException | None:
    """Run the task and store how it ended; returns the exception that ended it, if any."""
    began, failure = time.monotonic(), None
    try:
        try:
            _call(stored, stopping)
        except queue.Superseded:
            raise
        except (Exception, SystemExit) as error:
            failure = error
            _persistently(stored, partial(queue.fail, stored, error), stopping)
    except queue.Superseded:
        log.warning("the task was taken over", extra={"fields": _fields(stored, began)})
        return None
    _log(stored, began, failure)
    return failure


def task_of(name: str) -> Task[..., Any]:
    """The task with this path. Raises UnknownTask."""
    try:
        found = import_string(name)
    except ImportError as error:
        raise UnknownTask(name) from error
    if not isinstance(found, Task):
        raise UnknownTask(name)
    return found


def _call(stored: StoredTask, stopping: Event | None) -> None:
    task = task_of(stored.name)
    context = (TaskContext(task_result=result_of(stored, task)),) if task.takes_context else ()

    def call() -> Any:
        return task.call(*context, *stored.args, **stored.kwargs)

    if options_of(stored.name).is_atomic:
        with write_transaction():
            queue.succeed(stored, call())
    else:
        value = call()
        _persistently(stored, partial(queue.succeed, stored, value), stopping)


def _persistently(stored: StoredTask, store: Any, stopping: Event | None) -> None:
    """Call `store` until the database answers or the worker stops: what was done should not be done again."""
    while True:
        try:
            return store()  # type: ignore[no-any-return]
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or stopping is None or stopping.is_set():
                raise
            log.warning("the end of a task waits for the database", extra={"fields": {"task": stored.name}})
            connection.close()
            stopping.wait(PAUSE)


def _fields(stored: StoredTask, began: float) -> dict[str, Any]:
    return {
        "task": stored.name,
        "id": str(stored.uuid),
        "state": str(stored.state),
        "attempt": stored.attempt,
        "duration_ms": round((time.monotonic() - began) * 1000),
    }


def _log(stored: StoredTask, began: float, failure: BaseException | None) -> None:
    """One line for each attempt: an error if it was the last one."""
    level = logging.INFO
    if failure is not None:
        level = logging.ERROR if stored.state == StoredTask.States.FAILED else logging.WARNING
    log.log(level, "task", extra={"fields": _fields(stored, began)}, exc_info=failure)
