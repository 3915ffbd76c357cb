"""The command palette (Ctrl+K): a search of pages and rows that the member may see."""

import time
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.dataclasses import SearchResult

from crm_project.staff.request_actor import actor_of

ROWS_PER_MODEL = 8
TEXT_LIMIT = 200


def search(site: Any, request: HttpRequest) -> HttpResponse:
    """Pages and at most eight rows of each model with a `palette_icon`."""
    text = request.GET.get("s", "").replace("\x00", "").strip()[:TEXT_LIMIT]
    if not text:
        return HttpResponse()
    started = time.monotonic()
    results = [*_pages(site, request, text), *_rows(site, request, text)]
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
        SearchResult(title=str(model["name"]), description="Page", link=model["admin_url"], icon="list")
        for app in site.get_app_list(request)
        for model in app["models"]
        if model["admin_url"] and needle in str(model["name"]).lower()
    ]


def _rows(site: Any, request: HttpRequest, text: str) -> list[SearchResult]:
    if actor_of(request) is None:
        return []
    results = []
    for model, admin in site._registry.items():
        icon = getattr(admin, "palette_icon", "")
        if not icon or not admin.has_view_permission(request):
            continue
        rows, _ = admin.get_search_results(request, admin.get_queryset(request), text)
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        for row in rows.order_by(*admin.ordering)[:ROWS_PER_MODEL]:
            description = admin.palette_description(row)
            link = reverse(name, args=[row.pk])
            results.append(SearchResult(title=str(row), description=description, link=link, icon=icon))
    return results
