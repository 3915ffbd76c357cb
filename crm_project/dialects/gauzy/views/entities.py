"""The base view of pipelines, deals and contacts: filters, lists, pages, counts, trash."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import Q
from django.utils import timezone
from drf_spectacular.drainage import isolate_view_method
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.api.budget import Budget, give_budget
from crm_project.api.fields import UUID
from crm_project.dialects.gauzy.serializers.plain import PlainEntities
from crm_project.dialects.gauzy.serializers.query import is_text, is_true, picked
from crm_project.dialects.gauzy.views.base import OURS, GauzyView
from crm_project.dialects.gauzy.views.streams import AT_ONCE, streamed
from crm_project.dialects.kit.offset_pages import keys_between, rows_of
from crm_project.errors import FieldError, Invalid

PAGE, MAX_PAGE = 10, 100
QUERY = frozenset(
    {"where", "relations", "order", "select", "withDeleted", "take", "skip", "page", "limit", "search"}
)
PageResponse = inline_serializer(
    "Found", {"items": serializers.ListField(), "total": serializers.IntegerField()}
)


def documented(one: str, many: str, read_class: Any) -> Any:
    """Class decorator that documents the inherited actions in the OpenAPI document."""
    documentation = {
        "index": extend_schema(
            operation_id=f"{many}_find_all", responses=PageResponse, summary=f"Find all {many}"
        ),
        "pagination": extend_schema(responses=PageResponse, summary=f"List {many} by pages"),
        "count": extend_schema(responses=OpenApiTypes.INT, summary=f"Count {many}"),
        "retrieve": extend_schema(responses=read_class, summary=f"Get a {one}"),
        "destroy": extend_schema(responses={202: OpenApiTypes.OBJECT}, summary=f"Delete a {one}"),
        "soft": extend_schema(responses={202: read_class}, summary=f"Move a {one} to the trash"),
        "recover": extend_schema(request=None, responses={202: read_class}, summary=f"Bring a {one} back"),
    }

    def decorate(view: Any) -> Any:
        for action, document in documentation.items():
            setattr(view, action, document(isolate_view_method(view, action)))  # type: ignore[no-untyped-call]
        return view

    return decorate


class GauzyEntityView(GauzyView):
    model: ClassVar[Any]
    kind: ClassVar[str]
    read_class: ClassVar[Any]
    # Represents the rows of long lists, as `read_class` does.
    plain_class: ClassVar[type[PlainEntities] | None] = None
    # The valid keys of `where`: text columns, boolean columns, and (kind of row, column) of ids.
    columns: ClassVar[Mapping[str, str]] = {}
    flags: ClassVar[Mapping[str, str]] = {}
    links: ClassVar[Mapping[str, tuple[str, str]]] = {}
    # Text columns that `where` of a page matches in part; other lists match them as a whole.
    partial_in_pages: ClassVar[frozenset[str]] = frozenset()
    sortable: ClassVar[Mapping[str, str]] = {"createdAt": "created_at", "updatedAt": "updated_at"}
    default_order: ClassVar[tuple[str, ...]] = ("created_at", "id")
    costs: ClassVar[Mapping[str, int]] = {"index": 20, "mine": 20, "search": 20}

    @property
    def filters(self) -> frozenset[str]:
        return frozenset({*self.columns, *self.flags, *self.links})

    @property
    def known(self) -> frozenset[str]:
        """Clients also send filters beside `where`."""
        return QUERY | self.filters

    def trash(self, row: Any) -> None:
        raise NotImplementedError

    def restore(self, row: Any) -> Any:
        raise NotImplementedError

    def units(self, request: Request) -> int:
        """A list of all rows counts as much as many pages."""
        size = request.query_params.get("take") or request.query_params.get("limit") or ""
        is_page = size.isascii() and size.isdigit() and len(size) < 4 and int(size) <= MAX_PAGE
        return 1 if self.action in self.costs and is_page else super().units(request)

    def index(self, request: Request) -> Any:
        """All rows; or `take` rows from the offset `skip`; or a `page` of `limit` rows."""
        limit = self.number("limit", None, least=1)
        if limit is not None and "take" not in self.query:
            start = limit * ((self.number("page", 1, least=1) or 1) - 1)
            return self.page_response(slice(start, start + limit))
        take = self.number("take", None, least=0)
        skip = self.number("skip", 0, least=0) or 0
        return self.page_response(slice(skip, None if take is None else skip + take))

    def pagination(self, request: Request) -> Any:
        """`take` rows of the page `skip`, which counts from 1; `limit` and `page` are synonyms."""
        size, place = ("take", "skip") if "take" in self.query or "skip" in self.query else ("limit", "page")
        take = self.number(size, PAGE, least=0, most=MAX_PAGE) or PAGE
        page = self.number(place, 1, least=0) or 1
        return self.page_response(slice(take * (page - 1), take * page))

    def count(self, request: Request) -> Response:
        return Response(self.listed().count())

    def retrieve(self, request: Request, row: str) -> Response:
        found = self.ids.resolve(self.kind, row)
        if found is None and is_true(self.query.get("withDeleted")):
            found = self.find_trashed(row)
        return Response(self.selected(self.entity(self.present(found, row))))

    def destroy(self, request: Request, row: str) -> Response:
        self.trash(self.one(self.kind, row))
        return Response({"raw": [], "affected": 1}, self.delete_status)

    def soft(self, request: Request, row: str) -> Response:
        found = self.one(self.kind, row)
        self.trash(found)
        return Response(self.entity(found), self.delete_status)

    def recover(self, request: Request, row: str) -> Response:
        return Response(self.entity(self.restore(self.get_trashed(row))), self.update_status)

    def get_trashed(self, row: str) -> Any:
        return self.present(self.find_trashed(row), row)

    def find_trashed(self, row: str) -> Any:
        """The row of this id that was trashed last; the id is a UUID or an external reference."""
        own = Q(uuid=row) if UUID.fullmatch(row) else Q()
        referred = self.model.objects.filter(references__system=self.system, references__external_id=row)
        trash = self.model.objects.trash_visible_to(self.actor.member, timezone.now())
        return trash.filter(own | Q(pk__in=referred.values("pk"))).order_by("deleted_at").last()

    def changed(self, serializer_class: Any, current: Mapping[str, Any]) -> dict[str, Any]:
        """The change between the body and the row as it is now."""
        return self.read(serializer_class, self.changed_fields(self.sent(), current), partial=True)

    def listed(self) -> Any:
        where = self.query.get("where") or {}
        if not isinstance(where, Mapping):
            raise ValidationError({"where": ["Must be an object."]})
        rows = self.searched(self.reachable())
        for name, value in where.items():
            partial = self.action == "pagination" and name in self.partial_in_pages
            rows = rows if name in OURS else self.filter_by(rows, name, value, partial=partial)
        for name in self.filters & self.query.keys():
            rows = self.filter_by(rows, name, self.query[name], partial=True)
        return rows

    def reachable(self) -> Any:
        rows, member = self.model.objects, self.actor.member
        if not is_true(self.query.get("withDeleted")):
            return rows.visible_to(member)
        return rows.visible_to(member) | rows.trash_visible_to(member, timezone.now())

    def searched(self, rows: Any) -> Any:
        text = self.query.get("search")
        if text is None:
            return rows
        if not is_text(text):
            raise ValidationError({"search": ["Must be a string."]})
        return self.matching(rows, text)

    def matching(self, rows: Any, text: str) -> Any:
        return rows.matching(text)

    def filter_by(self, rows: Any, name: str, value: Any, *, partial: bool) -> Any:
        if name in self.links:
            kind, column = self.links[name]
            return rows.filter(**{f"{column}__in": self.keys(kind, value)})
        if name in self.flags:
            return rows.filter(**{self.flags[name]: is_true(value)})
        if name not in self.columns or not is_text(value):
            raise ValidationError({f"where.{name}": ["There is no such filter."]})
        return rows.filter(**{f"{self.columns[name]}__{'icontains' if partial else 'exact'}": value})

    def keys(self, kind: str, value: Any) -> list[int]:
        """The primary keys of the rows of one id or of a list of ids."""
        found = self.ids.resolve_all(kind, value if isinstance(value, list) else [value])
        return [row.pk for row in found.values()]

    def ordered(self, rows: Any) -> Any:
        order = self.query.get("order")
        names = []
        for name, direction in (order if isinstance(order, Mapping) else {}).items():
            if name not in self.sortable:
                raise ValidationError({f"order.{name}": ["There is no such order."]})
            names.append(("-" if str(direction).upper() == "DESC" else "") + self.sortable[name])
        return rows.order_by(*(names or self.default_order), "id")

    def number(self, name: str, default: int | None, *, least: int, most: int = 10**9) -> int | None:
        text = self.query.get(name)
        if text is None:
            return default
        digits = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 10
        if not (digits and least <= int(text) <= most):
            template = "Must be from %(least)s to %(most)s."
            raise Invalid(fields=[FieldError(name, "invalid", template, {"least": least, "most": most})])
        return int(text)

    def page_response(self, part: slice) -> Any:
        listed = self.listed()
        rows = self.fetched(self.ordered(listed))
        too_many = part.start + AT_ONCE + 1
        stop = too_many if part.stop is None else min(part.stop, too_many)
        keys = keys_between(rows, part.start, stop)
        if len(keys) > AT_ONCE:
            return self._stream(rows, keys_between(rows, part.start, part.stop), listed.count())
        whole = part.start == 0 and part.stop is None
        total = len(keys) if whole else listed.count()
        return Response({"items": self.represent(rows_of(rows, keys)), "total": total})

    def _stream(self, rows: Any, keys: Sequence[int], total: int) -> Any:
        """From plain values, unless the query asks for related rows that need instances."""
        plain_class = self.plain_class
        if plain_class is None or set(self.relations) - plain_class.relations:
            return streamed(keys, total, lambda some: self._represent_chunk(rows_of(rows, some)))
        plain = plain_class(self, self.relations)

        def represent(some: Sequence[int]) -> list[Any]:
            return [self.selected(item) for item in plain.represent(plain.rows_of(rows, some))]

        return streamed(keys, total, represent)

    def represent(self, rows: list[Any]) -> list[Any]:
        return [self.selected(item) for item in self.entities(rows)]

    def _represent_chunk(self, rows: list[Any]) -> list[Any]:
        """Like `represent`, with a new cache of ids and a new budget: those of a whole stream would not fit."""
        vars(self).pop("ids", None)
        give_budget(self.request._request, Budget())
        return self.represent(rows)

    def selected(self, data: Any) -> Any:
        select = self.query.get("select")
        if not isinstance(select, Mapping):
            return data
        self.ignore(f"select.{name}" for name in select.keys() - data.keys())
        return picked(data, select)

    def fetched(self, rows: Any) -> Any:
        return rows

    def entities(self, rows: list[Any]) -> Any:
        return self.serialize(self.read_class, rows, many=True)

    def entity(self, row: Any) -> Any:
        return self.serialize(self.read_class, self.fetched(self.model.objects.filter(pk=row.pk)).get())
