"""The past of a deal that comes from another system: when and by whom it was created, and its states until now.

Only a new deal takes it; the journal has the import as the creation of the deal.
"""

import datetime
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop

from crm_project.errors import FieldError
from crm_project.records.instances import fast_instance
from crm_project.records.writing.columns import Change, missing
from crm_project.records.writing.store import Draft
from deals.models import Deal, DealState
from deals.rules import state_of
from deals.services.states import TICK
from pipelines.models import Stage

FUTURE = gettext_noop("This is in the future.")


def set_past(
    draft: Draft, change: Change, members: Mapping[Any, Any], now: datetime.datetime
) -> list[FieldError]:
    """Set author and instants of a new deal; returns the errors. The change of an existing deal has no past."""
    given = {name: change.get(name) for name in ("created_at", "stage_entered_at", "created_by")}
    if draft.before or not any(given.values()):
        return []
    row, errors = draft.row, []
    errors += [
        FieldError(name, "future", FUTURE)
        for name in ("created_at", "stage_entered_at")
        if _later(given[name], now)
    ]
    if given["created_by"] is not None:
        row.created_by = members.get(given["created_by"])
        errors += [] if row.created_by else [missing("created_by")]
    if errors:
        return errors
    draft.created_at = given["created_at"]
    entered = given["stage_entered_at"] or row.closed_at or draft.created_at
    if entered:
        row.stage_entered_at = entered
    return []


def _later(instant: datetime.datetime | None, now: datetime.datetime) -> bool:
    return instant is not None and instant > now


def past_states(draft: Draft, entry: Stage | None) -> list[DealState]:
    """The states of a new deal from its creation on: in the entry stage, then as it is now; none without a past.

    Nobody has told which stages came between: a deal was in the entry stage of its pipeline until it was closed, or
    until it entered its present one.
    """
    row: Deal = draft.row
    if draft.created_at is None:
        return []
    present = state_of(row)
    first = {**present, "status": Deal.Statuses.OPEN, "closed_at": None}
    if entry is not None and (row.status != Deal.Statuses.OPEN or row.stage_id != entry.pk):
        first |= {"stage_id": entry.pk, "probability": entry.probability}
    turn = row.closed_at or (row.stage_entered_at if row.stage_id != first["stage_id"] else None)
    if turn is None or (first["stage_id"] != present["stage_id"] and turn <= draft.created_at):
        turn = draft.created_at + TICK if row.status != Deal.Statuses.OPEN else None
    if turn is None:
        return [_state(row, present, draft.created_at, None)]
    turn = max(turn, draft.created_at + TICK)
    return [_state(row, first, draft.created_at, turn), _state(row, present, turn, None)]


def _state(
    row: Deal, values: Mapping[str, Any], begin: datetime.datetime, end: datetime.datetime | None
) -> DealState:
    state: DealState = fast_instance(
        DealState,
        organization_id=row.organization_id,
        deal_id=row.pk,
        valid_from=begin,
        valid_to=end,
        **values,
    )
    return state
