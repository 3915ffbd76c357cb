"""Rules of stage, status, closing and probability of deals. They change a copy of the deal and return the errors.

No query and no clock: the caller passes the stages and the time.
"""

import datetime
from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from django.utils.translation import gettext_noop

from contacts.models import Contact
from contacts.querysets import fold_email
from contacts.rules import folded_name, phone_key
from crm_project.errors import FieldError
from deals.models import Deal
from pipelines.models import Pipeline, Stage

OPEN, WON = Deal.Statuses.OPEN, Deal.Statuses.WON
# The kind of the stage that a deal with this status moves to.
KIND_OF_STATUS: Mapping[str, str] = {
    "open": Stage.Kinds.OPEN,
    "won": Stage.Kinds.WON,
    "lost": Stage.Kinds.LOST,
    "abandoned": Stage.Kinds.LOST,
}
# The values of `closed_probability` in a change: see `_set_probability`.
IGNORE, STORE = "ignore", "store"
# The states of a deal's next step: its open activity that is due first.
NEXT_STEPS = ("overdue", "today", "planned")
# A sentence for each status: a language may inflect its word.
CANNOT_STAND = {
    ("open", "won"): gettext_noop("A deal that is open cannot stand in the won stage “%(name)s”."),
    ("lost", "won"): gettext_noop("A deal that is lost cannot stand in the won stage “%(name)s”."),
    ("abandoned", "won"): gettext_noop("A deal that is abandoned cannot stand in the won stage “%(name)s”."),
    ("open", "lost"): gettext_noop("A deal that is open cannot stand in the lost stage “%(name)s”."),
    ("won", "lost"): gettext_noop("A deal that is won cannot stand in the lost stage “%(name)s”."),
}
WITHOUT_REASON = {
    "open": gettext_noop("A deal that is open has no lost reason."),
    "won": gettext_noop("A deal that is won has no lost reason."),
}
CLOSED_PROBABILITY = {
    "won": gettext_noop("The probability of a deal that is won is %(value)s."),
    "lost": gettext_noop("The probability of a deal that is lost is %(value)s."),
    "abandoned": gettext_noop("The probability of a deal that is abandoned is %(value)s."),
}
CONTACT_FIELDS = ("contact_first_name", "contact_last_name", "contact_phone")
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


class StatusMoves(StrEnum):
    """When a status that is written without a stage moves the deal: the value of `status_moves` in a change."""

    ALWAYS = "always"
    # Only if the present stage does not allow the status.
    IF_NEEDED = "if_needed"


def destination(
    deal: Deal | None,
    *,
    stage: Stage | None,
    pipeline: Pipeline | None,
    stages: Sequence[Stage],
    change: Mapping[str, Any] = MappingProxyType({}),
    last_open: Stage | None = None,
    stage_field: str = "stage",
) -> tuple[Stage | None, list[FieldError]]:
    """The stage of the deal after the change, or the errors. `deal` is None for a new one.

    `stages` are the stages of `pipeline`, else of the deal's pipeline, in order. `last_open` is the last open stage of
    its pipeline that a closed deal was in.
    """
    here = deal.stage if deal else None
    if stage is not None and pipeline is not None and stage.pipeline_id != pipeline.pk:
        return None, [
            FieldError(stage_field, "stage_not_in_pipeline", "This stage belongs to another pipeline.")
        ]
    moved = stage is not None and (here is None or here.pk != stage.pk)
    if stage is None:
        stage, errors = _entry(here, pipeline, stages)
        if stage is None:
            return None, errors
    if pipeline is not None and not pipeline.is_active and (here is None or here.pipeline_id != pipeline.pk):
        return None, [FieldError("pipeline", "pipeline_inactive", "This pipeline takes no new deals.")]
    status = change.get("status")
    if status is None or moved or status == _status_in_force(deal, here, stage):
        return stage, []
    if change.get("status_moves") == StatusMoves.IF_NEEDED and _carries(stage, status):
        return stage, []
    return _stage_of_status(status, stage, stages, last_open), []


def _entry(
    here: Stage | None, pipeline: Pipeline | None, stages: Sequence[Stage]
) -> tuple[Stage | None, list[FieldError]]:
    """The stage for a change without a stage: the deal's own, else the first (open) one of the pipeline."""
    if here is not None and (pipeline is None or here.pipeline_id == pipeline.pk):
        return here, []
    if pipeline is None:
        return None, [FieldError("pipeline", "required", "There is no default pipeline; name one.")]
    entries = stages if here is None else [entry for entry in stages if entry.kind == Stage.Kinds.OPEN]
    if not entries:
        return None, [FieldError("pipeline", "pipeline_has_no_stage", "This pipeline has no stage to enter.")]
    return entries[0], []


def _stage_of_status(status: str, stage: Stage, stages: Sequence[Stage], last_open: Stage | None) -> Stage:
    """The stage for a change of the status alone: `stage` itself if the pipeline has no stage for the status."""
    kind = KIND_OF_STATUS[status]
    if kind == stage.kind:
        return stage
    if kind == Stage.Kinds.OPEN and last_open is not None and last_open.pipeline_id == stage.pipeline_id:
        return last_open
    return next((entry for entry in stages if entry.kind == kind), stage)


def may_reopen(deal: Deal, change: Mapping[str, Any]) -> bool:
    """Whether the change may move the deal back to its last open stage."""
    is_alone = change.get("stage") in (None, deal.stage_id, deal.stage.uuid)
    return (
        is_alone
        and change.get("status") == OPEN
        and deal.status != OPEN
        and deal.stage.kind != Stage.Kinds.OPEN
    )


def travel(
    deal: Deal, stage: Stage, change: Mapping[str, Any], *, now: datetime.datetime
) -> list[FieldError]:
    """Move `deal`, which is a copy, to `stage` and set its status; a deal without a stage is new.

    A status counts as written only if it differs from the one in force.
    """
    here = deal.stage if deal.stage_id else None
    status_before = deal.status if here else OPEN
    in_force = deal.effective_probability if here else None
    if here is None or here.pk != stage.pk:
        deal.stage, deal.stage_entered_at = stage, now
    sent = change.get("status")
    is_written = sent is not None and (here is None or sent != status_before)
    status = sent if is_written and sent is not None else _status_after(status_before, here, stage)
    if not _carries(stage, status) and (is_written or here is None or here.pk != stage.pk):
        return [_conflict(status, stage, "status" if is_written else "stage")]
    deal.status = status
    _set_forecast_category(deal, change)
    return [*_close(deal, status_before, change, now), *_set_probability(deal, change, in_force)]


def _status_in_force(deal: Deal | None, here: Stage | None, stage: Stage) -> str:
    return _status_after(deal.status if deal else OPEN, here, stage)


def _status_after(status: str, here: Stage | None, stage: Stage) -> str:
    """The status after a move without a status."""
    if here is not None and here.pk == stage.pk:
        return status
    if stage.kind != Stage.Kinds.OPEN:
        return stage.kind
    left_closing = here is not None and here.kind != Stage.Kinds.OPEN
    return OPEN if left_closing else status


def _carries(stage: Stage, status: str) -> bool:
    """Whether the stage allows the status: an open stage allows all, a closing stage those of its kind."""
    return stage.kind in (Stage.Kinds.OPEN, KIND_OF_STATUS[status])


def _conflict(status: str, stage: Stage, field: str = "status") -> FieldError:
    return FieldError(field, "stage_conflict", CANNOT_STAND[status, stage.kind], {"name": stage.name})


def contact_conflicts(
    contact: Contact,
    change: Mapping[str, Any],
    *,
    country: str,
    further_emails: Sequence[str] = (),
    further_phones: Sequence[str] = (),
) -> list[FieldError]:
    """An error for each contact field of the change that differs from the deal's contact.

    Names are compared folded and phone numbers normalized for `country`; absent and blank fields are not compared.
    """
    sent = {name: (change.get(name) or "").strip() for name in CONTACT_FIELDS}
    first, last, phone = sent.values()
    wrong = []
    if folded_name(first, last) != folded_name(contact.first_name, contact.last_name):
        wrong += [
            name
            for name, stored in zip(sent, (contact.first_name, contact.last_name), strict=False)
            if sent[name] and folded_name(sent[name]) != folded_name(stored)
        ]
    numbers = (contact.phone, contact.mobile, *further_phones)
    if phone and phone_key(phone, country) not in {phone_key(number, country) for number in numbers}:
        wrong.append("contact_phone")
    if "contact_email" in change:
        email = fold_email(change["contact_email"] or "")
        if email not in (contact.email, *(further_emails if email else ())):
            wrong.append("contact_email")
    template = gettext_noop(
        "The deal's contact is %(contact)s, who has another value; a deal does not change its contact."
    )
    return [FieldError(name, "contact_conflict", template, {"contact": contact.full_name}) for name in wrong]


def _close(
    deal: Deal, status_before: str, change: Mapping[str, Any], now: datetime.datetime
) -> list[FieldError]:
    """Set or clear `closed_at` and the lost reason, which only lost and abandoned deals have."""
    closed_at, reason = change.get("closed_at"), change.get("lost_reason")
    if reason is not None and deal.status in (OPEN, WON):
        return [FieldError("lost_reason", "invalid", WITHOUT_REASON[deal.status])]
    if closed_at is not None and closed_at > now:
        return [FieldError("closed_at", "future", "A deal is closed now or in the past.")]
    if deal.status == OPEN:
        if closed_at is not None:
            return [FieldError("closed_at", "invalid", "An open deal is not closed.")]
        deal.closed_at = None
        if deal.lost_reason_id is not None:
            deal.lost_reason = None
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


def _set_forecast_category(deal: Deal, change: Mapping[str, Any]) -> None:
    """Set the deal's own category, unless the value equals the one in force."""
    value = change.get("forecast_category")
    if "forecast_category" in change and (value is None or value != deal.effective_forecast_category):
        deal.forecast_category = value


def _set_probability(deal: Deal, change: Mapping[str, Any], before: int | None) -> list[FieldError]:
    """Set the deal's own probability, unless the value equals the effective one.

    A closed deal has the probability of its status: a value other than the effective one before or after the write is
    refused. If `closed_probability` in the change is "ignore", it is ignored; if it is "store", it becomes the deal's
    own, which is effective when the deal is reopened. `before` is None for a new deal.
    """
    if "probability" not in change:
        return []
    value = change["probability"]
    if deal.status == OPEN:
        if value is None or value != deal.effective_probability:
            deal.probability = value
        return []
    if change.get("closed_probability") == IGNORE:
        if value is None:
            deal.probability = None
        return []
    if value in (before, deal.effective_probability) or (value is None and deal.probability is None):
        return []
    if change.get("closed_probability") == STORE:
        deal.probability = value
        return []
    return [
        FieldError(
            "probability",
            "invalid",
            CLOSED_PROBABILITY[deal.status],
            {"value": deal.effective_probability},
        )
    ]


def set_pause(deal: Deal, change: Mapping[str, Any], *, today: datetime.date) -> list[FieldError]:
    """Pause an open deal until a day, which needs a reason; without the day, or when the deal is closed, it ends.

    What is sent as it is stored is no request: a form or a file returns all that it was given.
    """
    until: Any = change.get("paused_until")
    reason = (change.get("pause_reason") or "").strip()
    names_day = until is not None and until != deal.paused_until
    names_reason = bool(reason) and reason != deal.pause_reason
    if deal.status != OPEN:
        deal.paused_until, deal.pause_reason = None, ""
        wrong = {"paused_until": names_day, "pause_reason": names_reason}
        return [
            FieldError(name, "invalid", "Only an open deal can be paused.")
            for name, is_named in wrong.items()
            if is_named
        ]
    if not change.keys() & {"paused_until", "pause_reason"}:
        return []
    if "paused_until" in change:
        deal.paused_until = until
    if "pause_reason" in change:
        deal.pause_reason = reason
    if deal.paused_until is None:
        deal.pause_reason = ""
        if names_reason:
            return [FieldError("paused_until", "required", "A pause needs its last day.")]
        return []
    errors = []
    if names_day and until < today:
        errors.append(FieldError("paused_until", "past", "A pause ends today or later."))
    if not deal.pause_reason:
        errors.append(FieldError("pause_reason", "required", "A pause needs a reason."))
    return errors


def ignored_fields(deal: Deal, change: Mapping[str, Any], *, in_force: int | None) -> list[str]:
    """The fields of a change that were ignored because `deal`, in its state after the write, is closed.

    `in_force` is its probability before the write; None for a new deal.
    """
    is_ignored = (
        change.get("closed_probability") == IGNORE
        and deal.status != OPEN
        and change.get("probability") not in (None, in_force, deal.effective_probability)
    )
    return ["probability"] if is_ignored else []


def probability_errors(change: Mapping[str, Any]) -> list[FieldError]:
    value = change.get("probability")
    if value is not None and not 0 <= value <= 100:
        return [FieldError("probability", "out_of_range", "From 0 to 100.")]
    return []


def is_overdue(deal: Deal, today: datetime.date) -> bool:
    """Whether the deal is open after the day on which it was expected to close."""
    day = deal.expected_close_date
    return deal.status == OPEN and day is not None and day < today


def is_paused(deal: Deal, today: datetime.date) -> bool:
    """Whether the deal is open and its pause has not ended, as `querysets.is_paused` decides it in SQL."""
    until = deal.paused_until
    return deal.status == OPEN and until is not None and until >= today


def is_stale(deal: Deal, now: datetime.datetime, today: datetime.date) -> bool:
    """Whether it is open, not paused, and longer in its stage than its limit, as `querysets.is_stale` has it in SQL."""
    if deal.status != OPEN or is_paused(deal, today):
        return False
    return deal.stage_entered_at < now - datetime.timedelta(days=deal.stage.days_until_stale)


class NextStep(NamedTuple):
    """A deal's open activity that is due first. `state` is one of NEXT_STEPS."""

    state: str
    due_at: datetime.datetime | None
    activity_uuid: UUID


def next_step(deal: Any, now: datetime.datetime, end_of_today: datetime.datetime) -> NextStep | None:
    """The next step of the deal, if it has one. Without a due date it is planned."""
    uuid, due_at = deal.next_activity, deal.next_due_at
    if uuid is None:
        return None
    if due_at is None or due_at > end_of_today:
        return NextStep("planned", due_at, uuid)
    return NextStep("overdue" if due_at < now else "today", due_at, uuid)


def state_of(deal: Deal) -> dict[str, Any]:
    """The columns of a deal's `DealState`, with its effective probability."""
    return {name: getattr(deal, name) for name in STATE_FIELDS} | {"probability": deal.effective_probability}


def fit_errors(deal: Deal) -> list[FieldError]:
    """The errors of a deal whose present status, stage, closing and lost reason contradict each other."""
    errors = []
    if not _carries(deal.stage, deal.status):
        errors.append(_conflict(deal.status, deal.stage))
    if (deal.closed_at is None) != (deal.status == OPEN):
        errors.append(FieldError("closed_at", "invalid", "A deal has it if, and only if, it is closed."))
    if deal.lost_reason_id is not None and deal.status in (OPEN, WON):
        errors.append(FieldError("lost_reason", "invalid", WITHOUT_REASON[deal.status]))
    if deal.paused_until is not None and deal.status != OPEN:
        errors.append(FieldError("paused_until", "invalid", "Only an open deal can be paused."))
    return errors
