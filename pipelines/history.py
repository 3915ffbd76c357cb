"""How the journal tells of pipelines and stages. A pipeline's history is that of its stages too."""

from typing import Any

from django.db.models import Q

from crm_project.journal.hooks import Kind, fields_of, named_by_id, register
from pipelines.models import Pipeline, PipelineReference, Stage, StageReference
from pipelines.revert import PipelineUndoer, StageUndoer

REFERENCES = {"external_references": ""}


def connect() -> None:
    register(
        Kind(
            Pipeline,
            rows=lambda member: Pipeline.objects.seen_by(member),
            part=named_by_id,
            fields=fields_of(Pipeline, lists=REFERENCES),
            history=_with_stages,
            catalogue=True,
            undoer=PipelineUndoer(Pipeline, PipelineReference),
        )
    )
    register(
        Kind(
            Stage,
            rows=lambda member: Stage.objects.seen_by(member),
            part=named_by_id,
            fields=fields_of(Stage, lists=REFERENCES),
            catalogue=True,
            undoer=StageUndoer(Stage, StageReference),
        )
    )


def _with_stages(pipeline: Any) -> Q:
    """Trashed stages included: that they went is part of the story."""
    stages = list(Stage.objects.filter(pipeline=pipeline).values_list("pk", flat=True))
    return Q(kind="pipeline", row_id=pipeline.pk) | Q(kind="stage", row_id__in=stages)
