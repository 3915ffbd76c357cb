"""Fields of the vendor's contacts that have no column here and are stored as custom fields.

The custom fields need not be declared. Where one is, its definition decides which values are valid.
"""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_project.api.fields import OptionalText
from crm_project.dialects.kit import tags
from crm_project.dialects.leadconnector.serializers.fields import (
    LeadConnectorCustomFields,
    LeadConnectorDayField,
)

# The key of each custom field and the type of the values that the vendor's field can represent.
CUSTOM_FIELD_BACKED: Mapping[str, type] = {
    tags.KEY: list,
    "type": str,
    "state": str,
    "timezone": str,
    "gender": str,
    "date_of_birth": str,
    "dnd": bool,
    "dnd_settings": dict,
    "inbound_dnd_settings": dict,
}


def is_representable(key: str, value: Any) -> bool:
    return tags.are_tags(value) if key == tags.KEY else isinstance(value, CUSTOM_FIELD_BACKED[key])


def value_of(row: Any, key: str) -> Any:
    """The value of the row's custom field, or None if the vendor's field cannot represent it."""
    value = row.custom_fields.get(key)
    return value if is_representable(key, value) else None


class CustomFieldBacked:
    """Mixin of a field of the vendor that is stored as a custom field; an empty value removes it."""

    def __init__(self, key: str, **kwargs: Any) -> None:
        self.key = key
        source = f"custom_fields.{key}"
        super().__init__(**{"source": source, "required": False, "allow_null": True, **kwargs})

    def get_attribute(self, instance: Any) -> Any:
        return value_of(instance, self.key)


class CustomFieldBackedText(CustomFieldBacked, OptionalText):
    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data) or None

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(data) or None


@extend_schema_field(OpenApiTypes.DATE)
class CustomFieldBackedDay(CustomFieldBacked, LeadConnectorDayField):
    """A day, stored as an ISO date."""

    def to_internal_value(self, value: Any) -> Any:
        return super().to_internal_value(value).isoformat()

    def to_representation(self, value: Any) -> Any:
        return value


class CustomFieldBackedFlag(CustomFieldBacked, serializers.BooleanField):
    """A boolean; false is stored as no value."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data) or None

    def get_attribute(self, instance: Any) -> Any:
        return super().get_attribute(instance) or False


@extend_schema_field({"type": "object"})
class CustomFieldBackedObject(CustomFieldBacked, serializers.Field[Any, Any, Any, Any]):
    """An object of any content; no value is an empty object, since the vendor's schema has no null here."""

    default_error_messages = {"invalid": "Must be an object."}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            self.fail("invalid")
        return data or None

    def get_attribute(self, instance: Any) -> Any:
        return super().get_attribute(instance) or {}

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class LeadConnectorTagsField(CustomFieldBacked, serializers.ListField):
    """A list of strings; a single string is read as a list of one."""

    def __init__(self, **kwargs: Any) -> None:
        child = serializers.CharField(max_length=255, trim_whitespace=True)
        super().__init__(tags.KEY, child=child, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        texts = super().to_internal_value([data] if isinstance(data, str) else data)
        return list(dict.fromkeys(texts)) or None

    def get_attribute(self, instance: Any) -> Any:
        return super().get_attribute(instance) or []


class LeadConnectorOtherCustomFields(LeadConnectorCustomFields):
    """The custom fields without those that a field of the vendor represents."""

    def to_representation(self, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        other = {
            key: value
            for key, value in values.items()
            if key not in CUSTOM_FIELD_BACKED or not is_representable(key, value)
        }
        return super().to_representation(other)


def without_no_ops(values: Mapping[str, Any], row: Any) -> dict[str, Any]:
    """The custom fields to write. A null for a field that was read as null is a no-op for any stored value."""
    return {
        key: value
        for key, value in values.items()
        if value is not None or key not in CUSTOM_FIELD_BACKED or value_of(row, key) is not None
    }
