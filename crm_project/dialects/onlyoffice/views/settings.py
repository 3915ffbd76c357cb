"""Currencies and the definitions of user fields."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.dialects.onlyoffice.views.base import OnlyofficeView, described
from crm_project.dialects.onlyoffice.wire.currencies import CurrencyPart, currencies
from crm_project.dialects.onlyoffice.wire.custom_fields import (
    CustomFieldPart,
    ShownDefinition,
    Value,
    values_of,
)


class CurrencyView(OnlyofficeView):
    @described("Currencies", CurrencyPart, many=True)
    def list(self, request: Request) -> Response:
        return self.many(currencies(self.actor.organization.language))


class CustomFieldView(OnlyofficeView):
    """`kind` is the core's word for the rows that have the fields; people and companies share theirs."""

    kind = "deal"

    @described("User fields that rows may have", ShownDefinition, many=True)
    def definitions_list(self, request: Request) -> Response:
        values = [Value(None, definition) for definition in self.definitions(self.kind)]
        return self.many(self.show(ShownDefinition, values, many=True))

    @described("User fields of a row", CustomFieldPart, many=True)
    def values_list(self, request: Request, pk: str) -> Response:
        row: Any = self.find(self.kind, pk)
        values = values_of(row, self.definitions(self.kind))
        return self.many(self.show(CustomFieldPart, values, many=True))
