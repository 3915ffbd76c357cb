"""Pipeline: an ordered list of stages. Stage: a step whose kind (open, won or lost) is a column of its own."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from crm_project.records.constraints import organization_key, same_organization
from crm_project.records.fields import RowForeignKey
from crm_project.records.models import ExternalReference, Row, reference_constraints
from pipelines.querysets import PipelineQuerySet, StageQuerySet

# The days that an open deal may spend in a stage without a limit of its own before it is stale.
DEFAULT_STALE_AFTER_DAYS, MOST_STALE_DAYS = 30, 3650


class ForecastCategories(models.TextChoices):
    """How sure a forecast is of an open deal; a deal that is omitted is in no forecast."""

    COMMIT = "commit", pgettext_lazy("forecast", "Commit")
    BEST_CASE = "best_case", pgettext_lazy("forecast", "Best case")
    PIPELINE = "pipeline", pgettext_lazy("forecast", "Pipeline")
    OMITTED = "omitted", pgettext_lazy("forecast", "Omitted")


class Pipeline(Row):
    row_kind: ClassVar[str] = "pipeline"

    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    is_default = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    objects = PipelineQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            organization_key("pipelines_pipeline"),
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(is_default=True, deleted_at=None),
                name="pipelines_pipeline_one_default",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "created_at", "id"], name="pipelines_pipeline_oldest")
        ]

    def __str__(self) -> str:
        return self.name


class Stage(Row):
    class Kinds(models.TextChoices):
        OPEN = "open", pgettext_lazy("stage", "Open")
        WON = "won", pgettext_lazy("stage", "Won")
        LOST = "lost", pgettext_lazy("stage", "Lost")

    row_kind: ClassVar[str] = "stage"

    pipeline = RowForeignKey(Pipeline, related_name="stages")
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    position = models.PositiveIntegerField(null=True, blank=True)
    color = models.CharField(max_length=7, default="#64748b")
    probability = models.PositiveSmallIntegerField(default=10)
    kind = models.CharField(max_length=8, choices=Kinds, default=Kinds.OPEN)
    forecast_category = models.CharField(
        max_length=16,
        choices=ForecastCategories,
        default=ForecastCategories.PIPELINE,
        db_default=ForecastCategories.PIPELINE.value,
    )
    # Null stands for DEFAULT_STALE_AFTER_DAYS.
    stale_after_days = models.IntegerField(null=True, blank=True)

    objects = StageQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            organization_key("pipelines_stage"),
            *same_organization("pipelines_stage", "pipeline"),
            models.UniqueConstraint(fields=["pipeline", "position"], name="pipelines_stage_position"),
            models.CheckConstraint(
                condition=Q(deleted_at=None, position__isnull=False)
                | Q(deleted_at__isnull=False, position=None),
                name="pipelines_stage_trashed_has_no_position",
            ),
            models.CheckConstraint(condition=Q(probability__lte=100), name="pipelines_stage_probability"),
            models.CheckConstraint(
                condition=Q(kind__in=["open", "won", "lost"]), name="pipelines_stage_kind"
            ),
            models.CheckConstraint(
                condition=Q(stale_after_days=None)
                | Q(stale_after_days__gte=1, stale_after_days__lte=MOST_STALE_DAYS),
                name="pipelines_stage_stale_after_days",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "created_at", "id"], name="pipelines_stage_oldest")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def days_until_stale(self) -> int:
        """The limit in force: that of the stage, else the default."""
        return DEFAULT_STALE_AFTER_DAYS if self.stale_after_days is None else self.stale_after_days


class PipelineReference(ExternalReference):
    kind: ClassVar[str] = "pipeline"
    row: Any = RowForeignKey(Pipeline, related_name="references", db_index=True)

    class Meta(ExternalReference.Meta):
        constraints: ClassVar = reference_constraints("pipelines_pipelinereference")


class StageReference(ExternalReference):
    kind: ClassVar[str] = "stage"
    row: Any = RowForeignKey(Stage, related_name="references", db_index=True)

    class Meta(ExternalReference.Meta):
        constraints: ClassVar = reference_constraints("pipelines_stagereference")
