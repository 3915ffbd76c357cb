"""LeadConnector's formats."""

import datetime
import re
from collections.abc import Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_project.api.fields import INSTANT, TextField
from crm_project.api.fields import CustomFieldsField as PlainValues
from crm_project.dialects.kit.casts import custom_field_value, is_number
from crm_project.dialects.kit.fields import BlankAsNull
from crm_project.dialects.kit.ids import as_text
from crm_project.dialects.kit.rows import RowField
from crm_project.dialects.leadconnector import errors
from crm_project.records.models import CustomField

# The six date formats of the vendor, beside ISO 8601.
DAY_FIRST_YEAR = re.compile(r"(?P<year>\d{4})([-/.])(?P<month>\d{2})\2(?P<day>\d{2})", re.ASCII)
DAY_LAST_YEAR = re.compile(r"(?P<month>\d{2})([-/.])(?P<day>\d{2})\2(?P<year>\d{4})", re.ASCII)
BOOLEANS = {"true": True, "false": False}
TEXTS = (CustomField.Types.TEXT, CustomField.Types.TEXTAREA)
MILLISECONDS = re.compile(r"\d{11,14}", re.ASCII)


class LeadConnectorDayField(serializers.DateField):
    """A date, with the year first or last, or an instant of that date."""

    default_error_messages = {"invalid": "Must be a date: YYYY-MM-DD."}

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
    """One end of a range of instants: milliseconds, an instant with its offset, or a date, mm-dd-yyyy, in the
    organization's time zone, of which a range includes the whole day."""

    default_error_messages = {"invalid": "Must be a date: mm-dd-yyyy."}

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
            if day is not None:
                clock = datetime.time.max if self.last else datetime.time.min
                return datetime.datetime.combine(day, clock, self.context["view"].zone).astimezone(
                    datetime.UTC
                )
        except (ValueError, OverflowError):
            pass
        return self.fail("invalid")

    def to_representation(self, value: Any) -> Any:
        return value


class IdField(TextField):
    """An id that may be unknown; a number is read as a string."""

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(as_text(data) if isinstance(data, int) else data)


@extend_schema_field(OpenApiTypes.STR)
class LocationField(RowField):
    """The organization; any other one is refused with 403."""

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
class RowOrBlankField(BlankAsNull, RowField):
    """A row, or null; clients send an empty string for an empty form field."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(kind, **{"required": False, "allow_null": True, **kwargs})


@extend_schema_field({"type": "array", "items": {"type": "object"}})
class LeadConnectorCustomFields(serializers.Field[Any, Any, Any, Any]):
    """`[{id, fieldValue}]`. In input, `id` or `key` may be the id or the key of a field, and the value may have any of
    the vendor's three names. Undeclared fields have their key as id.
    """

    value_names = ("field_value", "fieldValue", "value")
    default_error_messages = {"invalid": "Must be a list of objects with an id or a key, and a field_value."}

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
            {"id": view.ids.id_of(definitions[key]) if key in definitions else key, self.shown_as: value}
            for key, value in values.items()
        ]


def cast(definition: Any, value: Any) -> Any:
    """The value in the type of its custom field: the vendor's clients send numbers as strings and strings as numbers.

    What cannot be converted is returned as it is, for the core to refuse.
    """
    if definition is None:
        return value
    if definition.type in TEXTS:
        return str(value) if is_number(value) else value
    if not isinstance(value, str):
        return value
    return custom_field_value(definition, value, booleans=BOOLEANS, day_of=iso_day) if value.strip() else None


def iso_day(text: str) -> str | None:
    day = day_of(text.strip())
    return day.isoformat() if day else None


def bare_key(key: str) -> str:
    """The key without the vendor's prefix: `{{ opportunity.budget }}` and `opportunity.budget` are `budget`."""
    return (
        key.strip("{} ").rpartition(".")[2]
        if key.strip("{} ").startswith(("opportunity.", "contact."))
        else key
    )
