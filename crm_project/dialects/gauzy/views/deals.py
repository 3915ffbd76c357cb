"""Gauzy's deals, and those of one pipeline."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.dialects.gauzy import wire
from crm_project.dialects.gauzy.views.base import AFFECTED, Found, GauzyView
from deals.models import Deal
from deals.services import create_deals, restore_deals, trash_deals, update_deals


class DealView(GauzyView):
    """Deals, in Gauzy's few words."""

    model, kind = Deal, "deal"
    columns = {"title": "name__icontains"}
    links = {
        "stageId": ("stage", "stage"),
        "clientId": ("contact", "client"),
        "createdByUserId": ("user", "created_by"),
    }
    sortable = {**GauzyView.sortable, "title": "name"}

    def serializer(self) -> Any:
        return wire.ShownDealWithRelations if self.relations else wire.ShownDeal

    def fetched(self, rows: Any) -> Any:
        return rows.select_related(
            "stage__pipeline", "client", "contact", "created_by__user", "created_by__organization"
        )

    def entities(self, rows: list[Any]) -> Any:
        self.ids.remember(deal.client or deal.contact for deal in rows)
        return super().entities(rows)

    @extend_schema(operation_id="deals_find_all", responses=Found, summary="List deals")
    def index(self, request: Request) -> Response:
        return super().index(request)

    @extend_schema(responses=Found, summary="List deals by pages")
    def pagination(self, request: Request) -> Response:
        return super().pagination(request)

    @extend_schema(responses=OpenApiTypes.INT, summary="Count deals")
    def count(self, request: Request) -> Response:
        return super().count(request)

    @extend_schema(responses=wire.ShownDeal, summary="Get a deal")
    def retrieve(self, request: Request, row: str) -> Response:
        return Response(self.entity(self.one(row)))

    @extend_schema(
        request=wire.DealWords,
        responses={201: wire.ShownDeal},
        summary="Create a deal",
        examples=[OpenApiExample("Create", wire.EXAMPLE_DEAL, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        change = self.read(wire.DealWords, self.sent())
        return Response(self.entity(create_deals(actor=self.actor, changes=[change])[0]), self.create_status)

    @extend_schema(request=wire.DealWords, responses={202: OpenApiTypes.OBJECT}, summary="Change a deal")
    def update(self, request: Request, row: str) -> Response:
        deal = self.one(row)
        update_deals(actor=self.actor, changes=[(deal, self.changed(wire.DealWords, self.entity(deal)))])
        return Response({"generatedMaps": [], **AFFECTED}, self.update_status)

    @extend_schema(responses={202: OpenApiTypes.OBJECT}, summary="Delete a deal")
    def destroy(self, request: Request, row: str) -> Response:
        trash_deals(actor=self.actor, deals=[self.one(row)])
        return Response(AFFECTED, self.delete_status)

    @extend_schema(responses={202: wire.ShownDeal}, summary="Move a deal to the trash")
    def soft(self, request: Request, row: str) -> Response:
        deal = self.one(row)
        trash_deals(actor=self.actor, deals=[deal])
        return Response(self.entity(deal), self.delete_status)

    @extend_schema(request=None, responses={202: wire.ShownDeal}, summary="Bring a deal back")
    def recover(self, request: Request, row: str) -> Response:
        restored = restore_deals(actor=self.actor, deals=[self.trashed(row)])[0]
        return Response(self.entity(restored), self.update_status)


class PipelineDealView(DealView):
    """The deals of one pipeline, stage by stage."""

    default_order = ("stage__position",)

    @extend_schema(responses=Found, summary="Get the deals of a pipeline")
    def index(self, request: Request, row: str) -> Response:  # type: ignore[override]
        self.pipeline = self.one(row, "pipeline")
        return super().index(request)

    def listed(self) -> Any:
        return super().listed().filter(stage__pipeline=self.pipeline)
