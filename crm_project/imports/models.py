"""Uploaded files of rows with their refused rows, and exports; contents are stored in blocks."""

import uuid
from typing import Any, ClassVar, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy, pgettext_lazy

from crm_project.accounts.models import Member, Organization
from crm_project.imports.querysets import ExportQuerySet, ImportQuerySet
from crm_project.records.constraints import organization_key, same_organization
from crm_project.records.fields import RowForeignKey

# Keys of fields that earlier releases stored in mappings.
RENAMED_FIELDS = {"member_uuids": "participant_uuids"}


class Import(models.Model):
    """One uploaded file with its columns, mapping, options and report."""

    class Kinds(models.TextChoices):
        DEALS = "deals", gettext_lazy("Deals")
        CONTACTS = "contacts", gettext_lazy("Contacts")
        ACTIVITIES = "activities", gettext_lazy("Activities")

    class Formats(models.TextChoices):
        CSV = "csv"
        XLSX = "xlsx"

    class States(models.TextChoices):
        READY = "ready", pgettext_lazy("import", "Ready")
        QUEUED = "queued", pgettext_lazy("import", "Queued")
        WORKING = "working", pgettext_lazy("import", "Working")
        PREVIEWED = "previewed", pgettext_lazy("import", "Previewed")
        DONE = "done", pgettext_lazy("import", "Done")
        UNDONE = "undone", pgettext_lazy("import", "Undone")
        REFUSED = "refused", pgettext_lazy("import", "Refused")
        FAILED = "failed", pgettext_lazy("import", "Failed")

    class Tasks(models.TextChoices):
        PREVIEW = "preview"
        RUN = "run"
        UNDO = "undo"
        # An undo that leaves the rows that have been changed since as they are.
        UNDO_UNCHANGED = "undo_unchanged"

    row_kind: ClassVar[str] = "import"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    member = RowForeignKey(Member, editable=False)
    # The member who started the run or the undo (perhaps an admin) is the actor of its changes.
    asked_by = RowForeignKey(Member, null=True, editable=False)
    # The token of that request, which the changes carry too.
    token_uuid = models.UUIDField(null=True, editable=False)
    kind = models.CharField(max_length=16, choices=Kinds)
    file_name = models.CharField(max_length=255)
    format = models.CharField(max_length=8, choices=Formats)
    size = models.PositiveBigIntegerField()
    header_digest = models.CharField(max_length=64)
    # The sheets of a workbook: the visible ones in their order, then the others.
    sheets = models.JSONField(default=list, db_default=[])
    columns = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    is_mapping_chosen = models.BooleanField(default=False)
    options = models.JSONField(default=dict)
    # The notation of columns that leave it open, by label: a decimal sign, or an order of day, month and year.
    answers = models.JSONField(default=dict, db_default={})
    # The key of the source whose headers the file has (`hubspot.deals`), or empty.
    recognized_as = models.CharField(max_length=64, blank=True, default="", db_default="")
    # What was chosen for values that are unknown here, by field and value: a value of the field, `create`, or empty.
    value_choices = models.JSONField(default=dict, db_default={})
    # What else a preview or a run has to tell: errors by their number, what was left out, what was created beside.
    summary = models.JSONField(default=dict, db_default={})
    # Whether `columns` are those of all rows; of a large file only the first ones are read at the upload.
    is_profiled = models.BooleanField(default=False, db_default=False)
    state = models.CharField(max_length=16, choices=States, default=States.READY)
    task = models.CharField(max_length=16, choices=Tasks, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    progress = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    examples = models.JSONField(default=list)
    problem = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    queued_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    file_deleted_at = models.DateTimeField(null=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            organization_key("imports_import"),
            *same_organization("imports_import", "member", "asked_by"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="imports_import_newest"),
            models.Index(
                fields=["organization", "kind", "header_digest", "-created_at"], name="imports_import_header"
            ),
            models.Index(
                fields=["queued_at"],
                condition=models.Q(state__in=["queued", "working"]),
                name="imports_import_waiting",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        """Read the mapping with the present keys of fields, also if an earlier release stored it.

        PostgreSQL stores the keys of an object in an order of its own; that of the columns decides which one of
        several feeds a field.
        """
        row = super().from_db(*args, **kwargs)
        if "mapping" in vars(row):
            stored = {label: RENAMED_FIELDS.get(key, key) for label, key in row.mapping.items()}
            columns = [column["label"] for column in vars(row).get("columns") or ()]
            row.mapping = {label: stored[label] for label in columns if label in stored} | stored
        return row

    @property
    def is_busy(self) -> bool:
        return self.state in (self.States.QUEUED, self.States.WORKING)

    @property
    def is_undo(self) -> bool:
        """Whether the last task was an undo."""
        return self.task in (self.Tasks.UNDO, self.Tasks.UNDO_UNCHANGED)

    @property
    def state_at_rest(self) -> str:
        """The state of an import that has run, without a worker."""
        return self.States.UNDONE if "undone_by" in self.counts else self.States.DONE


class ImportChunk(models.Model):
    """A block of the file, so that a large file is never in memory as a whole."""

    source = models.ForeignKey(Import, models.CASCADE, related_name="chunks", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "number"], name="imports_chunk_number")
        ]


class RefusedRow(models.Model):
    """A row of the file that cannot be imported, with its line and errors."""

    source = models.ForeignKey(Import, models.CASCADE, related_name="refused_rows", db_index=False)
    line = models.PositiveIntegerField()
    cells = models.JSONField()
    errors = models.JSONField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "line"], name="imports_refused_line")
        ]


class Export(models.Model):
    """A list that is written to a file in the background, for the member who asked for it alone.

    `listing` names the source of the rows: the list of the API or that of the admin; `query` has the parameters of
    that list. What the file holds is what the member may see during the run.
    """

    class States(models.TextChoices):
        QUEUED = "queued", pgettext_lazy("export", "Queued")
        WORKING = "working", pgettext_lazy("export", "Working")
        DONE = "done", pgettext_lazy("export", "Done")
        FAILED = "failed", pgettext_lazy("export", "Failed")

    row_kind: ClassVar[str] = "export"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    member = RowForeignKey(Member, editable=False)
    # The token of the request: without it the work is not done.
    token_uuid = models.UUIDField(null=True, editable=False)
    kind = models.CharField(max_length=16, choices=Import.Kinds)
    format = models.CharField(max_length=8, choices=Import.Formats)
    raw = models.BooleanField(default=False)
    listing = models.CharField(max_length=8)
    query = models.TextField(blank=True)
    # The form of the file, as `layouts.Layout`; empty for that of the API.
    layout = models.JSONField(default=dict, db_default={})
    state = models.CharField(max_length=16, choices=States, default=States.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    problem = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [*same_organization("imports_export", "member")]
        indexes: ClassVar = [
            models.Index(
                fields=["organization", "member", "-created_at", "-id"], name="imports_export_newest"
            ),
            models.Index(fields=["created_at"], name="imports_export_oldest"),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def file_name(self) -> str:
        return f"{self.kind}.{self.format}"

    @property
    def is_busy(self) -> bool:
        return self.state in (self.States.QUEUED, self.States.WORKING)


class ExportChunk(models.Model):
    """A block of the file."""

    export = models.ForeignKey(Export, models.CASCADE, related_name="chunks", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["export", "number"], name="imports_export_chunk_number")
        ]
