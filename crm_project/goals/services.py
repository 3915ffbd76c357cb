"""Writes of goals, one row at a time."""

from typing import Any

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.errors import Conflict, FieldError
from crm_project.goals.models import Goal, GoalReference
from crm_project.goals.rules import goal_errors
from crm_project.records.writing.columns import Change, inactive, missing, rows_by_key
from crm_project.records.writing.reference_data import (
    catalogue_writing,
    locked,
    restore_named,
    save_named,
    trash_rows,
)
from crm_project.versions import Versions

TAKEN = FieldError("month", "month_taken", "There is a goal of this month already.")


def create_goal(*, actor: Actor, change: Change) -> Goal:
    """Create a goal of the `member`, an id or uuid; without one, of the whole organization."""
    return _save(actor, Goal(organization_id=actor.organization_id), change)


def update_goal(*, actor: Actor, goal: Goal, change: Change) -> Goal:
    return _save(actor, goal, change)


def trash_goal(*, actor: Actor, goal: Goal, if_match: Versions | None = None) -> None:
    with catalogue_writing(actor) as changes:
        trash_rows(changes, GoalReference, [locked(Goal, actor, goal.pk, if_match)])


def restore_goal(*, actor: Actor, goal: Goal, if_match: Versions | None = None) -> Goal:
    restored: Goal = restore_named(
        actor=actor, row=goal, reference_model=GoalReference, check=_clashes, if_match=if_match
    )
    return restored


def _save(actor: Actor, row: Goal, change: Change) -> Goal:
    saved: Goal = save_named(
        actor=actor,
        row=row,
        change=change,
        columns=("month", "amount"),
        reference_model=GoalReference,
        check=lambda goal: _check(actor, goal, change),
    )
    return saved


def _check(actor: Actor, goal: Goal, change: Change) -> list[FieldError]:
    errors = goal_errors(goal, change, actor.organization.currency)
    errors += _set_member(actor, goal, change["member"]) if "member" in change else []
    return errors or _clashes(goal)


def _set_member(actor: Actor, goal: Goal, key: Any) -> list[FieldError]:
    """Somebody who has been deactivated keeps the goals of earlier months, and gets no others."""
    members = Member.objects.visible_to(actor.member).select_related("user")
    member = rows_by_key(members, [key]).get(key)
    if member is None:
        goal.member = None
        return [] if key is None else [missing("member")]
    is_other, goal.member = member.pk != goal.member_id, member
    return [inactive("member")] if is_other and not member.has_access else []


def _clashes(goal: Goal) -> list[FieldError]:
    others = Goal.objects.of(goal.organization_id).live().exclude(pk=goal.pk)
    if others.filter(member_id=goal.member_id, month=goal.month).exists():
        raise Conflict(TAKEN.template, TAKEN.params, code=TAKEN.code, fields=[TAKEN])
    return []
