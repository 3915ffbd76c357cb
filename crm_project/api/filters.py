"""Strict filters: a value that cannot be parsed is refused, and never ignored, which would widen the list."""

import datetime
import re
import uuid
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from crm_project.api.errors import InvalidQuery
from crm_project.api.fields import DAY, INSTANT, UUID
from crm_project.records.expressions import CustomValue, HoldsOption
from crm_project.records.models import DEFAULT_SYSTEM, CustomField
from crm_project.records.rules import is_day
from crm_project.records.writing.columns import BIGGEST_ID, definitions_of

NUMBER = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,4}0*)?")
INTEGER = re.compile(r"-?[0-9]{1,19}")
CUSTOM_PREFIX = "custom_"


class _StrictField(forms.Field):
    """A form field whose `read` parses the text; None stands for a text that is refused with `sentence`."""

    sentence = "This value is not valid."

    def to_python(self, value: Any) -> Any:
        if value in (None, ""):
            return None
        read = self.read(value)
        if read is None:
            raise forms.ValidationError(self.sentence)
        return read

    def read(self, text: str) -> Any:
        raise NotImplementedError


class TextValue(_StrictField):
    sentence = "Must be a string."

    def read(self, text: str) -> str | None:
        return None if "\x00" in text else text


class NumberValue(_StrictField):
    sentence = "Must be a decimal number with at most four decimals."

    def read(self, text: str) -> Decimal | None:
        return Decimal(text) if NUMBER.fullmatch(text) else None


class IntegerValue(_StrictField):
    sentence = "Must be an integer."

    def read(self, text: str) -> int | None:
        return int(text) if INTEGER.fullmatch(text) and abs(int(text)) <= BIGGEST_ID else None


class UUIDValue(_StrictField):
    sentence = "Must be a UUID."

    def read(self, text: str) -> uuid.UUID | None:
        return uuid.UUID(text) if UUID.fullmatch(text) else None


class BooleanValue(_StrictField):
    sentence = "Must be true or false."

    def read(self, text: str) -> bool | None:
        return {"true": True, "false": False}.get(text)


class DayValue(_StrictField):
    sentence = "Must be a date: YYYY-MM-DD."

    def read(self, text: str) -> datetime.date | None:
        return datetime.date.fromisoformat(text) if is_day(text) else None


class InstantValue(_StrictField):
    """A date, which stands for the whole day in the organization's time zone, or an instant with its UTC offset."""

    sentence = "Must be a date, YYYY-MM-DD, or an instant with its UTC offset."

    def read(self, text: str) -> datetime.date | None:
        if DAY.fullmatch(text):
            return datetime.date.fromisoformat(text) if is_day(text) else None
        # A plus sign that is not escaped arrives as a space.
        text = text.replace(" ", "+")
        try:
            instant = parse_datetime(text) if INSTANT.fullmatch(text) else None
            return instant and instant.astimezone(datetime.UTC)
        except (ValueError, OverflowError):
            return None


# The prefix of a filter's OpenAPI description, by its lookup.
BOUNDS = {"gte": "Lower bound, included. ", "lte": "Upper bound, included. "}


class ChoicesValue(_StrictField):
    """One or more choices, comma-separated."""

    def __init__(self, *, choices: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = choices

    def to_python(self, value: Any) -> Any:
        names = value.split(",") if value else []
        if unknown := [choice for choice in names if choice not in self.choices]:
            known = ", ".join(self.choices)
            sentence = f"Unknown: {', '.join(unknown)}. Must be one or more, comma-separated, of: {known}."
            raise forms.ValidationError(sentence)
        return names


class _Documented(django_filters.Filter):
    schema: dict[str, Any] = {"type": "string"}

    @property
    def description(self) -> str:
        known: str | None = self.extra.get("help_text") or self.schema.get("description")
        return known or f"{BOUNDS.get(self.lookup_expr, '')}{self.field_class.sentence}"

    @property
    def own_name(self) -> str:
        """The name of the parameter, which may differ from the column's."""
        names: dict[str, Any] = self.parent.filters
        return next(name for name, declared in names.items() if declared is self)


class TextFilter(_Documented):
    field_class = TextValue


class NumberFilter(_Documented):
    field_class = NumberValue
    schema = {"type": "string", "pattern": r"^-?[0-9]{1,13}(\.[0-9]{1,4})?$"}


class IntegerFilter(_Documented):
    field_class = IntegerValue
    schema = {"type": "integer"}


class UUIDFilter(_Documented):
    field_class = UUIDValue
    schema = {"type": "string", "format": "uuid"}


class BooleanFilter(_Documented):
    field_class = BooleanValue
    schema = {"type": "boolean"}


class DayFilter(_Documented):
    field_class = DayValue
    schema = {"type": "string", "format": "date"}


class InstantFilter(_Documented):
    """One bound of a range of instants, included in it."""

    field_class = InstantValue

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if value is None:
            return queryset
        try:
            lookup, instant = self._bound(value)
        except OverflowError:
            raise InvalidQuery({self.own_name: ["Date out of range."]}) from None
        return queryset.filter(**{f"{self.field_name}__{lookup}": instant})

    def _bound(self, value: datetime.date) -> tuple[str, datetime.datetime]:
        """The lookup and the instant; a date as the upper bound stands for the instant before the next day."""
        if isinstance(value, datetime.datetime):
            return self.lookup_expr, value
        lookup, zone = self.lookup_expr, ZoneInfo(self.parent.actor.organization.time_zone)
        if lookup == "lte":
            lookup, value = "lt", value + datetime.timedelta(days=1)
        return lookup, datetime.datetime.combine(value, datetime.time(), zone).astimezone(datetime.UTC)


class ChoicesFilter(_Documented):
    """One or more of the choices, comma-separated."""

    field_class = ChoicesValue

    def __init__(self, *args: Any, choices: list[str], **kwargs: Any) -> None:
        super().__init__(*args, choices=choices, **kwargs)
        self.schema = {
            "type": "string",
            "examples": choices,
            "description": f"One or more, comma-separated, of: {', '.join(choices)}.",
        }

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return queryset.filter(**{f"{self.field_name}__in": value}) if value else queryset


class CustomValueFilter(_Documented):
    """The value of one custom field, parsed and compared by the type of its definition."""

    def __init__(self, definition: CustomField) -> None:
        super().__init__()
        self.definition = definition
        self.field_class = {"number": NumberValue, "checkbox": BooleanValue, "date": DayValue}.get(
            definition.type, TextValue
        )

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if value is None:
            return queryset
        key, kind = self.definition.key, self.definition.type
        if kind == "multiselect":
            return queryset.filter(HoldsOption(key, value))
        if isinstance(value, datetime.date):
            value = value.isoformat()
        if isinstance(value, Decimal):
            value = float(value)
        with_value: QuerySet[Any] = queryset.alias(**{f"{CUSTOM_PREFIX}{key}": CustomValue(key, kind)})
        return with_value.filter(**{f"{CUSTOM_PREFIX}{key}": value})


class StrictFilterSet(django_filters.FilterSet):
    """Filters of one resource. `custom_kind` names the kind of row whose custom fields are filters, too."""

    custom_kind = ""

    def __init__(self, *args: Any, actor: Any, **kwargs: Any) -> None:
        self.actor = actor
        super().__init__(*args, **kwargs)
        named = [name for name in self.data if name.startswith(CUSTOM_PREFIX)]
        if self.custom_kind and named:
            for definition in custom_definitions(actor, self.custom_kind).values():
                name = f"{CUSTOM_PREFIX}{definition.key}"
                self.filters[name] = CustomValueFilter(definition)
                self.filters[name].parent = self


class ReferencedFilterSet(StrictFilterSet):
    """Filters of rows that have external references."""

    external_system = TextFilter(
        method="filter_external_system", help_text="Rows with an external reference in this system."
    )
    external_id = TextFilter(
        method="filter_external_id",
        help_text=f"The row with this id in `external_system`, which is `{DEFAULT_SYSTEM}` if absent.",
    )

    def filter_external_system(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        held = self._references(rows, system=value)
        return rows if self.form.cleaned_data.get("external_id") else rows.filter(pk__in=held.values("row"))

    def filter_external_id(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """A query of its own: PostgreSQL does not reorder as many joins as a list of deals has, and would read all
        deals to find one."""
        system = self.form.cleaned_data.get("external_system") or DEFAULT_SYSTEM
        held = self._references(rows, system=system, external_id=value)
        return rows.filter(pk__in=list(held.values_list("row", flat=True)))

    def _references(self, rows: QuerySet[Any], **key: str) -> Any:
        """Filters by every column of the index of live keys, so that it is used. Trashed rows have no live keys."""
        references: Any = rows.model._meta.get_field("references").related_model
        live = {"organization": self.actor.organization_id, "is_live": self.data.get("deleted") != "only"}
        return references.objects.filter(**live, **key)


def custom_definitions(actor: Any, kind: str) -> dict[str, CustomField]:
    """The definitions by key, without headings, which have no value."""
    definitions = definitions_of(actor.organization_id, kind)
    return {key: row for key, row in definitions.items() if row.type != CustomField.Types.HEADING}


class StrictFilterBackend(BaseFilterBackend):
    """Applies the view's filter set; InvalidQuery names every wrong value."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        if view.filterset_class is None:
            return queryset
        filters = view.filterset_class(request.query_params, queryset, request=request, actor=view.actor)
        custom = {name for name in request.query_params if name.startswith(CUSTOM_PREFIX)}
        unknown = {
            name: ["There is no such custom field."] for name in sorted(custom - filters.filters.keys())
        }
        if unknown or not filters.is_valid():
            raise InvalidQuery({name: list(errors) for name, errors in filters.errors.items()} | unknown)
        return filters.qs

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        if view.filterset_class is None:
            return []
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "schema": {key: value for key, value in declared.schema.items() if key != "description"},
                "description": declared.description,
            }
            for name, declared in view.filterset_class.base_filters.items()
        ]
