"""Parameters: names in any case, numbers and booleans also as strings, 0 and an empty string for null."""

import datetime
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_project.api.fields import OptionalText, TextField
from crm_project.dialects.kit.casts import is_number
from crm_project.dialects.kit.ids import as_text
from crm_project.dialects.kit.rows import NumberedRowField, RowField, RowListField
from crm_project.dialects.kit.serializers import DialectSerializer
from crm_project.records.writing.columns import BIGGEST_ID

NOBODY = "00000000-0000-0000-0000-000000000000"
NOTHING: tuple[Any, ...] = (0, "0", "", NOBODY, None)
WHOLE = re.compile(r"-?[0-9]{1,18}")
INSTANT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(T(?P<hour>[0-9]{2})(?P<colon>[:-])(?P<minute>[0-9]{2})(?P=colon)(?P<second>[0-9]{2})"
    r"(\.(?P<fraction>[0-9]{1,7}))?(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
BID_TYPES = ("fixed", "hour", "day", "week", "month", "year")
BID_NAMES = ("fixedbid", "perhour", "perday", "perweek", "permonth", "peryear")
STAGE_KINDS = ("open", "won", "lost")
STAGE_NAMES = ("open", "closedandwon", "closedandlost")


class OnlyofficeParameters(DialectSerializer):
    """Parameters whose names are case-insensitive."""

    # Further names of the core for fields of this form, for error messages.
    also: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def renamed(cls, sent: Any) -> Any:
        """The parameters under their declared names."""
        if not isinstance(sent, Mapping):
            return sent
        names = {str(name).lower(): name for name in cls().fields}
        return {names.get(str(name).lower(), str(name)): value for name, value in sent.items()}

    @classmethod
    def wire_names(cls, sent: Any = ()) -> dict[str, str]:
        return {**super().wire_names(sent), **cls.also}


class OnlyofficeNoParameters(OnlyofficeParameters):
    """No parameters: all are ignored and reported."""


@extend_schema_field(OpenApiTypes.INT)
class WholeNumberField(serializers.Field[Any, Any, Any, Any]):
    """An integer, or a string of one; an empty string is 0."""

    default_error_messages = {"invalid": "Must be an integer."}

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str):
            text = data.strip() or "0"
            if not WHOLE.fullmatch(text):
                self.fail("invalid")
            return int(text)
        if not is_number(data):
            self.fail("invalid")
        number = Decimal(data)
        if abs(number) > BIGGEST_ID or number != int(number):
            self.fail("invalid")
        return int(number)

    def to_representation(self, value: Any) -> Any:
        return value


class PercentField(WholeNumberField):
    """An integer, clamped to 0 to 100 as the vendor does, and reported then."""

    def to_internal_value(self, data: Any) -> int:
        number = super().to_internal_value(data)
        clamped = min(100, max(0, number))
        if number != clamped:
            self.context["view"].ignore([self.field_name])
        return clamped


class NamedNumberField(WholeNumberField):
    """A value of the core by the vendor's number or name."""

    default_error_messages = {"unknown": "Must be one of: {names}."}

    def __init__(self, values: tuple[str, ...], names: tuple[str, ...], **kwargs: Any) -> None:
        self.values, self.names = values, names
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str) and data.strip().lower() in self.names:
            return self.values[self.names.index(data.strip().lower())]
        number = super().to_internal_value(data)
        if not 0 <= number < len(self.values):
            self.fail("unknown", names=", ".join(f"{n} ({name})" for n, name in enumerate(self.names)))
        return self.values[number]


class LenientBooleanField(serializers.BooleanField):
    """A boolean, also as a string or as 1 and 0; an empty string is false."""

    def to_internal_value(self, data: Any) -> bool:
        text = str(data).strip().lower()
        if text in ("true", "1"):
            return True
        if text not in ("false", "0", ""):
            self.fail("invalid", input=data)
        return False


@extend_schema_field(OpenApiTypes.DATETIME)
class InstantParam(serializers.Field[Any, Any, Any, Any]):
    """An instant in any of the vendor's formats, by default in the organization's time zone. The year 1 is null."""

    default_error_messages = {"invalid": "Must be a date: yyyy-MM-ddTHH:mm:ss.fffffffZ or yyyy-MM-dd."}

    def to_internal_value(self, data: Any) -> Any:
        match = INSTANT.fullmatch(data.strip()) if isinstance(data, str) else None
        if data == "" or (match and match["day"].startswith("0001-01-0")):
            return None
        if not match:
            self.fail("invalid")
        try:
            return self.value(self._instant(match))
        except (ValueError, OverflowError):
            self.fail("invalid")

    def _instant(self, match: re.Match[str]) -> datetime.datetime:
        day = datetime.date.fromisoformat(match["day"])
        hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
        fraction = int((match["fraction"] or "0").ljust(7, "0")[:6])
        zone = datetime.datetime.strptime(match["offset"], "%z").tzinfo if match["offset"] else None
        time = datetime.time(hour, minute, second, fraction, zone or self.context["view"].zone)
        return datetime.datetime.combine(day, time)

    def value(self, instant: datetime.datetime) -> Any:
        return instant.astimezone(datetime.UTC)

    def to_representation(self, value: Any) -> Any:
        return value


class DayParam(InstantParam):
    """The date of an instant: as written at midnight, else in the organization's time zone."""

    def value(self, instant: datetime.datetime) -> datetime.date:
        if instant.time() == datetime.time():
            return instant.date()
        return instant.astimezone(self.context["view"].zone).date()


class OptionalTextParam(OptionalText):
    """Optional text; the core checks its length."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": None, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(str(data) if type(data) is int else data)


class RequiredTextParam(TextField):
    """Required text; the core checks its length."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": None, **kwargs})


class RowParam(RowField):
    """A row; 0, an empty string and the empty UUID are null."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(kind, **{"required": False, "allow_null": True, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        return None if data in NOTHING else super().to_internal_value(data)


class NumberedRowParam(RowParam, NumberedRowField):
    """A row of a kind that the vendor numbers."""


class RequiredRowParam(NumberedRowParam):
    """A required row."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(kind, **{"required": True, "allow_null": False, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        if data in NOTHING:
            self.fail("required")
        return super().to_internal_value(data)


class FilterRowParam(NumberedRowParam):
    """A row to filter by; an unknown id finds nothing."""

    def to_internal_value(self, data: Any) -> Any:
        if data in NOTHING:
            return None
        return self.ids.filter_key(self.kind, data)


class RowListParam(RowListField):
    """Several rows, by their ids or as objects with an `id`."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(kind, **{"required": False, "allow_null": True, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        values = data if isinstance(data, list) else [data]
        ids = [item.get("id") if isinstance(item, Mapping) else item for item in values]
        present = [value for value in ids if not (as_text(value) is not None and value in NOTHING)]
        return list(dict.fromkeys(super().to_internal_value(present)))


class KnownRowListParam(RowListParam):
    """Several rows; unknown ids are left out."""

    def to_internal_value(self, data: Any) -> Any:
        values = data if isinstance(data, list) else [data]
        rows = self.ids.resolve_all(self.kind, values)
        return list(dict.fromkeys(rows[key].pk for value in values if (key := as_text(value)) in rows))


class TextListParam(serializers.ListField):
    """Distinct non-empty strings; a single string is read as a list of one."""

    child = RequiredTextParam()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_null": True, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        values = [data] if isinstance(data, str | int) else data
        given = [value for value in values if value not in ("", None)] if isinstance(values, list) else values
        return list(dict.fromkeys(super().to_internal_value(given)))
