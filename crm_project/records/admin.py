"""Definitions of custom fields in the admin."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_project.accounts.rules import Permission
from crm_project.records.models import CustomField
from crm_project.records.text import fold
from crm_project.staff.actions import RestoreAction, TrashAction
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.filters import choice_filter
from crm_project.staff.forms import StaffForm, references_field, when
from crm_project.staff.inputs import Lines, Textarea, WholeNumber

TRASH_NOTE = gettext_lazy("Existing values are hidden, not deleted. They reappear if the field is restored.")
READ_ONLY = ("kind", "key", "type_name")
WITH_OPTIONS = (CustomField.Types.SELECT, CustomField.Types.MULTISELECT)


LABELS = {
    "kind": gettext_lazy("Field of"),
    "mask": gettext_lazy("Example"),
    "key": gettext_lazy("Name in the API"),
}
HELP = {
    "key": gettext_lazy(
        "Lower-case letters a-z, digits and single underscores. If empty, it is derived from the label."
    ),
    "mask": gettext_lazy("An example of a value, shown below the field."),
    "required": gettext_lazy("New deals or contacts need a value."),
}


TYPES = {
    CustomField.Types.TEXT: gettext_lazy("Single line of text"),
    CustomField.Types.TEXTAREA: gettext_lazy("Several lines of text"),
    CustomField.Types.SELECT: gettext_lazy("One choice of a list"),
    CustomField.Types.MULTISELECT: gettext_lazy("Several choices of a list"),
    CustomField.Types.CHECKBOX: gettext_lazy("Yes or no"),
}


def type_names() -> list[tuple[str, str | Promise]]:
    return [(value, TYPES.get(CustomField.Types(value), label)) for value, label in CustomField.Types.choices]


class CustomFieldForm(StaffForm):
    labels: ClassVar[Mapping[str, str | Promise]] = LABELS
    help_texts: ClassVar[Mapping[str, str | Promise]] = HELP
    options = Lines(
        required=False,
        label=gettext_lazy("Options"),
        widget=Textarea({"rows": 5}),
        help_text=gettext_lazy("One per line."),
    )
    position = WholeNumber(
        initial=0,
        label=gettext_lazy("Position"),
        help_text=gettext_lazy("Fields with a lower position come first."),
    )
    external_references = references_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["options"] = self.instance.options
        else:
            self.fields["key"].required = False
            kinds: Any = self.fields["type"]
            kinds.choices = type_names()

    def change(self) -> dict[str, Any]:
        change = super().change()
        return change if self.instance.pk else {"key": key_of(change.get("label", "")), **change}


def key_of(label: str) -> str:
    """`Budget (k€)` → `budget_k`."""
    words = re.sub(r"[^a-z0-9]+", "_", fold(label)).strip("_")
    return (words if words[:1].isalpha() else f"field_{words}")[:63].rstrip("_")


@admin.register(CustomField)
class CustomFieldAdmin(StaffModelAdmin):
    form = CustomFieldForm
    empty_hint = gettext_lazy(
        "Add your own fields to deals and contacts. They appear in forms, filters, files and the API."
    )
    edit_permission = Permission.EDIT_PIPELINES
    search_fields: ClassVar[Any] = ("label", "key")
    ordering: ClassVar[Any] = ("kind", "position", "id")
    list_display: ClassVar[Any] = ("label", "key", "kind", "type_name", "position", "is_required")
    list_filter: ClassVar[Any] = (
        choice_filter(gettext_lazy("Field of"), "kind", CustomField.Kinds.choices),
        choice_filter(gettext_lazy("Type"), "type", type_names()),
    )
    conditional_fields: ClassVar[Any] = {"options": when("type", "== 'select' || type == 'multiselect'")}
    has_trash = True
    row_actions: ClassVar[Any] = (
        TrashAction(explanation=TRASH_NOTE),
        RestoreAction(),
    )

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        names = [
            "kind",
            "label",
            "key",
            "type_name" if row is not None else "type",
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
        """Stored values depend on these fields."""
        return READ_ONLY if obj is not None else ()

    @admin.display(description=gettext_lazy("Type"), ordering="type")
    def type_name(self, row: CustomField) -> str:
        return str(dict(type_names())[row.type])

    @admin.display(description=gettext_lazy("Required"))
    def is_required(self, row: CustomField) -> str:
        return _("Yes") if row.required else "—"
