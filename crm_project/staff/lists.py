"""Change lists without counts: a page, and whether there is a next one."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, SEARCH_VAR
from django.core.paginator import InvalidPage
from django.db.models import F
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.views import ChangeList

from crm_project.accounts.actors import Actor
from crm_project.generics import AnyPage, AnyPaginator
from crm_project.records.paging import Cursor, InvalidCursor, Key, order_of, page_of
from crm_project.staff import saved_views
from crm_project.staff.counts import counted_rows
from crm_project.staff.filters import TrashFilter
from crm_project.staff.request_actor import actor_of

# Instead of a count of rows: more than any list has.
NO_COUNT = 10**9
# Parameters in which two addresses of the same view may differ.
OUTSIDE_VIEWS = frozenset({PAGE_VAR, ERROR_FLAG})


class PeekPage(AnyPage):
    """A page that was read with one row more, so that a next page is found without a count."""

    has_more = False

    def has_next(self) -> bool:
        return self.has_more


class PeekPaginator(AnyPaginator):
    template_name = "admin/pages.html"

    @cached_property
    def count(self) -> int:
        return NO_COUNT

    def page(self, number: Any) -> PeekPage:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        rows: Sequence[Any] = list(self.object_list[start : start + self.per_page + 1])
        page = PeekPage(rows[: self.per_page], number, self)
        page.has_more = len(rows) > self.per_page
        return page


class StaffChangeList(ChangeList):  # type: ignore[misc]
    """A change list with links to the next and previous page.

    Long lists have pages by cursor, like the API: the thousandth page is as fast as the first one. Lists of settings
    have numbered pages.
    """

    in_trash = False
    actor: Actor | None = None
    next_page = previous_page = ""
    keyset_ordering = ""

    def __init__(self, request: Any, *args: Any) -> None:
        self.request, self.query_dict = request, request.GET
        super().__init__(request, *args)
        self.title = capfirst(self.opts.verbose_name_plural)
        if self.in_trash:
            self.title = _("%(title)s in the trash") % {"title": self.title}

    @property
    def active_filters(self) -> int:
        """The number of active filters; the trash is not counted as a filter."""
        used = [spec for spec in self.filter_specs if any(spec.used_parameters.values())]
        return len([spec for spec in used if not isinstance(spec, TrashFilter)])

    @property
    def offers_filters(self) -> bool:
        return any(not isinstance(spec, TrashFilter) for spec in self.filter_specs)

    @property
    def filter_errors(self) -> list[str]:
        """The errors of the filters' forms, because of which the list is empty."""
        return [
            f"{spec.title}: {error}"
            for spec in self.filter_specs
            if spec.used_parameters
            for errors in spec.form.errors.values()
            for error in errors
        ]

    @property
    def used_parameters(self) -> set[str]:
        """The parameters of the active filters."""
        return {name for spec in self.filter_specs for name, value in spec.used_parameters.items() if value}

    @property
    def note(self) -> str:
        return str(self.model_admin.list_note(self))

    @property
    def chips(self) -> list[dict[str, Any]]:
        """The active filters and the search, each with the address of the list without it."""
        used = [spec for spec in self.filter_specs if any(spec.used_parameters.values())]
        chips = [
            {"title": spec.title, "value": spec.value_label, "url": self.without(*spec.names())}
            for spec in used
            if not isinstance(spec, TrashFilter)
        ]
        text = {"title": _("Search"), "value": self.query, "url": self.without(SEARCH_VAR)}
        return [*chips, text] if self.query else chips

    def without(self, *names: str) -> str:
        """The address of the list without these parameters, from its first page."""
        query = self.query_dict.copy()
        for name in (*names, PAGE_VAR):
            query.pop(name, None)
        return f"?{query.urlencode()}"

    @cached_property
    def totals(self) -> list[tuple[str, Any]]:
        """What the filtered rows add up to; nothing for a list of all rows, which may be long."""
        if not self.is_narrowed or self.in_trash or self.filter_errors:
            return []
        return list(self.model_admin.list_totals(self))

    @cached_property
    def tabs(self) -> list[dict[str, Any]]:
        """The views of the list, each a query; the current one has the parameters of the address."""
        if self.in_trash or self.is_popup:
            return []
        given = {name: value for name, value in self.query_dict.items() if name not in OUTSIDE_VIEWS}
        tabs = [*self.model_admin.list_tabs(self.request), *self._saved_tabs()]
        return [
            {**tab, "url": f"?{urlencode(tab['query'])}", "is_current": tab["query"] == given} for tab in tabs
        ]

    def _saved_tabs(self) -> list[dict[str, Any]]:
        if not self.model_admin.has_views:
            return []
        return [
            {
                "label": view.name,
                "title": _("Shared with the organization") if view.is_shared else _("Only you see this view"),
                "query": {saved_views.VIEW: view.uuid},
            }
            for view in saved_views.views_of(self.request, self.model)
        ]

    @cached_property
    def save_url(self) -> str:
        """The form that saves the filters of the list as a view."""
        can_save = (
            self.model_admin.has_views and self.is_narrowed and not self.in_trash and not self.filter_errors
        )
        return saved_views.hooks.save_url(self.request, self.model) if can_save else ""

    @property
    def is_narrowed(self) -> bool:
        return bool(self.query or self.active_filters)

    @property
    def counted(self) -> str:
        """The number of rows of a list of one page, in words."""
        return counted_rows(self.model, self.result_count)

    @property
    def first_page(self) -> str:
        """The link to the first page, on the other pages."""
        return self.get_query_string(remove=[PAGE_VAR]) if self.previous_page else ""

    def get_results(self, request: Any) -> None:
        self.actor = actor_of(request)
        self.in_trash = self.model_admin.in_trash(request)
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        self.keyset_ordering = ordering = self._keyset_ordering(request)
        self.result_list = self._by_cursor(request, ordering) if ordering else self._by_number()
        self.result_count = self.full_result_count = len(self.result_list)
        self.show_full_result_count = self.show_admin_actions = True
        self.can_show_all = False
        self.multi_page = bool(self.next_page or self.previous_page)

    def _by_cursor(self, request: Any, ordering: str) -> list[Any]:
        key, text = self._key(ordering), request.GET.get(PAGE_VAR, "")
        try:
            # A number is from an old bookmark: long lists had numbered pages once.
            cursor = Cursor.decode(text, ordering=ordering) if text and not text.isdigit() else None
            rows = self.model_admin.list_rows(request, self.queryset)
            page = page_of(rows, key, ordering, cursor, self.list_per_page)
        except InvalidCursor as error:
            raise IncorrectLookupParameters from error
        self.next_page, self.previous_page = self._link(page.next), self._link(page.previous)
        return page.rows

    def _link(self, cursor: Cursor | None) -> str:
        return self.get_query_string({PAGE_VAR: cursor.encode()}) if cursor else ""

    def _by_number(self) -> Sequence[Any]:
        try:
            page: AnyPage = self.paginator.page(self.page_num)
        except InvalidPage as error:
            raise IncorrectLookupParameters from error
        number = self.page_num
        self.next_page = self.get_query_string({PAGE_VAR: number + 1}) if page.has_next() else ""
        self.previous_page = self.get_query_string({PAGE_VAR: number - 1}) if number > 1 else ""
        return list(page.object_list)

    def _keyset_ordering(self, request: Any) -> str:
        """The column by which a long list is sorted, with its sign; empty for a list with numbered pages."""
        ordering = next(iter(super().get_ordering(request, self.root_queryset)), None)
        is_keyset = isinstance(ordering, str) and ordering.lstrip("-") in self.model_admin.keyset_columns
        return str(ordering) if is_keyset else ""

    def _key(self, ordering: str) -> Key:
        name = ordering.lstrip("-")
        field = self.opts.get_field(name)
        return Key(name, nullable=field.null, text=field.get_internal_type() == "CharField")

    def get_ordering_field_columns(self) -> Any:
        """A long list is sorted by one column at a time."""
        columns = list(super().get_ordering_field_columns().items())
        return dict(columns[:1] if self.model_admin.keyset_columns else columns)

    def get_ordering(self, request: Any, queryset: Any) -> list[Any]:
        """On both databases, rows without a value come last in either direction."""
        ordering = self._keyset_ordering(request)
        if ordering:
            key = self._key(ordering)
            return order_of(str(key.expression), key.nullable, ordering.startswith("-"))
        return [_nulls_last(key) for key in super().get_ordering(request, queryset)]


def _nulls_last(key: Any) -> Any:
    if not isinstance(key, str) or key.lstrip("-") in ("pk", "id"):
        return key
    name = key.lstrip("-")
    return F(name).desc(nulls_last=True) if key.startswith("-") else F(name).asc(nulls_last=True)
