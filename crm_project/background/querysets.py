"""Queries of stored tasks."""

import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

if TYPE_CHECKING:
    from crm_project.background.models import StoredTask


class StoredTaskQuerySet(models.QuerySet[Any]):
    def due(self, queue: str, now: datetime.datetime) -> Self:
        """Tasks that may start, the most urgent first; none of a group of which one is running."""
        busy = self.model.objects.filter(state="running", group=OuterRef("group"))
        ready = self.filter(state="ready", queue=queue, due_at__lte=now)
        return ready.filter(Q(group="") | ~Exists(busy)).order_by("-priority", "due_at", "id")

    def claimed_as(self, task: "StoredTask") -> Self:
        """The task, as long as the attempt that claimed it may end it."""
        return self.filter(pk=task.pk, state="running", claim=task.claim)
