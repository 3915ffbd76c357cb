"""The declarations of pipelines and stages. A pipeline's history includes that of its stages."""

from typing import Any

from django.db.models import Q

from crm_project.accounts.rules import Permission
from crm_project.records.kinds import Everyone, Kind, register
from crm_project.records.writing.reference_data import one_by_one
from pipelines import services
from pipelines.models import Pipeline, PipelineReference, Stage, StageReference
from pipelines.revert import PipelineUndoer, StageUndoer


def connect() -> None:
    register(
        Kind(
            Pipeline,
            visible=Everyone(),
            rank=50,
            permission=Permission.EDIT_PIPELINES,
            services=one_by_one(
                "pipeline",
                create=services.create_pipeline,
                update=services.update_pipeline,
                trash=services.trash_pipeline,
                restore=services.restore_pipeline,
            ),
            references=PipelineReference,
            lists={"external_references": ""},
            is_reference_data=True,
            in_catalogue=True,
            history=_with_stages,
            undoer=PipelineUndoer(Pipeline, PipelineReference),
        ),
        Kind(
            Stage,
            visible=Everyone(),
            rank=60,
            permission=Permission.EDIT_PIPELINES,
            services=one_by_one(
                "stage",
                create=services.create_stage,
                update=services.update_stage,
                trash=services.trash_stage,
                restore=services.restore_stage,
            ),
            references=StageReference,
            lists={"external_references": ""},
            is_reference_data=True,
            in_catalogue=True,
            undoer=StageUndoer(Stage, StageReference),
        ),
    )


def _with_stages(pipeline: Any) -> Q:
    """Trashed stages included: their events belong to the pipeline's history."""
    stages = list(Stage.objects.filter(pipeline=pipeline).values_list("pk", flat=True))
    return Q(kind="pipeline", row_id=pipeline.pk) | Q(kind="stage", row_id__in=stages)
