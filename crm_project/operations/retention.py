"""Retention: what is deleted when its time is over, and the sizes of the tables."""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection

from crm_project.accounts.logins import KNOWN_FOR, WINDOW
from crm_project.accounts.models import Invitation, SignInAddress, SignInAttempt
from crm_project.api.idempotency import RETENTION, sweep
from crm_project.api.models import IdempotencyKey
from crm_project.api.settling import ended_windows
from crm_project.api.settling import sweep as sweep_windows
from crm_project.background.models import StoredTask
from crm_project.imports.export_services import old_exports
from crm_project.imports.services import delete_old_files, old_files
from crm_project.journal.purging import purge, purgeable
from crm_project.mail.services import old_messages
from crm_project.notifications.services import old_notifications
from crm_project.records.kinds import Kind, kinds
from crm_project.records.querysets import RESTORABLE_FOR
from crm_project.webhooks.erasure import old_deliveries

BATCH = 1_000
LARGEST = 12
TASKS_DONE_FOR = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Expiry:
    """What has expired of one table. `delete_batch` deletes some rows in one transaction and returns their number."""

    subject: str
    rows: Any
    delete_batch: Callable[[], int]

    def delete(self) -> int:
        """Delete all; returns the number of rows."""
        total = 0
        while count := self.delete_batch():
            total += count
        return total


def expiries(now: datetime.datetime) -> Iterator[Expiry]:
    """Rows that others refer to come after those that refer to them."""
    for kind in reversed(kinds.values()):
        if kind.expired is not None or hasattr(kind.model, "deleted_at"):
            yield _of_kind(kind, now - RESTORABLE_FOR)
    yield _of_rows("sessions", Session.objects.filter(expire_date__lt=now))
    yield _of_rows("sign-in attempts", SignInAttempt.objects.filter(at__lt=now - WINDOW))
    yield _of_rows("sign-in addresses", SignInAddress.objects.filter(at__lt=now - KNOWN_FOR))
    yield _of_rows("invitations", Invitation.objects.filter(expires_at__lt=now))
    yield _of_rows("mail", old_messages(now))
    keys = IdempotencyKey.objects.filter(created_at__lte=now - RETENTION)
    yield Expiry("idempotency keys", keys, sweep)
    yield Expiry("rate limits", ended_windows(), sweep_windows)
    yield _of_rows("webhook deliveries", old_deliveries(now))
    yield _of_rows("notifications", old_notifications(now))
    ended = {"done": TASKS_DONE_FOR, "failed": datetime.timedelta(days=settings.TASK_KEEP_DAYS)}
    for state, kept_for in ended.items():
        tasks = StoredTask.objects.filter(state=state, finished_at__lt=now - kept_for)
        yield _of_rows(f"{state} tasks", tasks)
    yield _of_rows("exports", old_exports(now))
    yield Expiry("import files", old_files(now), lambda: delete_old_files(now))


def _of_kind(kind: Kind, before: datetime.datetime) -> Expiry:
    subject = str(kind.model._meta.verbose_name_plural)
    return Expiry(subject, purgeable(kind, before), lambda: purge(kind, before))


def _of_rows(subject: str, rows: Any) -> Expiry:
    def delete_batch() -> int:
        keys = list(rows.values_list("pk", flat=True)[:BATCH])
        return int(rows.filter(pk__in=keys).delete()[0]) if keys else 0

    return Expiry(subject, rows, delete_batch)


def sizes() -> list[tuple[str, int]]:
    """The bytes of the database and of its largest tables with their indexes; on SQLite of the file alone."""
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
            return [("database", cursor.fetchone()[0])]
        cursor.execute("SELECT pg_database_size(current_database())")
        total = cursor.fetchone()[0]
        cursor.execute(
            "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY 2 DESC LIMIT %s",
            [LARGEST],
        )
        return [("database", total), *cursor.fetchall()]
