"""Stored responses, which a retry with the same Idempotency-Key gets again; and the counts of the rate limits."""

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from crm_project.accounts.models import Member, Organization
from crm_project.records.constraints import same_organization
from crm_project.records.fields import RowForeignKey


class IdempotencyKey(models.Model):
    """One key of one member, with the fingerprint of its request and the bytes of the response.

    `body` is null if the response contained a secret, which is never stored, or was redacted.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    member = RowForeignKey(Member)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers: Any = models.JSONField(default=dict)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "member", "key"], name="api_idempotencykey_once"),
            *same_organization("api_idempotencykey", "member"),
        ]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="api_idempotencykey_oldest")]

    def __str__(self) -> str:
        return self.key


class RateWindow(models.Model):
    """The units that all server processes have counted for one client of a policy in its present window.

    `key` is made of the policy and an id, `ends` is in seconds since the epoch. The rows are no tenant's data.
    """

    key = models.CharField(max_length=100, primary_key=True)
    ends = models.BigIntegerField()
    units = models.BigIntegerField()

    def __str__(self) -> str:
        return self.key
