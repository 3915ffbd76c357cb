"""Conversions between JSON numbers and strings, and from a string to the value of a custom field."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from crm_project.api.fields import DECIMAL
from crm_project.records.models import CustomField

# Also the notation in which programs print very large and very small numbers.
NUMBER = re.compile(rf"{DECIMAL.pattern}([eE][+-]?[0-9]{{1,2}})?")


def is_number(value: Any) -> bool:
    """Whether the value is a JSON number; in Python a bool is an int."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def decimal_of(value: Any) -> Decimal | None:
    """The decimal of a JSON number or a numeric string; None for any other string."""
    if isinstance(value, str):
        return Decimal(value.strip()) if NUMBER.fullmatch(value.strip()) else None
    return Decimal(value)


def custom_field_value(
    definition: CustomField,
    text: str,
    *,
    booleans: Mapping[str, bool],
    day_of: Callable[[str], str | None],
) -> Any:
    """The string as a value of the custom field's type; an unreadable one stays a string, which the core refuses.

    `day_of` returns an ISO date, or None where the string is not a date of the vendor's.
    """
    match definition.type:
        case CustomField.Types.NUMBER if DECIMAL.fullmatch(text.strip()):
            return Decimal(text.strip())
        case CustomField.Types.CHECKBOX:
            return booleans.get(text.strip().lower(), text)
        case CustomField.Types.DATE:
            return day_of(text) or text
        case CustomField.Types.MULTISELECT:
            return [text] if text in definition.options else [part.strip() for part in text.split(",")]
    return text
