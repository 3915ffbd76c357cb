"""Stages of opportunities."""

from typing import Any

from django.db.models import Count
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
from crm_project.dialects.kit.stages import STAGE_ORDER
from crm_project.dialects.onlyoffice.serializers import stages as serializers
from crm_project.dialects.onlyoffice.serializers.params import OnlyofficeNoParameters
from crm_project.dialects.onlyoffice.views.base import OnlyofficeView, described
from deals.models import Deal
from pipelines.models import Pipeline, Stage
from pipelines.services import create_stage, trash_stage, update_pipeline, update_stage


class OnlyofficeStageView(OnlyofficeView):
    edit_permission = Permission.EDIT_PIPELINES

    @described("Stages, in order", serializers.OnlyofficeStageRead, many=True)
    def list(self, request: Request) -> Response:
        return self.many(self._representations())

    @described(
        "Create a stage at the end",
        serializers.OnlyofficeStageRead,
        request=serializers.OnlyofficeStageWrite,
        status=201,
    )
    def create(self, request: Request) -> Response:
        sent = self.read(serializers.OnlyofficeStageWrite)
        pipeline = Pipeline.objects.visible_to(self.actor.member).default().first()
        stage = create_stage(actor=self.actor, change={**sent, "pipeline": pipeline and pipeline.pk})
        return self.one(self._representation(stage), self.create_status)

    @described("A stage", serializers.OnlyofficeStageRead)
    def retrieve(self, request: Request, pk: str) -> Response:
        return self.one(self._representation(self.find("stage", pk)))

    @described("Replace a stage", serializers.OnlyofficeStageRead, request=serializers.OnlyofficeStageWrite)
    def replace(self, request: Request, pk: str) -> Response:
        stage = self._unused(pk, "Can't be edited. There are some opportunities at this stage.")
        change = serializers.stage_change(stage, self.read(serializers.OnlyofficeStageWrite))
        update_stage(actor=self.actor, stage=stage, change=change)
        return self.one(self._representation(stage))

    @described("Delete a stage", serializers.OnlyofficeStageRead)
    def destroy(self, request: Request, pk: str) -> Response:
        stage = self._unused(pk, "Can't be deleted. There are some opportunities at this stage.")
        self.read(OnlyofficeNoParameters)
        data = self._representation(stage)
        trash_stage(actor=self.actor, stage=stage)
        return self.one(data)

    @described(
        "Change the colour of a stage",
        serializers.OnlyofficeStageRead,
        request=serializers.OnlyofficeStageColorWrite,
    )
    def recolor(self, request: Request, pk: str) -> Response:
        stage = self.find("stage", pk)
        update_stage(actor=self.actor, stage=stage, change=self.read(serializers.OnlyofficeStageColorWrite))
        return self.one(self._representation(stage))

    @described(
        "Reorder stages",
        serializers.OnlyofficeStageRead,
        request=serializers.OnlyofficeStageOrder,
        many=True,
    )
    def reorder(self, request: Request) -> Response:
        ids = self.read(serializers.OnlyofficeStageOrder)["ids"]
        for pipeline, order in serializers.reordered(self._rows(), ids).items():
            change = {"stages": [{"id": pk} for pk in order]}
            update_pipeline(actor=self.actor, pipeline=Pipeline(pk=pipeline), change=change)
        return self.many(self._representations())

    def _unused(self, pk: str, refusal: str) -> Stage:
        """The stage; refused if it has opportunities, visible to the actor or not."""
        stage: Stage = self.find("stage", pk)
        if Deal.objects.of(self.actor.organization_id).live().filter(stage=stage).exists():
            raise ValidationError(refusal)
        return stage

    def _rows(self) -> Any:
        return Stage.objects.visible_to(self.actor.member).select_related("pipeline").order_by(*STAGE_ORDER)

    def _representations(self) -> Any:
        deals = Deal.objects.visible_to(self.actor.member).order_by().values_list("stage")
        counts = dict(deals.annotate(count=Count("id")))
        rows = [
            serializers.StagePresentation(row, number=number, count=counts.get(row.pk, 0))
            for number, row in enumerate(self._rows())
        ]
        return self.serialize(serializers.OnlyofficeStageRead, rows, many=True)

    def _representation(self, stage: Stage) -> Any:
        """The representation of one stage, with its number in the list."""
        data = self.ids.id_of(stage)
        return next(row for row in self._representations() if row["id"] == data)
