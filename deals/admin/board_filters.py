"""The filters of the board: those of the list of deals, under the same names, with open deals as the default."""

from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from crm_project.staff.filters import AmountRange, DayRange, FormFilter, choice_filter, range_filter
from crm_project.staff.inputs import whole_number
from crm_project.staff.request_actor import member_choices
from crm_project.staff.saved_views import VIEW, StoredView, ViewFilter, hooks, view_of, views_of
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
# Offered where a saved view has one of them.
FURTHER_SORTS = {
    "-created_at": gettext_lazy("Newest first"),
    "created_at": gettext_lazy("Oldest first"),
    "-expected_close_date": gettext_lazy("Closing last"),
    "amount": gettext_lazy("Smallest amount first"),
    "-name": gettext_lazy("Name, from Z to A"),
}
# Parameters of the list that the columns of the board stand for.
OF_COLUMNS = {"pipeline", "stage", "trash", "status"}


class StatusFilter(FormFilter):
    """Open deals, unless another status is chosen, or the saved view has one."""

    title = gettext_lazy("Status")

    @classmethod
    def names(cls) -> list[str]:
        return ["status"]

    def fields(self, request: HttpRequest) -> dict[str, forms.Field]:
        choices = [*Deal.Statuses.choices, (ANY, pgettext("deals", "All"))]
        if names_status(view_of(request, Deal)):
            choices = [("", _("As in the view")), *choices]
        return {"status": forms.ChoiceField(choices=choices, label=_("Status"))}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not any(self.used_parameters.values()) and not names_status(view_of(request, Deal)):
            return queryset.filter(status=Deal.Statuses.OPEN)
        return super().queryset(request, queryset)

    def narrow(self, rows: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return rows if value["status"] == ANY else rows.filter(**value)


def names_status(view: StoredView | None) -> bool:
    return view is not None and "status" in view.filters


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
        sort = request.GET.get(SORT, "")
        own_order = self.view.ordering if self.view else ""
        self.default_ordering = own_order if _is_order(own_order) else DEFAULT_ORDERING
        self.ordering = sort if _is_order(sort) else self.default_ordering

    @cached_property
    def view(self) -> StoredView | None:
        """The saved view of the address, which is one of the others."""
        return view_of(self.request, Deal)

    @property
    def views(self) -> list[dict[str, Any]]:
        """The saved views of deals that the member sees."""
        return [
            {
                "name": view.name,
                "url": _url(view),
                "is_shared": view.is_shared,
                "is_current": view == self.view,
            }
            for view in views_of(self.request, Deal)
        ]

    @property
    def save_url(self) -> str:
        """The form that saves the filters and the order as a view; empty if none is chosen."""
        is_chosen = self.count or self.text or self.ordering != self.default_ordering
        if not is_chosen or self.errors:
            return ""
        return hooks.save_filters_url(self.request, Deal, self.list_query, self.ordering)

    @property
    def sorts(self) -> dict[str, Any]:
        current = self.ordering
        return SORTS if current in SORTS else {**SORTS, current: FURTHER_SORTS.get(current, current)}

    def left_out(self, pipeline: Any) -> list[str]:
        """The parts of the saved view that do not apply to the board of a pipeline, each as a sentence."""
        if self.view is None:
            return []
        texts = []
        if self.view.ordering and not _is_order(self.view.ordering):
            order = _(self.view.ordering.removeprefix("-").replace("_", " "))
            texts.append(_("Cards cannot be sorted as this view is: by “%(order)s”.") % {"order": order})
        if self.view.columns:
            texts.append(_("The columns of this view are those of the list: every card has the same fields."))
        named = pipelines_of(self.view)
        if named and pipeline.pk not in named:
            text = _("This view leaves out the pipeline %(pipeline)s, so that there are no deals here.")
            texts.append(text % {"pipeline": pipeline.name})
        return texts

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
        """The chosen status, else that of the saved view, which may be several, else `open`."""
        stored = self.view.filters.get("status") if self.view else None
        chosen: str = self.parameters.get("status") or stored or Deal.Statuses.OPEN
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
        """The number of active filters, without the text and the saved view, which are seen beside it."""
        return len(
            [
                spec
                for spec in (*self.specs, *self.others)
                if any(spec.used_parameters.values()) and not isinstance(spec, ViewFilter)
            ]
        )

    @property
    def query(self) -> str:
        """The query of the board's address: the filters and the order."""
        sort = {} if self.ordering == self.default_ordering else {SORT: self.ordering}
        return urlencode({**self.parameters, **sort})

    @property
    def list_query(self) -> dict[str, str]:
        """The parameters with which the list has the same deals."""
        shared = {name: value for name, value in self.parameters.items() if name != "status"}
        is_stored = "status" not in self.parameters and names_status(self.view)
        return shared if is_stored or self.status == ANY else {**shared, "status": self.status}

    @property
    def chips(self) -> list[dict[str, str]]:
        """The active filters that the board has no fields for, each with the address without it."""
        return [
            {"title": spec.title, "value": _value(spec), "url": self._without(spec)}
            for spec in self.others
            if not isinstance(spec, ViewFilter)
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


def _is_order(name: str) -> bool:
    return name.removeprefix("-") in ORDERINGS


def pipelines_of(view: StoredView) -> list[int]:
    """The ids of the pipelines by which the view filters."""
    return [whole_number(key) for key in view.filters.get("pipeline", "").split(",") if key]


def _url(view: StoredView) -> str:
    """The board with the view: that of its first pipeline if it names some, else the present one."""
    named = pipelines_of(view)
    path = reverse("admin:deals_deal_board", args=[named[0]]) if named else ""
    return f"{path}?{urlencode({VIEW: view.uuid})}"


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
