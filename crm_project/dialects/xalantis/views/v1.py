"""The endpoints of `/api/v1` for deals, pipelines and custom fields."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from crm_project.dialects.kit.offset_pages import rows_of_page
from crm_project.dialects.xalantis import errors
from crm_project.dialects.xalantis.serializers import v1 as serializers
from crm_project.dialects.xalantis.views.base import XalantisDealWritesView, XalantisView
from crm_project.records.models import CustomField
from crm_project.records.paging import Cursor, Key, page_of
from deals.models import Deal
from deals.services import trash_deals
from pipelines.models import Pipeline

NEWEST = "-created_at"


class XalantisV1View(XalantisView):
    """`{success, data}`, and for lists `meta` and `links`."""

    error_schema = errors.ENVELOPE
    queries: ClassVar[Any] = {"index": serializers.XalantisPageQuery}
    read_class: ClassVar[Any]

    def one(self, data: Any, status: int = 200) -> Response:
        return Response({"success": True, "data": data}, status)

    def sent(self) -> Mapping[str, Any]:
        body: Any = self.request.data
        if not isinstance(body, Mapping):
            raise ParseError("The body must be an object.")
        return body

    def page(self, rows: Any) -> Response:
        """A page by number with a total, or by cursor without one."""
        if self.query.get("paginate") == "cursor" or self.query.get("cursor"):
            return self._by_cursor(rows, self.query["per_page"])
        return self.numbered(rows.order_by(NEWEST, "-id"))

    def numbered(self, rows: Any) -> Response:
        page, size, total = self.query["page"], self.query["per_page"], rows.count()
        last = max(1, -(-total // size))
        meta = {"current_page": page, "per_page": size, "total": total, "last_page": last}
        pages = {
            "first": 1,
            "last": last,
            "prev": page - 1 or None,
            "next": page + 1 if page < last else None,
        }
        page_rows = rows_of_page(rows, page, size)
        return self._list_response(
            page_rows, meta, {name: self._link("page", number) for name, number in pages.items()}
        )

    def _by_cursor(self, rows: Any, size: int) -> Response:
        text = self.query.get("cursor")
        cursor = Cursor.decode(text, ordering=NEWEST) if text else None
        page = page_of(rows, Key("created_at"), NEWEST, cursor, size)
        cursors = {"prev": page.previous and page.previous.encode(), "next": page.next and page.next.encode()}
        meta = {"per_page": size, **{f"{name}_cursor": cursor for name, cursor in cursors.items()}}
        links = {"first": None, "last": None}
        return self._list_response(
            page.rows, meta, links | {name: self._link("cursor", text) for name, text in cursors.items()}
        )

    def _link(self, name: str, value: Any) -> str | None:
        """The URL of this list with another value of the parameter."""
        url = remove_query_param(self.request.build_absolute_uri(), name)
        return None if value is None else replace_query_param(url, name, value)

    def _list_response(self, rows: list[Any], meta: Mapping[str, Any], links: Mapping[str, Any]) -> Response:
        data = self.serialize(self.read_class, rows, many=True)
        return Response({"success": True, "data": data, "meta": meta, "links": links})


class XalantisPipelineView(XalantisV1View):
    @extend_schema(
        responses=serializers.response_of("Pipelines", serializers.XalantisPipelineRead, many=True),
        summary="Pipelines and stages",
    )
    def pipelines(self, request: Request) -> Response:
        rows = Pipeline.objects.visible_to(self.actor.member).default_first().with_stages()
        return self.one(self.serialize(serializers.XalantisPipelineRead, list(rows), many=True))


class XalantisCustomFieldView(XalantisV1View):
    kind: ClassVar[str] = CustomField.Kinds.DEAL
    queries: ClassVar[Any] = {"fields_of": serializers.XalantisPageQuery}
    read_class = serializers.XalantisCustomFieldRead

    @extend_schema(
        responses=serializers.response_of("CustomFields", serializers.XalantisCustomFieldRead, many=True),
        summary="Declared custom fields",
    )
    def fields_of(self, request: Request) -> Response:
        rows = CustomField.objects.visible_to(self.actor.member).for_kind(self.kind)
        by_cursor = self.query.get("paginate") == "cursor" or self.query.get("cursor")
        return self.page(rows) if by_cursor else self.numbered(rows)


class XalantisV1DealView(XalantisDealWritesView, XalantisV1View):
    read_class = serializers.XalantisV1DealRead

    @extend_schema(
        operation_id="v1_deals_list",
        parameters=[serializers.XalantisPageQuery],
        responses=serializers.response_of("Deals", serializers.XalantisV1DealRead, many=True),
        summary="List deals",
    )
    def index(self, request: Request) -> Response:
        rows = Deal.objects.visible_to(self.actor.member).matching(self.query.get("search") or "")
        return self.page(rows.for_reading(self.actor.member))

    @extend_schema(
        request=serializers.XalantisV1DealCreate,
        responses={201: serializers.response_of("Deal", serializers.XalantisV1DealRead)},
        summary="Create a deal",
    )
    def create(self, request: Request) -> Response:
        deal = self.create_deal(self.read(serializers.XalantisV1DealCreate))
        return self.one(self.representation(deal), self.create_status)

    @extend_schema(
        responses=serializers.response_of("Deal", serializers.XalantisV1DealRead), summary="Show a deal"
    )
    def retrieve(self, request: Request, row: str) -> Response:
        return self.one(self.representation(self.find("deal", row)))

    @extend_schema(
        request=serializers.XalantisV1DealUpdate,
        responses=serializers.response_of("Deal", serializers.XalantisV1DealRead),
        summary="Change a deal",
    )
    def update(self, request: Request, row: str) -> Response:
        deal = self.find("deal", row)
        change = self.read(
            serializers.XalantisV1DealUpdate,
            self.changed_fields(self.sent(), self.representation(deal)),
            partial=True,
        )
        return self.one(self.representation(self.update_deal(deal, change).row))

    @extend_schema(
        responses=serializers.response_of("Deal", serializers.XalantisV1DealRead), summary="Delete a deal"
    )
    def destroy(self, request: Request, row: str) -> Response:
        deal = self.find("deal", row)
        data = self.representation(deal)
        trash_deals(actor=self.actor, rows=[deal])
        return self.one(data, self.delete_status)

    def representation(self, deal: Deal) -> Any:
        return self.serialize(
            serializers.XalantisV1DealRead, Deal.objects.after_write(deal, self.actor.member)
        )
