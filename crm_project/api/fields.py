"""Serializer fields that take exactly what they say: no number for a text, no `１２`, no `1_000`, no guess."""

import re
import uuid
from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})"
)
UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
AMOUNT_SCHEMA = {
    "oneOf": [{"type": "string", "pattern": r"^-?[0-9]{1,20}(\.[0-9]{1,20})?$"}, {"type": "number"}],
    "description": "Decimal; a string on the way out, a string or a number on the way in.",
}


class TextField(serializers.CharField):
    """Text, kept as sent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, "max_length": 255, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class OptionalText(TextField):
    """Text that may be empty; null clears it, and an empty text is what is shown."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_blank": True, "allow_null": True, **kwargs})

    def to_representation(self, value: Any) -> str:
        return super().to_representation(value or "")


class StrictInteger(serializers.IntegerField):
    """A JSON number without a fraction."""

    def to_internal_value(self, data: Any) -> int:
        whole = isinstance(data, int | Decimal) and not isinstance(data, bool) and data == int(data)
        if not whole:
            self.fail("invalid")
        return int(data)


class StrictBoolean(serializers.BooleanField):
    """JSON's true or false."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictDate(serializers.DateField):
    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not DAY.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)


class StrictDateTime(serializers.DateTimeField):
    """An instant with its offset."""

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not INSTANT.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ssZ")
        try:
            return super().to_internal_value(value)
        except OverflowError:
            self.fail("overflow")


class StrictUUID(serializers.UUIDField):
    def to_internal_value(self, data: Any) -> uuid.UUID:
        if not isinstance(data, str) or not UUID.fullmatch(data):
            self.fail("invalid", value=data)
        return uuid.UUID(data)


class StrictChoice(serializers.ChoiceField):
    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class UUIDList(serializers.ListField):
    child = StrictUUID()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "max_length": 1000, **kwargs})


@extend_schema_field(AMOUNT_SCHEMA)
class AmountField(serializers.Field[Any, Any, Any, Any]):
    """A decimal that never passes through a float. How many decimals it may have is the core's to say."""

    default_error_messages = {"invalid": 'An amount is a decimal: a string such as "15000.00", or a number.'}

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, str) and DECIMAL.fullmatch(data):
            return Decimal(data)
        if isinstance(data, bool) or not isinstance(data, int | Decimal):
            self.fail("invalid")
        return Decimal(data)

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field(OpenApiTypes.OBJECT)
class CustomFieldsField(serializers.Field[Any, Any, Any, Any]):
    """The values by key; merged on the way in, null removes."""

    default_error_messages = {"invalid": "An object of values by key."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("invalid")
        return {key: _plain_number(value) for key, value in data.items()}

    def to_representation(self, value: Any) -> Any:
        return value


def _plain_number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
