"""What LeadConnector's contacts have and ours have no column for: kept among their custom fields.

Nobody need declare these fields; where somebody did, the definition decides what they take.
"""

from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_project.api.fields import OptionalText
from crm_project.dialects.leadconnector.serializers.fields import (
    LeadConnectorCustomFields,
    LeadConnectorDayField,
)


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def is_object(value: Any) -> bool:
    return isinstance(value, dict)


TAGS = "tags"
# The key of each → whether a value under it can be shown as the vendor shows it.
CUSTOM_FIELD_BACKED: Mapping[str, Callable[[Any], bool]] = {
    TAGS: is_texts,
    "type": is_text,
    "state": is_text,
    "timezone": is_text,
    "gender": is_text,
    "date_of_birth": is_text,
    "dnd": is_flag,
    "dnd_settings": is_object,
    "inbound_dnd_settings": is_object,
}


def held(row: Any, key: str) -> Any:
    """The value that the row keeps under the key, or None."""
    value = row.custom_fields.get(key)
    return value if CUSTOM_FIELD_BACKED[key](value) else None


def in_use(contacts: Any) -> list[str]:
    """The tags of all these contacts."""
    lists = contacts.filter(custom_fields__has_key=TAGS).values_list(f"custom_fields__{TAGS}", flat=True)
    each = lists.order_by().distinct().iterator()
    return sorted({tag for tags in each if is_texts(tags) for tag in tags}, key=str.lower)


class CustomFieldBacked:
    """A word with a place among the custom fields; one that is empty is taken away."""

    def __init__(self, key: str, **kwargs: Any) -> None:
        self.key = key
        source = f"custom_fields.{key}"
        super().__init__(**{"source": source, "required": False, "allow_null": True, **kwargs})

    def get_attribute(self, instance: Any) -> Any:
        return held(instance, self.key)


class CustomFieldBackedText(CustomFieldBacked, OptionalText):
    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data) or None

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(data) or None


@extend_schema_field(OpenApiTypes.DATE)
class CustomFieldBackedDay(CustomFieldBacked, LeadConnectorDayField):
    """A day, as JSON holds it."""

    def to_internal_value(self, value: Any) -> Any:
        return super().to_internal_value(value).isoformat()

    def to_representation(self, value: Any) -> Any:
        return value


class CustomFieldBackedFlag(CustomFieldBacked, serializers.BooleanField):
    """Off unless it is on."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data) or None

    def get_attribute(self, instance: Any) -> Any:
        return super().get_attribute(instance) or False


@extend_schema_field({"type": "object", "nullable": True})
class CustomFieldBackedObject(CustomFieldBacked, serializers.Field[Any, Any, Any, Any]):
    """An object that nobody here looks into."""

    default_error_messages = {"invalid": "An object."}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            self.fail("invalid")
        return data or None

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class LeadConnectorTagsField(CustomFieldBacked, serializers.ListField):
    """A list of texts; a bare one stands for a list of one."""

    def __init__(self, **kwargs: Any) -> None:
        child = serializers.CharField(max_length=255, trim_whitespace=True)
        super().__init__(TAGS, child=child, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        texts = super().to_internal_value([data] if isinstance(data, str) else data)
        return list(dict.fromkeys(texts)) or None

    def get_attribute(self, instance: Any) -> Any:
        return super().get_attribute(instance) or []


class LeadConnectorOtherCustomFields(LeadConnectorCustomFields):
    """The custom fields that no word of the vendor's own shows."""

    def to_representation(self, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        return super().to_representation(
            {
                key: value
                for key, value in values.items()
                if not (key in CUSTOM_FIELD_BACKED and CUSTOM_FIELD_BACKED[key](value))
            }
        )


def without_silence(values: Mapping[str, Any], row: Any) -> dict[str, Any]:
    """Nothing sent where nothing was shown says nothing, whatever the row keeps under the key."""
    return {
        key: value
        for key, value in values.items()
        if not (value is None and key in CUSTOM_FIELD_BACKED and held(row, key) is None)
    }
