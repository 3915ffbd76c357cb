"""Rules of activities: due dates, notes, what an activity belongs to. No query, no clock."""

import datetime
from typing import Any

from crm_project.errors import FieldError
from crm_project.records.days import end_of
from crm_project.records.writing.columns import Change

DAY = datetime.timedelta(days=1)


def deadline_of(
    due_at: datetime.datetime | None, due_on: datetime.date | None, zone: datetime.tzinfo
) -> datetime.datetime | None:
    return due_at if due_on is None else end_of(due_on, zone)


def postponed(
    due_at: datetime.datetime | None,
    due_on: datetime.date | None,
    today: datetime.date,
    zone: datetime.tzinfo,
) -> Change:
    """The change that makes it due one day later, but not before tomorrow; a time of the day stays."""
    if due_at is None:
        return {"due_on": max(due_on or today, today) + DAY}
    local = due_at.astimezone(zone)
    day = max(local.date(), today) + DAY
    return {"due_at": datetime.datetime.combine(day, local.time(), zone).astimezone(datetime.UTC)}


def settle(row: Any, change: Change, *, now: datetime.datetime) -> list[FieldError]:
    """Make the changed row consistent; returns the errors. `done` in the change completes an open activity."""
    if change.get("done") and row.done_at is None:
        row.done_at = now
    errors = _settle_due(row, change)
    if row.type == "note":
        errors += _settle_note(row, change, now)
    if row.done_at is not None and change.get("done_at") is not None and row.done_at > now:
        errors.append(FieldError("done_at", "future", "An activity is done now or in the past."))
    return errors + fit_errors(row)


def fit_errors(row: Any) -> list[FieldError]:
    """The errors of an activity with its present values."""
    errors = []
    if row.deal_id is None and row.contact_id is None:
        errors.append(FieldError("deal", "required", "An activity needs a deal or a contact."))
    if row.type in ("note", "task") and not (row.subject.strip() or row.text.strip()):
        errors.append(FieldError("subject", "required", "A note or a task needs a subject or a text."))
    return errors


def _settle_due(row: Any, change: Change) -> list[FieldError]:
    """One of the two columns: the one that the change sets replaces the other."""
    if row.due_at is None or row.due_on is None:
        return []
    if change.get("due_at") is not None and change.get("due_on") is not None:
        return [
            FieldError("due_on", "due_conflict", "An activity is due at an instant or on a day, not both.")
        ]
    if change.get("due_at") is not None:
        row.due_on = None
    else:
        row.due_at = None
    return []


def _settle_note(row: Any, change: Change, now: datetime.datetime) -> list[FieldError]:
    """A note has no due date and is never open."""
    wrong = [name for name in ("due_at", "due_on") if change.get(name) is not None]
    if wrong:
        return [FieldError(name, "invalid", "A note has no due date.") for name in wrong]
    row.due_at = row.due_on = None
    if row.done_at is None:
        row.done_at = now
    return []
