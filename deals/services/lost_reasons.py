"""Services of lost reasons, a managed list."""

from crm_project.accounts.actors import Actor
from crm_project.errors import Conflict, FieldError
from crm_project.records.text import tidy
from crm_project.records.writing.columns import Change
from crm_project.records.writing.reference_data import (
    catalogue_writing,
    locked,
    restore_named,
    save_named,
    trash_rows,
)
from crm_project.versions import Versions
from deals.models import LostReason, LostReasonReference


def create_lost_reason(*, actor: Actor, change: Change) -> LostReason:
    return _save(actor, LostReason(organization_id=actor.organization_id), change)


def update_lost_reason(*, actor: Actor, lost_reason: LostReason, change: Change) -> LostReason:
    return _save(actor, lost_reason, change)


def trash_lost_reason(*, actor: Actor, lost_reason: LostReason, if_match: Versions | None = None) -> None:
    """Move a lost reason to the trash. Lost deals keep it."""
    with catalogue_writing(actor) as changes:
        trash_rows(changes, LostReasonReference, [locked(LostReason, actor, lost_reason.pk, if_match)])


def restore_lost_reason(
    *, actor: Actor, lost_reason: LostReason, if_match: Versions | None = None
) -> LostReason:
    restored: LostReason = restore_named(
        actor=actor, row=lost_reason, reference_model=LostReasonReference, check=_check, if_match=if_match
    )
    return restored


def _save(actor: Actor, row: LostReason, change: Change) -> LostReason:
    saved: LostReason = save_named(
        actor=actor,
        row=row,
        change=change,
        columns=("name",),
        reference_model=LostReasonReference,
        check=_check,
    )
    return saved


def _check(row: LostReason) -> list[FieldError]:
    if not row.name.strip():
        return [FieldError("name", "blank", "This may not be blank.")]
    others = LostReason.objects.of(row.organization_id).live().exclude(pk=row.pk)
    if tidy(row.name) in map(tidy, others.values_list("name", flat=True)):
        wrong = FieldError("name", "name_taken", "There is a lost reason of this name already.")
        raise Conflict(wrong.template, wrong.params, code="name_taken", fields=[wrong])
    return []
