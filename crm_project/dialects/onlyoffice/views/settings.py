"""Currencies and the definitions of user fields."""

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.services import update_contacts
from crm_project.dialects.onlyoffice.views.base import OnlyofficeView, described
from crm_project.dialects.onlyoffice.wire.currencies import CurrencyPart, currencies
from crm_project.dialects.onlyoffice.wire.custom_fields import (
    CustomFieldPart,
    CustomValue,
    ShownDefinition,
    Value,
    change_of,
    values_of,
)
from deals.services import update_deals

WRITERS: dict[str, Any] = {"deal": update_deals, "contact": update_contacts}


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

    @described("Set a user field of a row", CustomFieldPart, request=CustomValue, status=201)
    def set_value(self, request: Request, pk: str, field: str) -> Response:
        row, definition = self.find(self.kind, pk), self.find("custom_field", field)
        if definition.kind != self.kind:
            raise NotFound
        text = self.read(CustomValue)["fieldValue"] or ""
        value = change_of(row, {definition.key: (definition, text)}) if text else {definition.key: None}
        change = {"custom_fields": value}
        receipt = WRITERS[self.kind](actor=self.actor, changes=[(row, change)])[0]
        return self.one(self.show(CustomFieldPart, Value(receipt.row, definition)), 201)
