"""Definitions of custom fields in the admin."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.records import services
from crm_project.records.models import CustomField
from crm_project.staff.acts import RestoreAct, TrashAct, each
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.filters import choice_filter
from crm_project.staff.forms import StaffForm, references_field, when
from crm_project.staff.inputs import Lines, Textarea, WholeNumber

GOING = "The values stay in their rows, and show again when it is restored or the same key is declared again."
FROZEN = ("kind", "key", "type")
WITH_OPTIONS = (CustomField.Types.SELECT, CustomField.Types.MULTISELECT)


HELP = {
    "key": "The name in the API: lower-case words of a-z and 0-9, joined by single underscores.",
    "mask": "An example of what to type.",
    "required": "New rows need a value.",
}


class CustomFieldForm(StaffForm):
    help_texts: ClassVar[Mapping[str, str]] = HELP
    options = Lines(required=False, widget=Textarea({"rows": 5}), help_text="One a line.")
    position = WholeNumber(initial=0, help_text="Lower ones come first.")
    external_references = references_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["options"] = self.instance.options


@admin.register(CustomField)
class CustomFieldAdmin(StaffModelAdmin):
    form = CustomFieldForm
    empty_hint = "Fields of your own for deals and contacts: in forms, in filters, in files and over the API."
    edit_permission = Permission.EDIT_PIPELINES
    search_fields: ClassVar[Any] = ("label", "key")
    ordering: ClassVar[Any] = ("kind", "position", "id")
    list_display: ClassVar[Any] = ("label", "key", "kind", "type", "position", "is_required")
    list_filter: ClassVar[Any] = (
        choice_filter("Of", "kind", CustomField.Kinds.choices),
        choice_filter("Type", "type", CustomField.Types.choices),
    )
    conditional_fields: ClassVar[Any] = {"options": when("type", "== 'select' || type == 'multiselect'")}
    has_trash = True
    acts: ClassVar[Any] = (
        TrashAct(each(services.trash_custom_field, "custom_field"), GOING),
        RestoreAct(each(services.restore_custom_field, "custom_field")),
    )

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        names = [
            "kind",
            "label",
            "key",
            "type",
            "options",
            "mask",
            "position",
            "required",
            "external_references",
        ]
        if row is not None and row.type not in WITH_OPTIONS:
            names.remove("options")
        return [(None, {"fields": names})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """Values are stored under them."""
        return FROZEN if obj is not None else ()

    def create(self, actor: Actor, change: dict[str, Any]) -> CustomField:
        return services.create_custom_field(actor=actor, change=change)

    def update(self, actor: Actor, row: CustomField, change: dict[str, Any]) -> CustomField:
        return services.update_custom_field(actor=actor, custom_field=row, change=change)

    @admin.display(description="Required")
    def is_required(self, row: CustomField) -> str:
        return "Yes" if row.required else "—"
