"""`/organize/statuses.json`."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
from crm_project.dialects.intum.serializers import statuses as serializers
from crm_project.dialects.intum.views.base import IntumView
from crm_project.dialects.kit.stages import STAGE_ORDER, stage_prefix
from crm_project.errors import Conflict
from crm_project.records.locks import hold_catalogue
from crm_project.records.text import tidy
from pipelines.models import Pipeline, Stage
from pipelines.services import create_stage, trash_stage, update_stage


class IntumStatusView(IntumView):
    """The stages: first those of the default pipeline, then the others with the name of their pipeline."""

    wrapper = "status"
    edit_permission = Permission.EDIT_PIPELINES

    @extend_schema(responses=serializers.IntumStatusRead(many=True), summary="List statuses")
    def index(self, request: Request) -> Response:
        rows = self.stages().order_by(*STAGE_ORDER)
        return Response(self.serialize(serializers.IntumStatusRead, list(rows), many=True))

    @extend_schema(
        request=serializers.StatusBody,
        responses={201: serializers.IntumStatusRead},
        summary="Create a status",
    )
    def create(self, request: Request) -> Response:
        change = serializers.stage_change(self.read(serializers.IntumStatusWrite, self.sent()), None)
        self.refuse_taken(change, None)
        default = Pipeline.objects.of(self.actor.organization_id).default().first()
        stage = create_stage(actor=self.actor, change={**change, "pipeline": default and default.pk})
        return Response(self.representation(stage), self.create_status)

    @extend_schema(responses=serializers.IntumStatusRead, summary="Show a status")
    def retrieve(self, request: Request, row: str) -> Response:
        return Response(self.representation(self.find("stage", row)))

    @extend_schema(
        request=serializers.StatusBody, responses=serializers.IntumStatusRead, summary="Change a status"
    )
    def update(self, request: Request, row: str) -> Response:
        stage = self.find("stage", row)
        change = serializers.stage_change(
            self.changed(serializers.IntumStatusWrite, self.representation(stage)), stage
        )
        self.refuse_taken(change, stage)
        return Response(self.representation(update_stage(actor=self.actor, stage=stage, change=change)))

    @extend_schema(responses=serializers.IntumStatusRead, summary="Delete a status without deals")
    def destroy(self, request: Request, row: str) -> Response:
        stage = self.find("stage", row)
        data = self.representation(stage)
        trash_stage(actor=self.actor, stage=stage)
        return Response(data, self.delete_status)

    @extend_schema(
        request=None, responses=serializers.IntumStatusRead, summary="Move a status up within its pipeline"
    )
    def up(self, request: Request, row: str) -> Response:
        return self.moved(row, -1)

    @extend_schema(
        request=None, responses=serializers.IntumStatusRead, summary="Move a status down within its pipeline"
    )
    def down(self, request: Request, row: str) -> Response:
        return self.moved(row, 1)

    def moved(self, row: str, step: int) -> Response:
        stage = self.find("stage", row)
        position = max(0, stage.position + step)
        return Response(
            self.representation(update_stage(actor=self.actor, stage=stage, change={"position": position}))
        )

    def refuse_taken(self, change: dict[str, Any], stage: Stage | None) -> None:
        """Raise Conflict if another status has the name. In the core, names of stages are unique in a pipeline only."""
        if "name" not in change:
            return
        hold_catalogue(self.actor.organization_id, alone=True)
        name = tidy(f"{stage_prefix(stage) if stage else ''}{change['name']}")
        others = self.stages().exclude(pk=stage.pk if stage else None)
        if any(tidy(f"{stage_prefix(other)}{other.name}") == name for other in others):
            raise Conflict(code="name_taken")

    def stages(self) -> Any:
        return Stage.objects.visible_to(self.actor.member).select_related("pipeline")

    def representation(self, stage: Stage) -> Any:
        return self.serialize(serializers.IntumStatusRead, self.stages().get(pk=stage.pk))
