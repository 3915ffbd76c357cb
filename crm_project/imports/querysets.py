"""Queries of imports: a member sees their own, an admin those of the whole organization."""

import datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db import models
from django.db.models import Q

from crm_project.accounts.rules import Role

if TYPE_CHECKING:
    from crm_project.accounts.models import Member

# A worker updates the heartbeat of its import every second; without one for this long nobody may be working on it.
HEARTBEAT_LIMIT = datetime.timedelta(minutes=2)


class ImportQuerySet(models.QuerySet[Any]):
    def visible_to(self, member: "Member") -> Self:
        """A file belongs to the member who uploaded it: others may not be allowed to see its rows."""
        own = self.filter(organization_id=member.organization_id)
        return own if member.role == Role.ADMIN else own.filter(member=member)

    def abandoned(self, now: datetime.datetime) -> Self:
        """Imports that have waited for long, without a worker that shows its heartbeat."""
        alive = Q(state="working", heartbeat_at__gte=now - HEARTBEAT_LIMIT)
        waiting = self.filter(state__in=["queued", "working"], queued_at__lt=now - HEARTBEAT_LIMIT)
        return waiting.exclude(alive).order_by("queued_at", "id")

    def of_change_set(self, organization_id: int, change_set: UUID) -> Self:
        """The import whose run or undo is this change set."""
        run_or_undo = Q(counts__change_set=str(change_set)) | Q(counts__undone_by=str(change_set))
        return self.filter(run_or_undo, organization_id=organization_id)

    def with_chosen_mapping(self, *, organization_id: int, kind: str, header_digest: str) -> Self:
        """Earlier files with the same columns whose mapping was chosen by a member, newest first."""
        same = self.filter(organization_id=organization_id, kind=kind, header_digest=header_digest)
        return same.filter(is_mapping_chosen=True).order_by("-created_at", "-id")


class ExportQuerySet(models.QuerySet[Any]):
    def visible_to(self, member: "Member") -> Self:
        """The exports of the member alone: a file contains what its member may see, so admins do not get it."""
        return self.filter(organization_id=member.organization_id, member=member)
