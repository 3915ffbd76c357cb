"""The kinds of value that LeadConnector writes, each in both directions."""

import datetime
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_project.api.fields import DECIMAL, INSTANT, TextField
from crm_project.api.fields import CustomFieldsField as PlainValues
from crm_project.dialects.kit.ids import as_text
from crm_project.dialects.kit.serializers import RowField
from crm_project.dialects.leadconnector import errors
from crm_project.records.models import CustomField

# The six ways to write a day that the vendor takes, beside ISO 8601.
DAY_FIRST_YEAR = re.compile(r"(?P<year>\d{4})([-/.])(?P<month>\d{2})\2(?P<day>\d{2})", re.ASCII)
DAY_LAST_YEAR = re.compile(r"(?P<month>\d{2})([-/.])(?P<day>\d{2})\2(?P<year>\d{4})", re.ASCII)
TEXTS = (CustomField.Types.TEXT, CustomField.Types.TEXTAREA)
MILLISECONDS = re.compile(r"\d{11,14}", re.ASCII)


class InstantField(serializers.DateTimeField):
    """UTC with milliseconds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, **kwargs})

    def to_representation(self, value: Any) -> Any:
        return value and value.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace(
            "+00:00", "Z"
        )


class LeadConnectorDayField(serializers.DateField):
    """A day as the vendor's clients write it: the year first or last, or an instant of that day."""

    default_error_messages = {"invalid": "This is not a day: YYYY-MM-DD."}

    def to_internal_value(self, value: Any) -> Any:
        day = day_of(value) if isinstance(value, str) else None
        if day is None:
            self.fail("invalid", format="YYYY-MM-DD")
        return day


def day_of(text: str) -> datetime.date | None:
    found = DAY_FIRST_YEAR.fullmatch(text[:10]) or DAY_LAST_YEAR.fullmatch(text)
    try:
        if found and (len(text) == 10 or datetime.datetime.fromisoformat(text)):
            return datetime.date(*(int(found[part]) for part in ("year", "month", "day")))
    except ValueError:
        return None
    return None


@extend_schema_field(OpenApiTypes.STR)
class RangeBoundField(serializers.Field[Any, Any, Any, Any]):
    """One end of a range of instants: milliseconds, an instant with its offset, or a day, mm-dd-yyyy, in the
    organization's zone and as a whole."""

    default_error_messages = {"invalid": "This is not a day: mm-dd-yyyy."}

    def __init__(self, *, last: bool = False, **kwargs: Any) -> None:
        self.last = last
        super().__init__(**{"required": False, **kwargs})

    def to_internal_value(self, data: Any) -> datetime.datetime:
        text = as_text(data) or ""
        try:
            if MILLISECONDS.fullmatch(text):
                return datetime.datetime.fromtimestamp(int(text) / 1000, datetime.UTC)
            if INSTANT.fullmatch(text):
                return datetime.datetime.fromisoformat(text).astimezone(datetime.UTC)
            day = day_of(text)
            zone = ZoneInfo(self.context["view"].actor.organization.time_zone)
            if day is not None:
                clock = datetime.time.max if self.last else datetime.time.min
                return datetime.datetime.combine(day, clock, zone).astimezone(datetime.UTC)
        except (ValueError, OverflowError):
            pass
        return self.fail("invalid")

    def to_representation(self, value: Any) -> Any:
        return value


class IdField(TextField):
    """An id that need not be ours yet; clients send numbers for texts."""

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(as_text(data) if isinstance(data, int) else data)


@extend_schema_field(OpenApiTypes.STR)
class LocationField(RowField):
    """The organization. Every other one is out of the token's reach."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("organization", **{"source": "location", **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        organization = self.ids.resolve(self.kind, data)
        if organization is None:
            errors.refuse_location()
        return organization.pk

    def get_attribute(self, instance: Any) -> Any:
        return self.context["view"].actor.organization


@extend_schema_field(OpenApiTypes.STR)
class FilterField(RowField):
    """A row to filter by: an id that names nothing finds nothing."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(kind, **{"required": False, **kwargs})

    def to_internal_value(self, data: Any) -> int:
        row = self.ids.resolve(self.kind, data)
        return 0 if row is None else int(row.pk)


@extend_schema_field(OpenApiTypes.STR)
class RowOrBlankField(RowField):
    """A row that may be none: what a form was left empty for comes as an empty text."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(kind, **{"required": False, "allow_null": True, **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(None if data == "" else data)


@extend_schema_field({"type": "array", "items": {"type": "object"}})
class LeadConnectorCustomFields(serializers.Field[Any, Any, Any, Any]):
    """`[{id, fieldValue}]` out; in, an entry names its field by id or key, its value by any of the vendor's names.

    A value under a key that nobody declared is shown under its key, and may be sent back.
    """

    value_names = ("field_value", "fieldValue", "value")
    default_error_messages = {"invalid": "A list of objects with an id or a key, and a field_value."}

    def __init__(self, kind: str, *, shown_as: str = "fieldValue", **kwargs: Any) -> None:
        self.kind, self.shown_as = kind, shown_as
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, list) or not all(isinstance(entry, Mapping) for entry in data):
            self.fail("invalid")
        view = self.context["view"]
        named = view.ids.resolve_all("custom_field", [entry.get("id") for entry in data])
        known = view.definitions(self.kind) if data else {}
        values: dict[str, Any] = {}
        for entry in data:
            definition = named.get(as_text(entry.get("id")))
            if definition is not None and definition.kind != self.kind:
                definition = None
            key = definition.key if definition else as_text(entry.get("key") or entry.get("id"))
            names = [name for name in self.value_names if name in entry]
            if not key or not names:
                self.fail("invalid")
            key = key if definition else bare_key(key)
            values[key] = cast(known.get(key), entry[names[0]])
        return PlainValues().to_internal_value(values)

    def to_representation(self, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        if not values:
            return []
        view = self.context["view"]
        definitions = view.definitions(self.kind)
        return [
            {"id": view.ids.shown(definitions[key]) if key in definitions else key, self.shown_as: value}
            for key, value in values.items()
        ]


def cast(definition: Any, value: Any) -> Any:
    """Texts for numbers, and numbers for texts, as the field has them; whatever cannot be read so, the core refuses."""
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if definition is not None and definition.type in TEXTS and is_number:
        return str(value)
    if definition is None or definition.type in TEXTS or not isinstance(value, str):
        return value
    text = value.strip()
    if text == "":
        return None
    match definition.type:
        case CustomField.Types.NUMBER:
            return Decimal(text) if DECIMAL.fullmatch(text) else value
        case CustomField.Types.CHECKBOX:
            return {"true": True, "false": False}.get(text.lower(), value)
        case CustomField.Types.DATE:
            day = day_of(text)
            return day.isoformat() if day else value
        case CustomField.Types.MULTISELECT if value not in definition.options:
            return [part.strip() for part in value.split(",")]
        case CustomField.Types.MULTISELECT:
            return [value]
    return value


def bare_key(key: str) -> str:
    """`{{ opportunity.budget }}`, `opportunity.budget` and `budget` mean the same."""
    return (
        key.strip("{} ").rpartition(".")[2]
        if key.strip("{} ").startswith(("opportunity.", "contact."))
        else key
    )
