"""`/api/exchange-rates`."""

from typing import ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
from crm_project.api.filters import CurrencyFilter, StrictFilterSet, days
from crm_project.api.views import RowViewSet
from crm_project.rates import reading, services
from crm_project.rates.api.serializers import (
    ExchangeRateSerializer,
    RateFileSerializer,
    RateReceiptSerializer,
)
from crm_project.rates.models import ExchangeRate
from crm_project.records.paging import Key

EXAMPLE = {"currency": "USD", "date": "2026-10-01", "rate": "0.9234"}


class ExchangeRateFilter(StrictFilterSet):
    currency = CurrencyFilter()
    date = days()


@extend_schema_view(create=extend_schema(examples=[OpenApiExample("A rate", EXAMPLE, request_only=True)]))
class ExchangeRateViewSet(RowViewSet):
    """Dated exchange rates, by which deals have an amount in the organization's currency."""

    queryset = ExchangeRate.objects.none()
    serializer_class = ExchangeRateSerializer
    filterset_class = ExchangeRateFilter
    edit_permission = Permission.EDIT_PIPELINES
    lookup_field = "id"
    lookup_value_converter = "id_or_uuid"
    orderings: ClassVar = {
        "created_at": Key("created_at"),
        "updated_at": Key("updated_at"),
        "date": Key("date"),
    }
    default_ordering = "-date"

    @extend_schema(
        request=RateFileSerializer,
        responses={200: RateReceiptSerializer},
        summary="Create or correct the rates of a file",
    )
    @action(detail=False, methods=["post"])
    def upload(self, request: Request) -> Response:
        """All rates of the file, or none. A rate of the same currency and day is corrected."""
        body = RateFileSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        content = body.validated_data["content"]
        base = self.actor.organization.currency
        is_csv = body.validated_data["format"] == "csv"
        rates = reading.read_csv(content) if is_csv else reading.read_ecb(content, base)
        return Response(services.set_exchange_rates(actor=self.actor, rates=rates))
