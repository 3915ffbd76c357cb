"""Custom fields in forms: a form field for each definition, under the name `custom_<key>`."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_project.records.models import CustomField
from crm_project.records.writing.columns import definitions_for
from crm_project.staff.inputs import (
    CheckboxList,
    Day,
    DecimalInput,
    LongText,
    PlainText,
    Select,
    Switch,
    Textarea,
)
from crm_project.staff.panels import Panel
from crm_project.staff.request_actor import actor_of

PREFIX = "custom_"
NUMBER = CustomField.Types.NUMBER


class NumberInput(DecimalInput):
    """A number, which may be negative."""

    invalid_message: Any = gettext_lazy("Write a number as 12.5.")

    def to_python(self, value: Any) -> Decimal | None:
        if isinstance(value, int | float):
            return Decimal(str(value))
        text = value.strip() if isinstance(value, str) else value
        if isinstance(text, str) and text.startswith("-"):
            positive = super().to_python(text[1:])
            return None if positive is None else -positive
        return super().to_python(text)


def definitions(request: HttpRequest, kind: str) -> dict[str, CustomField]:
    """The definitions by key, in order and without headings, looked up once per request."""
    actor = actor_of(request)
    if actor is None:
        return {}
    by_kind: dict[str, dict[str, CustomField]] = getattr(request, "staff_definitions", {})
    if kind not in by_kind:
        rows = definitions_for(actor.organization, kind)
        by_kind = {
            **by_kind,
            kind: {key: row for key, row in rows.items() if row.type != CustomField.Types.HEADING},
        }
        request.staff_definitions = by_kind  # type: ignore[attr-defined]
    return by_kind[kind]


def free_fields(request: HttpRequest, row: Any) -> Panel | None:
    """The panel of the JSON that a dialect with free fields has stored under keys without a definition."""
    stored, actor = getattr(row, "custom_fields", None) or {}, actor_of(request)
    free = stored.keys() - definitions(request, row.row_kind).keys() if stored else set()
    if not free or actor is None:
        return None
    # The values of a field in the trash are hidden.
    trashed = CustomField.objects.of(actor.organization_id).filter(kind=row.row_kind, key__in=free)
    free -= set(trashed.exclude(deleted_at=None).values_list("key", flat=True))
    if not free:
        return None
    return Panel(
        title=_("Fields of integrations"),
        headers=(_("Field"), _("Value")),
        rows=[(key, _as_text(stored[key])) for key in stored if key in free],
        note=_(
            "Other programs have stored these values. They have no custom field here and cannot be edited."
        ),
    )


def _as_text(value: Any) -> SafeString | str:
    """A text as it is, other JSON indented."""
    if isinstance(value, str):
        return format_html('<span class="crm-lines">{}</span>', value)
    return format_html('<pre class="crm-json">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False))


def form_field(definition: CustomField, *, creating: bool) -> forms.Field:
    """A required field is optional in the form of an existing row, which may be older than the definition."""
    options: dict[str, Any] = {
        "label": definition.label,
        "required": definition.required and creating and definition.type != CustomField.Types.CHECKBOX,
        # The theme renders help texts as HTML.
        "help_text": format_html(_("For example {}"), definition.mask) if definition.mask else "",
    }
    choices = [(option, option) for option in definition.options]
    match definition.type:
        case CustomField.Types.TEXTAREA:
            return LongText(widget=Textarea({"rows": 3}), **options)
        case CustomField.Types.NUMBER:
            return NumberInput(**options)
        case CustomField.Types.SELECT:
            return forms.ChoiceField(choices=[("", _("Select value")), *choices], widget=Select(), **options)
        case CustomField.Types.MULTISELECT:
            return forms.MultipleChoiceField(choices=choices, widget=CheckboxList(), **options)
        case CustomField.Types.CHECKBOX:
            return forms.BooleanField(widget=Switch(), **options)
        case CustomField.Types.DATE:
            return Day(**options)
    return PlainText(max_length=255, **options)


def form_fields(
    definitions: Mapping[str, CustomField], stored: Mapping[str, Any], *, creating: bool
) -> dict[str, Any]:
    """Form fields by name. A stored option that was removed from the definition is still offered."""
    fields = {}
    for key, definition in definitions.items():
        field = form_field(definition, creating=creating)
        field.initial = stored.get(key)
        selected = field.initial if isinstance(field.initial, list) else [field.initial]
        if isinstance(field, forms.ChoiceField):
            offered: Any = field.choices
            field.choices = [
                *offered,
                *((value, value) for value in selected if value and value not in definition.options),
            ]
        fields[f"{PREFIX}{key}"] = field
    return fields


def custom_value(value: Any) -> Any:
    """A cleaned value for a service; None removes the value."""
    if value in ("", [], None):
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value
    return value
