"""`/crm/deals.json`."""

import datetime
from typing import Any

from django.db.models import Q
from django.db.models.functions import Coalesce
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.dialects.intum.serializers import deals as serializers
from crm_project.dialects.intum.serializers.references import app_code, with_references
from crm_project.dialects.intum.views.base import IntumView
from crm_project.dialects.kit.deal_writes import DealWritesView
from deals.models import Deal
from deals.services import trash_deals


class IntumDealView(DealWritesView, IntumView):
    """Deals."""

    wrapper = "deal"
    status_moves = "if_needed"
    # The effect of a blank `closed` depends on whether a status is sent beside it.
    always = ("status_id", "closed")
    queries = {"index": serializers.IntumDealQuery}

    @extend_schema(
        parameters=[serializers.IntumDealQuery],
        responses=serializers.IntumDealRead(many=True),
        summary="List deals",
    )
    def index(self, request: Request) -> Response:
        rows = self.page(self.listed().order_by("-created_at", "-id").for_reading(self.actor.member))
        return Response(self.serialize(serializers.IntumDealRead, list(rows), many=True))

    @extend_schema(
        request=serializers.DealBody,
        responses={201: serializers.IntumDealRead},
        summary="Create a deal",
        examples=[OpenApiExample("Create", serializers.EXAMPLE_REQUEST, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        change = self.completed(self.read(serializers.IntumDealWrite, self.sent()), None)
        deal = self.create_deal(change)
        return Response(self.representation(deal), self.create_status)

    @extend_schema(responses=serializers.IntumDealRead, summary="Show a deal")
    def retrieve(self, request: Request, row: str) -> Response:
        return Response(self.representation(self.find("deal", row)))

    @extend_schema(request=serializers.DealBody, responses=serializers.IntumDealRead, summary="Change a deal")
    def update(self, request: Request, row: str) -> Response:
        deal = self.find("deal", row)
        change = self.completed(self.changed(serializers.IntumDealWrite, self.representation(deal)), deal)
        return Response(self.representation(self.update_deal(deal, change).row))

    @extend_schema(responses=serializers.IntumDealRead, summary="Delete a deal")
    def destroy(self, request: Request, row: str) -> Response:
        deal = self.find("deal", row)
        data = self.representation(deal)
        trash_deals(actor=self.actor, rows=[deal])
        return Response(data, self.delete_status)

    @extend_schema(responses=serializers.IntumDealRead, summary="Find a deal by the id of an application")
    def external(self, request: Request, app_code: str, external_id: str) -> Response:
        visible = Deal.objects.visible_to(self.actor.member)
        return Response(self.representation(self.by_reference(visible, app_code, external_id)))

    def completed(self, change: dict[str, Any], deal: Deal | None) -> dict[str, Any]:
        change = serializers.with_gross(serializers.with_status(change, deal), deal)
        change = self.without_conflict(change, deal)
        change = with_references(change, deal, app_code(self.actor))
        # `fields` is free-form JSON by contract.
        return {**change, "free_custom_fields": True}

    def representation(self, deal: Deal) -> Any:
        return self.serialize(serializers.IntumDealRead, Deal.objects.after_write(deal, self.actor.member))

    def listed(self) -> Any:
        query = self.query
        rows = Deal.objects.visible_to(self.actor.member).matching(query.get("q") or "")
        rows = self.filtered(
            rows,
            {
                "client_id": ("contact", "client"),
                "status_id": ("stage", "stage"),
                "responsible_id": ("user", "owner"),
            },
        )
        plain = {name: query[name] for name in ("department_id", "project_id") if name in query}
        return self.priced(self.dated(rows.filter(**plain)))

    def dated(self, rows: Any) -> Any:
        """Filter by the main date: `date`, else the day of creation in the organization's time zone."""
        if start := self.query.get("main_date_from"):
            instant = datetime.datetime.combine(start, datetime.time(), self.zone)
            rows = rows.filter(Q(date__gte=start) | Q(date=None, created_at__gte=instant))
        if end := self.query.get("main_date_to"):
            after = datetime.datetime.combine(end + datetime.timedelta(days=1), datetime.time(), self.zone)
            rows = rows.filter(Q(date__lte=end) | Q(date=None, created_at__lt=after))
        return rows

    def priced(self, rows: Any) -> Any:
        """Filter by the gross amount, or by the net amount where there is no gross."""
        rows = rows.alias(gross=Coalesce("amount_gross", "amount"))
        if "total_amount_gross_from" in self.query:
            rows = rows.filter(gross__gte=self.query["total_amount_gross_from"])
        if "total_amount_gross_to" in self.query:
            rows = rows.filter(gross__lte=self.query["total_amount_gross_to"])
        return rows
