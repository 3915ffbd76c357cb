"""Serializer fields for values that several vendors write in the same way."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import SkipField, empty

from crm_project.dialects.kit.casts import decimal_of, is_number


@extend_schema_field(OpenApiTypes.NUMBER)
class NumberField(serializers.Field[Any, Any, Any, Any]):
    """A decimal as a JSON number. Input may also be a numeric string, with an exponent or without."""

    default_error_messages = {"invalid": "This is not a number."}

    def to_internal_value(self, data: Any) -> Any:
        number = decimal_of(data) if isinstance(data, str) or is_number(data) else None
        if number is None:
            self.fail("invalid")
        return number

    def to_representation(self, value: Any) -> Any:
        return value


class TextOrNullField(serializers.CharField):
    """Read-only text; an empty string is null."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, "allow_null": True, **kwargs})

    def to_representation(self, value: Any) -> Any:
        return super().to_representation(value) or None


class NullField(TextOrNullField):
    """A field of the vendor that has no counterpart here: always null."""

    def get_attribute(self, instance: Any) -> None:
        return None


class EmptyListField(serializers.ListField):
    """A list of the vendor that has no counterpart here: always empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, **kwargs})

    def get_attribute(self, instance: Any) -> list[Any]:
        return []


class Constant:
    """Mixin of a read-only field with the same value for every row."""

    def __init__(self, constant: Any, **kwargs: Any) -> None:
        self.constant = constant
        super().__init__(**{"read_only": True, **kwargs})

    def get_attribute(self, instance: Any) -> Any:
        return self.constant


class ConstantText(Constant, serializers.CharField):
    pass


class ConstantInteger(Constant, serializers.IntegerField):
    pass


class ConstantBoolean(Constant, serializers.BooleanField):
    pass


class FirstNameField(serializers.CharField):
    """The part of a full name before its first space. `source` is the full name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, "source": "full_name", **kwargs})

    def to_representation(self, value: Any) -> str:
        return super().to_representation(value).partition(" ")[0]


class LastNameField(FirstNameField):
    """The part of a full name after its first space."""

    def to_representation(self, value: Any) -> str:
        return serializers.CharField.to_representation(self, value).partition(" ")[2]


class BlankAsNull:
    """Mixin: an empty string is read as null."""

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(None if data == "" else data)  # type: ignore[misc]


@extend_schema_field(OpenApiTypes.ANY)
class UnsupportedField(serializers.Field[Any, Any, Any, Any]):
    """A documented field of the vendor that cannot be stored here: refused, unless its value is empty or false."""

    default_error_messages = {"not_supported": "This server cannot store this."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_null": True, "write_only": True, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        if data not in ("", [], {}, False):
            self.fail("not_supported")
        raise SkipField

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        if data is None:
            raise SkipField
        return super().validate_empty_values(data)


@extend_schema_field(OpenApiTypes.ANY)
class IgnoredField(UnsupportedField):
    """A documented field of the vendor that only decorates its pages: ignored, and reported unless it is empty."""

    def to_internal_value(self, data: Any) -> Any:
        if data not in ("", [], {}, False):
            self.context["view"].ignore([self.field_name])
        raise SkipField


class UnsupportedFilter(UnsupportedField):
    """A filter of the vendor that matches nothing which is stored here: refused, unless it is empty."""

    default_error_messages = {"not_supported": "There is no such filter."}


class FixedField(UnsupportedField):
    """Accepts the values that every row has and refuses all others."""

    def __init__(self, *values: Any, **kwargs: Any) -> None:
        self.values = values
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if data in self.values:
            raise SkipField
        self.fail("not_supported")


class FixedBooleanField(serializers.BooleanField):
    """Accepts the value that every row has, in any spelling of a boolean, and refuses the other one."""

    default_error_messages = {"not_supported": "This server cannot store this."}

    def __init__(self, *, value: bool = True, **kwargs: Any) -> None:
        self.value = value
        super().__init__(**{"required": False, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        if super().to_internal_value(data) is not self.value:
            self.fail("not_supported")
        raise SkipField
