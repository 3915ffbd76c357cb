"""Services of exports: ask for one, delete one, and forget files with erased data."""

import datetime
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db.models import F

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.changes import before_storing, change_set
from crm_project.errors import Conflict
from crm_project.imports.export_tasks import enqueue
from crm_project.imports.layouts import PLAIN, Layout
from crm_project.imports.models import Export

# The stored files of one member; a new one replaces the oldest.
KEPT = 5


def ask_for_export(
    *,
    actor: Actor,
    kind: str,
    file_format: str,
    listing: str,
    query: str,
    raw: bool = False,
    layout: Layout = PLAIN,
) -> Export:
    """Queue an export, as a task of this transaction."""
    actor.require(Permission.VIEW)
    with change_set(actor):
        before_storing()
        own = Export.objects.visible_to(actor.member).order_by("-created_at", "-id")
        old = list(own.values_list("pk", flat=True)[KEPT - 1 :])
        Export.objects.filter(pk__in=old).delete()
        export: Export = Export.objects.create(
            organization_id=actor.organization_id,
            member=actor.member,
            token_uuid=actor.token.uuid if actor.token else None,
            kind=kind,
            format=file_format,
            raw=raw,
            listing=listing,
            query=query,
            layout=asdict(layout),
        )
        enqueue(export)
    return export


def discard_export(*, actor: Actor, export: Export) -> None:
    """Delete the export and its file; a worker that writes it stops."""
    actor.require(Permission.VIEW)
    with change_set(actor):
        before_storing()
        Export.objects.visible_to(actor.member).filter(pk=export.pk).delete()


def require_file(export: Export) -> None:
    if export.is_busy:
        raise Conflict("The file is being written. Wait until it is done.", code="export_busy")
    if export.state != Export.States.DONE:
        raise Conflict("There is no file: %(problem)s", {"problem": export.problem}, code="export_failed")


def old_exports(now: datetime.datetime) -> Any:
    """The exports that are older than EXPORT_KEEP_DAYS."""
    return Export.objects.filter(created_at__lt=now - datetime.timedelta(days=settings.EXPORT_KEEP_DAYS))


def forget_files(row: Any) -> None:
    """Delete the exports of the redacted contact's organization; an export in progress starts again."""
    own = Export.objects.filter(organization=row.organization_id)
    own.filter(state__in=[Export.States.DONE, Export.States.FAILED]).delete()
    for export in own.filter(state=Export.States.WORKING):
        export.chunks.all().delete()
        Export.objects.filter(pk=export.pk).update(state=Export.States.QUEUED, attempt=F("attempt") + 1)
        enqueue(export)
