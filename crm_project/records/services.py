"""Writes of custom-field definitions."""

from crm_project.accounts.actors import Actor
from crm_project.errors import Conflict, FieldError
from crm_project.records.apply import Change
from crm_project.records.models import CustomField, CustomFieldReference
from crm_project.records.named import catalogue_writing, locked, save_named, trash_rows
from crm_project.records.rules import definition_errors

COLUMNS = ("kind", "key", "label", "type", "mask", "position", "required")


def create_custom_field(*, actor: Actor, change: Change) -> CustomField:
    return _save(actor, CustomField(organization_id=actor.organization_id), change)


def update_custom_field(*, actor: Actor, custom_field: CustomField, change: Change) -> CustomField:
    """Key, kind and type stay: values are stored under them."""
    return _save(actor, custom_field, change)


def trash_custom_field(*, actor: Actor, custom_field: CustomField) -> None:
    """The values stay in their rows, and show again when the same key is declared again."""
    with catalogue_writing(actor) as changes:
        trash_rows(changes, CustomFieldReference, [locked(CustomField, actor, custom_field.pk)])


def _save(actor: Actor, row: CustomField, change: Change) -> CustomField:
    def check(saved: CustomField) -> list[FieldError]:
        if "options" in change:
            saved.options = change["options"] or []
        return definition_errors(saved) or _frozen_errors(saved)

    saved: CustomField = save_named(
        actor=actor, row=row, change=change, columns=COLUMNS, reference_model=CustomFieldReference, check=check
    )
    return saved


def _frozen_errors(row: CustomField) -> list[FieldError]:
    same = CustomField.objects.of(row.organization_id).live().filter(kind=row.kind, key=row.key).exclude(pk=row.pk)
    if same.exists():
        wrong = FieldError("key", "key_taken", "There is a custom field of this key already.")
        raise Conflict(wrong.detail, code="key_taken", fields=[wrong])
    if row.pk is None:
        return []
    before = CustomField.objects.get(pk=row.pk)
    frozen = [name for name in ("kind", "key", "type") if getattr(before, name) != getattr(row, name)]
    return [FieldError(name, "immutable", "Values are stored under it; it stays.") for name in frozen]
