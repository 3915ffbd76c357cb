"""Reads of imports: one's own, and for an admin those of the whole organization."""

import datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef, Q

from crm_project.accounts.rules import Role

if TYPE_CHECKING:
    from crm_project.accounts.models import Member

# A worker says every few hundred rows that it is alive; one that has been silent for so long is dead.
SILENCE = datetime.timedelta(minutes=2)


class ImportQuerySet(models.QuerySet[Any]):
    def visible_to(self, member: "Member") -> Self:
        """An uploaded file is its owner's: it may hold what others must not see."""
        own = self.filter(organization_id=member.organization_id)
        return own if member.role == Role.ADMIN else own.filter(member=member)

    def waiting(self, now: datetime.datetime) -> Self:
        """What no worker has taken yet, or one that has died since; one import of an organization at a time."""
        dead = Q(state="working", heartbeat_at__lt=now - SILENCE)
        alive = self.model.objects.filter(
            organization=OuterRef("organization"), state="working", heartbeat_at__gte=now - SILENCE
        )
        return self.filter(Q(state="queued") | dead).exclude(Exists(alive)).order_by("queued_at", "id")

    def that_did(self, organization_id: int, change_set: UUID) -> Self:
        """The import whose run, or whose undo, this change set is."""
        known = Q(counts__change_set=str(change_set)) | Q(counts__undone_by=str(change_set))
        return self.filter(known, organization_id=organization_id)

    def remembered(self, *, organization_id: int, kind: str, header_digest: str) -> Self:
        """Earlier uploads with the same columns, the newest first: their mapping is the best guess."""
        same = self.filter(organization_id=organization_id, kind=kind, header_digest=header_digest)
        return same.filter(is_mapping_chosen=True).order_by("-created_at", "-id")
