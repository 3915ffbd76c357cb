"""Filters that refuse what they do not understand: an unknown parameter or value never widens a list."""

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
    """A text that `read` turns into a value, or refuses by answering None."""

    sentence = "This value is not valid."

    def to_python(self, value: Any) -> Any:
        if value in (None, ""):
            return None
        read = self.read(value)
        if read is None:
            raise forms.ValidationError(self.sentence)
        return read

    def read(self, text: str) -> Any:
        raise AssertionError("each field reads its own texts")


class TextValue(_StrictField):
    sentence = "A text."

    def read(self, text: str) -> str | None:
        return None if "\x00" in text else text


class NumberValue(_StrictField):
    sentence = "A decimal number with at most four decimals."

    def read(self, text: str) -> Decimal | None:
        return Decimal(text) if NUMBER.fullmatch(text) else None


class IntegerValue(_StrictField):
    sentence = "A whole number."

    def read(self, text: str) -> int | None:
        return int(text) if INTEGER.fullmatch(text) and abs(int(text)) <= BIGGEST_ID else None


class UUIDValue(_StrictField):
    sentence = "A uuid."

    def read(self, text: str) -> uuid.UUID | None:
        return uuid.UUID(text) if UUID.fullmatch(text) else None


class BooleanValue(_StrictField):
    sentence = "true or false."

    def read(self, text: str) -> bool | None:
        return {"true": True, "false": False}.get(text)


class DayValue(_StrictField):
    sentence = "A day: YYYY-MM-DD."

    def read(self, text: str) -> datetime.date | None:
        return datetime.date.fromisoformat(text) if is_day(text) else None


class InstantValue(_StrictField):
    """A day, which means all of it in the organization's zone, or an instant with its offset."""

    sentence = "A day, YYYY-MM-DD, or an instant with its offset."

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


# What a look-up that is no plain comparison adds to the kind of value that it takes.
BOUNDS = {"gte": "At least this. ", "lte": "At most this. "}


class ChoicesValue(_StrictField):
    """One or several, comma-separated."""

    def __init__(self, *, choices: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = choices

    def to_python(self, value: Any) -> Any:
        wanted = value.split(",") if value else []
        if unknown := [choice for choice in wanted if choice not in self.choices]:
            sentence = f"Not known: {', '.join(unknown)}. One or several of: {', '.join(self.choices)}."
            raise forms.ValidationError(sentence)
        return wanted


class _Documented(django_filters.Filter):
    schema: dict[str, Any] = {"type": "string"}

    @property
    def description(self) -> str:
        known = self.extra.get("help_text") or self.schema.get("description")
        return known or f"{BOUNDS.get(self.lookup_expr, '')}{self.field_class.sentence}"

    @property
    def own_name(self) -> str:
        """The parameter, which may be called otherwise than the column."""
        return next(name for name, declared in self.parent.filters.items() if declared is self)


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
    """One bound of a range of instants, itself included."""

    field_class = InstantValue

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if value is None:
            return queryset
        try:
            lookup, instant = self._bound(value)
        except OverflowError:
            raise InvalidQuery({self.own_name: ["This is beyond the years that can be told."]}) from None
        return queryset.filter(**{f"{self.field_name}__{lookup}": instant})

    def _bound(self, value: datetime.date) -> tuple[str, datetime.datetime]:
        """The look-up and the instant; a day that bounds from above means up to the next one."""
        if isinstance(value, datetime.datetime):
            return self.lookup_expr, value
        lookup, zone = self.lookup_expr, ZoneInfo(self.parent.actor.organization.time_zone)
        if lookup == "lte":
            lookup, value = "lt", value + datetime.timedelta(days=1)
        return lookup, datetime.datetime.combine(value, datetime.time(), zone).astimezone(datetime.UTC)


class ChoicesFilter(_Documented):
    """One or several of the choices, comma-separated."""

    field_class = ChoicesValue

    def __init__(self, *args: Any, choices: list[str], **kwargs: Any) -> None:
        super().__init__(*args, choices=choices, **kwargs)
        self.schema = {
            "type": "string",
            "examples": choices,
            "description": f"One or several, comma-separated, of: {', '.join(choices)}.",
        }

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return queryset.filter(**{f"{self.field_name}__in": value}) if value else queryset


class CustomValueFilter(_Documented):
    """The value of one custom field, compared as its definition says."""

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
        return queryset.alias(**{f"{CUSTOM_PREFIX}{key}": CustomValue(key, kind)}).filter(
            **{f"{CUSTOM_PREFIX}{key}": value}
        )


class StrictFilterSet(django_filters.FilterSet):
    """Filters of one resource. `custom_kind` adds one for each custom field of that kind of row."""

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
    """Filters of rows that integrations know by keys of their own."""

    external_system = TextFilter(
        method="filter_external_system", help_text="That has a key in this system; alone, any."
    )
    external_id = TextFilter(
        method="filter_external_id", help_text=f"Its key in `external_system`, or else in `{DEFAULT_SYSTEM}`."
    )

    def filter_external_system(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        held = self._references(rows, system=value)
        return rows if self.form.cleaned_data.get("external_id") else rows.filter(pk__in=held.values("row"))

    def filter_external_id(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """The holder is looked up beforehand: PostgreSQL does not reorder as many joins as a list of deals has, and
        would read all of them to find one."""
        system = self.form.cleaned_data.get("external_system") or DEFAULT_SYSTEM
        held = self._references(rows, system=system, external_id=value)
        return rows.filter(pk__in=list(held.values_list("row", flat=True)))

    def _references(self, rows: QuerySet[Any], **key: str) -> Any:
        """Named by all that the index of live keys is made of, so that it is used; those in the trash are not live."""
        references: Any = rows.model._meta.get_field("references").related_model
        live = {"organization": self.actor.organization_id, "is_live": self.data.get("deleted") != "only"}
        return references.objects.filter(**live, **key)


def custom_definitions(actor: Any, kind: str) -> dict[str, CustomField]:
    """Those that hold a value; a heading does not."""
    definitions = definitions_of(actor.organization_id, kind)
    return {key: row for key, row in definitions.items() if row.type != CustomField.Types.HEADING}


class StrictFilterBackend(BaseFilterBackend):
    """Applies the view's filter set and names every wrong value."""

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
