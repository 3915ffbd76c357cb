"""Notifications, the switches of a member, and how far each organization has been read."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy

from crm_project.accounts.models import Member, Organization
from crm_project.notifications.querysets import NotificationQuerySet
from crm_project.notifications.rules import DIGEST_HOUR
from crm_project.records.constraints import same_organization
from crm_project.records.fields import RowForeignKey


class Notification(models.Model):
    """One happening for one member. It holds no text: that is made of the row and the event when it is shown.

    `key` identifies the happening: an event of the journal, a due time, a run of an import. `row_kind` and `row_id`
    name the row that it is about: without access to that, nothing is shown or mailed.
    """

    class Kinds(models.TextChoices):
        DEAL_HANDED = "deal_handed", gettext_lazy("A deal is handed to me")
        DEAL_CLOSED = "deal_closed", gettext_lazy("A deal that I follow is closed")
        DEAL_CHANGED = "deal_changed", gettext_lazy("A deal that I follow is changed")
        ACTIVITY_DUE = "activity_due", gettext_lazy("An activity of mine is due")
        IMPORT_FINISHED = "import_finished", gettext_lazy("An import of mine has finished")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    member = RowForeignKey(Member)
    kind = models.CharField(max_length=32, choices=Kinds)
    key = models.CharField(max_length=64)
    row_kind = models.CharField(max_length=16)
    row_id = models.BigIntegerField()
    # The event of the journal, if there is one.
    sequence = models.BigIntegerField(null=True)
    # Whether it is listed; one that is not was mailed alone.
    in_bell = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)

    objects: Any = NotificationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "kind", "key"], name="notifications_once"),
            *same_organization("notifications_notification", "member"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["member", "-created_at", "-id"],
                condition=Q(in_bell=True),
                name="notifications_newest",
            ),
            models.Index(
                fields=["member", "-created_at", "-id"],
                condition=Q(in_bell=True, read_at=None),
                name="notifications_unread",
            ),
            models.Index(fields=["created_at"], name="notifications_oldest"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class NotificationSettings(models.Model):
    """What a member has chosen. `switches` has the kinds that differ from the defaults; `digest_on` is the day of the
    last digest, in the member's zone.
    """

    member = models.OneToOneField(Member, models.CASCADE, primary_key=True, related_name="+")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    switches: Any = models.JSONField(default=dict)
    digest = models.BooleanField(default=True)
    digest_hour = models.PositiveSmallIntegerField(default=DIGEST_HOUR)
    digest_on = models.DateField(null=True)

    class Meta:
        verbose_name_plural = "notification settings"
        constraints: ClassVar = [
            *same_organization("notifications_notificationsettings", "member"),
            models.CheckConstraint(condition=Q(digest_hour__lte=23), name="notifications_settings_hour"),
        ]


class CalendarFeed(models.Model):
    """The address of a member's calendar. Only the SHA-256 of its secret is stored."""

    member = models.OneToOneField(Member, models.CASCADE, primary_key=True, related_name="+")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [*same_organization("notifications_calendarfeed", "member")]


class NotificationPosition(models.Model):
    """How far an organization has been read: its feed, the instants and the days at which activities are due.

    Each is moved on in the transaction that stores the notifications, from the value that was read: of two processes
    that read the same events, one stores nothing.
    """

    organization = models.OneToOneField(Organization, models.PROTECT, primary_key=True, related_name="+")
    sequence = models.BigIntegerField(default=0)
    due_until = models.DateTimeField(default=timezone.now)
    due_day = models.DateField()
