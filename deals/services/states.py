"""Past states: a write that changes a column of `STATE_FIELDS` ends the current state and begins a new one."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from crm_project.records.bulk_sql import insert_rows, update_rows
from crm_project.records.instances import fast_instance
from crm_project.records.writing.store import Draft
from deals.models import Deal, DealState
from deals.rules import state_of

TICK = datetime.timedelta(microseconds=1)


def note_state(draft: Draft, stored: Deal | None = None) -> dict[str, Any]:
    """The state of an existing deal before a write, whose receipt and event name the probability in force.

    `stored` is the deal before the write if the draft has been changed already.
    """
    state = state_of(stored or draft.row)
    draft.derived_before = {"effective_probability": state["probability"]}
    return state


def write_states(
    deals: Sequence[Deal], before: Mapping[int, dict[str, Any]], *, now: datetime.datetime
) -> None:
    """Write the states of changed deals. `before` has the former state of each existing deal by id."""
    after = {deal.pk: state_of(deal) for deal in deals}
    changed = [deal for deal in deals if before.get(deal.pk) != after[deal.pk]]
    current = {state.deal_id: state for state in _current(changed, before)}
    for state in current.values():
        # The clock may stand still or be set back: a state must not end before it began.
        state.valid_to = max(now, state.valid_from + TICK)
    update_rows(list(current.values()), ["valid_to"])
    insert_rows(
        [
            fast_instance(
                DealState,
                organization_id=deal.organization_id,
                deal_id=deal.pk,
                valid_from=current[deal.pk].valid_to or now if deal.pk in current else now,
                **after[deal.pk],
            )
            for deal in changed
        ]
    )


def _current(deals: Sequence[Deal], before: Mapping[int, dict[str, Any]]) -> Sequence[DealState]:
    known = [deal.pk for deal in deals if deal.pk in before]
    return list(DealState.objects.filter(deal__in=known, valid_to=None)) if known else []
