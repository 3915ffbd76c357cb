"""A stored task as the Tasks API presents it."""

from typing import Any

from crm_project.background.api import Task, TaskError, TaskResult, TaskResultStatus
from crm_project.background.models import StoredTask

STATUSES = {
    StoredTask.States.READY: TaskResultStatus.READY,
    StoredTask.States.RUNNING: TaskResultStatus.RUNNING,
    StoredTask.States.DONE: TaskResultStatus.SUCCESSFUL,
    StoredTask.States.FAILED: TaskResultStatus.FAILED,
}


def result_of(stored: StoredTask, task: Task[..., Any]) -> TaskResult[Any]:
    """`attempts` of the result is the number of attempts until now."""
    error = TaskError(exception_class_path=stored.error_class, traceback=stored.traceback)
    result: TaskResult[Any] = TaskResult(
        task=task,
        id=str(stored.uuid),
        status=STATUSES[StoredTask.States(stored.state)],
        enqueued_at=stored.enqueued_at,
        started_at=stored.started_at,
        finished_at=stored.finished_at,
        last_attempted_at=stored.started_at,
        args=stored.args,
        kwargs=stored.kwargs,
        backend=task.backend,
        errors=[error] if stored.error_class else [],
        worker_ids=[stored.worker] * stored.attempt,
    )
    object.__setattr__(result, "_return_value", stored.result)
    return result
