"""Notifications in words, made of their rows and events as the member may see them now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import formats, timezone

from crm_project.accounts.models import Member
from crm_project.activities.models import Activity
from crm_project.errors import counted
from crm_project.imports.models import Import
from crm_project.journal.models import Event
from crm_project.journal.sentences import SYSTEM, EventLine, lines
from crm_project.notifications.models import Notification
from crm_project.notifications.querysets import MODELS
from crm_project.records.kinds import kinds

Kinds = Notification.Kinds
ICONS = {
    Kinds.DEAL_HANDED: "handshake",
    Kinds.DEAL_CLOSED: "flag",
    Kinds.DEAL_CHANGED: "edit_note",
    Kinds.ACTIVITY_DUE: "alarm",
    Kinds.IMPORT_FINISHED: "upload_file",
}
OUTCOMES = ("created", "updated", "refused")


@dataclass(frozen=True)
class PresentedNotification:
    """A notification with its row, and the event if there is one."""

    notification: Notification
    row: Any
    line: EventLine | None
    zone: ZoneInfo

    @property
    def name(self) -> str:
        """A deal without a name is its id."""
        return str(self.row).strip() or f"#{self.row.pk}"

    @property
    def who(self) -> Member | None:
        actor: Member | None = self.line.event.actor if self.line else None
        return actor

    @property
    def summary(self) -> str:
        """What happened, without the name of the row."""
        kind, who = self.notification.kind, self.line.who if self.line else SYSTEM
        if kind == Kinds.ACTIVITY_DUE:
            done = "" if self.row.is_open else ", done"
            return f"{self.row.get_type_display()} due {_due(self.row, self.zone)}{done}"
        if kind == Kinds.IMPORT_FINISHED:
            return f"Import {_outcome(self.row)}"
        if kind == Kinds.DEAL_HANDED:
            return f"{who} handed you this deal"
        return f"{who}: {self.line.text}" if self.line else "Changed"

    @property
    def text(self) -> str:
        return f"{self.name}. {self.summary}"

    @property
    def icon(self) -> str:
        return ICONS[Kinds(self.notification.kind)]

    @property
    def url(self) -> str:
        options = self.row._meta
        return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[self.row.pk])


def present(notifications: Iterable[Notification], member: Member) -> list[PresentedNotification]:
    """In their order, without those whose row the member may not see. The number of queries is fixed."""
    found = list(notifications)
    rows = {
        (kind, row.pk): row
        for kind, model in MODELS.items()
        if (ids := {one.row_id for one in found if one.row_kind == kind})
        for row in model.objects.visible_to(member).filter(pk__in=ids)
    }
    events, zone = _lines(found, member), ZoneInfo(member.organization.time_zone)
    return [
        PresentedNotification(one, row, events.get(one.sequence), zone)
        for one in found
        if (row := rows.get((one.row_kind, one.row_id))) is not None
    ]


def _lines(notifications: Sequence[Notification], member: Member) -> dict[int | None, EventLine]:
    """The entries of the events by sequence; only of kinds that notifications are about."""
    sequences = {one.sequence for one in notifications if one.sequence is not None}
    if not sequences:
        return {}
    events = Event.objects.visible_to(member, among=kinds.keys() & MODELS.keys()).with_actor()
    found = events.filter(sequence__in=sequences).order_by("sequence")
    with timezone.override(ZoneInfo(member.organization.time_zone)):
        return {line.event.sequence: line for line in lines(found, member)}


def _due(activity: Activity, zone: ZoneInfo) -> str:
    if activity.due_at is None:
        return formats.date_format(activity.due_on, "j M Y") if activity.due_on else "no more"
    return formats.date_format(activity.due_at.astimezone(zone), "j M Y, H:i")


def _outcome(source: Import) -> str:
    if source.state in (Import.States.FAILED, Import.States.REFUSED):
        return "failed: nothing was imported"
    counts = [f"{counted(source.counts.get(name, 0), 'row')} {name}" for name in OUTCOMES]
    return f"finished: {', '.join(counts)}"
