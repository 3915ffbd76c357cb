"""Stages of opportunities."""

from typing import Any

from django.db.models import Count
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
from crm_project.dialects.onlyoffice.views.base import OnlyofficeView, described
from crm_project.dialects.onlyoffice.wire import stages as wire
from crm_project.dialects.onlyoffice.wire.params import Nothing
from deals.models import Deal
from pipelines.models import Pipeline, Stage
from pipelines.services import create_stage, trash_stage, update_pipeline, update_stage


class StageView(OnlyofficeView):
    edit_permission = Permission.EDIT_PIPELINES

    @described("Stages, in order", wire.ShownStage, many=True)
    def list(self, request: Request) -> Response:
        return self.many(self._shown())

    @described(
        "Create a stage, the last one",
        wire.ShownStage,
        request=wire.WrittenStage,
        status=201,
    )
    def create(self, request: Request) -> Response:
        sent = self.read(wire.WrittenStage)
        pipeline = Pipeline.objects.visible_to(self.actor.member).default().first()
        stage = create_stage(actor=self.actor, change={**sent, "pipeline": pipeline and pipeline.pk})
        return self.one(self._one(stage), self.create_status)

    @described("A stage", wire.ShownStage)
    def retrieve(self, request: Request, pk: str) -> Response:
        return self.one(self._one(self.find("stage", pk)))

    @described("Replace a stage", wire.ShownStage, request=wire.WrittenStage)
    def replace(self, request: Request, pk: str) -> Response:
        stage = self._free(pk, "Can't be edited.")
        change = wire.renamed(stage, self.read(wire.WrittenStage))
        update_stage(actor=self.actor, stage=stage, change=change)
        return self.one(self._one(stage))

    @described("Delete a stage", wire.ShownStage)
    def destroy(self, request: Request, pk: str) -> Response:
        stage = self._free(pk, "Can't be deleted.")
        self.read(Nothing)
        shown = self._one(stage)
        trash_stage(actor=self.actor, stage=stage)
        return self.one(shown)

    @described("Give a stage another colour", wire.ShownStage, request=wire.StageColor)
    def recolor(self, request: Request, pk: str) -> Response:
        stage = self.find("stage", pk)
        update_stage(actor=self.actor, stage=stage, change=self.read(wire.StageColor))
        return self.one(self._one(stage))

    @described("Put stages in another order", wire.ShownStage, request=wire.StageOrder, many=True)
    def reorder(self, request: Request) -> Response:
        ids = self.read(wire.StageOrder)["ids"]
        for pipeline, order in wire.reordered(self._rows(), ids).items():
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
        return Stage.objects.visible_to(self.actor.member).select_related("pipeline").order_by(*wire.ORDER)

    def _shown(self) -> Any:
        deals = Deal.objects.visible_to(self.actor.member).order_by().values_list("stage")
        counts = dict(deals.annotate(count=Count("id")))
        rows = [
            wire.StageView(row, number=number, count=counts.get(row.pk, 0))
            for number, row in enumerate(self._rows())
        ]
        return self.show(wire.ShownStage, rows, many=True)

    def _one(self, stage: Stage) -> Any:
        """The stage as it is in the list."""
        shown = self.ids.shown(stage)
        return next(row for row in self._shown() if row["id"] == shown)
