"""Writes of notifications by members: mark as read, change the switches. They are a member's own, not the journal's."""

import datetime
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.changes import before_storing
from crm_project.notifications.models import Notification, NotificationSettings
from crm_project.notifications.rules import switches
from crm_project.write_queue import write_transaction

KEEP = datetime.timedelta(days=90)


def mark_as_read(*, actor: Actor, notification: Notification) -> None:
    """Idempotent: keeps the first time."""
    _mark(actor, Notification.objects.filter(pk=notification.pk))


def mark_all_as_read(*, actor: Actor) -> int:
    """Mark what the member may see now; returns the number of notifications."""
    return _mark(actor, Notification.objects.all())


def switches_of(actor: Actor) -> dict[str, dict[str, bool]]:
    """By kind and channel."""
    stored = NotificationSettings.objects.filter(member=actor.member.pk).values_list("switches", flat=True)
    return switches(stored.first() or {})


def change_switches(*, actor: Actor, change: Mapping[str, Mapping[str, bool]]) -> dict[str, dict[str, bool]]:
    """Change some switches of the member; what has happened already stays as it is."""
    actor.require(Permission.VIEW)
    with write_transaction():
        before_storing()
        row, _ = NotificationSettings.objects.select_for_update(of=("self",)).get_or_create(
            member=actor.member, defaults={"organization_id": actor.organization_id}
        )
        changed = {kind: {**row.switches.get(kind, {}), **channels} for kind, channels in change.items()}
        row.switches = {**row.switches, **changed}
        row.save(update_fields=["switches"])
    return switches(row.switches)


def old_notifications(now: datetime.datetime) -> Any:
    return Notification.objects.older_than(now - KEEP)


def _mark(actor: Actor, rows: Any) -> int:
    actor.require(Permission.VIEW)
    with write_transaction():
        before_storing()
        unread = Notification.objects.visible_to(actor.member).unread().filter(pk__in=rows.values("pk"))
        return int(unread.update(read_at=timezone.now()))
