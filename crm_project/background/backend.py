"""The backend of the Tasks API whose queue is a table of the product's database, SQLite or PostgreSQL."""

import json
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from crm_project.background.api import (
    BaseTaskBackend,
    Task,
    TaskResult,
    TaskResultDoesNotExist,
    task_backends,
)
from crm_project.background.models import StoredTask
from crm_project.background.options import options_of
from crm_project.background.results import result_of
from crm_project.background.running import task_of
from crm_project.background.server import wake
from crm_project.write_queue import write_transaction

if TYPE_CHECKING:
    from crm_project.background.worker import Worker

States = StoredTask.States


class DatabaseBackend(BaseTaskBackend):
    supports_defer = True
    supports_get_result = True
    supports_priority = True

    def enqueue(self, task: Task[..., Any], args: Any, kwargs: Any) -> TaskResult[Any]:
        """Store the task with the open transaction: a rollback leaves none."""
        self.validate_task(task)
        stored = stored_task(task, list(args), dict(kwargs))
        with write_transaction():
            stored.save(force_insert=True)
            self.deliver([stored])
        return result_of(stored, task)

    def deliver(self, tasks: Sequence[StoredTask]) -> None:
        """Called in the transaction that stores ready tasks: after it the worker of this process looks at the queue."""
        for queue in {stored.queue for stored in tasks}:
            transaction.on_commit(partial(wake, queue), robust=True)

    def start_queue(self, worker: "Worker", queue: str) -> None:
        """Start the threads of a worker process that run the tasks of the queue."""
        for number in range(worker.threads):
            worker.thread(f"tasks-{queue}-{number}", worker.work, queue)

    def rescue(self, lease: float) -> int:
        """Deliver again what dead workers had, apart from the stored tasks, which are free already."""
        return 0

    def get_result(self, result_id: str) -> TaskResult[Any]:
        try:
            stored = StoredTask.objects.get(uuid=result_id)
        except (StoredTask.DoesNotExist, ValidationError) as error:
            raise TaskResultDoesNotExist(result_id) from error
        return result_of(stored, task_of(stored.name))


def stored_task(task: Task[..., Any], args: list[Any], kwargs: dict[str, Any]) -> StoredTask:
    """The row of a call that is not stored yet. Raises TypeError for arguments that JSON does not have."""
    json.dumps([args, kwargs], allow_nan=False)
    group = options_of(task.module_path).group
    return StoredTask(
        name=task.module_path,
        args=args,
        kwargs=kwargs,
        queue=task.queue_name,
        priority=task.priority,
        group=group(*args, **kwargs) if group else "",
        due_at=task.run_after or timezone.now(),
    )


def enqueue_many(task: Task[..., Any], calls: list[dict[str, Any]]) -> None:
    """Enqueue a task once for each mapping of keyword arguments, with one statement."""
    backend = task.get_backend()
    if not isinstance(backend, DatabaseBackend):
        for kwargs in calls:
            task.enqueue(**kwargs)
        return
    with write_transaction():
        stored = StoredTask.objects.bulk_create([stored_task(task, [], kwargs) for kwargs in calls])
        backend.deliver(stored)


def run_again(stored: StoredTask) -> bool:
    """Queue a task that has ended once more, with all its attempts; False if it is queued or running already."""
    ready = {"state": States.READY, "attempt": 0, "due_at": timezone.now(), "finished_at": None}
    with write_transaction():
        ended = StoredTask.objects.filter(pk=stored.pk, state__in=[States.DONE, States.FAILED])
        if not ended.update(**ready):
            return False
        vars(stored).update(ready)
        backend = task_backends["default"]
        if isinstance(backend, DatabaseBackend):
            backend.deliver([stored])
        return True
