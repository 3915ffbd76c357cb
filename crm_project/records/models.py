"""What every row has; and the rows of no single app: custom-field definitions, references of accounts' rows."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm_project.accounts.models import Member, Organization
from crm_project.records.constraints import organization_key, same_organization
from crm_project.records.fields import RowForeignKey
from crm_project.records.querysets import CustomFieldQuerySet

DEFAULT_SYSTEM = "default"


class Row(models.Model):
    """A row of exactly one organization. It does not save itself: services write, bump `version` and record events."""

    row_kind: ClassVar[str]
    derived: ClassVar[frozenset[str]] = frozenset({"search_text", "version", "updated_at"})

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="+", db_index=False, editable=False
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    def refresh_derived(self) -> None:
        """Bring the derived columns in step with the others; kinds of row that have some override it."""


class CustomField(Row):
    """The definition of a custom field of deals or contacts; the values live in the row's `custom_fields`."""

    class Kinds(models.TextChoices):
        DEAL = "deal"
        CONTACT = "contact"

    class Types(models.TextChoices):
        TEXT = "text"
        TEXTAREA = "textarea"
        NUMBER = "number"
        SELECT = "select"
        MULTISELECT = "multiselect"
        CHECKBOX = "checkbox"
        DATE = "date"
        HEADING = "heading"

    row_kind: ClassVar[str] = "custom_field"

    kind = models.CharField(max_length=16, choices=Kinds)
    key = models.CharField(max_length=63)
    label = models.CharField(max_length=255)
    type = models.CharField(max_length=16, choices=Types)
    options = models.JSONField(default=list, blank=True)
    mask = models.CharField(max_length=255, blank=True)
    position = models.PositiveIntegerField(default=0)
    required = models.BooleanField(default=False)

    objects = CustomFieldQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            organization_key("records_customfield"),
            models.UniqueConstraint(
                fields=["organization", "kind", "key"],
                condition=Q(deleted_at=None),
                name="records_customfield_live_key",
            ),
        ]

    def __str__(self) -> str:
        return self.label


class ExternalReference(models.Model):
    """(system, external id) names one of our rows. `is_live` follows the row, so that trash frees the key."""

    kind: ClassVar[str]
    row: Any

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    system = models.CharField(max_length=255)
    external_id = models.CharField(max_length=255)
    is_live = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.system}: {self.external_id}"


def reference_constraints(table: str) -> list[Any]:
    """A key names one live row; a reference stays in its row's organization."""
    key = models.UniqueConstraint(
        fields=["organization", "system", "external_id"], condition=Q(is_live=True), name=f"{table}_live_key"
    )
    return [key, *same_organization(table, "row")]


def reference_indexes(app: str) -> list[models.Index]:
    """For lists of the references of great tables."""
    fields = ["organization", "created_at", "id"]
    return [models.Index(fields=fields, condition=Q(is_live=True), name=f"{app}_reference_oldest")]


def reference_models() -> dict[str, type[ExternalReference]]:
    """Every kind of row that can be named from outside, with its table of references."""
    return {model.kind: model for model in ExternalReference.__subclasses__()}


class OrganizationReference(ExternalReference):
    kind: ClassVar[str] = "organization"
    row = models.ForeignKey(Organization, models.PROTECT, related_name="references")

    class Meta(ExternalReference.Meta):
        constraints: ClassVar = reference_constraints("records_organizationreference")[:1]


class MemberReference(ExternalReference):
    kind: ClassVar[str] = "user"
    row = RowForeignKey(Member, related_name="references", db_index=True)

    class Meta(ExternalReference.Meta):
        constraints: ClassVar = reference_constraints("records_memberreference")


class CustomFieldReference(ExternalReference):
    kind: ClassVar[str] = "custom_field"
    row = RowForeignKey(CustomField, related_name="references", db_index=True)

    class Meta(ExternalReference.Meta):
        constraints: ClassVar = reference_constraints("records_customfieldreference")
