"""Serializers of pipelines and stages."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from crm_project.api.fields import (
    OptionalText,
    RowIdField,
    StrictBoolean,
    StrictChoice,
    StrictInteger,
    StrictUUID,
    TextField,
)
from crm_project.api.serializers import StrictSerializer
from crm_project.records.rules import LONG_TEXT
from pipelines.models import DEFAULT_STALE_AFTER_DAYS, MOST_STALE_DAYS, ForecastCategories, Stage

EXAMPLE = {
    "name": "Vente Standard",
    "stages": [
        {"name": "Nouveau lead", "color": "#3b82f6", "probability": 10},
        {"name": "Proposition", "probability": 50},
        {"name": "Gagné", "kind": "won"},
        {"name": "Perdu", "kind": "lost"},
    ],
}


class PipelineIdField(RowIdField):
    """The stage's pipeline by its id."""

    def get_attribute(self, instance: Any) -> Any:
        return instance.pipeline_id


class StageSerializer(StrictSerializer):
    """A stage. By default a new stage is the last of its pipeline and of kind open."""

    id = StrictInteger(read_only=True)
    uuid = StrictUUID(read_only=True)
    pipeline_id = PipelineIdField(source="pipeline")
    name = TextField()
    description = OptionalText(max_length=LONG_TEXT)
    position = StrictInteger(required=False, min_value=0, max_value=10_000)
    color = TextField(required=False, max_length=7)
    probability = StrictInteger(required=False, min_value=0, max_value=100)
    kind = StrictChoice(Stage.Kinds.choices, required=False)
    forecast_category = StrictChoice(
        ForecastCategories.choices,
        required=False,
        help_text="That of the stage's open deals, unless they have one of their own.",
    )
    stale_after_days = StrictInteger(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MOST_STALE_DAYS,
        help_text="An open deal that has been in the stage for longer is stale, unless it is paused. Null stands for"
        f" {DEFAULT_STALE_AFTER_DAYS}. Won and lost stages have none.",
    )

    def validate_pipeline_id(self, pipeline_id: int | UUID) -> int | UUID:
        stage = self.instance
        if stage is None:
            return pipeline_id
        if pipeline_id != (stage.pipeline.uuid if isinstance(pipeline_id, UUID) else stage.pipeline_id):
            raise serializers.ValidationError("The pipeline of a stage cannot be changed.", "read_only")
        return pipeline_id


def _keys(row: Any) -> tuple[int, UUID]:
    return row.pk, row.uuid


class PipelineStageSerializer(StageSerializer):
    """A stage inside its pipeline: an existing one with its id, a new one without; the list is in order."""

    id = RowIdField(required=False, allow_null=True)
    uuid = StrictUUID(required=False)
    pipeline_id = PipelineIdField(source="pipeline", required=False)
    name = TextField(required=False)


@extend_schema_serializer(examples=[OpenApiExample("With its stages", EXAMPLE, request_only=True)])
class PipelineSerializer(StrictSerializer):
    """A pipeline with its stages. `stages` in a request replaces the whole list."""

    id = StrictInteger(read_only=True)
    uuid = StrictUUID(read_only=True)
    name = TextField()
    description = OptionalText(max_length=LONG_TEXT)
    is_default = StrictBoolean(required=False)
    is_active = StrictBoolean(required=False)
    stages = serializers.ListField(child=PipelineStageSerializer(), required=False, max_length=200)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        own = {name: field for name, field in self.fields.items() if name != "stages"}
        result = {name: field.to_representation(field.get_attribute(instance)) for name, field in own.items()}
        return {**result, "stages": StageSerializer(instance.live_stages, many=True).data}

    def validate_stages(self, stages: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Check the read-only fields of a stage against the one with its id."""
        live = self.instance.live_stages if self.instance else ()
        existing: dict[Any, Any] = {key: stage for stage in live for key in _keys(stage)}
        errors: dict[int, Any] = {}
        for index, stage in enumerate(stages):
            row = existing.get(stage.get("id"))
            stored = {"uuid": [row.uuid], "pipeline": _keys(self.instance)} if row else {}
            wrong = {
                name
                for name in ("uuid", "pipeline")
                if name in stage and stage[name] not in stored.get(name, ())
            }
            if wrong:
                names = {"pipeline": "pipeline_id"}
                errors[index] = {
                    names.get(name, name): [ErrorDetail("This is read only.", "read_only")] for name in wrong
                }
        if errors:
            raise serializers.ValidationError(cast(Any, errors))
        return [
            {name: value for name, value in stage.items() if name not in ("uuid", "pipeline")}
            for stage in stages
        ]
