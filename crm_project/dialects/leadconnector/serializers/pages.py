"""LeadConnector's pages: by number, or after the last row of the previous page."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.dialects.kit.offset_pages import keys_between, rows_of
from crm_project.dialects.kit.serializers import DialectQuery
from crm_project.dialects.leadconnector.serializers.fields import RangeBoundField
from crm_project.records.paging import Key

LIMIT, MOST = 20, 100
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MILLISECOND = datetime.timedelta(milliseconds=1)


@dataclass(frozen=True)
class PageOrder:
    key: Key
    descending: bool = False


CREATED, UPDATED = Key("created_at"), Key("updated_at")
NEWEST, OLDEST = PageOrder(CREATED, descending=True), PageOrder(CREATED)


class LeadConnectorPageQuery(DialectQuery):
    limit = serializers.IntegerField(required=False, default=LIMIT, min_value=1, max_value=MOST)
    page = serializers.IntegerField(required=False, default=1, min_value=1, max_value=10**9)
    startAfter = RangeBoundField()
    startAfterId = serializers.CharField(required=False)


@dataclass(frozen=True)
class Page:
    rows: list[Any]
    total: int
    more: bool


def page_of(view: Any, kind: str, rows: Any, order: PageOrder, query: Mapping[str, Any]) -> Page:
    """One page of the rows. The total is counted since clients stop at it."""
    ordered, name = order.key.annotated(rows)
    sign, limit = "-" if order.descending else "", query["limit"]
    place = _place(view, kind, ordered, name, order, query)
    start = 0 if place is not None else (query["page"] - 1) * limit
    if place is not None:
        ordered = ordered.filter(place)
    keys = keys_between(ordered.order_by(f"{sign}{name}", f"{sign}id"), start, start + limit + 1)
    return Page(rows_of(ordered, keys[:limit]), rows.count(), len(keys) > limit)


def _place(
    view: Any, kind: str, ordered: Any, name: str, order: PageOrder, query: Mapping[str, Any]
) -> Q | None:
    """The condition of the rows after the last row of the previous page, or after its instant if it is gone."""
    last, instant = query.get("startAfterId"), query.get("startAfter")
    if last is None and instant is None:
        return None
    step = "lt" if order.descending else "gt"
    row = view.ids.resolve(kind, last) if last is not None else None
    if row is not None:
        value = type(row).objects.filter(pk=row.pk)
        value = order.key.annotated(value)[0].values_list(name, flat=True)[0]
        tied = Q(**{name: value, f"id__{step}": row.pk})
        return Q(**{f"{name}__{step}e": value}) & (Q(**{f"{name}__{step}": value}) | tied)
    if instant is None or order.key is not CREATED:
        raise serializers.ValidationError({"startAfterId": ["There is no such row to start after."]})
    return Q(created_at__lt=instant + MILLISECOND) if order.descending else Q(created_at__gte=instant)


def milliseconds(instant: datetime.datetime) -> int:
    return (instant - EPOCH) // MILLISECOND


def meta(view: Any, page: Page, query: Mapping[str, Any]) -> dict[str, Any]:
    """The `meta` of an answer: the next page by number and by the last row."""
    last, number = page.rows[-1] if page.rows else None, query["page"]
    behind = {
        "startAfterId": view.ids.id_of(last) if last else None,
        "startAfter": milliseconds(last.created_at) if last else None,
    }
    next_page = number + 1 if page.more else None
    return {
        "total": page.total,
        "nextPageUrl": _url(view.request, {**behind, "page": next_page}) if page.more else None,
        **behind,
        "currentPage": number,
        "nextPage": next_page,
        "prevPage": number - 1 if number > 1 else None,
    }


def _url(request: Any, changed: Mapping[str, Any]) -> str:
    query = urlencode({**request.query_params.dict(), **changed})
    return f"{request.build_absolute_uri(request.path)}?{query}"


class LeadConnectorPageMeta(Serializer):
    """The `meta` of an answer."""

    total = serializers.IntegerField()
    nextPageUrl = serializers.CharField(allow_null=True)
    startAfterId = serializers.CharField(allow_null=True)
    startAfter = serializers.IntegerField(allow_null=True)
    currentPage = serializers.IntegerField()
    nextPage = serializers.IntegerField(allow_null=True)
    prevPage = serializers.IntegerField(allow_null=True)
