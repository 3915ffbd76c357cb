"""Gauzy's pipelines; stages are reached through them alone."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
from crm_project.dialects.gauzy import wire
from crm_project.dialects.gauzy.views.base import AFFECTED, Found, GauzyView
from pipelines.models import Pipeline
from pipelines.services import create_pipeline, restore_pipeline, trash_pipeline, update_pipeline


class PipelineView(GauzyView):
    """Pipelines, their stages through them alone."""

    model, kind = Pipeline, "pipeline"
    edit_permission = Permission.EDIT_PIPELINES
    columns = {"name": "name__icontains", "description": "description__icontains"}
    sortable = {**GauzyView.sortable, "name": "name"}

    def serializer(self) -> Any:
        return wire.ShownPipelineWithStages if "stages" in self.relations else wire.ShownPipeline

    def fetched(self, rows: Any) -> Any:
        return rows.with_stages()

    @extend_schema(operation_id="pipelines_find_all", responses=Found, summary="Find all pipelines")
    def index(self, request: Request) -> Response:
        return super().index(request)

    @extend_schema(responses=Found, summary="List pipelines by pages")
    def pagination(self, request: Request) -> Response:
        return super().pagination(request)

    @extend_schema(responses=OpenApiTypes.INT, summary="Count pipelines")
    def count(self, request: Request) -> Response:
        return super().count(request)

    @extend_schema(responses=wire.ShownPipeline, summary="Get a pipeline")
    def retrieve(self, request: Request, row: str) -> Response:
        return Response(self.entity(self.one(row)))

    @extend_schema(
        request=wire.PipelineWords,
        responses={201: wire.ShownPipelineWithStages},
        summary="Create a pipeline with its stages",
        examples=[OpenApiExample("Create", wire.EXAMPLE_PIPELINE, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        change = wire.pipeline_change(self.read(wire.PipelineWords, self.sent()))
        pipeline = create_pipeline(actor=self.actor, change=change)
        return Response(self.whole(pipeline), self.create_status)

    @extend_schema(
        request=wire.PipelineWords, responses={202: wire.ShownPipelineWithStages}, summary="Change a pipeline"
    )
    def update(self, request: Request, row: str) -> Response:
        pipeline = self.one(row)
        change = wire.pipeline_change(self.changed(wire.PipelineWords, self.whole(pipeline)))
        return Response(
            self.whole(update_pipeline(actor=self.actor, pipeline=pipeline, change=change)),
            self.update_status,
        )

    @extend_schema(responses={202: OpenApiTypes.OBJECT}, summary="Delete a pipeline that no deal stands in")
    def destroy(self, request: Request, row: str) -> Response:
        trash_pipeline(actor=self.actor, pipeline=self.one(row))
        return Response(AFFECTED, self.delete_status)

    @extend_schema(responses={202: wire.ShownPipeline}, summary="Move a pipeline to the trash")
    def soft(self, request: Request, row: str) -> Response:
        pipeline = self.one(row)
        trash_pipeline(actor=self.actor, pipeline=pipeline)
        return Response(self.entity(pipeline), self.delete_status)

    @extend_schema(
        request=None, responses={202: wire.ShownPipelineWithStages}, summary="Bring a pipeline back"
    )
    def recover(self, request: Request, row: str) -> Response:
        return Response(
            self.whole(restore_pipeline(actor=self.actor, pipeline=self.trashed(row))), self.update_status
        )

    def whole(self, pipeline: Pipeline) -> Any:
        return self.show(wire.ShownPipelineWithStages, Pipeline.objects.with_stages().get(pk=pipeline.pk))
