"""Webhooks, the position of each in the feed, and their deliveries."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy, pgettext_lazy

from crm_project.accounts.models import Member, Organization
from crm_project.outbound import MAX_URL
from crm_project.records.constraints import organization_key, same_organization
from crm_project.records.fields import RowForeignKey
from crm_project.records.models import Row
from crm_project.records.querysets import RowQuerySet
from crm_project.webhooks.querysets import DeliveryQuerySet, StateQuerySet

EVERYTHING = "*"


class Webhook(Row):
    """An endpoint of another system, which gets the events that its member may see.

    `manager` is the admin who answers for it: who created it, or activated it last. `token_uuid` names the token that
    it was created with. The secrets are encrypted, and no part of its events.
    """

    class Pauses(models.TextChoices):
        GONE = "gone", gettext_lazy("The endpoint answered 410 Gone")
        FAILING = "failing", gettext_lazy("No delivery succeeded for days")
        MEMBER = "member", gettext_lazy("Its member is inactive, or its manager is no longer an active admin")

    row_kind: ClassVar[str] = "webhook"
    derived: ClassVar[frozenset[str]] = Row.derived | {"secret", "previous_secret", "previous_secret_until"}

    member = RowForeignKey(Member)
    manager = RowForeignKey(Member, editable=False)
    token_uuid = models.UUIDField(null=True, editable=False)
    url = models.CharField(max_length=MAX_URL)
    description = models.CharField(max_length=255, blank=True)
    events: Any = models.JSONField(default=list)
    fields: Any = models.JSONField(default=list, blank=True)
    format = models.CharField(max_length=32, default="crm")
    skip_own = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    paused_reason = models.CharField(max_length=16, choices=Pauses, blank=True, editable=False)
    secret = models.TextField(editable=False)
    previous_secret = models.TextField(blank=True, editable=False)
    previous_secret_until = models.DateTimeField(null=True, editable=False)
    rotated_at = models.DateTimeField(null=True, editable=False)

    objects: Any = RowQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            organization_key("webhooks_webhook"),
            *same_organization("webhooks_webhook", "member", "manager"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="webhooks_webhook_newest")
        ]

    def __str__(self) -> str:
        return self.description or self.url


class WebhookState(models.Model):
    """How far a webhook has read the feed, and which dispatcher serves it.

    `position` is the last sequence that was read. `replay_position` and `replay_until` are those of a range that is
    sent once more. A dispatcher owns the webhook until `leased_until`. `failures` counts failed tries since the last
    success, and nothing new is read before `not_before`.
    """

    webhook = models.OneToOneField(Webhook, models.CASCADE, primary_key=True, related_name="state")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    position = models.BigIntegerField(default=0)
    replay_position = models.BigIntegerField(null=True)
    replay_until = models.BigIntegerField(null=True)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    is_slow = models.BooleanField(default=False)

    objects: Any = StateQuerySet.as_manager()


class WebhookDelivery(models.Model):
    """One event sent to one webhook, with its last try. A test has no event.

    `body` is frozen at the first try and null after an erasure. `holds`: later events of the same row may have been
    passed over, and are read again when this one is settled. `by_hand`: a test, a resend or a replay, tried once.
    """

    class States(models.TextChoices):
        PENDING = "pending", pgettext_lazy("delivery", "Pending")
        DELIVERED = "delivered", pgettext_lazy("delivery", "Delivered")
        FAILED = "failed", pgettext_lazy("delivery", "Failed")
        # Its event is hidden from the member by now.
        HIDDEN = "hidden", pgettext_lazy("delivery", "Hidden")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    webhook = RowForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    sequence = models.BigIntegerField(null=True)
    # An event may be several messages in a format of another system.
    part = models.PositiveSmallIntegerField(default=0)
    type = models.CharField(max_length=64)
    kind = models.CharField(max_length=32, blank=True)
    row_id = models.BigIntegerField(null=True)
    row_uuid = models.UUIDField(null=True)
    state = models.CharField(max_length=16, choices=States, default=States.PENDING)
    holds = models.BooleanField(default=False)
    by_hand = models.BooleanField(default=False)
    body = models.TextField(null=True)  # noqa: DJ001
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    attempted_at = models.DateTimeField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    url = models.CharField(max_length=MAX_URL, blank=True)
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=255, blank=True)
    answer = models.TextField(blank=True)

    objects: Any = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["webhook", "sequence", "part"], name="webhooks_delivery_one_per_event"
            ),
            *same_organization("webhooks_webhookdelivery", "webhook"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["webhook", "-created_at", "-id"], name="webhooks_delivery_newest"),
            models.Index(
                fields=["webhook", "next_attempt_at"],
                condition=Q(state="pending"),
                name="webhooks_delivery_due",
            ),
            models.Index(
                fields=["webhook", "kind", "row_id"],
                condition=Q(holds=True),
                name="webhooks_delivery_holding",
            ),
            models.Index(fields=["created_at"], name="webhooks_delivery_oldest"),
            models.Index(fields=["kind", "row_id"], name="webhooks_delivery_of_row"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.uuid}"

    @property
    def message_id(self) -> str:
        """The `webhook-id` header: the same for every try, resend and replay of the event."""
        return f"msg_{self.uuid.hex}"
