"""Writes of custom-field definitions, and of external references of any row."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import F
from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.accounts.services import bump_catalogue
from crm_project.changes import change_set, columns
from crm_project.errors import Conflict, FieldError, NotFound, refuse, refuse_fields
from crm_project.records import references
from crm_project.records.kinds import kinds
from crm_project.records.locks import for_update
from crm_project.records.models import CustomField, CustomFieldReference, MemberReference
from crm_project.records.rules import definition_errors
from crm_project.records.writing.columns import Change
from crm_project.records.writing.reference_data import (
    catalogue_writing,
    locked,
    restore_named,
    save_named,
    trash_rows,
)
from crm_project.records.writing.store import Draft
from crm_project.versions import Versions, require

COLUMNS = ("kind", "key", "label", "type", "mask", "position", "required")


def create_custom_field(*, actor: Actor, change: Change) -> CustomField:
    return _save(actor, CustomField(organization_id=actor.organization_id), change)


def update_custom_field(*, actor: Actor, custom_field: CustomField, change: Change) -> CustomField:
    """Key, kind and type cannot change: values are stored under them."""
    return _save(actor, custom_field, change)


def trash_custom_field(*, actor: Actor, custom_field: CustomField, if_match: Versions | None = None) -> None:
    """Move a custom field to the trash. Values stay in their rows and reappear when the key is defined again."""
    with catalogue_writing(actor) as changes:
        trash_rows(changes, CustomFieldReference, [locked(CustomField, actor, custom_field.pk, if_match)])


def restore_custom_field(
    *, actor: Actor, custom_field: CustomField, if_match: Versions | None = None
) -> CustomField:
    restored: CustomField = restore_named(
        actor=actor,
        row=custom_field,
        reference_model=CustomFieldReference,
        check=_frozen_errors,
        if_match=if_match,
    )
    return restored


def change_references(
    *,
    actor: Actor,
    row: Any,
    add: Iterable[references.Key] = (),
    remove: Iterable[references.Key] = (),
    if_match: Versions | None = None,
) -> None:
    """Add and remove external references of a row of any kind, which bumps its version."""
    removed = [list(key) for key in remove]
    with _rekeying(actor, row, list(add), if_match) as (model, draft):
        keys = draft.lists["external_references"]
        draft.lists["external_references"] = [key for key in keys if key not in removed]
        references.write(model, actor.organization_id, [draft])


def rename_reference(
    *, actor: Actor, row: Any, old: references.Key, new: references.Key, if_match: Versions | None = None
) -> None:
    """Change the key of a reference, which keeps its uuid and its position."""
    with _rekeying(actor, row, [new], if_match) as (model, draft):
        before = draft.lists_before["external_references"]
        if list(new) in before:
            draft.lists["external_references"] = [key for key in before if key != list(old)]
            references.write(model, actor.organization_id, [draft])
            return
        draft.lists["external_references"] = [list(new) if key == list(old) else key for key in before]
        reference = model._default_manager.filter(row=row.pk, system=old[0], external_id=old[1])
        reference.update(system=new[0], external_id=new[1])


def keep_member_apart(member: Member) -> None:
    """Called for a new member: see `references.assign_replacement_ids`."""
    new_rows = [Draft(member, columns(member))]
    references.assign_replacement_ids(MemberReference, member.organization_id, new_rows=new_rows)


@contextmanager
def _rekeying(
    actor: Actor, row: Any, added: list[references.Key], if_match: Versions | None
) -> Iterator[tuple[Any, Draft]]:
    """Yield the locked row's draft with the keys added, and record the changes that the block makes to it."""
    kind = kinds[row.row_kind]
    actor.require(kind.permission)
    model = kind.references
    with change_set(actor) as changes:
        references.hold(model, actor.organization_id, added)
        draft = Draft.of(_locked_row(actor, row))
        require(draft.row, if_match)
        references.note(model, [draft])
        refuse_fields(references.set_on(draft, {"external_references": added}, add=True))
        refuse(references.clashes(model, actor.organization_id, [draft]), rows=1)
        yield model, draft
        if kind.in_catalogue:
            bump_catalogue(actor.organization_id)
        if not draft.changed:
            return
        type(row).objects.filter(pk=row.pk).update(version=F("version") + 1, updated_at=timezone.now())
        draft.row.version += 1
        changes.record(draft.row, "updated", draft.changed)


def _locked_row(actor: Actor, row: Any) -> Any:
    """The row, locked, if it is visible to the actor: of organizations, the actor's own."""
    if row.row_kind != "organization":
        return locked(type(row), actor, row.pk)
    if row.pk != actor.organization_id:
        raise NotFound
    return for_update(type(row).objects.filter(pk=row.pk)).get()


def _save(actor: Actor, row: CustomField, change: Change) -> CustomField:
    def check(saved: CustomField) -> list[FieldError]:
        if "options" in change:
            saved.options = change["options"] or []
        return definition_errors(saved, is_new=saved.pk is None) or _frozen_errors(saved)

    saved: CustomField = save_named(
        actor=actor,
        row=row,
        change=change,
        columns=COLUMNS,
        reference_model=CustomFieldReference,
        check=check,
    )
    return saved


def _frozen_errors(row: CustomField) -> list[FieldError]:
    same = (
        CustomField.objects.of(row.organization_id)
        .live()
        .filter(kind=row.kind, key=row.key)
        .exclude(pk=row.pk)
    )
    if same.exists():
        wrong = FieldError("key", "key_taken", "There is a custom field of this key already.")
        raise Conflict(wrong.template, wrong.params, code="key_taken", fields=[wrong])
    if row.pk is None:
        return []
    before = CustomField.objects.get(pk=row.pk)
    frozen = [name for name in ("kind", "key", "type") if getattr(before, name) != getattr(row, name)]
    return [FieldError(name, "immutable", "Values are stored under it; it stays.") for name in frozen]
