"""`/api/pipelines` and `/api/stages`."""

from typing import Any

from django.db.models import F
from rest_framework.request import Request

from crm_project.accounts.rules import Permission
from crm_project.api.errors import InvalidQuery
from crm_project.api.filters import IntegerFilter, StrictFilterSet
from crm_project.api.views import RestoreMixin, RowViewSet
from crm_project.records.paging import Key
from pipelines import services
from pipelines.api.serializers import PipelineSerializer, StageSerializer
from pipelines.models import Pipeline, Stage

MOVE_DEALS_TO = {
    "destroy": {
        "move_deals_to": {
            "type": "integer",
            "description": "The id of a stage: where the deals go that would otherwise forbid the deletion.",
        }
    }
}


class CatalogueViewSet(RestoreMixin, RowViewSet):
    """Reference data, named by integer id; deleting it may say where its deals go."""

    edit_permission = Permission.EDIT_PIPELINES
    lookup_field = "id"
    lookup_value_converter = "int"
    default_ordering = "created_at"
    action_parameters = MOVE_DEALS_TO

    def move_deals_to(self, request: Request) -> int | None:
        given = request.query_params.get("move_deals_to")
        if given is None:
            return None
        if not (given.isascii() and given.isdigit() and len(given) < 19):
            raise InvalidQuery({"move_deals_to": ["The id of a stage."]})
        return int(given)


class PipelineViewSet(CatalogueViewSet):
    """Pipelines with their stages."""

    model = Pipeline
    queryset = Pipeline.objects.none()
    serializer_class = PipelineSerializer
    orderings = {
        "created_at": Key("created_at"),
        "updated_at": Key("updated_at"),
        "name": Key("name", text=True),
    }

    def for_reading(self, rows: Any) -> Any:
        return rows.with_stages()

    def perform_create(self, change: dict[str, Any]) -> Pipeline:
        return services.create_pipeline(actor=self.actor, change=change)

    def perform_update(self, row: Pipeline, change: dict[str, Any]) -> Pipeline:
        return services.update_pipeline(actor=self.actor, pipeline=row, change=change)

    def perform_destroy(self, row: Pipeline) -> None:
        services.trash_pipeline(
            actor=self.actor,
            pipeline=row,
            move_deals_to=self.move_deals_to(self.request),
            if_match=self.if_match,
        )

    def perform_restore(self, row: Pipeline) -> Pipeline:
        """With the stages that went to the trash together with it."""
        return services.restore_pipeline(actor=self.actor, pipeline=row, if_match=self.if_match)


class StageFilter(StrictFilterSet):
    pipeline = IntegerFilter("pipeline")


class StageViewSet(CatalogueViewSet):
    """The steps of pipelines."""

    model = Stage
    queryset = Stage.objects.none()
    serializer_class = StageSerializer
    filterset_class = StageFilter
    orderings = {
        # Pipeline by pipeline, each in its own order.
        "position": Key(F("pipeline_id") * 1_000_000 + F("position")),
        "created_at": Key("created_at"),
        "updated_at": Key("updated_at"),
        "name": Key("name", text=True),
    }
    default_ordering = "position"

    def perform_create(self, change: dict[str, Any]) -> Stage:
        return services.create_stage(actor=self.actor, change=change)

    def perform_update(self, row: Stage, change: dict[str, Any]) -> Stage:
        return services.update_stage(actor=self.actor, stage=row, change=change)

    def perform_destroy(self, row: Stage) -> None:
        services.trash_stage(
            actor=self.actor,
            stage=row,
            move_deals_to=self.move_deals_to(self.request),
            if_match=self.if_match,
        )

    def perform_restore(self, row: Stage) -> Stage:
        return services.restore_stage(actor=self.actor, stage=row, if_match=self.if_match)
