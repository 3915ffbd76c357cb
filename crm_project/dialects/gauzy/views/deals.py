"""Gauzy's deals, and the deals of one pipeline."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.dialects.gauzy.serializers import sales as serializers
from crm_project.dialects.gauzy.serializers.plain import PlainDeals
from crm_project.dialects.gauzy.views.entities import GauzyEntityView, PageResponse, documented
from crm_project.dialects.kit.deal_contacts import client_of, has_client
from crm_project.dialects.kit.deal_writes import DealWritesView
from deals.models import Deal
from deals.services import restore_deals, trash_deals


@documented("deal", "deals", serializers.GauzyDealRead)
class GauzyDealView(DealWritesView, GauzyEntityView):
    """Deals. Gauzy has only a few of their fields."""

    model, kind, read_class = Deal, "deal", serializers.GauzyDealRead
    plain_class = PlainDeals
    relates = frozenset({*serializers.GauzyDealRead.related, "stage.pipeline", "client.contact"})
    columns = {"title": "name"}
    links = {
        "id": ("deal", "pk"),
        "stageId": ("stage", "stage"),
        "clientId": ("contact", "client"),
        "createdByUserId": ("user", "created_by"),
        "pipelineId": ("pipeline", "stage__pipeline"),
    }
    sortable = {**GauzyEntityView.sortable, "title": "name", "stage": "stage__position"}

    @property
    def known(self) -> frozenset[str]:
        return super().known | ({"query"} if self.action == "search" else frozenset())

    def fetched(self, rows: Any) -> Any:
        return rows.select_related(
            "stage__pipeline", "client", "contact", "created_by__user", "created_by__organization"
        )

    def entities(self, rows: list[Any]) -> Any:
        self.ids.prefetch(client_of(deal) for deal in rows)
        return super().entities(rows)

    def filter_by(self, rows: Any, name: str, value: Any, *, partial: bool) -> Any:
        """`clientId` also matches the contact of a deal without a client."""
        if name != "clientId":
            return super().filter_by(rows, name, value, partial=partial)
        keys = self.keys("contact", value)
        return rows.filter(has_client(keys))

    def trash(self, row: Deal) -> None:
        trash_deals(actor=self.actor, rows=[row])

    def restore(self, row: Deal) -> Deal:
        return restore_deals(actor=self.actor, rows=[row])[0]

    @extend_schema(
        request=serializers.GauzyDealWrite,
        responses={201: serializers.GauzyDealRead},
        summary="Create a deal",
        examples=[OpenApiExample("Create", serializers.EXAMPLE_DEAL, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        deal = self.create_deal(self.read(serializers.GauzyDealWrite, self.sent()))
        return Response(self.entity(deal), self.create_status)

    @extend_schema(
        request=serializers.GauzyDealWrite,
        responses={202: OpenApiTypes.OBJECT},
        summary="Change a deal",
        examples=[OpenApiExample("Change", serializers.EXAMPLE_DEAL_CHANGE, request_only=True)],
    )
    def update(self, request: Request, row: str) -> Response:
        deal = self.one(self.kind, row)
        self.update_deal(deal, self.changed(serializers.GauzyDealWrite, self.entity(deal)))
        return Response({"generatedMaps": [], "raw": [], "affected": 1}, self.update_status)

    @extend_schema(responses=PageResponse, summary="The deals that the user created")
    def mine(self, request: Request) -> Any:
        self.query["createdByUserId"] = str(self.actor.member.uuid)
        return self.index(request)

    @extend_schema(responses=PageResponse, summary="Search deals")
    def search(self, request: Request) -> Any:
        self.query["search"] = self.query.get("query")
        return self.index(request)


class GauzyPipelineDealView(GauzyDealView):
    """The deals of one pipeline, in the order of its stages."""

    default_order = ("stage__position",)

    @extend_schema(responses=PageResponse, summary="Get the deals of a pipeline")
    def index(self, request: Request, row: str) -> Any:  # type: ignore[override]
        self.pipeline = self.one("pipeline", row)
        return super().index(request)

    def reachable(self) -> Any:
        return super().reachable().filter(stage__pipeline=self.pipeline)
