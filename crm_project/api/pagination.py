"""Cursor pages of the API: the query parameters, the links and the OpenAPI entries around `records.paging`."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from crm_project.api.errors import InvalidQuery
from crm_project.api.filter_values import MOST_VALUES
from crm_project.records.paging import Cursor, InvalidCursor, Key, all_rows, page_of

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
# The default of the browsable API, whose pages people read.
BROWSABLE_PAGE_SIZE = 10
# `total=true` counts so far, so that it costs no more on a longer list.
MOST_COUNTED = 10_000


def streamed_rows(queryset: QuerySet[Any], request: Request, view: Any, *, size: int = 500) -> Iterator[Any]:
    """Iterate over every row of a list in the order that the request asks for, `size` rows per query."""
    ordering = request.query_params.get("ordering") or view.default_ordering
    key = _key(view.orderings_for(request), ordering)
    return all_rows(queryset, key, ordering, size=size)


class KeysetPagination(BasePagination):
    """`{"next", "previous", "next_cursor", "results"}`, and `count` when `total=true` asks for it."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.url = request.build_absolute_uri()
        ordering, key, cursor, size, wants_total = self.parameters(request, view)
        self.count = _count(queryset) if wants_total else None
        try:
            self.page = page_of(queryset, key, ordering, cursor, size)
        except InvalidCursor as error:
            raise _wrong_cursor(error) from None
        return self.page.rows

    def parameters(self, request: Request, view: Any) -> tuple[str, Key, Cursor | None, int, bool]:
        """Read ordering, key, cursor, page size and total; one InvalidQuery names every wrong parameter."""
        ordering = request.query_params.get("ordering") or view.default_ordering
        text = request.query_params.get("cursor")
        wrong: dict[str, Any] = {}
        key = _read(wrong, _key, view.orderings_for(request), ordering)
        cursor = _read(wrong, _cursor, text, ordering) if text else None
        size, wants_total = _read(wrong, _page_size, request), _read(wrong, _wants_total, request)
        if wrong:
            raise InvalidQuery(wrong)
        return ordering, key, cursor, size, wants_total

    def get_paginated_response(self, data: Any) -> Response:
        links = {"next": self._link(self.page.next), "previous": self._link(self.page.previous)}
        cursor = self.page.next.encode() if self.page.next else None
        count = {} if self.count is None else self.count
        return Response({**links, "next_cursor": cursor, **count, "results": data})

    def _link(self, cursor: Cursor | None) -> str | None:
        if cursor is None:
            return None
        return replace_query_param(remove_query_param(self.url, "cursor"), "cursor", cursor.encode())

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "next_cursor", "results"],
            "properties": {
                "next": link,
                "previous": link,
                "next_cursor": {
                    "type": ["string", "null"],
                    "description": "The `cursor` of the next page, for clients that build their own URLs.",
                },
                "count": {
                    "type": "integer",
                    "maximum": MOST_COUNTED,
                    "description": "Only with total=true.",
                },
                "count_is": {
                    "type": "string",
                    "enum": ["exact", "at_least"],
                    "description": f"Beside `count`: `at_least` if there are more than {MOST_COUNTED} rows.",
                },
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        sortable = [f"{sign}{name}" for name in view.orderings for sign in ("", "-")]
        return [
            _parameter(
                "cursor", {"type": "string"}, "The position of the page: the `next_cursor` of another one."
            ),
            _parameter(
                "page_size",
                {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": DEFAULT_PAGE_SIZE},
                "The number of rows of a page.",
            ),
            _parameter(
                "total",
                {"type": "boolean", "default": False},
                f"Adds `count`, exact up to {MOST_COUNTED}, and `count_is`.",
            ),
            _parameter("ordering", {"type": "string", "examples": sortable}, _ordering_text(view, sortable)),
        ]


def _ordering_text(view: Any, sortable: list[str]) -> str:
    text = f"One of: {', '.join(sortable)}. Rows without a value are last in both directions."
    if "amount" in view.orderings:
        text += " `amount` compares the numbers, whatever their currencies: combine it with `currency`."
    return text


def _parameter(name: str, schema: dict[str, Any], description: str = "") -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def _read(wrong: dict[str, Any], read: Callable[..., Any], *arguments: Any) -> Any:
    """Call `read`; add the details of its InvalidQuery to `wrong`."""
    try:
        return read(*arguments)
    except InvalidQuery as error:
        wrong |= cast(dict[str, Any], error.detail)


def _cursor(text: str, ordering: str) -> Cursor:
    try:
        return Cursor.decode(text, ordering)
    except InvalidCursor as error:
        raise _wrong_cursor(error) from None


def _wrong_cursor(error: InvalidCursor) -> InvalidQuery:
    return InvalidQuery({wrong.field: [wrong.detail] for wrong in error.fields})


def _count(queryset: QuerySet[Any]) -> dict[str, Any]:
    # Rows of several tables count themselves.
    count_up_to = getattr(queryset, "count_up_to", None)
    if count_up_to is None:
        found = queryset.order_by().values("pk")[: MOST_COUNTED + 1].count()
    else:
        found = count_up_to(MOST_COUNTED + 1)
    return {
        "count": min(found, MOST_COUNTED),
        "count_is": "exact" if found <= MOST_COUNTED else "at_least",
    }


def _wants_total(request: Request) -> bool:
    text = request.query_params.get("total", "false")
    if text not in ("true", "false"):
        raise InvalidQuery({"total": ["Must be true or false."]})
    return text == "true"


def _page_size(request: Request) -> int:
    is_page = getattr(getattr(request, "accepted_renderer", None), "format", "") == "api"
    default = BROWSABLE_PAGE_SIZE if is_page else DEFAULT_PAGE_SIZE
    if "uuid" in request.query_params:
        default = MOST_VALUES  # A batch read is one page.
    text = request.query_params.get("page_size", str(default))
    size = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise InvalidQuery({"page_size": [f"Must be a number from 1 to {MAX_PAGE_SIZE}."]})
    return size


def _key(orderings: Mapping[str, Key], ordering: str) -> Key:
    key = orderings.get(ordering.removeprefix("-"))
    if key is None:
        sentence = f"Must be one of these, with - in front for descending: {', '.join(orderings)}."
        raise InvalidQuery({"ordering": [sentence]})
    return key
