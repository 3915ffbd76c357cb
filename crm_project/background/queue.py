"""The queue in the database: claim a task, and store how the attempt ended."""

import datetime
import uuid
from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from crm_project.background.models import StoredTask, WorkerProcess
from crm_project.background.options import options_of
from crm_project.logs import error_fields
from crm_project.write_queue import write_transaction

States = StoredTask.States
DIED = "The process that ran the task has died."
# The columns of an error, by its field in the log.
STORED_AS = {"error": "error", "traceback": "at"}


class Superseded(Exception):
    """The worker was considered dead, and the task is another attempt's now."""


class WorkerDied(Exception):
    """The process that ran the task ended without a word."""


def claim(queue: str, worker: str, now: datetime.datetime) -> StoredTask | None:
    """Claim the next task of the queue, so that no other worker runs it. Writes only if there is one."""
    if not StoredTask.objects.due(queue, now).exists():
        return None
    try:
        with write_transaction():
            due = StoredTask.objects.due(queue, now)
            task: StoredTask | None = due.select_for_update(skip_locked=True, of=("self",)).first()
            return None if task is None else _claimed(task, worker)
    except IntegrityError:
        return None  # at the same moment another task of its group was claimed


def claim_delivered(pk: int, worker: str) -> StoredTask | None:
    """Claim a task that an engine has delivered; it delivers again what a dead worker has claimed. None if it ended.

    A task that has used up its attempts is marked as failed.
    """
    with write_transaction():
        unfinished = StoredTask.objects.filter(pk=pk, state__in=[States.READY, States.RUNNING])
        task: StoredTask | None = unfinished.select_for_update(of=("self",)).first()
        if task is None:
            return None
        if task.state == States.RUNNING and task.attempt >= options_of(task.name).attempts:
            fail(task, WorkerDied(DIED))
            return None
        return _claimed(task, worker)


def _claimed(task: StoredTask, worker: str) -> StoredTask:
    task.state, task.attempt = States.RUNNING, task.attempt + 1
    task.worker, task.claim, task.started_at = worker, uuid.uuid4(), timezone.now()
    task.save(update_fields=["state", "attempt", "worker", "claim", "started_at"])
    return task


def succeed(task: StoredTask, result: Any) -> None:
    """Mark the task as done. Raises Superseded if another attempt has taken it over."""
    outcome = {"result": result, "error_class": "", "error": "", "traceback": ""}
    _end(task, state=States.DONE, finished_at=timezone.now(), **outcome)


def fail(task: StoredTask, error: BaseException) -> None:
    """Store the error; the task is due again after its back-off, unless this was its last attempt."""
    limits, now = options_of(task.name), timezone.now()
    described = error_fields(error)
    stored = {
        "error_class": f"{type(error).__module__}.{type(error).__qualname__}"[:255],
        # A lone surrogate cannot be stored.
        **{name: described[key].encode("utf-8", "replace").decode() for name, key in STORED_AS.items()},
    }
    if task.attempt < limits.attempts:
        _end(task, state=States.READY, due_at=now + limits.delay_after(task.attempt), **stored)
    else:
        _end(task, state=States.FAILED, finished_at=now, **stored)


def release(task: StoredTask) -> None:
    """Give a running task back, as if it had not begun: the process is about to end."""
    _end(task, state=States.READY, attempt=task.attempt - 1)


def _end(task: StoredTask, **columns: Any) -> None:
    with write_transaction():
        if not StoredTask.objects.claimed_as(task).update(claim=None, worker="", **columns):
            raise Superseded
    vars(task).update(columns)


def rescue(worker: str) -> int:
    """Free the tasks of a process that has died, and forget the process; returns the number of tasks."""
    with write_transaction():
        left = StoredTask.objects.filter(state=States.RUNNING, worker=worker)
        tasks = list(left.select_for_update(skip_locked=True, of=("self",)))
        for task in tasks:
            if task.attempt < options_of(task.name).attempts:
                _end(task, state=States.READY, due_at=timezone.now())
            else:
                fail(task, WorkerDied(DIED))
        WorkerProcess.objects.filter(pk=worker).delete()
        return len(tasks)
