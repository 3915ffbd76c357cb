"""Change lists that never count: a page, and whether there is a next one."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import InvalidPage, Page, Paginator
from django.db import connection
from django.db.models import F
from django.utils.functional import cached_property
from django.utils.text import capfirst
from unfold.views import ChangeList

from crm_project.accounts.actors import Actor
from crm_project.staff.filters import TrashFilter
from crm_project.staff.people import actor_of

# More than any list has pages of; nobody asks the database.
UNCOUNTED = 10**9


class PeekPage(Page):
    """A page that has looked one row ahead."""

    more = False

    def has_next(self) -> bool:
        return self.more


class PeekPaginator(Paginator):
    template_name = "admin/pages.html"

    @cached_property
    def count(self) -> int:
        return UNCOUNTED

    def page(self, number: Any) -> PeekPage:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        rows: Sequence[Any] = list(self.object_list[start : start + self.per_page + 1])
        page = PeekPage(rows[: self.per_page], number, self)
        page.more = len(rows) > self.per_page
        return page


class StaffChangeList(ChangeList):
    """Remembers whether there is a next page, and who is asking."""

    has_next = False
    in_trash = False
    actor: Actor | None = None

    def __init__(self, request: Any, *args: Any) -> None:
        super().__init__(request, *args)
        self.title = capfirst(self.opts.verbose_name_plural)
        if self.in_trash:
            self.title = f"{self.title} in the trash"

    @property
    def active_filters(self) -> int:
        """How many filters narrow the list; the trash is a place, and no filter to the eye."""
        used = [spec for spec in self.filter_specs if any(spec.used_parameters.values())]
        return len([spec for spec in used if not isinstance(spec, TrashFilter)])

    @property
    def is_narrowed(self) -> bool:
        return bool(self.query or self.active_filters)

    def get_results(self, request: Any) -> None:
        self.actor = actor_of(request)
        self.in_trash = self.model_admin.in_trash(request)
        paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        try:
            page = paginator.page(self.page_num)
        except InvalidPage as error:
            raise IncorrectLookupParameters from error
        self.result_list = page.object_list
        self.has_next = page.has_next()
        self.result_count = len(page.object_list)
        self.full_result_count = self.result_count
        self.show_full_result_count = self.show_admin_actions = True
        self.can_show_all = False
        self.multi_page = self.has_next or self.page_num > 1
        self.paginator = paginator

    def get_ordering(self, request: Any, queryset: Any) -> list[Any]:
        """On both databases rows without a value come last going up, and first coming down."""
        return [_nulls_like_postgres(key) for key in super().get_ordering(request, queryset)]


def _nulls_like_postgres(key: Any) -> Any:
    """PostgreSQL sorts so by itself, and only its own way can use an index."""
    if connection.vendor == "postgresql" or not isinstance(key, str) or key.lstrip("-") in ("pk", "id"):
        return key
    name = key.lstrip("-")
    return F(name).desc(nulls_first=True) if key.startswith("-") else F(name).asc(nulls_last=True)
