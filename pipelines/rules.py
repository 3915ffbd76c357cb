"""Rules of pipelines and stages. No query, no clock."""

from collections.abc import Sequence

from crm_project.errors import FieldError
from crm_project.records.rules import COLOR_PATTERN
from pipelines.models import MOST_STALE_DAYS, Stage

DEFAULT_PROBABILITY = {Stage.Kinds.OPEN: 10, Stage.Kinds.WON: 100, Stage.Kinds.LOST: 0}


def stage_errors(stage: Stage) -> list[FieldError]:
    errors = []
    if not COLOR_PATTERN.fullmatch(stage.color):
        errors.append(FieldError("color", "invalid", "A colour is #rrggbb."))
    if stage.probability > 100:
        errors.append(FieldError("probability", "out_of_range", "From 0 to 100."))
    limit = stage.stale_after_days
    if limit is not None and not 1 <= limit <= MOST_STALE_DAYS:
        params = {"low": 1, "high": MOST_STALE_DAYS}
        errors.append(FieldError("stale_after_days", "out_of_range", "From %(low)s to %(high)s.", params))
    elif limit is not None and stage.kind != Stage.Kinds.OPEN:
        errors.append(FieldError("stale_after_days", "invalid", "Only an open stage has a limit of days."))
    if not stage.name.strip():
        errors.append(FieldError("name", "blank", "This may not be blank."))
    return errors


def missing_kinds(stages: Sequence[Stage]) -> list[str]:
    """The kinds of which none of the stages is."""
    present = {stage.kind for stage in stages}
    return [kind.value for kind in Stage.Kinds if kind not in present]


def reordered(ids: Sequence[int], moving: int, position: int) -> list[int]:
    """The order after `moving` has taken `position`; a position beyond the end is the end."""
    others = [stage_id for stage_id in ids if stage_id != moving]
    return [*others[:position], moving, *others[position:]]


def stages_field(index: int, errors: Sequence[FieldError]) -> list[FieldError]:
    """The errors of one stage of a nested list, with the paths of the list."""
    return [
        FieldError(f"stages.{index}.{error.field}", error.code, error.template, error.params)
        for error in errors
    ]
