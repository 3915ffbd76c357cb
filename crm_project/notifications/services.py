"""Writes of notifications by members: mark as read, change the switches. They are a member's own, not the journal's."""

import datetime
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.changes import before_storing
from crm_project.notifications.models import Notification, NotificationSettings
from crm_project.notifications.rules import DEFAULTS, switches
from crm_project.write_queue import write_transaction

KEEP = datetime.timedelta(days=90)


def mark_as_read(*, actor: Actor, notification: Notification) -> None:
    """Idempotent: keeps the first time."""
    _mark(actor, Notification.objects.filter(pk=notification.pk))


def mark_all_as_read(*, actor: Actor) -> int:
    """Mark what the member may see now; returns the number of notifications."""
    return _mark(actor, Notification.objects.all())


def settings_of(actor: Actor) -> dict[str, Any]:
    """The channels by kind, whether there is a digest, and its hour."""
    row = NotificationSettings.objects.filter(member=actor.member.pk).first()
    return _shown(row or NotificationSettings())


def change_settings(*, actor: Actor, change: Mapping[str, Any]) -> dict[str, Any]:
    """Change some settings of the member; what has happened already stays as it is."""
    actor.require(Permission.VIEW)
    with write_transaction():
        before_storing()
        rows = NotificationSettings.objects.select_for_update(of=("self",))
        row, _ = rows.get_or_create(member=actor.member, defaults={"organization_id": actor.organization_id})
        switched = {
            kind: {**row.switches.get(kind, {}), **change[kind]} for kind in DEFAULTS.keys() & change.keys()
        }
        row.switches = {**row.switches, **switched}
        row.digest = change.get("digest", row.digest)
        row.digest_hour = change.get("digest_hour", row.digest_hour)
        row.save(update_fields=["switches", "digest", "digest_hour"])
    return _shown(row)


def _shown(row: NotificationSettings) -> dict[str, Any]:
    return {**switches(row.switches), "digest": row.digest, "digest_hour": row.digest_hour}


def old_notifications(now: datetime.datetime) -> Any:
    return Notification.objects.older_than(now - KEEP)


def _mark(actor: Actor, rows: Any) -> int:
    actor.require(Permission.VIEW)
    with write_transaction():
        before_storing()
        unread = Notification.objects.visible_to(actor.member).unread().filter(pk__in=rows.values("pk"))
        return int(unread.update(read_at=timezone.now()))
