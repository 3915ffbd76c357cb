"""`/opportunities/pipelines`: pipelines, each with all of its stages."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
from crm_project.dialects.leadconnector.serializers import catalogue as serializers
from crm_project.dialects.leadconnector.serializers.opportunities import Done
from crm_project.dialects.leadconnector.views.base import LeadConnectorView
from pipelines.models import Pipeline
from pipelines.services import create_pipeline, trash_pipeline, trash_stage, update_pipeline


class LeadConnectorPipelineView(LeadConnectorView):
    """Pipelines."""

    edit_permission = Permission.EDIT_PIPELINES
    queries = {"index": serializers.LeadConnectorLocationQuery}

    @extend_schema(
        operation_id="dialects_leadconnector_opportunities_pipelines_list",
        responses=serializers.Pipelines,
        summary="All pipelines with their stages",
    )
    def index(self, request: Request) -> Response:
        rows = list(self.rows.default_first())
        return Response(
            {
                "pipelines": self.serialize(serializers.LeadConnectorPipelineRead, rows, many=True),
                **self.trace,
            }
        )

    @extend_schema(
        request=serializers.LeadConnectorPipelineWrite,
        responses={201: serializers.OnePipeline},
        summary="Create",
    )
    def create(self, request: Request) -> Response:
        pipeline = create_pipeline(actor=self.actor, change=self.read(serializers.LeadConnectorPipelineWrite))
        return Response({"pipeline": self.representation(pipeline)}, self.create_status)

    @extend_schema(responses=serializers.OnePipeline, summary="One pipeline")
    def retrieve(self, request: Request, row_id: str) -> Response:
        return Response({"pipeline": self.representation(self.find("pipeline", row_id))})

    @extend_schema(
        request=serializers.LeadConnectorPipelineUpdate,
        responses=serializers.OnePipeline,
        summary="Change, or replace the stages",
    )
    def update(self, request: Request, row_id: str) -> Response:
        pipeline = self.find("pipeline", row_id)
        change = self.read(serializers.LeadConnectorPipelineUpdate, self._without_empty_stages(pipeline))
        if "stages" in change:
            self._empty_stages(pipeline, {stage.get("id") for stage in change["stages"]})
        update_pipeline(actor=self.actor, pipeline=pipeline, change=change)
        return Response({"pipeline": self.representation(pipeline)})

    def _without_empty_stages(self, pipeline: Pipeline) -> Any:
        """The body, without an empty `stages` if the pipeline has none: otherwise an empty list is invalid."""
        sent = self.request.data
        if not isinstance(sent, dict) or sent.get("stages") != [] or pipeline.stages.in_order().exists():
            return sent
        return {name: value for name, value in sent.items() if name != "stages"}

    def _empty_stages(self, pipeline: Pipeline, remaining: set[Any]) -> None:
        """Move the deals of removed open stages to the first open stage that remains, so that none is closed or
        reopened. Deals of other removed stages are refused by the core."""
        stages = [stage for stage in pipeline.stages.in_order() if stage.kind == stage.Kinds.OPEN]
        heir = next((stage.pk for stage in stages if stage.pk in remaining), None)
        for stage in stages:
            if heir is not None and stage.pk not in remaining:
                trash_stage(actor=self.actor, stage=stage, move_deals_to=heir)

    @extend_schema(request=None, responses=Done, summary="Move an empty pipeline to the trash")
    def destroy(self, request: Request, row_id: str) -> Response:
        trash_pipeline(actor=self.actor, pipeline=self.find("pipeline", row_id))
        return Response(self.done)

    @property
    def rows(self) -> Any:
        return Pipeline.objects.visible_to(self.actor.member).with_stages()

    def representation(self, pipeline: Pipeline) -> Any:
        return self.serialize(serializers.LeadConnectorPipelineRead, self.rows.get(pk=pipeline.pk))
