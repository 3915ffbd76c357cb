"""`/api/pipelines` and `/api/stages`."""

from typing import Any
from uuid import UUID

from django.db.models import F
from rest_framework.request import Request

from crm_project.accounts.rules import Permission
from crm_project.api.errors import InvalidQuery
from crm_project.api.fields import UUID as UUID_PATTERN
from crm_project.api.filters import ChoicesFilter, IntegersFilter, StrictFilterSet
from crm_project.api.views import RowViewSet
from crm_project.records.paging import Key
from pipelines.api.serializers import PipelineSerializer, StageSerializer
from pipelines.models import Pipeline, Stage

MOVE_DEALS_TO = {
    "destroy": {
        "move_deals_to": {
            "oneOf": [{"type": "integer"}, {"type": "string", "format": "uuid"}],
            "description": "The id or the uuid of the stage that takes over the deals, which prevent the deletion.",
        }
    }
}


def move_deals_to(request: Request) -> int | UUID | None:
    """The id or the uuid of the stage in the parameter `move_deals_to`."""
    text = request.query_params.get("move_deals_to")
    if text is None:
        return None
    if UUID_PATTERN.fullmatch(text):
        return UUID(text)
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidQuery({"move_deals_to": ["Must be the id or the uuid of a stage."]})
    return int(text)


class PipelineViewSet(RowViewSet):
    """Pipelines with their stages."""

    queryset = Pipeline.objects.none()
    serializer_class = PipelineSerializer
    edit_permission = Permission.EDIT_PIPELINES
    lookup_field = "id"
    lookup_value_converter = "id_or_uuid"
    action_parameters = MOVE_DEALS_TO
    orderings = {
        "created_at": Key("created_at"),
        "updated_at": Key("updated_at"),
        "name": Key("name", text=True),
    }
    default_ordering = "created_at"

    def for_reading(self, rows: Any) -> Any:
        return rows.with_stages()

    def perform_destroy(self, row: Pipeline, **_: Any) -> None:
        super().perform_destroy(row, move_deals_to=move_deals_to(self.request))


class StageFilter(StrictFilterSet):
    pipeline = IntegersFilter("pipeline")
    kind = ChoicesFilter(choices=Stage.Kinds.values)


class StageViewSet(RowViewSet):
    """The stages of pipelines."""

    queryset = Stage.objects.none()
    serializer_class = StageSerializer
    edit_permission = Permission.EDIT_PIPELINES
    lookup_field = "id"
    lookup_value_converter = "id_or_uuid"
    action_parameters = MOVE_DEALS_TO
    filterset_class = StageFilter
    orderings = {
        # Pipeline by pipeline, each in its own order.
        "position": Key(F("pipeline_id") * 1_000_000 + F("position")),
        "created_at": Key("created_at"),
        "updated_at": Key("updated_at"),
        "name": Key("name", text=True),
    }
    default_ordering = "position"

    def perform_destroy(self, row: Stage, **_: Any) -> None:
        super().perform_destroy(row, move_deals_to=move_deals_to(self.request))
