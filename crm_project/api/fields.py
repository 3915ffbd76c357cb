"""Serializer fields without coercion: a number is no string, `１２` and `1_000` are no integers."""

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
    "description": "Decimal. Responses have a string; requests may have a string or a number.",
}


class TextField(serializers.CharField):
    """A string that is stored as sent, with its white space."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, "max_length": 255, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class OptionalText(TextField):
    """A string that may be empty. Null in a request stands for the empty string, which is what responses have."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_blank": True, "allow_null": True, **kwargs})


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
    """An instant with its UTC offset."""

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


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string", "format": "uuid"}]})
class RowIdField(StrictInteger):
    """A row of a kind that has an integer id, by this or by its uuid; in answers by the id."""

    default_error_messages = {"invalid": "Must be the id or the uuid of a row."}

    def to_internal_value(self, data: Any) -> Any:
        return (
            uuid.UUID(data)
            if isinstance(data, str) and UUID.fullmatch(data)
            else super().to_internal_value(data)
        )


class StrictChoice(serializers.ChoiceField):
    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class UUIDList(serializers.ListField):
    child = StrictUUID()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "max_length": 1000, **kwargs})


class TextList(serializers.ListField):
    """A list of texts, which a request replaces as a whole."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "max_length": 50, **kwargs})


class JsonValue(serializers.JSONField):
    """Any JSON value as it was parsed; DRF's own field refuses the decimals that numbers are parsed to."""

    def to_internal_value(self, data: Any) -> Any:
        return data


@extend_schema_field(AMOUNT_SCHEMA)
class AmountField(serializers.Field[Any, Any, Any, Any]):
    """A decimal that never passes through a float. The core checks the number of decimals."""

    default_error_messages = {"invalid": 'Must be a decimal: a string such as "15000.00", or a number.'}

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
    """The values by key. A request merges its values into the stored ones; null removes one."""

    default_error_messages = {"invalid": "Must be an object of values by key."}

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
