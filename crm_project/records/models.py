"""The base models of rows and external references, custom-field definitions, and references of accounts' rows."""

import uuid
from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy

from crm_project.accounts.models import Member, Organization
from crm_project.records.constraints import organization_key, same_organization
from crm_project.records.fields import RowForeignKey
from crm_project.records.querysets import CustomFieldQuerySet

DEFAULT_SYSTEM = "default"


class Row(models.Model):
    """A row of one organization. Written by services, which bump `version` and record events, not by `save()`."""

    row_kind: ClassVar[str]
    derived: ClassVar[frozenset[str]] = frozenset({"search_text", "version", "updated_at"})
    # The foreign keys to rows that `refresh_derived` reads.
    derived_from: ClassVar[Sequence[str]] = ()

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
        """Recompute the derived columns; a subclass with some overrides this."""


class CustomField(Row):
    """The definition of a custom field of deals or contacts; values are stored in the row's `custom_fields`."""

    class Kinds(models.TextChoices):
        DEAL = "deal", gettext_lazy("Deal")
        CONTACT = "contact", gettext_lazy("Contact")

    class Types(models.TextChoices):
        TEXT = "text", gettext_lazy("Text")
        TEXTAREA = "textarea", gettext_lazy("Textarea")
        NUMBER = "number", gettext_lazy("Number")
        SELECT = "select", gettext_lazy("Select")
        MULTISELECT = "multiselect", gettext_lazy("Multiselect")
        CHECKBOX = "checkbox", gettext_lazy("Checkbox")
        DATE = "date", gettext_lazy("Date")
        HEADING = "heading", gettext_lazy("Heading")

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
    """The id of a row in another system. `is_live` is False while the row is in the trash, which frees the key."""

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
    """A key is unique among live rows; a reference and its row have the same organization."""
    key = models.UniqueConstraint(
        fields=["organization", "system", "external_id"], condition=Q(is_live=True), name=f"{table}_live_key"
    )
    return [key, *same_organization(table, "row")]


def reference_indexes(app: str) -> list[models.Index]:
    """For lists of the references of large tables."""
    fields = ["organization", "created_at", "id"]
    return [models.Index(fields=fields, condition=Q(is_live=True), name=f"{app}_reference_oldest")]


def reference_models() -> dict[str, type[ExternalReference]]:
    """The tables of external references by kind of row."""
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
