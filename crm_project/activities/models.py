"""Activities: calls, meetings, e-mails, tasks and notes of a deal or a contact, planned or done."""

import datetime
from collections.abc import Sequence
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from contacts.models import Contact
from crm_project.accounts.models import Member
from crm_project.activities.querysets import ActivityQuerySet
from crm_project.activities.rules import deadline_of
from crm_project.records.constraints import organization_key, same_organization
from crm_project.records.fields import RowForeignKey
from crm_project.records.indexes import SearchIndex
from crm_project.records.models import ExternalReference, Row, reference_constraints, reference_indexes
from crm_project.records.text import search_text
from deals.models import Deal


class Activity(Row):
    class Types(models.TextChoices):
        CALL = "call", gettext_lazy("Call")
        MEETING = "meeting", gettext_lazy("Meeting")
        EMAIL = "email", gettext_lazy("E-mail")
        TASK = "task", gettext_lazy("Task")
        NOTE = "note", gettext_lazy("Note")

    row_kind: ClassVar[str] = "activity"
    derived: ClassVar[frozenset[str]] = Row.derived | {"deadline"}
    derived_from: ClassVar[Sequence[str]] = ("organization",)

    type = models.CharField(max_length=8, choices=Types, default=Types.TASK)
    subject = models.CharField(max_length=255, blank=True)
    text = models.TextField(blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    due_on = models.DateField(null=True, blank=True)
    # After this instant it is overdue, if it is not done: `due_at`, or the end of `due_on` in the organization's zone.
    deadline = models.DateTimeField(null=True, blank=True, editable=False)
    done_at = models.DateTimeField(null=True, blank=True)
    result = models.CharField(max_length=255, blank=True)
    is_pinned = models.BooleanField(default=False)
    owner = RowForeignKey(Member, null=True, blank=True)
    deal = RowForeignKey(Deal, null=True, blank=True, related_name="activities")
    contact = RowForeignKey(Contact, null=True, blank=True, related_name="activities")
    search_text = models.TextField(blank=True, editable=False)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "activities"
        constraints: ClassVar = [
            organization_key("activities_activity"),
            *same_organization("activities_activity", "owner", "deal", "contact"),
            models.CheckConstraint(
                condition=Q(deal__isnull=False) | Q(contact__isnull=False), name="activities_activity_parent"
            ),
            models.CheckConstraint(
                condition=Q(due_at=None) | Q(due_on=None), name="activities_activity_one_due"
            ),
            models.CheckConstraint(
                condition=~Q(type="note") | Q(due_at=None, due_on=None, done_at__isnull=False),
                name="activities_activity_note",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["organization", "-created_at", "-id"],
                condition=Q(deleted_at=None),
                name="activities_newest",
            ),
            models.Index(
                fields=["organization", "-updated_at", "-id"],
                condition=Q(deleted_at=None),
                name="activities_updated",
            ),
            models.Index(
                fields=["organization", "deadline", "id"],
                condition=Q(deleted_at=None),
                name="activities_by_deadline",
            ),
            models.Index(
                fields=["organization", "owner", "deadline", "id"],
                condition=Q(deleted_at=None, done_at=None),
                name="activities_open_of_owner",
            ),
            models.Index(fields=["organization", "deal", "-id"], name="activities_of_deal"),
            models.Index(fields=["organization", "contact", "-id"], name="activities_of_contact"),
            models.Index(
                fields=["organization", "deleted_at"],
                condition=Q(deleted_at__isnull=False),
                name="activities_trash",
            ),
            SearchIndex(name="activities_search"),
        ]

    def __str__(self) -> str:
        return self.subject or self.text.strip().split("\n")[0][:80] or self.get_type_display()

    @property
    def is_open(self) -> bool:
        return self.done_at is None

    def is_overdue(self, now: datetime.datetime) -> bool:
        return self.is_open and self.deadline is not None and self.deadline < now

    def refresh_derived(self) -> None:
        self.deadline = deadline_of(self.due_at, self.due_on, ZoneInfo(self.organization.time_zone))
        self.search_text = search_text([self.subject, self.text, self.result])


class ActivityReference(ExternalReference):
    kind: ClassVar[str] = "activity"
    row: Any = RowForeignKey(Activity, related_name="references", db_index=True)

    class Meta(ExternalReference.Meta):
        constraints: ClassVar = reference_constraints("activities_activityreference")
        indexes: ClassVar = reference_indexes("activities")
