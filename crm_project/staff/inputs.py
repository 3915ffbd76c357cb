"""Form fields and widgets that accept what the services accept, and no ambiguous notations."""

import datetime
import re
from collections.abc import Sequence
from decimal import Decimal
from html import escape
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.forms.utils import flatatt
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from crm_project.generics import AnyModelMultipleChoiceField
from crm_project.languages.figures import decimal_as_typed, number, read_decimal
from crm_project.readers import Unreadable
from crm_project.records.models import DEFAULT_SYSTEM

AMOUNT = re.compile(r"[0-9]{1,16}(\.[0-9]{1,8})?")
WHOLE = re.compile(r"-?[0-9]{1,19}")

# The widgets of the theme.
Textarea = widgets.UnfoldAdminTextareaWidget
Switch = widgets.UnfoldBooleanSwitchWidget
CheckboxList = widgets.UnfoldAdminCheckboxSelectMultipleWidget
Color = widgets.UnfoldAdminColorInputWidget
Password = widgets.UnfoldAdminPasswordWidget


class Select(widgets.UnfoldAdminSelectWidget):  # type: ignore[misc]
    """The select of the theme, which would render two templates for each option."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        context = {
            "name": name,
            "attributes": flatatt(self.build_attrs(self.attrs, attrs)),
            "options": self._options(self.format_value(value)),
        }
        return mark_safe(render_to_string("admin/select.html", context))

    def _options(self, values: Sequence[str]) -> SafeString:
        """The options as HTML; the first one of the value is selected."""
        parts, pending = [], set(values)

        def add(key: Any, label: Any) -> None:
            text = "" if key is None else str(key)
            state = " selected" if text in pending else ""
            parts.append(f'<option value="{escape(text)}"{state}>{escape(str(label))}</option>')
            if text in pending:
                pending.clear()

        for key, label in self.choices:
            if not isinstance(label, list | tuple):
                add(key, label)
                continue
            parts.append(f'<optgroup label="{escape(str(key))}">')
            for one, text in label:
                add(one, text)
            parts.append("</optgroup>")
        return mark_safe("\n".join(parts))


class TextInput(widgets.UnfoldAdminTextInputWidget):  # type: ignore[misc]
    """The input of the theme, which would render three templates for each."""

    frame = '<div class="max-w-2xl relative w-full">{}</div>'
    # What the template of the theme puts beside the text.
    beside = frozenset({"prefix", "prefix_icon", "suffix", "suffix_icon"})

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        if self.beside & self.attrs.keys():
            return SafeString(super().render(name, value, attrs, renderer))
        widget = self.get_context(name, value, attrs)["widget"]
        attributes = flatatt({"value": widget["value"]}) + flatatt(widget["attrs"])
        tag = format_html('<input type="{}" name="{}"{}>', widget["type"], name, attributes)
        return format_html(self.frame, tag)


class DayInput(TextInput):
    """The date input of the browser, which works on a phone, by keyboard and without scripts."""

    input_type = "date"
    frame = "{}"

    def format_value(self, value: Any) -> Any:
        return value.isoformat() if hasattr(value, "isoformat") else value


class InstantInput(TextInput):
    input_type = "datetime-local"
    frame = "{}"

    def format_value(self, value: Any) -> Any:
        return value.strftime("%Y-%m-%dT%H:%M:%S") if hasattr(value, "strftime") else value


class PlainText(forms.CharField):
    """One line of text, not stripped."""

    widget = TextInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"strip": False, **kwargs})


class LongText(PlainText):
    """Several lines of text. Browsers send CRLF for a line break, which alone is not a change."""

    widget = Textarea

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return text.replace("\r\n", "\n") if isinstance(text, str) else text

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((self.to_python(initial) or "") != (self.to_python(data) or ""))


class DecimalInput(forms.Field):
    """A decimal as the language of the page writes it, without an exponent."""

    widget = TextInput
    invalid_message = gettext_lazy("Write an amount as %(example)s.")
    example = Decimal("15000.50")

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or isinstance(value, Decimal):
            return value
        text = str(value).strip()
        if not text:
            return None
        try:
            amount = read_decimal(text)
        except Unreadable:
            amount = None
        if amount is None or not AMOUNT.fullmatch(f"{amount:f}"):
            example = {"example": number(self.example)}
            raise forms.ValidationError(self.invalid_message, code="invalid", params=example)
        return amount

    def prepare_value(self, value: Any) -> Any:
        return decimal_as_typed(value) if isinstance(value, Decimal | float) else value

    def widget_attrs(self, widget: Any) -> dict[str, Any]:
        return {"inputmode": "decimal", "autocomplete": "off"}

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(initial) != self.to_python(data))
        except forms.ValidationError:
            return True


class EntriesInput(widgets.UnfoldAdminTextInputWidget):  # type: ignore[misc]
    """One input for each entry of a list, and an empty one for another; an emptied one removes its entry."""

    template_name = "admin/entries.html"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return list(data.getlist(name)) if hasattr(data, "getlist") else list(data.get(name) or ())

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data

    def format_value(self, value: Any) -> Any:
        return [text for text in value or () if str(text).strip()]

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        # The theme binds a field to one value of its script; each entry has one of its own.
        own = {key: one for key, one in context["widget"]["attrs"].items() if not key.startswith("x-")}
        context["widget"]["attrs"], key = own, own.get("id", f"id_{name}")
        values = [*self.format_value(value), ""]
        context["widget"]["entries"] = [
            {"value": text, "id": f"{key}_{place}" if place else key} for place, text in enumerate(values)
        ]
        return context

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        """Django's renderer of forms does not look in the templates of the project."""
        return mark_safe(render_to_string(template_name, context))


class Entries(forms.Field):
    """A list of short texts, each of which the service validates."""

    widget = EntriesInput

    def to_python(self, value: Any) -> list[str]:
        return [text.strip() for text in value or () if text.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))


def whole_number(text: str) -> int:
    """The id or version in a URL or a hidden field; 0 for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


class _PossibleKeys:
    """Renders ids that a row can have and no other text, which a forged request may have sent."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, [key for key in value if whole_number(str(key))], attr)  # type: ignore[misc]


class RowSelect(_PossibleKeys, AutocompleteSelect):
    pass


class RowsSelect(_PossibleKeys, AutocompleteSelectMultiple):
    pass


class RowsField(AnyModelMultipleChoiceField):
    """Several rows; Django's field would look for ids that are too large for the column."""

    def clean(self, value: Any) -> Any:
        wrong = next((key for key in value or () if not whole_number(str(key))), None)
        if wrong is not None:
            message = self.error_messages["invalid_choice"]
            raise forms.ValidationError(message, code="invalid_choice", params={"value": wrong})
        return super().clean(value)


class WholeNumber(forms.Field):
    """A whole number; the service validates its range."""

    widget = TextInput

    def to_python(self, value: Any) -> int | None:
        if value is None or isinstance(value, int):
            return value
        text = str(value).strip()
        if not text:
            return None
        if not WHOLE.fullmatch(text):
            raise forms.ValidationError(_("Write a whole number."), code="invalid")
        return int(text)

    def widget_attrs(self, widget: Any) -> dict[str, Any]:
        return {"inputmode": "numeric", "autocomplete": "off"}

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(initial) != self.to_python(data))
        except forms.ValidationError:
            return True


class Day(forms.DateField):
    widget = DayInput


class Instant(forms.DateTimeField):
    """A date and a time in the time zone of the organization. Fractions of a second are not a change."""

    widget = InstantInput

    def to_python(self, value: Any) -> datetime.datetime | None:
        instant = super().to_python(value)
        try:
            return instant and instant.astimezone(datetime.UTC)
        except OverflowError:
            raise forms.ValidationError(_("This date is out of range."), code="invalid") from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            value = self.to_python(data)
        except forms.ValidationError:
            return True
        if value is None or initial is None:
            return value is not initial
        return bool(value.replace(microsecond=0) != initial.replace(microsecond=0))


class References(forms.CharField):
    """External references, one per line: `system: id`."""

    widget = Textarea

    def __init__(self, **kwargs: Any) -> None:
        text = gettext_lazy("IDs of this row in other systems, one per line, as “system: id”.")
        defaults = {"required": False, "help_text": text, "widget": Textarea({"rows": 3})}
        super().__init__(**{**defaults, **kwargs})
        self.lines: dict[str, tuple[str, str]] = {}

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) or value is None else _reference_lines(value)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return [tuple(key) for key in value]
        lines = [line.strip() for line in str(value or "").splitlines()]
        return [self.lines.get(line) or _reference(line) for line in lines if line]

    def keep_lines(self, keys: Sequence[tuple[str, str]]) -> None:
        """Read the line of each of these keys as that key: an id or a system may contain colons."""
        self.lines = {_reference_lines([key]).strip(): key for key in keys}

    def validate(self, value: Any) -> None:
        """The service validates each key."""

    def run_validators(self, value: Any) -> None:
        """The service validates each key."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))


def _reference(line: str) -> tuple[str, str]:
    system, separator, external_id = line.partition(": ")
    if not separator:
        system, separator, external_id = line.partition(":")
    return (system.strip(), external_id.strip()) if separator else (DEFAULT_SYSTEM, line)


def _reference_lines(keys: Sequence[Any]) -> str:
    return "\n".join(f"{system}: {external_id}" for system, external_id in keys)


class Lines(forms.CharField):
    """A list of texts, one per line."""

    widget = Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def run_validators(self, value: Any) -> None:
        """The service validates each line."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))
