"""The endpoint of the first generation."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.dialects.xalantis.serializers import first as serializers
from crm_project.dialects.xalantis.views.base import XalantisDealWritesView
from deals.models import Deal


class XalantisFirstDealView(XalantisDealWritesView):
    """Deals of the first generation."""

    @extend_schema(
        request=serializers.XalantisFirstDealWrite,
        responses={201: serializers.DealAnswer},
        summary="Create a deal, and its contact unless one has the e-mail address",
        examples=[
            OpenApiExample("Create", serializers.EXAMPLE_REQUEST, request_only=True),
            OpenApiExample("Created", serializers.EXAMPLE_ANSWER, response_only=True, status_codes=["201"]),
        ],
    )
    def create(self, request: Request) -> Response:
        deal = self.create_deal(self.read(serializers.XalantisFirstDealWrite))
        return Response({"data": self.representation(deal)}, self.create_status)

    def representation(self, deal: Deal) -> Any:
        return self.serialize(
            serializers.XalantisFirstDealRead, Deal.objects.after_write(deal, self.actor.member)
        )
