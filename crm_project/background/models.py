"""Tasks to run and tasks that have run, the times of the schedule, and the processes that work."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone

from crm_project.background.querysets import StoredTaskQuerySet


class StoredTask(models.Model):
    """A call of a task: its arguments in JSON, when it is due, and how it went."""

    class States(models.TextChoices):
        READY = "ready"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # The path of the function.
    name = models.CharField(max_length=255)
    args = models.JSONField(default=list)
    kwargs = models.JSONField(default=dict)
    queue = models.CharField(max_length=32)
    priority = models.SmallIntegerField(default=0)
    # Of the tasks with the same text one runs at a time; empty for no such limit.
    group = models.CharField(max_length=255, blank=True)
    state = models.CharField(max_length=16, choices=States, default=States.READY)
    attempt = models.PositiveIntegerField(default=0)
    enqueued_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # The process that runs it, and the attempt that may end it: another one has another claim.
    worker = models.CharField(max_length=64, blank=True)
    claim = models.UUIDField(null=True)
    result = models.JSONField(null=True)
    # Of the last attempt: the class of the exception, its message, and the lines of the code.
    error_class = models.CharField(max_length=255, blank=True)
    error = models.TextField(blank=True)
    traceback = models.TextField(blank=True)

    objects = StoredTaskQuerySet.as_manager()

    class Meta:
        verbose_name = "task"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["group"],
                condition=models.Q(state="running") & ~models.Q(group=""),
                name="background_task_group",
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["queue", "-priority", "due_at", "id"],
                condition=models.Q(state="ready"),
                name="background_task_ready",
            ),
            models.Index(
                fields=["worker"], condition=models.Q(state="running"), name="background_task_running"
            ),
            models.Index(
                fields=["finished_at"], condition=models.Q(state="done"), name="background_task_done"
            ),
            models.Index(
                fields=["finished_at"], condition=models.Q(state="failed"), name="background_task_failed"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Schedule(models.Model):
    """When an entry of the schedule is due next; the code declares its task and its rhythm."""

    name = models.CharField(max_length=64, unique=True)
    next_at = models.DateTimeField()
    last_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "scheduled task"

    def __str__(self) -> str:
        return self.name


class WorkerProcess(models.Model):
    """A process that runs tasks. On PostgreSQL it raises `beat` every few seconds while it lives."""

    id = models.CharField(max_length=64, primary_key=True)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField(default=timezone.now)
    beat = models.PositiveBigIntegerField(default=0)
    seen_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.host} {self.pid}"
