"""User fields: their definitions, and their values, which are all strings."""

import json
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_project.dialects.kit.casts import custom_field_value
from crm_project.dialects.kit.fields import ConstantInteger
from crm_project.dialects.kit.rows import NumberedRowField
from crm_project.dialects.onlyoffice.serializers.params import (
    INSTANT,
    NamedNumberField,
    OnlyofficeParameters,
    OptionalTextParam,
    RequiredTextParam,
    RowListParam,
    WholeNumberField,
)
from crm_project.dialects.onlyoffice.serializers.values import OnlyofficeRead
from crm_project.records.custom_field_keys import free_key
from crm_project.records.models import CustomField
from crm_project.records.writing.columns import Change

# 0 TextField, 1 TextArea, 2 SelectBox, 3 CheckBox, 4 Heading, 5 Date. Numbers are text; a multiselect has commas.
TYPES = {"textarea": 1, "select": 2, "multiselect": 2, "checkbox": 3, "heading": 4, "date": 5}
CORE_TYPES = ("text", "textarea", "select", "checkbox", "heading", "date")
NAMES = ("textfield", "textarea", "selectbox", "checkbox", "heading", "date")
SELECT = 2
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
JOINT = ", "


class CustomFieldValue:
    """The value of one row in one user field."""

    def __init__(self, row: Any, definition: CustomField) -> None:
        self.row, self.definition = row, definition
        self.text = text_of(row.custom_fields.get(definition.key)) if row is not None else ""
        self.type = TYPES.get(definition.type, 0)
        self.mask = json.dumps(definition.options) if definition.options else definition.mask


def values_of(row: Any, definitions: Iterable[CustomField]) -> list[CustomFieldValue]:
    """The declared fields in which the row has a value; undeclared ones have no id."""
    return [
        CustomFieldValue(row, definition) for definition in definitions if definition.key in row.custom_fields
    ]


def text_of(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return JOINT.join(str(item) for item in value)
    return "" if value is None else str(value)


def typed(definition: CustomField, text: str) -> Any:
    """The string as a value of the field's type; an unreadable one stays a string, which the core refuses."""
    return custom_field_value(definition, text, booleans=BOOLEANS, day_of=_day)


def _day(text: str) -> str | None:
    match = INSTANT.fullmatch(text)
    return match["day"] if match else None


def change_of(row: Any, sent: Mapping[str, Any]) -> dict[str, Any]:
    """The changed values by key."""
    stored = row.custom_fields if row is not None else {}
    return {
        definition.key: typed(definition, text)
        for definition, text in sent.values()
        if definition.key not in stored or text_of(stored[definition.key]) != text
    }


ITEMS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"key": {"type": "integer"}, "value": {"type": "string"}},
    },
}


class MaskField(OptionalTextParam):
    """JSON, or JSON text."""

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(json.dumps(data) if isinstance(data, list | dict) else data)


@extend_schema_field(ITEMS)
class CustomFieldListField(serializers.Field[Any, Any, Any, Any]):
    """`[{"key": 12, "value": "text"}]`; empty values are ignored. Validated: key → (definition, text)."""

    default_error_messages = {
        "invalid": 'Must be a list of {{"key": 12, "value": "text"}}.',
        "does_not_exist": "There is no user field {number}.",
    }

    def __init__(self, kind: str, **kwargs: Any) -> None:
        self.kind = kind
        super().__init__(**{"required": False, "allow_null": True, "source": "custom_fields", **kwargs})

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        items = [data] if isinstance(data, Mapping) else data or []
        if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
            self.fail("invalid")
        pairs = [{str(name).lower(): value for name, value in item.items()} for item in items]
        texts = [(pair.get("key"), _sent_text(pair.get("value"))) for pair in pairs]
        if any(text is None for _, text in texts):
            self.fail("invalid")
        given = [(key, text) for key, text in texts if text]
        rows = self.context["view"].ids.resolve_all("custom_field", [key for key, _ in given])
        found = {}
        for key, text in given:
            definition = rows.get(str(key))
            if definition is None or definition.kind != self.kind:
                self.fail("does_not_exist", number=key)
            found[definition.key] = (definition, text)
        return found

    def to_representation(self, value: Any) -> Any:
        return value


class OnlyofficeDefinitionWrite(OnlyofficeParameters):
    """`mask` contains the options of a choice as a JSON list; for other types it describes the form."""

    label: Any = RequiredTextParam()
    fieldType = NamedNumberField(CORE_TYPES, NAMES, source="type", default="text")
    position = WholeNumberField(required=False, allow_null=True)
    mask = MaskField(default="")

    also = {"options": "mask"}


class OnlyofficeDefinitionOrder(OnlyofficeParameters):
    fieldids = RowListParam("custom_field", source="fields", required=True, allow_null=False)


def declaration(sent: Mapping[str, Any], kind: str, taken: Collection[str], position: int) -> Change:
    """The core's change that declares a field at the end, with a new key."""
    change = {"kind": kind, "label": sent["label"], "type": sent["type"], "position": position}
    return {**change, "key": free_key(sent["label"], taken), **_choices(sent["type"], sent["mask"] or "")}


def redeclaration(definition: CustomField, sent: Mapping[str, Any]) -> Change:
    """The core's change of a field. The vendor has one type for select and multiselect; the field keeps its own."""
    same = CORE_TYPES.index(sent["type"]) == TYPES.get(definition.type, 0)
    kind = definition.type if same else sent["type"]
    return {"label": sent["label"], "type": kind, **_choices(kind, sent["mask"] or "", definition)}


def _choices(kind: str, mask: str, definition: CustomField | None = None) -> Change:
    if TYPES.get(kind) != SELECT:
        return {"mask": mask}
    if not mask and definition is not None:
        return {}
    try:
        options = json.loads(mask)
    except (ValueError, RecursionError):
        options = None
    if not isinstance(options, list):
        sentence = 'Must be the options of a choice: ["one", "another"].'
        raise serializers.ValidationError({"mask": [sentence]}, code="invalid")
    return {"options": [option if isinstance(option, str) else text_of(option) for option in options]}


class OnlyofficeCustomValueWrite(OnlyofficeParameters):
    fieldValue = OptionalTextParam(default="")


def _sent_text(value: Any) -> str | None:
    if value is None:
        return ""
    if isinstance(value, str | bool | int):
        return value if isinstance(value, str) else text_of(value)
    return f"{value:f}" if isinstance(value, Decimal) else None


class OnlyofficeCustomFieldNested(OnlyofficeRead):
    """A user field with its value in one row."""

    id = NumberedRowField("custom_field", source="definition")
    entityId = NumberedRowField("deal", source="row")
    label: Any = serializers.CharField(source="definition.label")
    fieldValue = serializers.CharField(source="text")
    fieldType = serializers.IntegerField(source="type")
    position = serializers.IntegerField(source="definition.position")
    mask = serializers.CharField()


class OnlyofficeDefinitionRead(OnlyofficeCustomFieldNested):
    """The definition of a user field."""

    entityId = ConstantInteger(0)  # type: ignore[assignment]
