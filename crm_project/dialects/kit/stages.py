"""Stages of all pipelines as one list, for vendors that have no pipelines."""

from pipelines.models import Stage

# The default pipeline comes first.
STAGE_ORDER = ("-pipeline__is_default", "pipeline_id", "position", "id")


def stage_prefix(stage: Stage) -> str:
    """What precedes the stage's name: the name of its pipeline, unless it is the default one."""
    return "" if stage.pipeline.is_default else f"{stage.pipeline.name}: "
