"""Saved views in the admin: their pages, and the tabs of the lists that have some."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_project.accounts.actors import Actor
from crm_project.records.member_queries import MemberQuery
from crm_project.records.rows import plain_rows
from crm_project.saved_views import services
from crm_project.saved_views.lists import LISTS, list_of, narrowed
from crm_project.saved_views.models import SavedView
from crm_project.saved_views.parameters import FROM_ADMIN, api_parameters
from crm_project.staff import display
from crm_project.staff.actions import RestoreAction, TrashAction, each
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.filters import choice_filter, yes_no_filter
from crm_project.staff.forms import StaffForm
from crm_project.staff.inputs import CheckboxList, Textarea, whole_number
from crm_project.staff.request_actor import actor_of
from crm_project.staff.saved_views import VIEW, StoredView

SEPARATOR = "="


class FiltersField(forms.CharField):
    """The parameters of a view, one per line: `status=open`."""

    widget = Textarea

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return "\n".join(f"{name}{SEPARATOR}{text}" for name, text in value.items())
        return value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return dict(value)
        lines = [line.strip() for line in str(value or "").splitlines() if line.strip()]
        pairs = [line.partition(SEPARATOR) for line in lines]
        return {name.strip(): text.strip() for name, _separator, text in pairs}

    def run_validators(self, value: Any) -> None:
        """The service validates the parameters."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))


def _column_choices() -> list[tuple[str, str]]:
    """The columns of all lists, named in the language of the reader as the models name them."""
    names = dict.fromkeys(column for one in LISTS.values() for column in one.columns)
    return [(name, _(name.replace("_", " ")).capitalize()) for name in names]


class SavedViewForm(StaffForm):
    labels: ClassVar[Mapping[str, str | Promise]] = {
        "is_shared": gettext_lazy("Shared"),
        "ordering": gettext_lazy("Order"),
    }
    help_texts: ClassVar[Mapping[str, str | Promise]] = {
        "is_shared": gettext_lazy("The whole organization sees it. It is changed by you alone."),
        "ordering": gettext_lazy("A field of the list, with a minus for the largest first: -amount."),
        "columns": gettext_lazy("If none is chosen, the list has all of its columns."),
    }
    filters = FiltersField(
        required=False,
        widget=Textarea({"rows": 6}),
        label=gettext_lazy("Filters"),
        help_text=gettext_lazy(
            "Parameters of the API's list, one per line: “status=open”. “Save this view” on a list writes them."
        ),
    )
    columns = forms.MultipleChoiceField(
        choices=_column_choices,
        required=False,
        label=gettext_lazy("Columns"),
        widget=CheckboxList(),
    )

    def form_name(self, path: str) -> str | None:
        """An error of one parameter is shown at the field of all of them."""
        return super().form_name(path.partition(".")[0])

    def change(self) -> dict[str, Any]:
        return {
            name: value for name, value in super().change().items() if name != "list" or not self.instance.pk
        }


@admin.register(SavedView)
class SavedViewAdmin(StaffModelAdmin):
    form = SavedViewForm
    select_related: ClassVar[Any] = ("owner__user",)
    empty_hint = gettext_lazy("Filter a list and choose “Save this view”.")
    search_fields: ClassVar[Any] = ("name",)
    ordering: ClassVar[Any] = ("-created_at", "-id")
    keyset_columns: ClassVar[Any] = ("created_at", "name")
    list_display: ClassVar[Any] = ("name", "list", "sharing", "filter_text", "owned_by", "created_at")
    list_filter: ClassVar[Any] = (
        choice_filter(gettext_lazy("List"), "list", SavedView.Lists.choices),
        yes_no_filter(gettext_lazy("Shared"), "is_shared"),
    )
    has_trash = True
    row_actions: ClassVar[Any] = (
        TrashAction(
            each(services.trash_saved_view, "saved_view"), gettext_lazy("It can be restored for 30 days.")
        ),
        RestoreAction(each(services.restore_saved_view, "saved_view")),
    )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        actor = actor_of(request)
        is_own = obj is None or (actor is not None and obj.owner_id == actor.member.pk)
        return is_own and super().has_change_permission(request, obj)

    def row_action_links(self, request: HttpRequest, row: Any) -> list[dict[str, Any]]:
        return super().row_action_links(request, row) if self.has_change_permission(request, row) else []

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        return [(None, {"fields": ["name", "list", "is_shared", "filters", "ordering", "columns"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return ("list",) if obj is not None else ()

    def create(self, actor: Actor, change: dict[str, Any]) -> SavedView:
        return services.create_saved_view(actor=actor, change=change)

    def update(self, actor: Actor, row: SavedView, change: dict[str, Any]) -> SavedView:
        return services.update_saved_view(actor=actor, saved_view=row, change=change)

    def header(self, request: HttpRequest, row: SavedView) -> dict[str, Any]:
        facts = [
            (_("List"), _link(row)),
            (_("Owner"), row.owner.full_name),
            (_("Id for the API"), str(row.uuid)),
        ]
        return {"template": "admin/facts.html", "facts": facts}

    @admin.display(description=gettext_lazy("Shared"))
    def sharing(self, row: SavedView) -> Any:
        return display.status("open", _("Shared")) if row.is_shared else display.status("muted", _("Private"))

    @admin.display(description=gettext_lazy("Filters"))
    def filter_text(self, row: SavedView) -> Any:
        return display.clipped(
            ", ".join(f"{name}={value}" for name, value in row.filters.items()) or display.NOTHING
        )

    @admin.display(description=gettext_lazy("Owner"))
    def owned_by(self, row: SavedView) -> str:
        return str(row.owner.full_name)


def _link(row: SavedView) -> Any:
    return display.anchor(
        f"{_changelist(LISTS[row.list].model)}?{urlencode({'view': row.uuid})}", row.get_list_display()
    )


def _changelist(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


_views = MemberQuery(
    lambda member, name: SavedView.objects.visible_to(member).filter(list=name).order_by("name", "id"),
    kinds=(SavedView,),
    builder=plain_rows,
)


def stored_views(request: HttpRequest, model: Any) -> list[StoredView]:
    """The views of a list that the member sees: those of one's own first, then by name."""
    actor, name = actor_of(request), list_of(model)
    if actor is None or not name:
        return []
    views = _views.rows(actor.member, name)
    ordered = sorted(views, key=lambda view: view.owner_id != actor.member.pk)
    return [
        StoredView(
            uuid=str(view.uuid),
            name=view.name,
            is_shared=view.is_shared,
            filters=view.filters,
            ordering=view.ordering,
            columns=view.columns,
            narrow=partial(narrowed, actor, view),
        )
        for view in ordered
    ]


def _ordering(request: HttpRequest, name: str) -> str:
    """The order of the list in the name of the API, if the API has it."""
    one = LISTS[name]
    page = admin.site._registry[one.model]
    given = request.GET.get(ORDER_VAR, "")
    index = whole_number(given.removeprefix("-"))
    columns: Sequence[Any] = page.get_list_display(request)
    if not 0 < index <= len(columns):
        return ""
    field = str(
        getattr(getattr(page, columns[index - 1], None), "admin_order_field", None) or columns[index - 1]
    )
    is_descending = given.startswith("-") != field.startswith("-")
    column = field.removeprefix("-")
    return f"{'-' if is_descending else ''}{column}" if column in one.viewset.orderings else ""


def save_url(request: HttpRequest, model: Any) -> str:
    """The form for a new view with the filters and the order of the list's address."""
    name = list_of(model)
    ordering = _ordering(request, name) if name else ""
    return save_filters_url(request, model, request.GET.dict(), ordering)


def save_filters_url(request: HttpRequest, model: Any, parameters: Mapping[str, str], ordering: str) -> str:
    """The form for a new view with these filters; empty if they cannot be expressed, or are those of a view alone.

    An order that the list of the API does not have is left out.
    """
    name, own = (
        list_of(model),
        {key for key, value in parameters.items() if value} - {VIEW, PAGE_VAR, ORDER_VAR},
    )
    if not own or name not in FROM_ADMIN or not admin.site._registry[SavedView].has_add_permission(request):
        return ""
    given = api_parameters(request, name, parameters)
    if not given:
        return ""
    ordering = ordering if ordering.removeprefix("-") in LISTS[name].viewset.orderings else ""
    lines = "\n".join(f"{parameter}{SEPARATOR}{value}" for parameter, value in given.items())
    query = {"list": name, "filters": lines, **({"ordering": ordering} if ordering else {})}
    return f"{reverse('admin:saved_views_savedview_add')}?{urlencode(query)}"
