"""Notifications in words, made of their rows and events as the member may see them now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from crm_project.accounts.models import Member
from crm_project.activities.models import Activity
from crm_project.imports.models import Import
from crm_project.journal.models import Event
from crm_project.journal.sentences import SYSTEM, EventLine, lines
from crm_project.languages.figures import number
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
        kind, who = self.notification.kind, self.line.who if self.line else str(SYSTEM)
        if kind == Kinds.ACTIVITY_DUE:
            return _due(self.row, self.zone)
        if kind == Kinds.IMPORT_FINISHED:
            return _outcome(self.row)
        if kind == Kinds.DEAL_HANDED:
            return _("%(who)s handed you this deal") % {"who": who}
        if self.line is None:
            return pgettext("history", "Changed")
        return _("%(who)s: %(what)s") % {"who": who, "what": self.line.text}

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
    events, zone = _lines(found, member), member.zone
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
    with timezone.override(member.zone):
        return {line.event.sequence: line for line in lines(found, member)}


def _due(activity: Activity, zone: ZoneInfo) -> str:
    names = {"type": activity.get_type_display(), "when": _when(activity, zone)}
    if not names["when"]:
        # Translators: the type is "Call", "Meeting", "E-mail" or "Task".
        text = _("%(type)s due no more") if activity.is_open else _("%(type)s due no more, done")
    else:
        # Translators: the type is "Call", "Meeting", "E-mail" or "Task".
        text = _("%(type)s due %(when)s") if activity.is_open else _("%(type)s due %(when)s, done")
    return text % names


def _when(activity: Activity, zone: ZoneInfo) -> str:
    if activity.due_at is None:
        return formats.date_format(activity.due_on, "DATE_FORMAT") if activity.due_on else ""
    return formats.date_format(activity.due_at.astimezone(zone), "DATETIME_FORMAT")


def _outcome(source: Import) -> str:
    if source.state in (Import.States.FAILED, Import.States.REFUSED):
        return _("Import failed: nothing was imported")
    created, updated, refused = (source.counts.get(name, 0) for name in ("created", "updated", "refused"))
    counts = [
        (ngettext("%(count)s row created", "%(count)s rows created", created), created),
        (ngettext("%(count)s row updated", "%(count)s rows updated", updated), updated),
        (ngettext("%(count)s row refused", "%(count)s rows refused", refused), refused),
    ]
    texts = [text % {"count": number(count)} for text, count in counts]
    return _("Import finished: %(counts)s") % {"counts": ", ".join(texts)}
