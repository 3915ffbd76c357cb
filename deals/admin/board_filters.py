"""The filters of the board: those of the list of deals, under the same names, with open deals as the default."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from crm_project.staff.filters import AmountRange, DayRange, FormFilter, choice_filter, range_filter
from crm_project.staff.request_actor import member_choices
from deals.board import DEFAULT_ORDERING, ORDERINGS
from deals.models import Deal

ANY = "any"
SEARCH = "q"
SORT = "sort"
SORTS = {
    DEFAULT_ORDERING: gettext_lazy("Latest in the stage first"),
    "stage_entered_at": gettext_lazy("Longest in the stage first"),
    "expected_close_date": gettext_lazy("Closing first"),
    "-amount": gettext_lazy("Largest amount first"),
    "name": gettext_lazy("Name"),
}
# Parameters of the list that the columns of the board stand for.
OF_COLUMNS = {"pipeline", "stage", "trash", "status"}


class StatusFilter(FormFilter):
    """Open deals, unless another status is chosen."""

    title = gettext_lazy("Status")

    @classmethod
    def names(cls) -> list[str]:
        return ["status"]

    def fields(self, request: HttpRequest) -> dict[str, forms.Field]:
        choices = [*Deal.Statuses.choices, (ANY, pgettext("deals", "All"))]
        return {"status": forms.ChoiceField(choices=choices, label=_("Status"))}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.used_parameters:
            return queryset.filter(status=Deal.Statuses.OPEN)
        return super().queryset(request, queryset)

    def narrow(self, rows: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return rows if value["status"] == ANY else rows.filter(**value)


class BoardFilters:
    """The filters of a request. The board has fields for some of them; the others come from a link."""

    main: ClassVar[tuple[type[FormFilter], ...]] = (
        choice_filter(gettext_lazy("Owner"), "owner", member_choices),
        StatusFilter,
        range_filter(AmountRange, gettext_lazy("Amount"), "amount"),
        range_filter(DayRange, gettext_lazy("Expected close"), "expected_close_date"),
    )

    def __init__(self, admin: Any, request: HttpRequest) -> None:
        self.admin, self.request = admin, request
        given = dict(request.GET.lists())
        self.specs = [self._spec(one, given) for one in self.main]
        own = {name for one in self.main for name in one.names()} | OF_COLUMNS
        others = [
            one
            for one in (admin.get_list_filter(request) if given.keys() - own - {SEARCH, SORT} else ())
            if not own & set(one.names()) and given.keys() & set(one.names())
        ]
        self.others = [self._spec(one, given) for one in others]
        self.text = request.GET.get(SEARCH, "").strip()
        sort = request.GET.get(SORT, DEFAULT_ORDERING)
        self.ordering = sort if sort.removeprefix("-") in ORDERINGS else DEFAULT_ORDERING

    def _spec(self, one: type[FormFilter], given: dict[str, Any]) -> FormFilter:
        return one(self.request, given, Deal, self.admin)

    def narrow(self, deals: Any) -> Any:
        for spec in (*self.specs, *self.others):
            deals = spec.queryset(self.request, deals)
        return deals.matching(self.text) if self.text else deals

    @property
    def errors(self) -> list[str]:
        return [
            f"{spec.title}: {error}"
            for spec in (*self.specs, *self.others)
            for errors in spec.form.errors.values()
            for error in errors
        ]

    @property
    def status(self) -> str:
        chosen: str = self.parameters.get("status", Deal.Statuses.OPEN)
        return chosen

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the filters that are active."""
        used = {
            name: str(value)
            for spec in (*self.specs, *self.others)
            for name, value in spec.used_parameters.items()
            if value
        }
        return used | ({SEARCH: self.text} if self.text else {})

    @property
    def count(self) -> int:
        """The number of active filters, without the text, which is seen beside it."""
        return len([spec for spec in (*self.specs, *self.others) if any(spec.used_parameters.values())])

    @property
    def query(self) -> str:
        """The query of the board's address: the filters and the order."""
        sort = {} if self.ordering == DEFAULT_ORDERING else {SORT: self.ordering}
        return urlencode({**self.parameters, **sort})

    @property
    def list_query(self) -> dict[str, str]:
        """The parameters with which the list has the same deals."""
        shared = {name: value for name, value in self.parameters.items() if name != "status"}
        return shared if self.status == ANY else {**shared, "status": self.status}

    @property
    def chips(self) -> list[dict[str, str]]:
        """The active filters that the board has no fields for, each with the address without it."""
        return [
            {"title": spec.title, "value": _value(spec), "url": self._without(spec)} for spec in self.others
        ]

    @property
    def hidden(self) -> dict[str, str]:
        """The parameters of the filters without fields, which the form of the others keeps."""
        return {name: str(value) for spec in self.others for name, value in spec.used_parameters.items()}

    def _without(self, spec: FormFilter) -> str:
        rest = {name: value for name, value in self.parameters.items() if name not in spec.used_parameters}
        return f"?{urlencode(rest)}"

    def form_fields(self) -> list[dict[str, Any]]:
        """The fields of the form, with plain widgets: those of the theme take a kilobyte each."""
        return [
            {"label": _label(spec, name), "field": _plain(spec.form[name], _label(spec, name))}
            for spec in self.specs
            for name in spec.names()
        ]


def _label(spec: FormFilter, name: str) -> str:
    if not spec.is_range:
        return str(spec.title)
    template = _("%(filter)s from") if name.endswith("_from") else _("%(filter)s to")
    return template % {"filter": spec.title}


def _plain(bound: Any, label: str) -> Any:
    choices = getattr(bound.field, "choices", None)
    if choices is not None:
        return bound.as_widget(forms.Select(choices=choices))
    if isinstance(bound.field, forms.DateField):
        return bound.as_widget(forms.DateInput({"type": "date"}))
    return bound.as_widget(forms.TextInput({"inputmode": "decimal", "size": 8}))


def _value(spec: FormFilter) -> str:
    parts = []
    for name, value in spec.used_parameters.items():
        labels = dict(getattr(spec.form.fields[name], "choices", ()))
        label = next((text for key, text in labels.items() if str(key) == str(value)), value)
        parts.append(str(label))
    return " – ".join(parts)
