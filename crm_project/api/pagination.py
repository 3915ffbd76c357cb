"""Cursor pages by (value, id): each row once, with ties and nulls, whatever is inserted or deleted meanwhile."""

import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import Combinable
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from crm_project.api.errors import InvalidQuery
from crm_project.changes import plain
from crm_project.records.expressions import CodePoints

SALT = "crm.cursor"
DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
READ_BACK: Mapping[str, Any] = {
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "Decimal": Decimal,
}


@dataclass(frozen=True)
class Key:
    """What a list can be sorted by: a column or an expression. Nulls sort last ascending, first descending.

    `text` sorts by code point, which is the same on every database.
    """

    expression: str | Combinable
    nullable: bool = False
    text: bool = False

    def annotated(self, queryset: QuerySet[Any]) -> tuple[QuerySet[Any], str]:
        """The queryset and the name under which it has the value."""
        if isinstance(self.expression, str) and not self.text:
            return queryset, self.expression
        source = F(self.expression) if isinstance(self.expression, str) else self.expression
        return queryset.annotate(sort_key=CodePoints(source) if self.text else source), "sort_key"


@dataclass(frozen=True)
class Cursor:
    """A place between two rows: behind `value` and `row_id`, looking forward or back."""

    ordering: str
    backward: bool
    value: Any
    row_id: int

    def encode(self) -> str:
        kind = type(self.value).__name__
        place = [self.ordering, int(self.backward), kind, plain(self.value), self.row_id]
        # Without the time that signing.dumps would add: the same page has the same links, hence the same ETag.
        return signing.Signer(salt=SALT).sign_object(place)

    @classmethod
    def decode(cls, text: str, ordering: str) -> "Cursor":
        """The cursor that this server gave out for the same ordering; anything else is refused."""
        try:
            given, backward, kind, value, row_id = signing.Signer(salt=SALT).unsign_object(text)
        except (signing.BadSignature, ValueError, UnicodeError):
            raise InvalidQuery({"cursor": ["This cursor was not given out by this server."]}) from None
        if given != ordering:
            raise InvalidQuery({"cursor": ["This cursor belongs to another ordering."]})
        read_back = READ_BACK.get(kind, lambda same: same) if value is not None else (lambda same: same)
        return cls(ordering, bool(backward), read_back(value), row_id)


def all_rows(queryset: QuerySet[Any], request: Request, view: Any, *, size: int = 500) -> Iterator[Any]:
    """Every row of a list in its order, read a page at a time: for what is streamed."""
    ordering = request.query_params.get("ordering") or view.default_ordering
    key = _key(view.orderings_for(request), ordering)
    return _rows(queryset, key, ordering, size)


def _rows(queryset: QuerySet[Any], key: Key, ordering: str, size: int) -> Iterator[Any]:
    page = page_of(queryset, key, ordering, None, size)
    yield from page.rows
    while page.next is not None:
        page = page_of(queryset, key, ordering, page.next, size)
        yield from page.rows


@dataclass
class Page:
    rows: list[Any] = field(default_factory=list)
    next: Cursor | None = None
    previous: Cursor | None = None


class KeysetPagination(BasePagination):
    """`{"next", "previous", "results"}`, and `count` when `total=true` asks for it."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.url = request.build_absolute_uri()
        ordering, key, cursor, size, wants_total = self.asked(request, view)
        self.count = queryset.count() if wants_total else None
        self.page = page_of(queryset, key, ordering, cursor, size)
        return self.page.rows

    def asked(self, request: Request, view: Any) -> tuple[str, Key, Cursor | None, int, bool]:
        """What the parameters ask for; all that mean nothing are named at once."""
        ordering = request.query_params.get("ordering") or view.default_ordering
        text = request.query_params.get("cursor")
        wrong: dict[str, Any] = {}
        key = _read(wrong, _key, view.orderings_for(request), ordering)
        cursor = _read(wrong, Cursor.decode, text, ordering) if text else None
        size, wants_total = _read(wrong, _page_size, request), _read(wrong, _wants_total, request)
        if wrong:
            raise InvalidQuery(wrong)
        return ordering, key, cursor, size, wants_total

    def get_paginated_response(self, data: Any) -> Response:
        links = {"next": self._link(self.page.next), "previous": self._link(self.page.previous)}
        count = {} if self.count is None else {"count": self.count}
        return Response({**links, **count, "results": data})

    def _link(self, cursor: Cursor | None) -> str | None:
        if cursor is None:
            return None
        return replace_query_param(remove_query_param(self.url, "cursor"), "cursor", cursor.encode())

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": link,
                "previous": link,
                "count": {"type": "integer", "description": "Only with total=true."},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        sortable = [f"{sign}{name}" for name in view.orderings for sign in ("", "-")]
        return [
            _parameter("cursor", {"type": "string"}, "Where to go on; taken from `next` or `previous`."),
            _parameter(
                "page_size",
                {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": DEFAULT_PAGE_SIZE},
                "How many rows a page has.",
            ),
            _parameter(
                "total",
                {"type": "boolean", "default": False},
                "Adds `count`, which costs time on long lists.",
            ),
            _parameter(
                "ordering", {"type": "string", "examples": sortable}, f"One of: {', '.join(sortable)}."
            ),
        ]


def _parameter(name: str, schema: dict[str, Any], description: str = "") -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def _read(wrong: dict[str, Any], read: Callable[..., Any], *given: Any) -> Any:
    """What `read` makes of what was given; why it cannot goes to `wrong`."""
    try:
        return read(*given)
    except InvalidQuery as error:
        wrong |= cast(dict[str, Any], error.detail)


def _wants_total(request: Request) -> bool:
    given = request.query_params.get("total", "false")
    if given not in ("true", "false"):
        raise InvalidQuery({"total": ["true or false."]})
    return given == "true"


def _page_size(request: Request) -> int:
    given = request.query_params.get("page_size", str(DEFAULT_PAGE_SIZE))
    size = int(given) if given.isascii() and given.isdigit() and len(given) < 5 else 0
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise InvalidQuery({"page_size": [f"From 1 to {MAX_PAGE_SIZE}."]})
    return size


def _key(orderings: Mapping[str, Key], ordering: str) -> Key:
    key = orderings.get(ordering.removeprefix("-"))
    if key is None:
        raise InvalidQuery({"ordering": [f"One of, with - for descending: {', '.join(orderings)}."]})
    return key


def page_of(queryset: QuerySet[Any], key: Key, ordering: str, cursor: Cursor | None, size: int) -> Page:
    queryset, name = key.annotated(queryset)
    backward = bool(cursor and cursor.backward)
    descending = ordering.startswith("-") != backward
    if cursor is not None:
        queryset = _after(queryset, _behind(name, key.nullable, descending, cursor.value, cursor.row_id))
    rows = list(queryset.order_by(*order_of(name, key.nullable, descending))[: size + 1])
    more = len(rows) > size
    rows = rows[:size][::-1] if backward else rows[:size]
    page = Page(rows)
    if rows and (more or backward):
        page.next = Cursor(ordering, False, *_place(rows[-1], name))
    if rows and (more if backward else cursor is not None):
        page.previous = Cursor(ordering, True, *_place(rows[0], name))
    return page


def _place(row: Any, name: str) -> tuple[Any, int]:
    """Of a model's instance, or of plain values."""
    return (row[name], row["id"]) if isinstance(row, dict) else (getattr(row, name), row.pk)


def _after(queryset: QuerySet[Any], behind: Q) -> QuerySet[Any]:
    """The rows behind a cursor. Its value may be of another type than the list's: a custom field may have been declared
    anew, or the cursor be another list's."""
    try:
        return queryset.filter(behind)
    except (TypeError, ValueError, ArithmeticError, ValidationError):
        raise InvalidQuery({"cursor": ["This cursor belongs to another list."]}) from None


def order_of(name: str, nullable: bool, descending: bool) -> list[Any]:
    if not nullable:
        return [f"-{name}", "-id"] if descending else [name, "id"]
    if descending:
        return [F(name).desc(nulls_first=True), "-id"]
    return [F(name).asc(nulls_last=True), "id"]


def _behind(name: str, nullable: bool, descending: bool, value: Any, row_id: int) -> Q:
    """The rows that come after (value, row_id), where nulls sort as if they were the greatest value."""
    step = "lt" if descending else "gt"
    later_id = Q(**{f"id__{step}": row_id})
    if value is None:
        tied = Q(**{f"{name}__isnull": True}) & later_id
        return tied | Q(**{f"{name}__isnull": False}) if descending else tied
    # The first condition is implied by the second, and lets an index on the value be used.
    behind = Q(**{f"{name}__{step}e": value}) & (Q(**{f"{name}__{step}": value}) | later_id)
    return behind | Q(**{f"{name}__isnull": True}) if nullable and not descending else behind
