"""Filters of lists, each declared once: a declaration also makes the parameters derived from it.

A value that cannot be read is refused, and never ignored, which would widen the list.
"""

import copy
import datetime
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import django_filters
from django.db.models import Field, JSONField, Model, Q, QuerySet
from django.db.models.lookups import Exact, GreaterThanOrEqual, In, IsNull, LessThanOrEqual
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from crm_project.api.errors import InvalidQuery
from crm_project.api.filter_values import (
    MOST_VALUES,
    BooleanValue,
    ChoiceValue,
    CurrencyValue,
    DayValue,
    InstantValue,
    IntegerValue,
    NumberValue,
    SearchValue,
    StrictField,
    TextValue,
    UUIDValue,
    ValuesField,
)
from crm_project.journal.models import Event
from crm_project.records.expressions import CustomIsEmpty, CustomValue, HoldsOption
from crm_project.records.models import DEFAULT_SYSTEM, CustomField
from crm_project.records.writing.columns import definitions_for

CUSTOM_PREFIX = "custom_"
NONE, ME = "none", "me"
# The prefix of a filter's OpenAPI description, by its lookup.
BOUNDS = {"gte": "Lower bound, included. ", "lte": "Upper bound, included. "}
COMPARISONS: Mapping[str, Any] = {"gte": GreaterThanOrEqual, "lte": LessThanOrEqual}


class DocumentedFilter(django_filters.Filter):  # type: ignore[misc]
    field_name: str | None
    schema: dict[str, Any] = {"type": "string"}

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """A set of filters sets attributes of its copies and changes none: what they hold is not copied."""
        copied = copy.copy(self)
        copied.method = self.method
        return copied

    @property
    def description(self) -> str:
        known: str | None = self.extra.get("help_text") or self.schema.get("description")
        return known or f"{BOUNDS.get(self.lookup_expr, '')}{self.field_class.sentence}"

    @property
    def own_name(self) -> str:
        """The name of the parameter, which may differ from the column's."""
        names: dict[str, Any] = self.parent.filters
        return next(name for name, declared in names.items() if declared is self)

    def expanded(self, name: str) -> dict[str, Any]:
        """The filters that this declaration makes, by the names of their parameters."""
        return {name: self}


class NumberFilter(DocumentedFilter):
    field_class = NumberValue
    schema = {"type": "string", "pattern": r"^-?[0-9]{1,13}(\.[0-9]{1,4})?$"}


class IntegerFilter(DocumentedFilter):
    field_class = IntegerValue
    schema = {"type": "integer"}


class UUIDFilter(DocumentedFilter):
    field_class = UUIDValue
    schema = {"type": "string", "format": "uuid"}


class BooleanFilter(DocumentedFilter):
    field_class = BooleanValue
    schema = {"type": "boolean"}


class DayFilter(DocumentedFilter):
    field_class = DayValue
    schema = {"type": "string", "format": "date"}


class InstantFilter(DocumentedFilter):
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


class Range(DocumentedFilter):
    """Makes the two bounds of a column, both included: `<name>_min` and `<name>_max`, or other `suffixes`."""

    def __init__(
        self, bound: type[DocumentedFilter], column: str = "", suffixes: tuple[str, str] = ("min", "max")
    ) -> None:
        super().__init__()
        self.bound, self.column, self.suffixes = bound, column, suffixes

    def expanded(self, name: str) -> dict[str, Any]:
        column, lookups = self.column or name, ("gte", "lte")
        return {
            f"{name}_{suffix}": self.bound(column, lookup)
            for suffix, lookup in zip(self.suffixes, lookups, strict=True)
        }


def days(column: str = "") -> Range:
    return Range(DayFilter, column, ("after", "before"))


def instants(column: str = "") -> Range:
    return Range(InstantFilter, column, ("after", "before"))


class ValuesFilter(DocumentedFilter):
    """One or more values, comma-separated; makes `<name>_not`, too.

    With `nullable`, `none` stands for rows without a value. `condition` may be overridden, but must not multiply rows.
    """

    field_class = ValuesField
    value: type[StrictField] = TextValue

    def __init__(
        self,
        field_name: str | None = None,
        *,
        nullable: bool = False,
        words: tuple[str, ...] = (),
        one: StrictField | None = None,
        **kwargs: Any,
    ) -> None:
        self.words = (*words, NONE) if nullable else words
        self.one = one or self.value()
        super().__init__(field_name, one=self.one, words=self.words, **kwargs)

    @property
    def description(self) -> str:
        words = "".join(f" `{word}` is accepted." for word in self.words)
        if self.exclude:
            without = " Rows without a value match, unless `none` is among the values." if self.words else ""
            return f"The rows that the filter without `_not` does not find.{without}"
        help_text = self.extra.get("help_text")
        texts = ([help_text] if help_text else []) + [
            self.one.sentence,
            f"One to {MOST_VALUES}, comma-separated.",
        ]
        return " ".join(texts) + words

    def expanded(self, name: str) -> dict[str, Any]:
        if self.field_name is None:
            self.field_name = name
        negated = copy.deepcopy(self)
        negated.exclude = True
        return {name: self, f"{name}_not": negated}

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if not value:
            return queryset
        values = [self.parent.actor.member.uuid if one == ME and ME in self.words else one for one in value]
        condition = self.condition([one for one in values if one != NONE or NONE not in self.words])
        if NONE in self.words and NONE in values:
            condition = condition | self.without()
        return queryset.exclude(condition) if self.exclude else queryset.filter(condition)

    def condition(self, values: list[Any]) -> Q:
        return Q(**{f"{self.field_name}__in": values})

    def without(self) -> Q:
        return Q(**{f"{str(self.field_name).removesuffix('__uuid')}__isnull": True})


class IntegersFilter(ValuesFilter):
    value = IntegerValue


class CurrencyFilter(ValuesFilter):
    value = CurrencyValue


class UUIDsFilter(ValuesFilter):
    value = UUIDValue


class ChangeSetFilter(UUIDsFilter):
    """Rows that change sets have written."""

    def condition(self, values: list[Any]) -> Q:
        organization = self.parent.actor.organization_id
        return Q(pk__in=Event.objects.rows_written(organization, self.model.row_kind, values))


class MembersFilter(UUIDsFilter):
    """Members by uuid; `me` stands for the acting member."""

    def __init__(self, field_name: str, **kwargs: Any) -> None:
        super().__init__(field_name, words=(ME,), **kwargs)


class ChoicesFilter(ValuesFilter):
    """One or more of the choices, comma-separated."""

    def __init__(self, field_name: str | None = None, *, choices: list[str], **kwargs: Any) -> None:
        super().__init__(field_name, one=ChoiceValue(choices=choices), **kwargs)
        self.schema = {"type": "string", "examples": choices}


class TextFilter(DocumentedFilter):
    """A text that the column equals; makes `<name>_not`, too, unless the filter is a method of its set."""

    field_class = TextValue

    def expanded(self, name: str) -> dict[str, Any]:
        if self.method is not None:
            return {name: self}
        other = TextFilter(
            self.field_name or name, exclude=True, help_text=f"All rows but those of `{name}`."
        )
        return {name: self, f"{name}_not": other}


class SearchFilter(TextFilter):
    """The words of a search; a method of the set looks for them."""

    field_class = SearchValue


class EmptyFilter(BooleanFilter):
    """Whether a column is empty: null, or the empty string."""

    def __init__(self, column: str, *, text: bool = False, help_text: str = "") -> None:
        super().__init__(column, help_text=help_text or f"Whether `{column}` is empty.")
        self.text = text

    def filter(self, queryset: QuerySet[Any], value: bool | None) -> QuerySet[Any]:
        if value is None:
            return queryset
        return queryset.filter(self.condition()) if value else queryset.exclude(self.condition())

    def condition(self) -> Q:
        return Q(**{str(self.field_name): ""}) if self.text else Q(**{f"{self.field_name}__isnull": True})


def empty_filters(model: type[Model]) -> dict[str, EmptyFilter]:
    """`<name>_empty` for every column that may be null or the empty string, but for derived ones."""
    # Those of rows in the trash alone, and derived ones.
    hidden = {"deleted_at", "merged_into", *getattr(model, "derived", ())}
    columns = [
        column
        for column in model._meta.get_fields()
        if isinstance(column, Field)
        and column.concrete
        and not column.many_to_many
        and column.name not in hidden
    ]
    return {
        f"{column.name}_empty": EmptyFilter(column.name, text=not column.null)
        for column in columns
        if column.null
        or (column.blank and not isinstance(column, JSONField) and column.empty_strings_allowed)
    }


class CustomValuesFilter(ValuesFilter):
    """The values of one custom field, read and compared by the type of its definition."""

    def __init__(self, definition: CustomField, *, exclude: bool = False) -> None:
        self.definition = definition
        kinds: Mapping[str, type[StrictField]] = {
            "number": NumberValue,
            "checkbox": BooleanValue,
            "date": DayValue,
        }
        super().__init__("custom_fields", one=kinds.get(definition.type, TextValue)(), exclude=exclude)
        # A text may have commas, and so may an option.
        if definition.type in ("text", "textarea"):
            self.extra["split"] = False
        elif definition.options:
            self.extra["whole"] = definition.options

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if not value:
            return queryset
        condition = self.condition([_comparable(one) for one in value])
        return queryset.filter(condition)

    def condition(self, values: list[Any]) -> Q:
        key, kind = self.definition.key, self.definition.type
        if kind == "multiselect":
            held = Q(*(Q(HoldsOption(key, one)) for one in values), _connector=Q.OR)
            return ~held if self.exclude else held
        stored = CustomValue(key, kind)
        found = Q(In(stored, values))
        return Q(IsNull(stored, True)) | ~found if self.exclude else found


class CustomBoundFilter(DocumentedFilter):
    """One bound, included, of a custom field that is a number or a date."""

    def __init__(self, definition: CustomField, lookup: str) -> None:
        super().__init__("custom_fields", lookup)
        self.definition = definition
        self.field_class = NumberValue if definition.type == "number" else DayValue

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if value is None:
            return queryset
        stored = CustomValue(self.definition.key, self.definition.type)
        return queryset.filter(COMPARISONS[self.lookup_expr](stored, _comparable(value)))


class CustomEmptyFilter(BooleanFilter):
    """Whether a row has no value of a custom field."""

    def __init__(self, definition: CustomField) -> None:
        super().__init__("custom_fields")
        self.definition = definition

    def filter(self, queryset: QuerySet[Any], value: bool | None) -> QuerySet[Any]:
        return (
            queryset if value is None else queryset.filter(Exact(CustomIsEmpty(self.definition.key), value))
        )


def _comparable(value: Any) -> Any:
    """The value as JSON has it."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


# What may follow a custom field's key, by the field's type; `_not` and `_empty` follow every key.
CUSTOM_BOUNDS = {
    "number": {"min": "gte", "max": "lte"},
    "date": {"after": "gte", "before": "lte"},
}


def custom_filter(definitions: Mapping[str, CustomField], name: str) -> Any:
    """The filter of a parameter `custom_…`, or None. An exact key comes before a key with a suffix."""
    name = name.removeprefix(CUSTOM_PREFIX)
    if name in definitions:
        return CustomValuesFilter(definitions[name])
    key, _, suffix = name.rpartition("_")
    definition = definitions.get(key)
    if definition is None:
        return None
    if suffix in CUSTOM_BOUNDS.get(definition.type, {}):
        return CustomBoundFilter(definition, CUSTOM_BOUNDS[definition.type][suffix])
    others: Mapping[str, Callable[[], Any]] = {
        "not": lambda: CustomValuesFilter(definition, exclude=True),
        "empty": lambda: CustomEmptyFilter(definition),
    }
    return others[suffix]() if suffix in others else None


class StrictFilterSet(django_filters.FilterSet):  # type: ignore[misc]
    """Filters of one resource.

    `custom_kind` names the kind of row whose custom fields are filters, too; `columns_of` the model whose columns get
    a filter `<name>_empty`. A request's set has the filters that the request names.
    """

    base_filters: dict[str, Any]

    custom_kind = ""
    columns_of: ClassVar[type[Model] | None] = None

    @classmethod
    def get_filters(cls) -> dict[str, Any]:
        declared = super().get_filters()
        made = {name: filter_ for own in declared for name, filter_ in declared[own].expanded(own).items()}
        empty = empty_filters(cls.columns_of) if cls.columns_of else {}
        return made | {name: filter_ for name, filter_ in empty.items() if name not in made}

    def __init__(self, *args: Any, actor: Any, **kwargs: Any) -> None:
        self.actor = actor
        data = args[0] if args else {}
        self.base_filters = {name: made for name, made in self.base_filters.items() if name in data}
        super().__init__(*args, **kwargs)
        named = [name for name in self.data if name.startswith(CUSTOM_PREFIX)]
        if self.custom_kind and named:
            definitions = custom_definitions(actor, self.custom_kind)
            for name in named:
                if made := name not in self.filters and custom_filter(definitions, name):
                    self.filters[name], made.parent = made, self


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
    definitions = definitions_for(actor.organization, kind)
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
