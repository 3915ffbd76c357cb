"""Events, numbered without gaps per organization, and the counter that numbers them."""

import uuid
from typing import Any, ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from crm_project.accounts.models import Member, Organization
from crm_project.journal.querysets import EventQuerySet
from crm_project.records.constraints import same_organization
from crm_project.records.fields import RowForeignKey


class Counter(models.Model):
    """The last sequence in use. Its row is the last lock of a transaction, so that numbers are committed in order."""

    organization = models.OneToOneField(Organization, models.PROTECT, primary_key=True, related_name="+")
    last = models.BigIntegerField(default=0)
    # Null until the first `new_epoch`; see `feed.end_of`.
    epoch = models.UUIDField(null=True, blank=True)


class Event(models.Model):
    """One row's change. `changes` maps each column or list to its [old, new] values; `undoes` names a change set."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    sequence = models.BigIntegerField()
    change_set = models.UUIDField(default=uuid.uuid4)
    undoes = models.UUIDField(null=True, blank=True)
    at = models.DateTimeField(default=timezone.now)
    actor = RowForeignKey(Member, null=True, blank=True)
    token_uuid = models.UUIDField(null=True, blank=True)
    # The import that has recorded it: a row that was created so may have been won long before.
    import_uuid = models.UUIDField(null=True, blank=True)
    kind = models.CharField(max_length=32)
    action = models.CharField(max_length=16)
    row_id = models.BigIntegerField()
    row_uuid = models.UUIDField()
    row_version = models.PositiveIntegerField()
    changes: Any = models.JSONField(encoder=DjangoJSONEncoder)

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "sequence"], name="journal_event_sequence"),
            *same_organization("journal_event", "actor"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "kind", "row_id", "-sequence"], name="journal_event_of_row"),
            models.Index(fields=["organization", "change_set"], name="journal_event_change_set"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.row_uuid} {self.action}"
