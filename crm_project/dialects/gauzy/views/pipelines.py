"""Gauzy's pipelines, and the stages below them."""

import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
from crm_project.dialects.gauzy.serializers import sales as serializers
from crm_project.dialects.gauzy.serializers.query import is_text
from crm_project.dialects.gauzy.views.base import GauzyView
from crm_project.dialects.gauzy.views.entities import GauzyEntityView, documented
from crm_project.dialects.kit.deal_contacts import client_of
from crm_project.journal.models import Event
from deals.models import Deal
from pipelines.models import Pipeline, Stage
from pipelines.services import (
    create_pipeline,
    create_stage,
    restore_pipeline,
    trash_pipeline,
    trash_stage,
    update_pipeline,
    update_stage,
)


@documented("pipeline", "pipelines", serializers.GauzyPipelineRead)
class GauzyPipelineView(GauzyEntityView):
    """Pipelines with their stages."""

    model, kind, read_class = Pipeline, "pipeline", serializers.GauzyPipelineRead
    edit_permission = Permission.EDIT_PIPELINES
    relates = frozenset({*serializers.GauzyPipelineRead.related, "stages.pipeline", "stages.deals"})
    columns = {"name": "name", "description": "description"}
    partial_in_pages = frozenset({"name", "description"})
    flags = {"isActive": "is_active"}
    links = {"id": ("pipeline", "pk")}
    sortable = {
        **GauzyEntityView.sortable,
        "name": "name",
        "description": "description",
        "isActive": "is_active",
    }

    def fetched(self, rows: Any) -> Any:
        return rows.with_stages()

    def entities(self, rows: list[Any]) -> Any:
        self._load_creators(rows)
        self._load_deals(rows)
        return super().entities(rows)

    def entity(self, row: Any) -> Any:
        return self.entities([self.fetched(self.model.objects.filter(pk=row.pk)).get()])[0]

    def _load_creators(self, pipelines: list[Any]) -> None:
        """Give each pipeline and stage its creator, with one query for each of the two kinds."""
        stages = [stage for pipeline in pipelines for stage in pipeline.live_stages]
        for kind, rows in (("pipeline", pipelines), ("stage", stages)):
            found = Event.objects.creators(self.actor.organization_id, kind, [row.pk for row in rows])
            for row in rows:
                row.created_by = found.get(row.pk)

    def _load_deals(self, pipelines: list[Any]) -> None:
        """Give each stage its visible deals if they are requested, with one query, and one for their clients.

        Raises AnswerTooLarge if they are too many.
        """
        if "stages.deals" not in self.relations:
            return
        stages = {stage.pk: stage for pipeline in pipelines for stage in pipeline.live_stages}
        for stage in stages.values():
            stage.visible_deals = []
        related = ("client", "contact", "created_by__user", "created_by__organization")
        deals = Deal.objects.visible_to(self.actor.member).filter(stage__in=stages).select_related(*related)
        found = list(deals.order_by("created_at", "id")[: self.budget.rows + 1])
        self.budget.spend(rows=len(found))
        for deal in found:
            deal.stage = stages[deal.stage_id]
            deal.stage.visible_deals.append(deal)
        self.ids.prefetch(client_of(deal) for stage in stages.values() for deal in stage.visible_deals)

    def matching(self, rows: Any, text: str) -> Any:
        return rows.filter(Q(name__icontains=text) | Q(description__icontains=text))

    @property
    def filters(self) -> frozenset[str]:
        return super().filters | {"stages"}

    def filter_by(self, rows: Any, name: str, value: Any, *, partial: bool) -> Any:
        """`stages` matches a part of a stage's name."""
        if name != "stages" or not is_text(value):
            return super().filter_by(rows, name, value, partial=partial)
        return rows.filter(pk__in=Stage.objects.live().filter(name__icontains=value).values("pipeline"))

    def trash(self, row: Pipeline) -> None:
        trash_pipeline(actor=self.actor, pipeline=row)

    def restore(self, row: Pipeline) -> Pipeline:
        return restore_pipeline(actor=self.actor, pipeline=row)

    def recover(self, request: Request, row: str) -> Response:
        return Response(self.whole(self.restore(self.get_trashed(row))), self.update_status)

    @extend_schema(
        request=serializers.GauzyPipelineWrite,
        responses={201: serializers.GauzyPipelineWithStagesRead},
        summary="Create a pipeline with its stages",
        examples=[OpenApiExample("Create", serializers.EXAMPLE_PIPELINE, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        change = serializers.pipeline_change(self.read(serializers.GauzyPipelineWrite, self.sent()))
        pipeline = create_pipeline(actor=self.actor, change=change)
        return Response(self.whole(pipeline, since=pipeline.created_at), self.create_status)

    @extend_schema(
        request=serializers.GauzyPipelineWrite,
        responses={202: serializers.GauzyPipelineWithStagesRead},
        summary="Change a pipeline",
        examples=[OpenApiExample("Change", serializers.EXAMPLE_PIPELINE_CHANGE, request_only=True)],
    )
    def update(self, request: Request, row: str) -> Response:
        pipeline = self.one(self.kind, row)
        change = serializers.pipeline_change(
            self.changed(serializers.GauzyPipelineWrite, self.whole(pipeline))
        )
        since = timezone.now()
        changed = update_pipeline(actor=self.actor, pipeline=pipeline, change=change)
        return Response(self.whole(changed, since=since), self.update_status)

    def whole(self, pipeline: Pipeline, since: datetime.datetime | None = None) -> Any:
        """The pipeline with its stages. The events of rows created `since` are written after the response."""
        found = Pipeline.objects.with_stages().get(pk=pipeline.pk)
        self._load_creators([found])
        for row in (found, *found.live_stages):
            if since is not None and row.created_at >= since:
                row.created_by = self.actor.member
        return self.serialize(serializers.GauzyPipelineWithStagesRead, found)


class GauzyStageView(GauzyView):
    """A stage of a pipeline. The vendor's assistant uses these routes; the vendor's server does not have them."""

    edit_permission = Permission.EDIT_PIPELINES

    @extend_schema(
        request=serializers.GauzyStageWrite,
        responses={201: serializers.GauzyStageRead},
        summary="Add a stage at the end",
    )
    def create(self, request: Request, row: str) -> Response:
        read = self.read(serializers.GauzyStageWrite, self.sent())
        change = serializers.stage_change(read)
        stage: Any = create_stage(actor=self.actor, change={**change, "pipeline": self.pipeline(row).pk})
        self._report_index(read, stage)
        stage.created_by = self.actor.member
        return Response(self.serialize(serializers.GauzyStageRead, stage), self.create_status)

    @extend_schema(
        request=serializers.GauzyStageWrite,
        responses={202: serializers.GauzyStageRead},
        summary="Change a stage",
    )
    def update(self, request: Request, row: str, stage: str) -> Response:
        found = self.stage(row, stage)
        sent = self.changed_fields(self.sent(), self.serialize(serializers.GauzyStageRead, found))
        read = self.read(serializers.GauzyStageWrite, sent, partial=True)
        change = {name: value for name, value in read.items() if name != "index"}
        changed: Any = update_stage(actor=self.actor, stage=found, change=change)
        self._report_index(read, changed)
        creators = Event.objects.creators(self.actor.organization_id, "stage", [changed.pk])
        changed.created_by = creators.get(changed.pk)
        return Response(self.serialize(serializers.GauzyStageRead, changed), self.update_status)

    @extend_schema(responses={202: OpenApiTypes.OBJECT}, summary="Delete a stage without deals", request=None)
    def destroy(self, request: Request, row: str, stage: str) -> Response:
        trash_stage(actor=self.actor, stage=self.stage(row, stage))
        return Response({"raw": [], "affected": 1}, self.delete_status)

    def _report_index(self, read: dict[str, Any], stage: Stage) -> None:
        """The order of the pipeline's array decides on the place of a stage."""
        if read.get("index", stage.position) != stage.position:
            self.ignore(["index"])

    def pipeline(self, row: str) -> Pipeline:
        pipeline: Pipeline = self.one("pipeline", row)
        return pipeline

    def stage(self, row: str, stage: str) -> Stage:
        found: Stage = self.one("stage", stage)
        if found.pipeline_id != self.pipeline(row).pk:
            raise NotFound
        return found
