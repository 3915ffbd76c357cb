"""The command palette (Ctrl+K): acts, and a search of pages and rows that the member may see."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _
from unfold.dataclasses import SearchResult

from crm_project.staff.inputs import whole_number
from crm_project.staff.request_actor import actor_of, visible

ROWS_PER_MODEL = 8
TEXT_LIMIT = 200


def search(site: Any, request: HttpRequest) -> HttpResponse:
    """Acts, pages, and at most eight rows of each model with a `palette_icon`."""
    text = request.GET.get("s", "").replace("\x00", "").strip()[:TEXT_LIMIT]
    if not text:
        return HttpResponse()
    started = time.monotonic()
    results = [
        *_acts_on_page(site, request, text),
        *_new(site, request, text),
        *_pages(site, request, text),
        *_rows(site, request, text),
    ]
    paginator = Paginator(results, max(1, len(results)))
    context = {
        "page_obj": paginator,
        "results": paginator.page(1),
        "page_counter": 0,
        "execution_time": time.monotonic() - started,
        "command_show_history": False,
    }
    extended = "extended" in request.GET
    template = "command_results" if extended else "search_results"
    return TemplateResponse(
        request, f"unfold/helpers/{template}.html", context, headers={"HX-Trigger": "search"}
    )


def _pages(site: Any, request: HttpRequest, text: str) -> list[SearchResult]:
    needle = text.lower()
    return [
        SearchResult(title=str(model["name"]), description=_("Page"), link=model["admin_url"], icon="list")
        for app in site.get_app_list(request)
        for model in app["models"]
        if model["admin_url"] and needle in str(model["name"]).lower()
    ]


def _new(site: Any, request: HttpRequest, text: str) -> list[SearchResult]:
    """The forms for a new row of each model that has rows in the palette, for `new`, `add` and the model's name."""
    offered = [(_("New %(name)s") % {"name": name}, link) for name, link in _forms(site, request)]
    return [
        SearchResult(title=title, description=_("Add"), link=link, icon="add")
        for title, link in offered
        if _matches(text, f"new add + {_('Add')} {title}")
    ]


def _forms(site: Any, request: HttpRequest) -> Iterator[tuple[str, str]]:
    for model, admin in site._registry.items():
        if getattr(admin, "palette_icon", "") and admin.has_add_permission(request):
            opts = model._meta
            yield str(opts.verbose_name), reverse(f"admin:{opts.app_label}_{opts.model_name}_add")


def _acts_on_page(site: Any, request: HttpRequest, text: str) -> list[SearchResult]:
    """The acts on the row whose page is open."""
    try:
        match = resolve(urlsplit(request.headers.get("HX-Current-URL", "")).path)
    except Resolver404:
        return []
    for model, admin in site._registry.items():
        if match.url_name == f"{model._meta.app_label}_{model._meta.model_name}_change":
            row = visible(request, model).filter(pk=whole_number(str(match.kwargs["object_id"]))).first()
            links = admin.row_action_links(request, row) if row is not None else []
            return [
                SearchResult(
                    title=str(link["action"].label),
                    description=str(row),
                    link=link["url"],
                    icon=link["action"].icon,
                )
                for link in links
                if _matches(text, str(link["action"].label))
            ]
    return []


def _matches(text: str, words: str) -> bool:
    """Whether each word of the text begins a word."""
    known = words.lower().split()
    return all(any(word.startswith(part) for word in known) for part in text.lower().split())


def _rows(site: Any, request: HttpRequest, text: str) -> list[SearchResult]:
    if actor_of(request) is None:
        return []
    results = []
    for model, admin in site._registry.items():
        icon = getattr(admin, "palette_icon", "")
        if not icon or not admin.has_view_permission(request):
            continue
        rows, _distinct = admin.get_search_results(request, admin.get_queryset(request), text)
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        for row in rows.order_by(*admin.ordering)[:ROWS_PER_MODEL]:
            description = admin.palette_description(row)
            link = reverse(name, args=[row.pk])
            results.append(SearchResult(title=str(row), description=description, link=link, icon=icon))
    return results
