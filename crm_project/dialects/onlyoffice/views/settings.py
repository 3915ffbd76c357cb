"""Currencies, the organization's currency, and exchange rates, of which there are none."""

from decimal import Decimal
from typing import Any

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
from crm_project.accounts.services import update_organization
from crm_project.dialects.kit.fields import NumberField
from crm_project.dialects.onlyoffice.serializers import currencies as serializers
from crm_project.dialects.onlyoffice.views.base import OnlyofficeView, described


class OnlyofficeCurrencyView(OnlyofficeView):
    edit_permission = Permission.ADMINISTER
    queries = {
        "convert": serializers.OnlyofficeConversionQuery,
        "summary": serializers.OnlyofficeCurrencyWrite,
    }

    @property
    def language(self) -> str:
        return self.actor.organization.language

    @described("Currencies", serializers.OnlyofficeCurrencyNested, many=True)
    def list(self, request: Request) -> Response:
        return self.many(serializers.currencies(self.language))

    @described(
        "Set the organization's currency",
        serializers.OnlyofficeCurrencyNested,
        request=serializers.OnlyofficeCurrencyWrite,
    )
    def set(self, request: Request) -> Response:
        code = self.read(serializers.OnlyofficeCurrencyWrite)["currency"]
        update_organization(actor=self.actor, organization=self.actor.organization, currency=code)
        return self.one(serializers.currency(code, self.language))

    @described("An amount in another currency", NumberField)
    def convert(self, request: Request) -> Response:
        sent = self.query
        if sent["fromcurrency"] and sent["tocurrency"] and sent["fromcurrency"] != sent["tocurrency"]:
            raise ValidationError("This server has no exchange rates.")
        return self.one(sent["amount"])

    @described(
        "The rates between a currency and the others", serializers.OnlyofficeRatedCurrencyRead, many=True
    )
    def summary(self, request: Request) -> Response:
        """Only the rate of a currency to itself."""
        own: dict[str, Any] = {
            **serializers.currency(self.query["currency"], self.language),
            "rate": Decimal(1),
        }
        return self.many([own])


class OnlyofficeCurrencyRateView(OnlyofficeView):
    """Exchange rates: an empty list, and writes are refused."""

    edit_permission = Permission.ADMINISTER

    @described("Exchange rates", serializers.OnlyofficeRateRead, many=True)
    def list(self, request: Request) -> Response:
        return self.many([])

    @described("An exchange rate", serializers.OnlyofficeRateRead)
    def retrieve(self, request: Request, **_: str) -> Response:
        raise NotFound

    @described("Store exchange rates", serializers.OnlyofficeRateRead, status=201)
    def refuse(self, request: Request, **_: str) -> Response:
        raise ValidationError("This server does not store exchange rates.")
