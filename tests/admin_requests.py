"""The addresses of the admin, each with a row that the member sees; the largest lists and the largest actions."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from crm_project.accounts.actors import Actor
from crm_project.records.paging import Cursor
from crm_project.staff.actions import AT_ONCE, CHOSEN, MOST_ROWS
from crm_project.staff.base import StaffModelAdmin
from crm_project.staff.request_actor import visible
from deals.admin.reports import SECTIONS
from deals.board import DEFAULT_ORDERING
from deals.models import Deal
from pipelines.models import Pipeline
from tests.staff.test_leaks import plain_urls

# It would end the session of the walk; the others need to know which row they are about.
LEFT_OUT = (
    "/admin/logout/",
    "/admin/activities/activity/plan/",
    "/admin/activities/activity/timeline/",
)


def admin_addresses(actor: Actor, period: str) -> Iterator[str]:
    """Every address that a GET may have, but for pages of rows that the member does not see."""
    request: Any = RequestFactory().get("/")
    request.user, request.staff_actor = actor.member.user, actor
    yield from (url for url in plain_urls() if url not in LEFT_OUT)
    yield f"{reverse('admin:search')}?s=a&extended=1"
    for page in admin.site._registry.values():
        yield reverse("admin:app_list", args=[page.opts.app_label])
        yield from _addresses_of(page, request)
    yield from _figures(actor, period)


def _addresses_of(page: Any, request: Any) -> Iterator[str]:
    keys = list(visible(request, page.model).order_by("-pk").values_list("pk", flat=True)[:AT_ONCE])
    name = f"admin:{page.opts.app_label}_{page.opts.model_name}"
    if _has_usual_list(page):
        yield from _lists(page, request, reverse(f"{name}_changelist"))
    if not keys:
        return
    for pattern in page.get_urls():
        # The last one is that of a changed address, `None`.
        if pattern.name and re.findall(r"<\w+:(\w+)>", str(pattern.pattern)) in (["object_id"], ["pk"]):
            yield reverse(f"admin:{pattern.name}", args=[keys[0]])
    for action in page.row_actions:
        rows = _trash(page, request) if action.on_trash else keys
        chosen = ",".join(map(str, rows if action.on_many else rows[:1]))
        yield f"{reverse(f'{name}_action', args=[action.name])}?ids={chosen}"


def _has_usual_list(page: Any) -> bool:
    """Whether the list can be sorted and searched; another one has its address alone."""
    return bool(type(page).changelist_view is StaffModelAdmin.changelist_view)


def _trash(page: Any, request: Any) -> list[int]:
    rows = page.model.objects.trash_visible_to(request.staff_actor.member, timezone.now())
    return list(rows.values_list("pk", flat=True)[:AT_ONCE])


def _lists(page: Any, request: Any, url: str) -> Iterator[str]:
    yield f"{url}?o=-1"
    if page.get_search_fields(request):
        yield f"{url}?q=a"
    for field in page.autocomplete_fields:
        labels = {"app_label": page.opts.app_label, "model_name": page.opts.model_name}
        yield f"{reverse('admin:autocomplete')}?{urlencode({'term': 'a', 'field_name': field, **labels})}"


def _figures(actor: Actor, period: str) -> Iterator[str]:
    pipeline = Pipeline.objects.visible_to(actor.member).order_by("pk").first()
    deal = Deal.objects.visible_to(actor.member).exclude(contact=None).order_by("pk").last()
    yield reverse("admin:deals_deal_board", args=[pipeline.pk])
    for stage in pipeline.stages.in_order():
        value = getattr(deal, DEFAULT_ORDERING.removeprefix("-"))
        cursor = Cursor(DEFAULT_ORDERING, False, value, deal.pk).encode()
        yield f"{reverse('admin:deals_deal_board_cards', args=[pipeline.pk, stage.pk])}?cursor={cursor}"
    yield f"{reverse('admin:deals_deal_reports')}?{period}"
    yield from (f"{reverse('admin:deals_deal_report_csv', args=[name])}?{period}" for name in SECTIONS)
    for row, name in ((deal, "timeline"), (deal, "plan"), (deal.contact, "timeline")):
        query = urlencode({"about": f"{row.row_kind}:{row.pk}"})
        yield f"{reverse(f'admin:activities_activity_{name}')}?{query}"


def largest_action(actor: Actor) -> tuple[str, Mapping[str, str]]:
    """The address and the form of an action on as many deals as are allowed."""
    deals = Deal.objects.visible_to(actor.member).order_by("pk").values_list("pk", "version")
    chosen = ",".join(f"{key}:{version}" for key, version in islice(deals, MOST_ROWS))
    url = reverse("admin:deals_deal_action", args=["hand-over"])
    return url, {CHOSEN: chosen, "owner": str(actor.member.pk)}
