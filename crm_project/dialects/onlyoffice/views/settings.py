"""Currencies: what there are, which one the organization has, and what is known of their rates, which is nothing."""

from decimal import Decimal
from typing import Any

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
from crm_project.accounts.services import update_organization
from crm_project.dialects.onlyoffice.views.base import OnlyofficeView, described
from crm_project.dialects.onlyoffice.wire import currencies as wire
from crm_project.dialects.wire import NumberField


class CurrencyView(OnlyofficeView):
    edit_permission = Permission.ADMINISTER
    queries = {"convert": wire.Conversion, "summary": wire.OneCurrency}

    @property
    def language(self) -> str:
        return self.actor.organization.language

    @described("Currencies", wire.CurrencyPart, many=True)
    def list(self, request: Request) -> Response:
        return self.many(wire.currencies(self.language))

    @described("Set the organization's currency", wire.CurrencyPart, request=wire.OneCurrency)
    def set(self, request: Request) -> Response:
        code = self.read(wire.OneCurrency)["currency"]
        update_organization(actor=self.actor, organization=self.actor.organization, currency=code)
        return self.one(wire.currency(code, self.language))

    @described("An amount in another currency", NumberField)
    def convert(self, request: Request) -> Response:
        sent = self.query
        if sent["fromcurrency"] and sent["tocurrency"] and sent["fromcurrency"] != sent["tocurrency"]:
            raise ValidationError("This server knows no exchange rates.")
        return self.one(sent["amount"])

    @described("The rates between a currency and the others", wire.RatedCurrency, many=True)
    def summary(self, request: Request) -> Response:
        """The currency itself alone has a rate here."""
        own: dict[str, Any] = {**wire.currency(self.query["currency"], self.language), "rate": Decimal(1)}
        return self.many([own])


class CurrencyRateView(OnlyofficeView):
    """There are no rates here."""

    edit_permission = Permission.ADMINISTER

    @described("Rates of exchange", wire.RatePart, many=True)
    def list(self, request: Request) -> Response:
        return self.many([])

    @described("A rate of exchange", wire.RatePart)
    def retrieve(self, request: Request, **_: str) -> Response:
        raise NotFound

    @described("Keep rates of exchange", wire.RatePart, status=201)
    def refuse(self, request: Request, **_: str) -> Response:
        raise ValidationError("This server keeps no exchange rates.")
