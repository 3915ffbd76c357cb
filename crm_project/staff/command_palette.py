"""The command palette (Ctrl+K): pages and rows, each only as far as the person may see it."""

import time
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.dataclasses import SearchResult

from crm_project.staff.request_actor import actor_of

EACH = 8
LONGEST = 200


def results(site: Any, request: HttpRequest) -> HttpResponse:
    """At most eight rows of each kind that the palette searches."""
    text = request.GET.get("s", "").replace("\x00", "").strip()[:LONGEST]
    if not text:
        return HttpResponse()
    begun = time.monotonic()
    found = [*_pages(site, request, text), *_rows(site, request, text)]
    paginator = Paginator(found, max(1, len(found)))
    context = {
        "page_obj": paginator,
        "results": paginator.page(1),
        "page_counter": 0,
        "execution_time": time.monotonic() - begun,
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
    found = []
    for model, admin in site._registry.items():
        icon = getattr(admin, "palette_icon", "")
        if not icon or not admin.has_view_permission(request):
            continue
        rows, _ = admin.get_search_results(request, admin.get_queryset(request), text)
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        for row in rows.order_by(*admin.ordering)[:EACH]:
            description = admin.palette_description(row)
            link = reverse(name, args=[row.pk])
            found.append(SearchResult(title=str(row), description=description, link=link, icon=icon))
    return found
