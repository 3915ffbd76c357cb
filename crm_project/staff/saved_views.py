"""The saved views of a list as the admin's lists use them; the room of saved views sets the hooks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_project.staff.filters import FormFilter
from crm_project.staff.inputs import TextInput

VIEW = "view"


@dataclass(frozen=True)
class StoredView:
    """`filters`, `ordering` and `columns` are in the names of the API; `narrow` filters the rows of the list."""

    uuid: str
    name: str
    is_shared: bool
    filters: Mapping[str, str]
    ordering: str
    columns: Sequence[str]
    narrow: Callable[[QuerySet[Any]], QuerySet[Any]]


@dataclass
class Hooks:
    # views(request, model) -> the views of the model's list that the member sees, by name
    views: Callable[[HttpRequest, Any], Sequence[StoredView]] = lambda request, model: ()
    # url(request, model) -> the address of the form that saves the list as it is; empty if it cannot be saved
    save_url: Callable[[HttpRequest, Any], str] = lambda request, model: ""
    # url(request, model, parameters, ordering) -> that for filters in the list's names and an order in the API's
    save_filters_url: Callable[[HttpRequest, Any, Mapping[str, str], str], str] = (
        lambda request, model, parameters, ordering: ""
    )


hooks = Hooks()


def views_of(request: Any, model: Any) -> Sequence[StoredView]:
    """Queried once for a request."""
    if not hasattr(request, "staff_views"):
        request.staff_views = {}
    if model not in request.staff_views:
        request.staff_views[model] = hooks.views(request, model)
    found: Sequence[StoredView] = request.staff_views[model]
    return found


def view_of(request: HttpRequest, model: Any) -> StoredView | None:
    """The view that the address of a list names."""
    key = request.GET.get(VIEW, "")
    return next((view for view in views_of(request, model) if view.uuid == key), None) if key else None


class ViewFilter(FormFilter):
    """The rows of a saved view; other filters of the address apply to them, too."""

    title = gettext_lazy("View")

    @classmethod
    def names(cls) -> list[str]:
        return [VIEW]

    def has_output(self) -> bool:
        """Only where the form of the filters must keep the parameter. Tabs lead to the views."""
        return bool(self.used_parameters)

    def fields(self, request: HttpRequest) -> dict[str, forms.Field]:
        return {VIEW: ViewField(request, self.model, label=self.title)}

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        self.model = model
        super().__init__(request, params, model, model_admin)

    @property
    def value_label(self) -> str:
        view = view_of(self.request, self.model)
        return view.name if view else str(self.used_parameters.get(VIEW, ""))

    def narrow(self, rows: QuerySet[Any], value: Any) -> QuerySet[Any]:
        view: StoredView = value[VIEW]
        return view.narrow(rows)


class ViewField(forms.CharField):
    """The id of a view of the list that the member sees."""

    widget = TextInput

    def __init__(self, request: HttpRequest, model: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.request, self.model = request, model

    def clean(self, value: Any) -> Any:
        if not value:
            return None
        view = view_of(self.request, self.model)
        if view is None:
            raise forms.ValidationError(_("There is no such view of this list."))
        return view
