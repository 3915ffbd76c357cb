"""Filters of change lists, each a small form. With an invalid value the list is empty, not unfiltered."""

import datetime
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import formats, timezone
from django.utils.functional import Promise, cached_property
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from crm_project.journal.models import Event
from crm_project.languages.figures import plain_decimal, read_decimal
from crm_project.readers import Unreadable
from crm_project.records.days import start_of
from crm_project.records.expressions import CustomValue, HoldsOption
from crm_project.records.models import CustomField
from crm_project.staff.counts import counted_of_all_kinds
from crm_project.staff.custom import NumberInput
from crm_project.staff.inputs import (
    Day,
    DecimalInput,
    Select,
    TextInput,
    whole_number,
)
from crm_project.staff.request_actor import actor_of, visible

TRASH = "trash"
YES_NO = [("", gettext_lazy("All")), ("yes", gettext_lazy("Yes")), ("no", gettext_lazy("No"))]


# The filters that are fixed and not used, as HTML, by class and language.
FIXED_FILTERS: dict[tuple[type["FormFilter"], str | None], str] = {}


class FormFilter(admin.ListFilter):
    """Base of the filters: `fields` are its form fields by parameter, `narrow` filters by their cleaned data."""

    title: Any = ""
    template = "admin/filter.html"
    is_range: ClassVar[bool] = False
    # Whether `fields` are the same for every request, apart from the language.
    is_fixed: ClassVar[bool] = False

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.request = request
        self._pop_parameters(params)

    @cached_property
    def form(self) -> forms.Form:
        form = forms.Form(self.used_parameters)
        form.fields.update(self.fields(self.request))
        for field in form.fields.values():
            field.required = False
        return form

    def _pop_parameters(self, params: dict[str, Any]) -> None:
        """Move our parameters from the list's to `used_parameters`."""
        for name in self.names():
            values = params.pop(name, None)
            if values:
                self.used_parameters[name] = values[-1] if isinstance(values, list) else values

    @classmethod
    def names(cls) -> list[str]:
        raise NotImplementedError

    @classmethod
    def figures(cls) -> list[str]:
        """Those of the names whose values are figures."""
        return []

    def fields(self, request: HttpRequest) -> dict[str, forms.Field]:
        raise NotImplementedError

    def narrow(self, rows: QuerySet[Any], value: Any) -> QuerySet[Any]:
        raise NotImplementedError

    @property
    def value_label(self) -> str:
        """The value of an active filter as people read it."""
        given = {name: str(value) for name, value in self.used_parameters.items() if value}
        texts = [_label_of(self.form.fields[name], value) for name, value in given.items()]
        if not self.is_range:
            return " – ".join(texts)
        low, high = (name in given for name in self.names())
        if low and high:
            return " – ".join(texts)
        return (_("from %(value)s") if low else _("to %(value)s")) % {"value": texts[0]}

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [*self.names()]

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        yield {"html": self._fixed_html() if self.is_fixed and not self.used_parameters else self._html()}

    def _fixed_html(self) -> str:
        """Rendered once for each language: most filters of a list are fixed, and few are used."""
        key = type(self), get_language()
        if key not in FIXED_FILTERS:
            FIXED_FILTERS[key] = self._html()
        return FIXED_FILTERS[key]

    def _html(self) -> str:
        context = {"form": self.form, "title": str(self.title), "is_range": self.is_range}
        return render_to_string("admin/filter_form.html", context)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.used_parameters:
            return queryset
        if not self.form.is_valid():
            return queryset.none()
        given = {name: value for name, value in self.form.cleaned_data.items() if value not in (None, "")}
        return self.narrow(queryset, given) if given else queryset


def _label_of(field: Any, value: str) -> str:
    """The label of a choice; a day as lists have it; else the value."""
    for key, label in getattr(field, "choices", ()):
        group = label if isinstance(label, list | tuple) else [(key, label)]
        for one, text in group:
            if str(one) == value:
                return str(text)
    try:
        day = field.to_python(value) if isinstance(field, Day) else None
        return value if day is None else formats.date_format(day, "DATE_FORMAT")
    except forms.ValidationError:
        return value


def choice_filter(
    title: str | Promise, parameter: str, choices: Any, *, column: str = ""
) -> type[FormFilter]:
    """A choice. `choices` is a list, or a function of the request if the choices are rows."""

    class ChoiceFilter(FormFilter):
        is_fixed = not callable(choices)

        @classmethod
        def names(cls) -> list[str]:
            return [parameter]

        def fields(self, request: HttpRequest) -> dict[str, forms.Field]:
            offered = choices(request) if callable(choices) else choices
            field = forms.ChoiceField(choices=[("", _("All")), *offered], widget=Select(), label=str(title))
            return {parameter: field}

        def narrow(self, rows: QuerySet[Any], value: Any) -> QuerySet[Any]:
            return rows.filter(**{column or parameter: value[parameter]})

    ChoiceFilter.title = title
    return ChoiceFilter


class YesNoFilter(FormFilter):
    is_fixed = True
    parameter: ClassVar[str]

    @classmethod
    def names(cls) -> list[str]:
        return [cls.parameter]

    def fields(self, request: HttpRequest) -> dict[str, forms.Field]:
        return {self.parameter: forms.ChoiceField(choices=YES_NO, widget=Select(), label=str(self.title))}

    def narrow(self, rows: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return rows.filter(**{self.parameter: value[self.parameter] == "yes"})


def yes_no_filter(title: str | Promise, column: str) -> type[YesNoFilter]:
    return type(f"{column.title()}Filter", (YesNoFilter,), {"title": title, "parameter": column})


class LinkedFilter(FormFilter):
    """A filter of one parameter that links set. Lists without the parameter do not have it."""

    parameter: ClassVar[str]

    @classmethod
    def names(cls) -> list[str]:
        return [cls.parameter]

    def has_output(self) -> bool:
        return bool(self.used_parameters)


class RowFilter(LinkedFilter):
    """Rows that belong to one row, the page of which links to the list."""

    model: ClassVar[Any]

    def fields(self, request: HttpRequest) -> dict[str, forms.Field]:
        key = whole_number(str(self.used_parameters.get(self.parameter, "")))
        rows = self.rows(request).filter(pk=key) if key else ()
        choices = [("", _("All")), *((row.pk, str(row)) for row in rows)]
        return {self.parameter: forms.ChoiceField(choices=choices, widget=Select(), label=str(self.title))}

    def rows(self, request: HttpRequest) -> Any:
        return visible(request, self.model)

    def narrow(self, rows: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return rows.filter(self.condition(int(value[self.parameter])))

    def condition(self, row_id: int) -> Q:
        return Q(**{self.parameter: row_id})


class ChosenFilter(LinkedFilter):
    """Rows that were chosen by their ids, such as those that are ticked in a list."""

    title = gettext_lazy("Chosen")
    parameter = "ids"

    def fields(self, request: HttpRequest) -> dict[str, forms.Field]:
        return {self.parameter: forms.CharField(widget=TextInput(), label=str(self.title))}

    @property
    def ids(self) -> list[int]:
        return [whole_number(key) for key in str(self.used_parameters.get(self.parameter, "")).split(",")]

    @property
    def value_label(self) -> str:
        return counted_of_all_kinds(len(self.ids))

    def narrow(self, rows: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return rows.filter(pk__in=self.ids)


class ChangeSetFilter(LinkedFilter):
    """Rows that one change set has written, the page of which links to the list."""

    title = gettext_lazy("Written by")
    parameter = "change_set"

    def fields(self, request: HttpRequest) -> dict[str, forms.Field]:
        return {self.parameter: forms.UUIDField(widget=TextInput(), label=str(self.title))}

    @property
    def value_label(self) -> str:
        return _("one change")

    def narrow(self, rows: QuerySet[Any], value: Any) -> QuerySet[Any]:
        actor: Any = actor_of(self.request)
        found = Event.objects.rows_written(
            actor.organization_id, rows.model.row_kind, [value[self.parameter]]
        )
        return rows.filter(pk__in=found)


class RangeFilter(FormFilter):
    """A range of one column; both ends are included."""

    column: ClassVar[str]
    is_range = is_fixed = True

    @classmethod
    def names(cls) -> list[str]:
        return [f"{cls.column}_from", f"{cls.column}_to"]

    def bound(self, label: str) -> forms.Field:
        raise NotImplementedError

    def fields(self, request: HttpRequest) -> dict[str, forms.Field]:
        low, high = self.names()
        return {low: self.bound(_("From")), high: self.bound(_("To"))}

    def narrow(self, rows: QuerySet[Any], value: Any) -> QuerySet[Any]:
        low, high = self.names()
        if low in value:
            rows = rows.filter(**{f"{self.column}__gte": self.start(value[low])})
        return rows.filter(**self.until(value[high])) if high in value else rows

    def start(self, value: Any) -> Any:
        return value

    def until(self, value: Any) -> dict[str, Any]:
        return {f"{self.column}__lte": value}


class AmountRange(RangeFilter):
    @classmethod
    def figures(cls) -> list[str]:
        return cls.names()

    def bound(self, label: str) -> forms.Field:
        return DecimalInput(label=label, widget=TextInput({"placeholder": label}))


def plain_address(request: HttpRequest, list_filters: Iterable[type[FormFilter]]) -> str | None:
    """The address with its figures as every language reads them; None if they are so already.

    An address is passed on, and stays in a bookmark when its owner chooses another language.
    """
    plain = request.GET.copy()
    figures = {name for one in list_filters for name in one.figures()}
    for name in plain.keys() & figures:
        with suppress(Unreadable):
            plain[name] = plain_decimal(read_decimal(str(plain[name])))
    return f"{request.path}?{plain.urlencode()}" if plain != request.GET else None


class DayRange(RangeFilter):
    def bound(self, label: str) -> forms.Field:
        return Day(label=label)


class InstantRange(DayRange):
    """Whole days in the time zone of the organization, as in the API, whatever that of the reader is."""

    def narrow(self, rows: QuerySet[Any], value: Any) -> QuerySet[Any]:
        try:
            return super().narrow(rows, value)
        except OverflowError:
            return rows.none()

    def start(self, value: datetime.date) -> Any:
        actor = actor_of(self.request)
        zone = ZoneInfo(actor.organization.time_zone) if actor else timezone.get_current_timezone()
        return start_of(value, zone)

    def until(self, value: datetime.date) -> dict[str, Any]:
        if value == datetime.date.max:
            return {}
        return {f"{self.column}__lt": self.start(value + datetime.timedelta(days=1))}


def range_filter(base: type[RangeFilter], title: str | Promise, column: str) -> type[RangeFilter]:
    return type(f"{base.__name__}Of{column.title()}", (base,), {"title": title, "column": column})


class TrashFilter(FormFilter):
    """Rows in the trash instead of live rows; `StaffModelAdmin.get_queryset` reads the parameter."""

    title = gettext_lazy("Trash")

    @classmethod
    def names(cls) -> list[str]:
        return [TRASH]

    def fields(self, request: HttpRequest) -> dict[str, forms.Field]:
        choices = [("", _("Live rows")), ("only", _("In the trash"))]
        return {TRASH: forms.ChoiceField(choices=choices, widget=Select(), label=str(self.title))}

    def has_output(self) -> bool:
        """Only in the trash, where the form of the filters must keep the parameter. A button opens the trash."""
        return bool(self.used_parameters)

    def narrow(self, rows: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return rows


def custom_filter(definition: CustomField) -> type[FormFilter]:
    """A filter by a custom field, with the input of the field's type."""
    parameter = f"custom_{definition.key}"

    class CustomFilter(FormFilter):
        @classmethod
        def names(cls) -> list[str]:
            return [parameter]

        @classmethod
        def figures(cls) -> list[str]:
            return [parameter] if definition.type == CustomField.Types.NUMBER else []

        def fields(self, request: HttpRequest) -> dict[str, forms.Field]:
            return {parameter: _custom_field(definition)}

        def narrow(self, rows: QuerySet[Any], value: Any) -> QuerySet[Any]:
            custom_value = _custom_value(definition, value[parameter])
            if definition.type == CustomField.Types.MULTISELECT:
                return rows.filter(HoldsOption(definition.key, custom_value))
            with_value: QuerySet[Any] = rows.alias(
                **{parameter: CustomValue(definition.key, definition.type)}
            )
            return with_value.filter(**{parameter: custom_value})

    CustomFilter.title = definition.label
    return CustomFilter


def _custom_field(definition: CustomField) -> forms.Field:
    match definition.type:
        case CustomField.Types.SELECT | CustomField.Types.MULTISELECT:
            choices = [("", _("All")), *((option, option) for option in definition.options)]
            return forms.ChoiceField(choices=choices, widget=Select(), label=definition.label)
        case CustomField.Types.CHECKBOX:
            return forms.ChoiceField(choices=YES_NO, widget=Select(), label=definition.label)
        case CustomField.Types.NUMBER:
            return NumberInput(label=definition.label)
        case CustomField.Types.DATE:
            return Day(label=definition.label)
    return forms.CharField(label=definition.label, widget=TextInput(), strip=False)


def _custom_value(definition: CustomField, value: Any) -> Any:
    match definition.type:
        case CustomField.Types.CHECKBOX:
            return value == "yes"
        case CustomField.Types.NUMBER:
            return float(value)
        case CustomField.Types.DATE:
            return value.isoformat()
    return value
