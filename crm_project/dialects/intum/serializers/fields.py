"""Intum's formats, parsed as Rails does: an empty string is null, numbers and strings are converted."""

from typing import Any

from rest_framework import serializers
from rest_framework.fields import SkipField, empty

from crm_project.api.fields import CustomFieldsField as PlainFields
from crm_project.api.fields import OptionalText, StrictDate, StrictInteger, TextField
from crm_project.dialects.intum.errors import DAY, OBJECT, TEXT, WHOLE
from crm_project.dialects.kit.casts import is_number
from crm_project.dialects.kit.fields import BlankAsNull, NumberField
from crm_project.dialects.kit.instants import InstantField
from crm_project.dialects.kit.money import MoneyField
from crm_project.dialects.kit.rows import NumberedRowField
from crm_project.dialects.kit.serializers import DialectQuery

AT_LEAST = "musi być większe lub równe {min_value}"
AT_MOST = "musi być mniejsze lub równe {max_value}"
BIGGEST: dict[str, Any] = {"min_value": -(2**63), "max_value": 2**63 - 1}


class BlankSkipped:
    """Mixin of a required column: an empty string or null counts as absent."""

    def run_validation(self, data: Any = empty) -> Any:
        if data is None or data == "":
            raise SkipField
        return super().run_validation(data)  # type: ignore[misc]


class NumberAsText:
    """Mixin: a number is read as a string."""

    default_error_messages: Any = {"invalid": TEXT}

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(str(data) if is_number(data) else data)  # type: ignore[misc]


class IntumText(NumberAsText, OptionalText):
    pass


class IntumRequiredText(NumberAsText, TextField):
    pass


class IntumDefaultText(BlankSkipped, NumberAsText, TextField):
    pass


class IntumDate(BlankAsNull, StrictDate):
    default_error_messages = {"invalid": DAY, "datetime": DAY}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_null": True, **kwargs})


class IntumAmount(BlankAsNull, MoneyField):
    pass


class IntumAmountFilter(BlankAsNull, NumberField):
    pass


class IntumInteger(BlankAsNull, StrictInteger):
    """An integer, or a string of digits."""

    default_error_messages = {"invalid": WHOLE, "min_value": AT_LEAST, "max_value": AT_MOST}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_null": True, **BIGGEST, **kwargs})

    def to_internal_value(self, data: Any) -> int:
        is_digits = isinstance(data, str) and data.isascii() and data.removeprefix("-").isdigit()
        return super().to_internal_value(int(data) if is_digits and len(data) < 20 else data)


class IntumRow(BlankAsNull, NumberedRowField):
    """A row, or null."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(kind, **{"required": False, "allow_null": True, **kwargs})


class IntumRequiredRow(BlankSkipped, NumberedRowField):
    """A row that cannot be null."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(kind, **{"required": False, **kwargs})


class IntumCustomFields(PlainFields):
    default_error_messages = {"invalid": OBJECT}


class ClosedField(serializers.ChoiceField):
    """`win`, `lost` or blank."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(["win", "lost"], required=False, allow_blank=True, allow_null=True, **kwargs)


def written() -> dict[str, Any]:
    """The timestamps, which are the last fields of a row."""
    return {name: InstantField(digits=3, local=True, utc="+00:00") for name in ("created_at", "updated_at")}


class IntumListQuery(DialectQuery):
    """The page of a list."""

    page = IntumInteger(min_value=1, max_value=1_000_000)
    per_page = IntumInteger(min_value=1, max_value=200)


def token_field() -> serializers.CharField:
    """The token beside the object in a body."""
    return serializers.CharField(required=False, write_only=True)
