"""Tasks and the schedule, for operators: what failed and why, and a button that runs it again."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_project.background import schedule
from crm_project.background.backend import run_again
from crm_project.background.models import Schedule, StoredTask
from crm_project.errors import Conflict
from crm_project.staff import display
from crm_project.staff.actions import AdminAction
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.filters import choice_filter
from crm_project.staff.request_actor import is_operator

if apps.is_installed("procrastinate.contrib.django"):
    from procrastinate.contrib.django.models import ProcrastinateJob

    admin.site.unregister(ProcrastinateJob)

States = StoredTask.States
LABELS = {
    States.READY: gettext_lazy("Ready"),
    States.RUNNING: gettext_lazy("Running"),
    States.DONE: gettext_lazy("Done"),
    States.FAILED: gettext_lazy("Failed"),
}
COLORS = {States.READY: "open", States.RUNNING: "open", States.DONE: "won", States.FAILED: "lost"}


class OperatorsModelAdmin(StaffModelAdmin):
    """Pages that can be read, with actions and without a form."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission


class OperatorsAction(AdminAction):
    in_journal = False

    def may(self, admin: Any, request: HttpRequest) -> bool:
        return is_operator(request)


class RunAgain(OperatorsAction):
    name = "again"
    label = gettext_lazy("Run again")
    icon = "replay"
    done = gettext_lazy("queued")
    explanation = gettext_lazy(
        "The task is attempted as often as a new one. What it has done already may be done twice."
    )

    def fits(self, row: StoredTask) -> bool:
        return row.state in (States.DONE, States.FAILED)

    def run(self, actor: Any, rows: Sequence[StoredTask], given: Mapping[str, Any]) -> None:
        for row in rows:
            if not run_again(row):
                raise Conflict("%(name)s is queued or running.", {"name": row.name})


@admin.register(StoredTask)
class TaskAdmin(OperatorsModelAdmin):
    empty_hint = gettext_lazy("Mails, imports and other background work appear here.")
    list_display: ClassVar[Any] = (
        "name",
        "state_chip",
        "queue",
        "attempt",
        "due_at",
        "finished_at",
        "problem",
    )
    list_filter: ClassVar[Any] = (choice_filter(gettext_lazy("State"), "state", LABELS.items()),)
    search_fields: ClassVar[Any] = ("name",)
    ordering: ClassVar[Any] = ("-id",)
    sortable_by: ClassVar[Any] = ()
    row_actions: ClassVar[Sequence[AdminAction]] = (RunAgain(),)

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        names = ["name", "arguments", "state_chip", "queue", "priority", "attempt"]
        times = ["enqueued_at", "due_at", "started_at", "finished_at"]
        return [
            (None, {"fields": names}),
            (_("Times"), {"fields": times}),
            (_("Last error"), {"fields": ["problem", "places"]}),
            (_("Result"), {"fields": ["returned"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return ("arguments", "state_chip", "problem", "places", "returned")

    @admin.display(description=gettext_lazy("State"))
    def state_chip(self, task: StoredTask) -> Any:
        return display.status(COLORS[States(task.state)], str(LABELS[States(task.state)]))

    @admin.display(description=gettext_lazy("Error"))
    def problem(self, task: StoredTask) -> Any:
        return display.clipped(task.error) if task.error else display.NOTHING

    @admin.display(description=gettext_lazy("Where"))
    def places(self, task: StoredTask) -> str:
        return task.traceback or display.NOTHING

    @admin.display(description=gettext_lazy("Arguments"))
    def arguments(self, task: StoredTask) -> str:
        named = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in task.kwargs.items()]
        return ", ".join([*(json.dumps(value, ensure_ascii=False) for value in task.args), *named])

    @admin.display(description=gettext_lazy("Result"))
    def returned(self, task: StoredTask) -> str:
        return json.dumps(task.result, ensure_ascii=False) if task.result is not None else display.NOTHING


class RunNow(OperatorsAction):
    name = "now"
    label = gettext_lazy("Run now")
    icon = "play_arrow"
    done = gettext_lazy("queued")
    explanation = gettext_lazy("Beside the occurrences of the schedule, which stay as they are.")

    def fits(self, row: Schedule) -> bool:
        return row.name in schedule.entries()

    def run(self, actor: Any, rows: Sequence[Schedule], given: Mapping[str, Any]) -> None:
        for row in rows:
            if not self.fits(row):
                raise Conflict("%(name)s is of another release.", {"name": row.name})
            schedule.entries()[row.name].task.enqueue()


@admin.register(Schedule)
class ScheduleAdmin(OperatorsModelAdmin):
    empty_hint = gettext_lazy("The schedule appears when the first worker starts.")
    list_display: ClassVar[Any] = ("name", "rhythm", "next_at", "last_at")
    ordering: ClassVar[Any] = ("name",)
    sortable_by: ClassVar[Any] = ()
    row_actions: ClassVar[Sequence[AdminAction]] = (RunNow(),)

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        return [(None, {"fields": ["name", "rhythm", "next_at", "last_at"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return ("rhythm",)

    @admin.display(description=gettext_lazy("Rhythm"))
    def rhythm(self, row: Schedule) -> str:
        entry = schedule.entries().get(row.name)
        return str(entry.rhythm) if entry else display.NOTHING
