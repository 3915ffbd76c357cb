"""The declarations of pipelines and stages. A pipeline's history includes that of its stages."""

from typing import Any

from django.db.models import Q

from crm_project.records.kinds import Everyone, Kind, fields_of, register
from crm_project.records.writing.reference_data import one_by_one
from pipelines import services
from pipelines.models import Pipeline, PipelineReference, Stage, StageReference
from pipelines.revert import PipelineUndoer, StageUndoer

REFERENCES = {"external_references": ""}


def connect() -> None:
    register(
        Kind(
            Pipeline,
            visible=Everyone(),
            services=one_by_one(
                "pipeline",
                create=services.create_pipeline,
                update=services.update_pipeline,
                trash=services.trash_pipeline,
                restore=services.restore_pipeline,
            ),
            fields=fields_of(Pipeline, lists=REFERENCES),
            history=_with_stages,
            is_reference_data=True,
            undoer=PipelineUndoer(Pipeline, PipelineReference),
        )
    )
    register(
        Kind(
            Stage,
            visible=Everyone(),
            services=one_by_one(
                "stage",
                create=services.create_stage,
                update=services.update_stage,
                trash=services.trash_stage,
                restore=services.restore_stage,
            ),
            fields=fields_of(Stage, lists=REFERENCES),
            is_reference_data=True,
            undoer=StageUndoer(Stage, StageReference),
        )
    )


def _with_stages(pipeline: Any) -> Q:
    """Trashed stages included: their events belong to the pipeline's history."""
    stages = list(Stage.objects.filter(pipeline=pipeline).values_list("pk", flat=True))
    return Q(kind="pipeline", row_id=pipeline.pk) | Q(kind="stage", row_id__in=stages)
