"""Stages of opportunities."""

from typing import Any

from django.db.models import Count
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
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
        return self.many(self._shown())

    @described(
        "Create a stage, the last one",
        serializers.OnlyofficeStageRead,
        request=serializers.OnlyofficeStageWrite,
        status=201,
    )
    def create(self, request: Request) -> Response:
        sent = self.read(serializers.OnlyofficeStageWrite)
        pipeline = Pipeline.objects.visible_to(self.actor.member).default().first()
        stage = create_stage(actor=self.actor, change={**sent, "pipeline": pipeline and pipeline.pk})
        return self.one(self._one(stage), self.create_status)

    @described("A stage", serializers.OnlyofficeStageRead)
    def retrieve(self, request: Request, pk: str) -> Response:
        return self.one(self._one(self.find("stage", pk)))

    @described("Replace a stage", serializers.OnlyofficeStageRead, request=serializers.OnlyofficeStageWrite)
    def replace(self, request: Request, pk: str) -> Response:
        stage = self._free(pk, "Can't be edited.")
        change = serializers.renamed(stage, self.read(serializers.OnlyofficeStageWrite))
        update_stage(actor=self.actor, stage=stage, change=change)
        return self.one(self._one(stage))

    @described("Delete a stage", serializers.OnlyofficeStageRead)
    def destroy(self, request: Request, pk: str) -> Response:
        stage = self._free(pk, "Can't be deleted.")
        self.read(OnlyofficeNoParameters)
        shown = self._one(stage)
        trash_stage(actor=self.actor, stage=stage)
        return self.one(shown)

    @described(
        "Give a stage another colour",
        serializers.OnlyofficeStageRead,
        request=serializers.OnlyofficeStageColorWrite,
    )
    def recolor(self, request: Request, pk: str) -> Response:
        stage = self.find("stage", pk)
        update_stage(actor=self.actor, stage=stage, change=self.read(serializers.OnlyofficeStageColorWrite))
        return self.one(self._one(stage))

    @described(
        "Put stages in another order",
        serializers.OnlyofficeStageRead,
        request=serializers.OnlyofficeStageOrder,
        many=True,
    )
    def reorder(self, request: Request) -> Response:
        ids = self.read(serializers.OnlyofficeStageOrder)["ids"]
        for pipeline, order in serializers.reordered(self._rows(), ids).items():
            change = {"stages": [{"id": pk} for pk in order]}
            update_pipeline(actor=self.actor, pipeline=Pipeline(pk=pipeline), change=change)
        return self.many(self._shown())

    def _free(self, pk: str, refusal: str) -> Stage:
        """The stage, if no opportunity stands in it, whoever may see that one."""
        stage: Stage = self.find("stage", pk)
        if Deal.objects.of(self.actor.organization_id).live().filter(stage=stage).exists():
            raise ValidationError(f"{refusal} There are some opportunities at this stage.")
        return stage

    def _rows(self) -> Any:
        return (
            Stage.objects.visible_to(self.actor.member)
            .select_related("pipeline")
            .order_by(*serializers.ORDER)
        )

    def _shown(self) -> Any:
        deals = Deal.objects.visible_to(self.actor.member).order_by().values_list("stage")
        counts = dict(deals.annotate(count=Count("id")))
        rows = [
            serializers.StagePresentation(row, number=number, count=counts.get(row.pk, 0))
            for number, row in enumerate(self._rows())
        ]
        return self.serialize(serializers.OnlyofficeStageRead, rows, many=True)

    def _one(self, stage: Stage) -> Any:
        """The stage as it is in the list."""
        shown = self.ids.id_of(stage)
        return next(row for row in self._shown() if row["id"] == shown)
