"""The base of every ModelAdmin: permissions by role, visible rows only, writes by services, refusals as form errors.

Django's ModelAdmin would offer other organizations' rows in filters, autocompletes and foreign keys, delete without
the services, and answer a refusal with a 500. A subclass declares its fields; it writes by the services of its kind.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin import display as display_column
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IS_POPUP_VAR, TO_FIELD_VAR
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise, lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.errors import DomainError
from crm_project.languages.caching import cached_by_language
from crm_project.records.fields import MoneyField
from crm_project.records.kinds import Services, kind_of
from crm_project.records.querysets import RESTORABLE_FOR
from crm_project.staff import custom, display, filters, inputs, once, panels, saved_views
from crm_project.staff.actions import (
    AdminAction,
    action_page,
    action_url,
    list_action,
    refusal_of,
    rows_of_action,
)
from crm_project.staff.edit_conflicts import SavedMeanwhile
from crm_project.staff.forms import RowActionForm, StaffForm
from crm_project.staff.history import history_panel
from crm_project.staff.lists import PeekPaginator, StaffChangeList
from crm_project.staff.pages import remove_indentation, render_page
from crm_project.staff.request_actor import actor_of, visible

Fieldsets = list[Any]
# The parameters of every list; some of them are not for people.
HIDDEN = frozenset({ERROR_FLAG, IS_POPUP_VAR, TO_FIELD_VAR})
OF_LISTS = frozenset({SEARCH_VAR, ORDER_VAR, PAGE_VAR, *HIDDEN})
LIST_SCRIPTS = ("core.js", "actions.js")


@cached_by_language
def _select_label() -> str:
    return _("Select %(name)s")


class StaffModelAdmin(ModelAdmin):  # type: ignore[misc]
    form = StaffForm
    view_permission: ClassVar[Permission] = Permission.VIEW
    edit_permission: ClassVar[Permission] = Permission.EDIT_DEALS
    row_actions: ClassVar[Sequence[AdminAction]] = ()
    # Whether the page of a row has two tabs: an overview, and the form.
    has_tabs: ClassVar[bool] = False
    # Whether members save views of the list; `column_names` has the names of its columns in the API.
    has_views: ClassVar[bool] = False
    column_names: ClassVar[Mapping[str, str]] = {}
    # The kind of the custom fields that this model has, if any.
    custom_kind: ClassVar[str] = ""
    has_trash: ClassVar[bool] = False
    # Labels of the many-to-many relations in the form, by field name.
    many: ClassVar[Mapping[str, str | Promise]] = {}
    # Relations to rows that may be invisible to a member who sees this row.
    guarded: ClassVar[Sequence[str]] = ()
    select_related: ClassVar[Sequence[str]] = ()
    # Links beside the titles of lists, by the model of the list, as (label, icon, URL name, permission).
    list_tools: ClassVar[Mapping[type[Model], Sequence[tuple[str | Promise, str, str, Permission]]]] = {}

    # Exports of chosen rows, by the model of the list, as (name, label, action of the list).
    list_exports: ClassVar[Mapping[type[Model], Sequence[tuple[str, str | Promise, Any]]]] = {}

    # Panels on the pages of other models, or of this one.
    panel_factories: ClassVar[Mapping[type[Model], panels.PanelFactory]] = {}
    # Columns with an index by which a long list can be sorted, in pages by cursor. A list without has numbered pages.
    keyset_columns: ClassVar[Sequence[str]] = ()

    action_form = RowActionForm
    # The columns that a long list shows or names its rows by, of related rows, too; all unless given.
    list_columns: ClassVar[Sequence[str]] = ()

    paginator = PeekPaginator
    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_filter_submit = True
    list_fullwidth = True
    list_before_template = "admin/list_notes.html"
    warn_unsaved_form = True
    change_form_show_cancel_button = True
    save_on_top = False
    view_on_site = False
    empty_value_display = display.NOTHING
    # The text of an empty list.
    empty_hint: ClassVar[str | Promise] = ""
    search_help_text: ClassVar[str | Promise] = gettext_lazy("Search")
    formfield_overrides: ClassVar[Any] = {
        models.CharField: {"strip": False, "widget": inputs.TextInput},
        models.TextField: {"form_class": inputs.LongText, "widget": inputs.Textarea({"rows": 4})},
        models.DateField: {"widget": inputs.DayInput},
        models.DateTimeField: {"form_class": inputs.Instant, "widget": inputs.InstantInput},
        MoneyField: {"form_class": inputs.DecimalInput, "widget": inputs.TextInput},
    }

    # -- Writes, by the services of the kind.

    @property
    def services(self) -> Services:
        """The services of the model's kind; a model that is no kind has none."""
        kind = kind_of(self.model)
        return kind.services if kind is not None else Services()

    def create(self, actor: Actor, change: dict[str, Any]) -> Any:
        """Create a row and return it."""
        if self.services.create is None:
            raise PermissionDenied
        return self.services.create(actor=actor, changes=[change])[0]

    def update(self, actor: Actor, row: Any, change: dict[str, Any]) -> Any:
        """Apply the change and return the row as written."""
        if self.services.update is None:
            raise PermissionDenied
        return self.services.update(actor=actor, changes=[(row, change)])[0].row

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        raise NotImplementedError

    # -- Permissions.

    def actor(self, request: HttpRequest) -> Actor:
        actor = actor_of(request)
        if actor is None:
            raise PermissionDenied
        return actor

    def may(self, request: HttpRequest, permission: Permission) -> bool:
        actor = actor_of(request)
        return actor is not None and actor.may(permission)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, self.view_permission)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, self.edit_permission)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, self.edit_permission)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.row_action("trash") is not None and self.may(request, self.edit_permission)

    # -- Rows and relations.

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        actor = actor_of(request)
        if self.in_trash(request) and actor is not None:
            rows: QuerySet[Any] = self.model.objects.trash_visible_to(actor.member, timezone.now())
        else:
            rows = visible(request, self.model)
        rows = rows.order_by(*self.get_ordering(request))
        return rows.select_related(*self.select_related) if self.select_related else rows

    def in_trash(self, request: HttpRequest) -> bool:
        """Whether the request is a change list of the trash."""
        match = getattr(request, "resolver_match", None)
        is_list = match is not None and str(match.url_name).endswith("_changelist")
        return self.has_trash and is_list and request.GET.get(filters.TRASH) == "only"

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        for name in self.guarded if row is not None else ():
            key = getattr(row, f"{name}_id")
            related = self.model._meta.get_field(name).related_model
            if key is not None and not visible(request, related).filter(pk=key).exists():
                setattr(row, name, None)
        return row

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer visible rows only; the id of any other row is an invalid choice."""
        kwargs["queryset"] = self.offered(request, db_field.related_model, db_field.name)
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", inputs.RowSelect(db_field, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        wrapper: Any = getattr(field, "widget", None)
        if hasattr(wrapper, "can_change_related"):
            wrapper.can_change_related = wrapper.can_delete_related = wrapper.can_view_related = False
        return field

    def offered(self, request: HttpRequest, model: type[Model], name: str) -> QuerySet[Any]:
        rows = visible(request, model)
        admin = self.admin_site._registry.get(model)
        related = getattr(admin, "select_related", ())
        return rows.select_related(*related) if related else rows

    def many_field(self, request: HttpRequest, name: str, label: str | Promise) -> forms.Field:
        db_field: Any = self.model._meta.get_field(name)
        return inputs.RowsField(
            self.offered(request, db_field.related_model, name),
            required=False,
            label=label,
            widget=inputs.RowsSelect(db_field, self.admin_site),
        )

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if hasattr(queryset, "matching") and self.search_fields == ("search_text",):
            return queryset.matching(search_term.strip()), False
        condition = models.Q()
        for column in self.search_fields:
            condition |= models.Q(**{f"{column}__icontains": search_term.strip()})
        return (queryset.filter(condition) if search_term.strip() else queryset), False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Allow parameters of filters only: other lookups would reveal invisible columns and rows."""
        own: Sequence[type[filters.FormFilter]] = self.get_list_filter(request) if request is not None else []
        return any(lookup in list_filter.names() for list_filter in own)

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        return bool(to_field == self.opts.pk.name)

    # -- Lists.

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[StaffChangeList]:
        return StaffChangeList

    def list_rows(self, request: HttpRequest, queryset: Any) -> Any:
        """The rows of a long list with what its columns show: plain ones, but for logins. See `records.rows`."""
        rows = queryset.only(*self.list_columns) if self.list_columns else queryset
        return rows.as_rows() if hasattr(rows, "as_rows") else rows

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        own = list(super().get_list_filter(request))
        if self.custom_kind:
            definitions = custom.definitions(request, self.custom_kind)
            own += [filters.custom_filter(definition) for definition in definitions.values()]
        own += [filters.ChosenFilter, *([saved_views.ViewFilter] if self.has_views else [])]
        return [*own, filters.TrashFilter] if self.has_trash else own

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        """A row in the trash has no page."""
        return None if self.in_trash(request) else super().get_list_display_links(request, list_display)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        if IS_POPUP_VAR in request.GET:
            return {}
        trash = self.in_trash(request)
        own = [
            action
            for action in self.row_actions
            if action.on_many and action.on_trash == trash and action.may(self, request)
        ]
        offered = {
            f"action_{action.name}": (list_action(action), f"action_{action.name}", action.label)
            for action in own
        }
        exports = {
            name: (export, name, label)
            for page in self.admin_site._registry.values()
            for name, label, export in (() if trash else page.list_exports.get(self.model, ()))
            if self.has_view_permission(request)
        }
        return offered | exports

    @property
    def media(self) -> Any:
        """Django's scripts without those of prepopulated fields, which no form of ours has.

        The theme's property would instantiate the list filters and store a request on this shared object.
        """
        # The same file as that of Django's widgets.
        jquery = f"vendor/jquery/jquery{'' if settings.DEBUG else '.min'}.js"
        names = (jquery, "jquery.init.js", "core.js", "admin/RelatedObjectLookups.js")
        return forms.Media(js=[f"admin/js/{name}" for name in names])

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        wrong = self.wrong_parameters(request)
        if wrong:
            return self._wrong_address(request, wrong)
        address = filters.plain_address(request, self.get_list_filter(request))
        if address and request.method == "GET":
            return HttpResponseRedirect(address)
        if ERROR_FLAG in request.GET:
            messages.warning(
                request, _("The page in the address is not valid any more. This is the first page.")
            )
        context = {
            "tools": self.tools_for(request),
            "in_trash": self.in_trash(request),
            "media": forms.Media(js=[f"admin/js/{name}" for name in LIST_SCRIPTS]),
        }
        response: HttpResponse = super().changelist_view(request, {**context, **(extra_context or {})})
        if isinstance(response, TemplateResponse):
            response.add_post_render_callback(remove_indentation)
        return response

    def list_tabs(self, request: HttpRequest) -> list[dict[str, Any]]:
        """The views of the list, each with a `label` and the `query` of its address as a mapping."""
        return []

    def list_totals(self, changelist: StaffChangeList) -> Sequence[tuple[str, Any]]:
        """What the filtered rows add up to, as (label, value)."""
        return ()

    def action_checkbox(self, obj: Any) -> str:
        return display.html(
            '<input type="checkbox" class="action-select" name="{}" value="{}" aria-label="{}">',
            ACTION_CHECKBOX_NAME,
            str(obj.pk),
            _select_label() % {"name": obj},
        )

    action_checkbox.short_description = lazy(format_html, SafeString)(  # type: ignore[attr-defined]
        '<input type="checkbox" class="action-toggle" id="action-toggle" aria-label="{}">',
        gettext_lazy("Select all of this page"),
    )

    def wrong_parameters(self, request: HttpRequest) -> dict[str, str]:
        """The parameters of a list's address that it does not have, with the API's text for each."""
        filters_of = (list_filter.names() for list_filter in self.get_list_filter(request))
        known = {*OF_LISTS, *(name for names in filters_of for name in names)}
        offered = ", ".join(sorted(known - HIDDEN))
        return {
            name: _("There is no such parameter. Known: %(names)s.") % {"names": offered}
            if name not in known
            else _("Send this parameter only once.")
            for name, values in request.GET.lists()
            if name not in known or len(values) > 1
        }

    def _wrong_address(self, request: HttpRequest, wrong: dict[str, str]) -> HttpResponse:
        title = _("This address has an error")
        return render_page(self, request, "admin/wrong_address.html", status=400, title=title, wrong=wrong)

    def list_note(self, changelist: StaffChangeList) -> str:
        """A warning above the list about what it shows, or nothing."""
        return ""

    def tools_for(self, request: HttpRequest) -> list[dict[str, Any]]:
        if self.in_trash(request):
            return []
        query = request.GET.urlencode()
        own = [
            {"label": label, "icon": icon, "url": f"{reverse(name)}?{query}" if query else reverse(name)}
            for page in self.admin_site._registry.values()
            for label, icon, name, permission in page.list_tools.get(self.model, ())
            if self.may(request, permission)
        ]
        trash = {"label": _("Trash"), "icon": "delete", "url": f"?{filters.TRASH}=only"}
        return [*own, trash] if self.has_trash and self.has_change_permission(request) else own

    def get_list_display(self, request: HttpRequest) -> Any:
        own = super().get_list_display(request)
        view = saved_views.view_of(request, self.model) if self.has_views else None
        if view is not None and view.columns:
            own = [own[0], *(name for name in own[1:] if self.column_names.get(name) in view.columns)]
        return [*own, "restorable_for"] if self.in_trash(request) else own

    def get_ordering(self, request: HttpRequest) -> Any:
        """The order of the view in the address, if the list can be sorted so."""
        own = super().get_ordering(request)
        view = saved_views.view_of(request, self.model) if self.has_views else None
        name = view.ordering if view is not None else ""
        return (name, "id") if name.lstrip("-") in self.keyset_columns else own

    @display_column(description=gettext_lazy("Restorable for"))
    def restorable_for(self, row: Any) -> str:
        days = max(0, (row.deleted_at + RESTORABLE_FOR - timezone.now()).days)
        if not days:
            return _("a few hours")
        return ngettext("%(count)s day", "%(count)s days", days) % {"count": days}

    # -- Forms.

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Fieldsets:
        definitions = custom.definitions(request, self.custom_kind) if self.custom_kind else {}
        own = self.fieldsets_for(request, obj)
        if not definitions:
            return own
        names = [f"{custom.PREFIX}{key}" for key in definitions]
        return [*own, (_("Custom fields"), {"fields": names, "classes": ["tab"]})]

    def extra_fields(self, request: HttpRequest, row: Any) -> dict[str, forms.Field]:
        """Form fields that are not columns."""
        fields: dict[str, forms.Field] = {
            name: self.many_field(request, name, label) for name, label in self.many.items()
        }
        if self.custom_kind:
            definitions = custom.definitions(request, self.custom_kind)
            stored = row.custom_fields if row is not None else {}
            fields |= custom.form_fields(definitions, stored, creating=row is None)
        return fields

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        attributes: dict[str, Any] = {"request": request, "refusal": getattr(request, "staff_refusal", None)}
        attributes["many"] = tuple(self.many)
        attributes |= self.extra_fields(request, obj)
        kwargs["form"] = type(self.form.__name__, (self.form,), attributes)
        names = flatten_fieldsets(self.get_fieldsets(request, obj))
        columns = {field.name for field in self.opts.get_fields() if getattr(field, "editable", False)}
        declared = {**self.form.base_fields, **attributes}
        readonly = set(self.get_readonly_fields(request, obj))
        kwargs["fields"] = [
            name for name in names if name in columns and name not in declared and name not in readonly
        ]
        # Read-only fields have the labels of the form too.
        kwargs["labels"] = self.form.labels
        return super().get_form(request, obj, change, **kwargs)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """After a refusal, which rolls back the transaction, show the form again with the errors of the refusal."""
        try:
            return self._changeform_once(request, object_id, form_url, extra_context)
        except (DomainError, IntegrityError) as error:
            request.staff_refusal = refusal_of(error)  # type: ignore[attr-defined]
            response: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
            return response

    def _changeform_once(self, request: HttpRequest, object_id: str | None, *args: Any) -> HttpResponse:
        """Save a form that is sent twice once. A login without an organization has no keys."""
        respond = partial(super().changeform_view, request, object_id, *args)
        actor = actor_of(request)
        if request.method != "POST" or actor is None or not once.form_key(request):
            response: HttpResponse = respond()
            return response
        return once.respond_once(
            actor=actor,
            request=request,
            respond=respond,
            is_saved=lambda: getattr(request, "staff_is_saved", False),
            fallback=reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
            is_new=object_id is None,
        )

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        return form.instance

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor, values = self.actor(request), form.change()
        if not change:
            row = self.create(actor, values)
        else:
            seen = getattr(obj, "version", None)
            row = self.update(actor, obj, values) if values else obj
            if seen is not None and row.version > seen + 1:
                raise SavedMeanwhile
        vars(obj).update(vars(row))

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """The page of the new row, if the member may see it."""
        return self._stay(request, obj) or super().response_post_save_add(request, obj)

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._stay(request, obj) or super().response_post_save_change(request, obj)

    def _stay(self, request: HttpRequest, row: Any) -> HttpResponse | None:
        if not visible(request, self.model).filter(pk=row.pk).exists():
            return None
        url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])
        kept = {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts}
        is_form_hidden = self.has_tabs and request.resolver_match and request.resolver_match.kwargs
        return HttpResponseRedirect(add_preserved_filters(kept, url) + ("#edit" if is_form_hidden else ""))

    def log_saved(self, request: HttpRequest) -> None:
        """Note that the form of the request was saved."""
        request.staff_is_saved = True  # type: ignore[attr-defined]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Many-to-many relations are part of the change. A subclass with inlines overrides this."""

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        return ""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The service has recorded it in the journal."""
        self.log_saved(request)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The service has recorded it in the journal."""
        self.log_saved(request)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["form_key"] = uuid4().hex
        row = context.get("original")
        context["show_history"] = False
        context["show_delete"] = False
        if row is not None and not context.get("is_popup"):
            context["row_action_links"] = self.row_action_links(request, row)
            context["panels"] = self.panels(request, row)
            context["has_tabs"] = self.has_tabs
            context["header"] = self.header(request, row)
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def panels(self, request: HttpRequest, row: Any) -> list[panels.Panel]:
        factories = [
            page.panel_factories[self.model]
            for page in self.admin_site._registry.values()
            if self.model in page.panel_factories
        ]
        found = [panel for factory in (*factories, custom.free_fields) if (panel := factory(request, row))]
        history = None if any(panel.has_changes for panel in found) else history_panel(request, row)
        return [*found, history] if history else found

    def header(self, request: HttpRequest, row: Any) -> Any:
        """The context of the header above the form, with its `template`, or None."""
        return None

    def home_context(self, request: HttpRequest) -> dict[str, Any]:
        """What this model adds to the context of the home page."""
        return {}

    # -- Actions.

    def row_action(self, name: str) -> AdminAction | None:
        return next((action for action in self.row_actions if action.name == name), None)

    def row_action_links(self, request: HttpRequest, row: Any) -> list[dict[str, Any]]:
        """The buttons on the page of a row."""
        offered = [
            action
            for action in self.row_actions
            if not action.on_trash and action.may(self, request) and action.fits(row)
        ]
        return [
            {"action": action, "url": action_url(self, action, [row.pk], back=request.path)}
            for action in offered
        ]

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_action"
        own: list[URLPattern] = [
            path("action/<slug:name>/", self.admin_site.admin_view(self.action_view), name=name)
        ]
        return [*own, *super().get_urls()]

    def action_view(self, request: HttpRequest, name: str) -> HttpResponse:
        action, actor = self.row_action(name), actor_of(request)
        # None for an operator without an organization, who may change logins.
        acting: Any = actor
        if action is None or not action.may(self, request):
            raise PermissionDenied
        chosen = rows_of_action(self, request)
        rows = visible(request, self.model)
        if action.on_trash and actor is not None:
            rows = self.model.objects.trash_visible_to(actor.member, timezone.now())
        related = self.select_related
        rows = rows.select_related(*related) if related else rows
        found = list(rows.filter(pk__in=chosen).order_by("pk"))
        for row in found:
            row.seen_version = chosen[row.pk]
        return action_page(self, request, action, acting, found)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Redirect to our page: Django's would list and delete related rows."""
        action = self.row_action("trash")
        if action is None or not self.has_delete_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(action_url(self, action, [object_id]))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The history is a panel on the page of the row."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(name, args=[object_id]))
