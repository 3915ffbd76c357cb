"""Services of activities: the only functions that write them, for the API, the admin, imports and dialects."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.accounts.rules import Permission
from crm_project.activities import rules
from crm_project.activities.models import Activity, ActivityReference
from crm_project.activities.next_steps import refresh_next_steps
from crm_project.records.bulk import Operation
from crm_project.records.writing.columns import Change
from crm_project.records.writing.receipts import Receipt
from crm_project.records.writing.rows import ANY, Lock, Relation, RowWriter
from crm_project.records.writing.store import Draft
from crm_project.versions import Versions
from deals.models import Deal


def _settle(row: Activity, change: Change, now: datetime.datetime) -> list[Any]:
    return rules.settle(row, change, now=now)


def _refresh_deals(drafts: Sequence[Draft]) -> None:
    refresh_next_steps(
        {draft.row.deal_id for draft in drafts} | {draft.before.get("deal_id") for draft in drafts}
    )


writer = RowWriter(
    Activity,
    ActivityReference,
    Permission.EDIT_DEALS,
    columns="type subject text due_at due_on done_at result is_pinned".split(),
    relations={
        "owner": Relation(
            lambda actor: Member.objects.visible_to(actor.member).select_related("user"), lock=Lock.NONE
        ),
        "contact": Relation(lambda actor: Contact.objects.visible_to(actor.member)),
        "deal": Relation(lambda actor: Deal.objects.visible_to(actor.member), lock=Lock.UPDATE),
    },
    settle=_settle,
    fit=rules.fit_errors,
    derive=_refresh_deals,
)


def create_activities(*, actor: Actor, changes: Sequence[Change]) -> list[Activity]:
    return writer.create(actor, changes)


def update_activities(*, actor: Actor, changes: Sequence[tuple[Activity, Change]]) -> list[Receipt[Activity]]:
    """Apply each change to its activity, of which only the id is used."""
    return writer.write(actor, changes)


def trash_activities(
    *, actor: Actor, rows: Sequence[Activity], if_match: Mapping[int, Versions] = ANY
) -> list[Activity]:
    """Move activities to the trash. `if_match` has the expected version by id."""
    return writer.trash(actor, rows, if_match)


def restore_activities(
    *, actor: Actor, rows: Sequence[Activity], if_match: Mapping[int, Versions] = ANY
) -> list[Activity]:
    """Restore activities from the trash, unless their deal or contact is there or a live row has a reference."""
    return writer.restore(actor, rows, if_match)


def carry_out_activities(*, actor: Actor, operations: Sequence[Operation]) -> list[Receipt[Activity]]:
    """Carry out all operations or none: RowsRefused has an error for each refused one."""
    return writer.carry_out(actor, operations)


def complete_activities(
    *, actor: Actor, rows: Sequence[Activity], if_match: Mapping[int, Versions] = ANY
) -> list[Receipt[Activity]]:
    """Mark activities as done now. Idempotent: an earlier time stays."""
    changes = [(row, {"done": True, "if_match": if_match.get(row.pk)}) for row in rows]
    return writer.write(actor, changes)


def postpone_activities(
    *, actor: Actor, rows: Sequence[Activity], if_match: Mapping[int, Versions] = ANY
) -> list[Receipt[Activity]]:
    """Make activities due one day later, but not before tomorrow in the organization's zone."""
    zone = ZoneInfo(actor.organization.time_zone)
    today = timezone.now().astimezone(zone).date()
    stored = Activity.objects.visible_to(actor.member).in_bulk([row.pk for row in rows])
    due = {pk: rules.postponed(row.due_at, row.due_on, today, zone) for pk, row in stored.items()}
    changes = [(row, {**due.get(row.pk, {}), "if_match": if_match.get(row.pk)}) for row in rows]
    return writer.write(actor, changes)
