"""Intum's deals."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.api.fields import CustomFieldsField
from crm_project.dialects.intum.serializers.fields import (
    ClosedField,
    IntumAmount,
    IntumAmountFilter,
    IntumCustomFields,
    IntumDate,
    IntumDefaultText,
    IntumInteger,
    IntumListQuery,
    IntumRequiredRow,
    IntumRequiredText,
    IntumRow,
    IntumText,
    token_field,
    written,
)
from crm_project.dialects.intum.serializers.references import app_code, external_id
from crm_project.dialects.kit.fields import NumberField, TextOrNullField
from crm_project.dialects.kit.rows import NumberedRowField
from crm_project.dialects.kit.serializers import DialectSerializer
from crm_project.records.rules import LONG_TEXT
from deals.models import Deal

CLOSED = {Deal.Statuses.WON: "win", Deal.Statuses.LOST: "lost", Deal.Statuses.ABANDONED: "lost"}
STATUSES = {
    "win": Deal.Statuses.WON,
    "lost": Deal.Statuses.LOST,
    "": Deal.Statuses.OPEN,
    None: Deal.Statuses.OPEN,
}
EXAMPLE_REQUEST = {
    "api_token": "TOKEN",
    "deal": {
        "name": "Wdrożenie systemu CRM",
        "total_amount_net": 10000.00,
        "total_amount_gross": 12300.00,
        "tax": "23",
        "currency": "PLN",
        "client_id": 123,
        "status_id": 1,
        "date": "2026-03-15",
    },
}


class IntumDealWrite(DialectSerializer):
    """A deal in a request."""

    name = IntumText()
    description = IntumText(max_length=LONG_TEXT)
    total_amount_net = IntumAmount(source="amount")
    total_amount_gross = IntumAmount(source="amount_gross")
    tax = IntumRequiredText(source="tax_rate")
    currency = IntumDefaultText(max_length=3, required=False)
    closed = ClosedField(source="status")
    date = IntumDate()
    date_from = IntumDate()
    date_to = IntumDate()
    number = IntumText()
    invoice_no = IntumText()
    url = IntumText(max_length=2000)
    origin = IntumText()
    external_id = IntumText(source="external_references")
    client_id = IntumRow("contact", source="client")
    contact_id = IntumRow("contact", source="contact")
    status_id = IntumRequiredRow("stage", source="stage")
    responsible_id = IntumRow("user", source="owner")
    department_id = IntumInteger()
    project_id = IntumInteger()
    task_id = IntumInteger()
    next_deal_id = IntumRow("deal", source="next_deal")

    def get_fields(self) -> dict[str, Any]:
        # `fields` is an attribute of serializers.
        return {**super().get_fields(), "fields": IntumCustomFields(source="custom_fields", required=False)}


DealBody: Any = inline_serializer("DealBody", {"api_token": token_field(), "deal": IntumDealWrite()})


class IntumDealRead(Serializer):
    """A deal in an answer: flat, with JSON numbers for the amounts."""

    id = NumberedRowField("deal", source="*")
    name = TextOrNullField()
    description = TextOrNullField()
    total_amount_net = NumberField(source="amount", allow_null=True)
    total_amount_gross = serializers.SerializerMethodField()
    tax = TextOrNullField(source="tax_rate")
    currency = serializers.CharField()
    closed = serializers.SerializerMethodField()
    date = serializers.DateField(allow_null=True)
    date_from = serializers.DateField(allow_null=True)
    date_to = serializers.DateField(allow_null=True)
    number = TextOrNullField()
    invoice_no = TextOrNullField()
    url = TextOrNullField()
    origin = TextOrNullField()
    external_id = serializers.SerializerMethodField()
    client_id = NumberedRowField("contact", source="client", allow_null=True)
    contact_id = NumberedRowField("contact", source="contact", allow_null=True)
    status_id = NumberedRowField("stage", source="stage")
    responsible_id = NumberedRowField("user", source="owner", allow_null=True)
    department_id = serializers.IntegerField(allow_null=True)
    project_id = serializers.IntegerField(allow_null=True)
    task_id = serializers.IntegerField(allow_null=True)
    next_deal_id = NumberedRowField("deal", source="next_deal", allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "fields": CustomFieldsField(source="custom_fields"), **written()}

    def get_total_amount_gross(self, deal: Deal) -> Decimal | None:
        gross: Decimal | None = deal.amount if deal.amount_gross is None else deal.amount_gross
        return gross

    def get_closed(self, deal: Deal) -> str | None:
        return CLOSED.get(Deal.Statuses(deal.status))

    def get_external_id(self, deal: Deal) -> str | None:
        return external_id(deal, app_code(self.context["view"].actor))


def with_status(change: dict[str, Any], deal: Deal | None) -> dict[str, Any]:
    """The change with the status of `closed`. Ignored: a blank on create or beside a stage, and an unchanged value."""
    if "status" not in change:
        return change
    closed = change["status"] or ""
    rest = {name: value for name, value in change.items() if name != "status"}
    if not closed and (deal is None or "stage" in change):
        return rest
    if deal is not None and CLOSED.get(Deal.Statuses(deal.status), "") == closed:
        return rest
    return {**rest, "status": STATUSES[closed]}


def with_gross(change: dict[str, Any], deal: Deal | None) -> dict[str, Any]:
    """The change with the deal's own gross amount beside a net amount: Intum's clients send both of them."""
    if deal is None or "amount" not in change or "amount_gross" in change:
        return change
    return {**change, "amount_gross": deal.amount_gross}


class IntumDealQuery(IntumListQuery):
    """The filters of the list."""

    q = IntumText()
    client_id = serializers.CharField(required=False)
    status_id = serializers.CharField(required=False)
    responsible_id = serializers.CharField(required=False)
    department_id = IntumInteger()
    project_id = IntumInteger()
    main_date_from = IntumDate()
    main_date_to = IntumDate()
    total_amount_gross_from = IntumAmountFilter(required=False)
    total_amount_gross_to = IntumAmountFilter(required=False)
