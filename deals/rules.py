"""Rules of a deal's journey: the deal as it is and the change go in, the deal as it shall be or the errors come out.

No query and no clock: the stages come from the caller, and so does the instant.
"""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from crm_project.errors import FieldError
from deals.models import Deal
from pipelines.models import Pipeline, Stage

OPEN, WON = Deal.Statuses.OPEN, Deal.Statuses.WON
STATE_FIELDS = (
    "stage_id",
    "status",
    "amount",
    "currency",
    "owner_id",
    "expected_close_date",
    "closed_at",
    "deleted_at",
)


def destination(
    deal: Deal | None,
    *,
    stage: Stage | None,
    pipeline: Pipeline | None,
    stages: Sequence[Stage],
    stage_field: str = "stage",
) -> tuple[Stage | None, list[FieldError]]:
    """The stage a deal shall stand in. `deal` is None for a new one; `stages` are those of `pipeline`, in order."""
    here = deal.stage if deal else None
    if stage is not None and pipeline is not None and stage.pipeline_id != pipeline.pk:
        return None, [
            FieldError(stage_field, "stage_not_in_pipeline", "This stage belongs to another pipeline.")
        ]
    if stage is None and pipeline is not None and here is not None and here.pipeline_id == pipeline.pk:
        return here, []
    if stage is None and pipeline is None:
        return here, [] if here else [
            FieldError("pipeline", "required", "There is no default pipeline; name one.")
        ]
    if stage is None:
        entries = stages if here is None else [entry for entry in stages if entry.kind == Stage.Kinds.OPEN]
        if not entries:
            return None, [
                FieldError("pipeline", "pipeline_has_no_stage", "This pipeline has no stage to enter.")
            ]
        stage = entries[0]
    if pipeline is not None and not pipeline.is_active and (here is None or here.pipeline_id != pipeline.pk):
        return None, [FieldError("pipeline", "pipeline_inactive", "This pipeline takes no new deals.")]
    return stage, []


def travel(
    deal: Deal, stage: Stage, change: Mapping[str, Any], *, now: datetime.datetime
) -> list[FieldError]:
    """Move `deal`, which is a copy, to `stage` and give it its status; a deal without a stage is new."""
    here = deal.stage if deal.stage_id else None
    status_before = deal.status if here else OPEN
    moved = here is None or here.pk != stage.pk
    if moved:
        deal.stage, deal.stage_entered_at = stage, now
    status = change["status"] if "status" in change else _status_after(status_before, here, stage)
    if problem := _conflict(status, stage):
        return [FieldError("status" if "status" in change else "stage", "stage_conflict", problem)]
    deal.status = status
    errors = _close(deal, status_before, change, now)
    _set_probability(deal, change)
    return errors


def _status_after(status: str, here: Stage | None, stage: Stage) -> str:
    """What a move alone does to the status."""
    if here is not None and here.pk == stage.pk:
        return status
    if stage.kind != Stage.Kinds.OPEN:
        return stage.kind
    left_closing = here is not None and here.kind != Stage.Kinds.OPEN
    return OPEN if left_closing else status


def _conflict(status: str, stage: Stage) -> str:
    if stage.kind == Stage.Kinds.OPEN:
        return ""
    if status == OPEN:
        return f"An open deal cannot stand in the {stage.kind} stage {stage.name!r}."
    if (status == WON) != (stage.kind == Stage.Kinds.WON):
        return f"A deal that is {status} cannot stand in the {stage.kind} stage {stage.name!r}."
    return ""


def _close(
    deal: Deal, status_before: str, change: Mapping[str, Any], now: datetime.datetime
) -> list[FieldError]:
    """Closing sets `closed_at`, reopening clears it; only a deal that is lost or abandoned has a reason."""
    closed_at, reason = change.get("closed_at"), change.get("lost_reason")
    if reason is not None and deal.status in (OPEN, WON):
        return [
            FieldError(
                "lost_reason",
                "invalid",
                "A deal that is %(status)s has no lost reason.",
                {"status": deal.status},
            )
        ]
    if closed_at is not None and closed_at > now:
        return [FieldError("closed_at", "future", "A deal is closed now or in the past.")]
    if deal.status == OPEN:
        if closed_at is not None:
            return [FieldError("closed_at", "invalid", "An open deal is not closed.")]
        deal.closed_at, deal.lost_reason = None, None
        return []
    if deal.status != status_before or closed_at is not None:
        deal.closed_at = closed_at or now
    elif "closed_at" in change:
        return [FieldError("closed_at", "null", "A closed deal keeps the instant of its closing.")]
    if deal.status == WON:
        deal.lost_reason = None
    elif "lost_reason" in change:
        deal.lost_reason = reason
    return []


def _set_probability(deal: Deal, change: Mapping[str, Any]) -> None:
    """Writing the value that is in force anyway is not setting it by hand."""
    if "probability" not in change:
        return
    value = change["probability"]
    if value is None or value != deal.effective_probability:
        deal.probability = value


def probability_errors(change: Mapping[str, Any]) -> list[FieldError]:
    value = change.get("probability")
    if value is not None and not 0 <= value <= 100:
        return [FieldError("probability", "out_of_range", "From 0 to 100.")]
    return []


def state_of(deal: Deal) -> dict[str, Any]:
    """The part of a deal that is kept as a past state, with the probability in force."""
    return {name: getattr(deal, name) for name in STATE_FIELDS} | {"probability": deal.effective_probability}


def fit_errors(deal: Deal) -> list[FieldError]:
    """Where status, stage, closing and lost reason of a deal as it stands do not agree."""
    errors = []
    if problem := _conflict(deal.status, deal.stage):
        errors.append(FieldError("status", "stage_conflict", problem))
    if (deal.closed_at is None) != (deal.status == OPEN):
        errors.append(FieldError("closed_at", "invalid", "A deal has it if, and only if, it is closed."))
    if deal.lost_reason_id is not None and deal.status in (OPEN, WON):
        sentence = f"A deal that is {deal.status} has no lost reason."
        errors.append(FieldError("lost_reason", "invalid", sentence))
    return errors
