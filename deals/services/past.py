"""The past of a deal that comes from another system: when and by whom it was created, and its states until now.

Only a new deal takes it; the journal has the import as the creation of the deal.
"""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_noop

from crm_project.accounts.actors import Actor
from crm_project.errors import FieldError
from crm_project.records.instances import fast_instance
from crm_project.records.writing.columns import Change, missing
from crm_project.records.writing.store import Draft
from deals.models import Deal, DealState
from deals.rules import KIND_OF_STATUS, state_of
from deals.services.context import Context
from deals.services.states import TICK
from pipelines.models import Stage

FUTURE = gettext_noop("This is in the future.")
# The entry into a stage: its name in the change, its instant and the stage.
Entry = tuple[str, datetime.datetime, Stage]


def set_past(
    actor: Actor, draft: Draft, change: Change, context: Context, now: datetime.datetime
) -> list[FieldError]:
    """Set author, instants and earlier stages of a new deal; returns the errors.

    The change of an existing deal has no past. `entered_stages` has pairs of a stage and the instant of its entry, by
    names that errors and `ignored` refer to.
    """
    given = {name: change.get(name) for name in ("created_at", "stage_entered_at", "created_by")}
    written = change.get("entered_stages")
    if draft.before or not (written or any(given.values())):
        return []
    row, errors = draft.row, []
    errors += [
        FieldError(name, "future", FUTURE)
        for name in ("created_at", "stage_entered_at")
        if _later(given[name], now)
    ]
    if given["created_by"] is not None:
        row.created_by = context.members.get(given["created_by"])
        errors += [] if row.created_by else [missing("created_by")]
    entries, wrong = _entries(written, context, now) if written else ([], [])
    if errors or wrong:
        return errors + wrong
    draft.created_at = given["created_at"]
    if entries:
        _follow(draft, entries, change, ZoneInfo(actor.organization.time_zone))
    entered = given["stage_entered_at"] or _last_entry(draft) or row.closed_at or draft.created_at
    if entered:
        row.stage_entered_at = entered
    return []


def _later(instant: datetime.datetime | None, now: datetime.datetime) -> bool:
    return instant is not None and instant > now


def _entries(
    written: Mapping[str, tuple[Any, datetime.datetime]], context: Context, now: datetime.datetime
) -> tuple[list[Entry], list[FieldError]]:
    entries, errors = [], []
    for name, (key, instant) in written.items():
        stage = context.catalogue.stages.get(key)
        if stage is None:
            errors.append(missing(f"entered_stages.{name}"))
        elif instant > now:
            errors.append(FieldError(f"entered_stages.{name}", "future", FUTURE))
        else:
            entries.append((name, instant, stage))
    return entries, errors


def _follow(draft: Draft, entries: Sequence[Entry], change: Change, zone: datetime.tzinfo) -> None:
    """Note the stages that the deal has passed, in order, and ignore the entries that contradict its other dates.

    An entry before the creation or after the closing of a deal has happened on the same day, or is ignored; so is one
    after the entry into the present stage of an open deal. A time may be missing on one of the two sides.
    """
    row: Deal = draft.row
    is_open = row.status == Deal.Statuses.OPEN
    last = [entry for entry in entries if _is_last(row, entry[2])]
    if not is_open and last and change.get("closed_at") is None:
        row.closed_at = last[0][1]
    begin = draft.created_at or min(instant for _, instant, _ in entries)
    present = next((instant for _, instant, _ in last if _between(begin, instant, None, zone)), None)
    end = change.get("stage_entered_at") or present if is_open else row.closed_at
    fitting, ignored = [], []
    for name, instant, stage in entries:
        fitted = _between(begin, instant, end, zone)
        if fitted is None:
            ignored.append(name)
        elif is_open or not _is_last(row, stage):
            fitting.append((fitted, _is_last(row, stage), stage.position or 0, stage))
        elif not _is_same_day(instant, row.closed_at, zone):
            # The closing of the deal stands in another column, too.
            ignored.append(name)
    draft.ignored = [*draft.ignored, *ignored]
    fitting.sort(key=lambda entry: entry[:3])
    if not fitting:
        return
    draft.created_at = begin
    draft.passed = [(instant, stage) for instant, _is_present, _position, stage in fitting]
    if _is_same_day(begin, draft.passed[0][0], zone):
        draft.passed[0] = (begin, draft.passed[0][1])
    if is_open and (draft.passed[-1][1].pk != row.stage_id or end != fitting[-1][0]):
        draft.passed.append((end or fitting[-1][0], row.stage))


def _is_last(row: Deal, stage: Stage) -> bool:
    """Whether the entry into the stage is the last one: into the present stage of an open deal, or its closing."""
    if row.status == Deal.Statuses.OPEN:
        return stage.pk == row.stage_id
    return stage.kind == KIND_OF_STATUS[row.status]


def _between(
    begin: datetime.datetime,
    instant: datetime.datetime,
    end: datetime.datetime | None,
    zone: datetime.tzinfo,
) -> datetime.datetime | None:
    """The instant, or the limit that it exceeds on the same day; None on another day."""
    if instant < begin:
        return begin if _is_same_day(instant, begin, zone) else None
    if end is not None and instant > end:
        return end if _is_same_day(instant, end, zone) else None
    return instant


def _is_same_day(instant: datetime.datetime, other: datetime.datetime | None, zone: datetime.tzinfo) -> bool:
    return other is not None and instant.astimezone(zone).date() == other.astimezone(zone).date()


def _last_entry(draft: Draft) -> datetime.datetime | None:
    """The last known entry into the present stage."""
    row: Deal = draft.row
    return next((instant for instant, stage in reversed(draft.passed) if stage.pk == row.stage_id), None)


def past_states(draft: Draft, entry: Stage | None) -> list[DealState]:
    """The states of a new deal from its creation on; none without a past.

    `entry` is the first open stage of its pipeline, in which a deal was until the first stage that is known.
    """
    if draft.created_at is None:
        return []
    return _along(draft, entry) if draft.passed else _from_entry(draft, entry)


def _along(draft: Draft, entry: Stage | None) -> list[DealState]:
    """One state for each stage that the deal has passed, and its present one."""
    row: Deal = draft.row
    present = state_of(row)
    assert draft.created_at is not None
    begins: list[tuple[datetime.datetime, Mapping[str, Any]]] = []
    for instant, stage in draft.passed:
        if not begins and instant > draft.created_at and entry is not None and entry.pk != stage.pk:
            begins.append((draft.created_at, _in_stage(present, entry, draft.created_at)))
        begin = instant if begins else draft.created_at
        if not begins or begins[-1][1]["stage_id"] != stage.pk:
            begins.append((begin, _in_stage(present, stage, begin)))
    if row.status == Deal.Statuses.OPEN:
        begins[-1] = (begins[-1][0], present)
    else:
        assert row.closed_at is not None
        begins.append((row.closed_at, present))
    instants: list[datetime.datetime] = []
    for instant, _values in begins:
        instants.append(max(instant, instants[-1] + TICK) if instants else instant)
    ends = [*instants[1:], None]
    return [
        _state(row, values, begin, end)
        for (_, values), begin, end in zip(begins, instants, ends, strict=True)
    ]


def _in_stage(present: Mapping[str, Any], stage: Stage, begin: datetime.datetime) -> dict[str, Any]:
    """The values of the present state in another stage, in which a deal has the status of the stage."""
    is_open = stage.kind == Stage.Kinds.OPEN
    return {
        **present,
        "stage_id": stage.pk,
        "status": stage.kind,
        "closed_at": None if is_open else begin,
        "probability": stage.probability if is_open else 100 if stage.kind == Stage.Kinds.WON else 0,
    }


def _from_entry(draft: Draft, entry: Stage | None) -> list[DealState]:
    """In the entry stage, then as the deal is now.

    Which stages came between is not known: a deal was in the entry stage of its pipeline until it was closed, or
    until it entered its present one.
    """
    row: Deal = draft.row
    assert draft.created_at is not None
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
