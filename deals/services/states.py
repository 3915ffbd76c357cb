"""Past states: a write that changes a column of `STATE_FIELDS` ends the current state and begins a new one."""

import datetime
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import F

from crm_project.records.bulk_sql import insert_rows, update_rows
from crm_project.records.expressions import IsOneOf
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
    ends = _end_states([deal.pk for deal in changed if deal.pk in before], now)
    insert_rows(
        [
            fast_instance(
                DealState,
                organization_id=deal.organization_id,
                deal_id=deal.pk,
                valid_from=ends.get(deal.pk, now),
                **after[deal.pk],
            )
            for deal in changed
        ]
    )


def take_back(deals: Sequence[int], now: datetime.datetime) -> None:
    """Leave deals whose import is undone out of all figures of the past. `now` is the instant of the undo."""
    DealState.objects.filter(IsOneOf("deal", deals), deleted_at=None).exclude(valid_to=None).update(
        deleted_at=now
    )


def bring_back(deals: Sequence[int]) -> None:
    """The opposite of `take_back`. Other states of a deal in the trash begin with its removal or later."""
    DealState.objects.filter(IsOneOf("deal", deals), deleted_at__gt=F("valid_from")).update(deleted_at=None)


def _end_states(deals: Sequence[int], now: datetime.datetime) -> dict[int, datetime.datetime]:
    """End the current states of the deals; returns the instants for those that could not end now."""
    ended = _end_now(deals, now) if deals else set()
    left = [deal_id for deal_id in deals if deal_id not in ended]
    # The clock may stand still or be set back: a state must not end before it began.
    states = list(DealState.objects.filter(deal__in=left, valid_to=None)) if left else []
    for state in states:
        state.valid_to = max(now, state.valid_from + TICK)
    update_rows(states, ["valid_to"])
    return {state.deal_id: state.valid_to for state in states if state.valid_to}


def _end_now(deals: Sequence[int], now: datetime.datetime) -> set[int]:
    """End the current states that began earlier, in one statement; returns their deals."""
    if not connection.features.can_return_rows_from_bulk_insert:
        return set()
    table = connection.ops.quote_name(DealState._meta.db_table)
    is_postgresql = connection.vendor == "postgresql"
    among = "= ANY(%s)" if is_postgresql else "IN (SELECT value FROM json_each(%s))"
    instant = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET valid_to = %s"
            f" WHERE deal_id {among} AND valid_to IS NULL AND valid_from < %s RETURNING deal_id",
            [instant, list(deals) if is_postgresql else json.dumps(list(deals)), instant],
        )
        return {deal_id for (deal_id,) in cursor.fetchall()}
