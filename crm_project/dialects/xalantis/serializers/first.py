"""Deals of the first generation."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.api.fields import OptionalText, StrictDate, TextField
from crm_project.dialects.kit.deal_contacts import DealContact
from crm_project.dialects.kit.fields import NumberField
from crm_project.dialects.kit.instants import InstantField
from crm_project.dialects.kit.money import MoneyField
from crm_project.dialects.kit.rows import NumberedRowField, RowField
from crm_project.dialects.kit.serializers import DialectSerializer

EXAMPLE_REQUEST = {
    "name": "Partenariat 2024",
    "amount": 15000,
    "contact_email": "sophie.martin@example.com",
    "contact_first_name": "Sophie",
    "contact_last_name": "Martin",
}
EXAMPLE_ANSWER = {
    "data": {
        "uuid": "8a7b9c1d-2e3f-4a5b-a6c7-8d9e0f1a2b3c",
        "name": "Partenariat 2024",
        "amount": 15000,
        "currency": "EUR",
        "status": "open",
        "probability": 10,
        "pipeline": {"id": 1, "name": "Vente Standard"},
        "stage": {"id": 15, "name": "Nouveau lead", "color": "#3b82f6"},
        "contact": {
            "uuid": "1b2c3d4e-5f6a-4b8c-9d0e-1f2a3b4c5d6e",
            "full_name": "Sophie Martin",
            "email": "sophie.martin@example.com",
        },
        "created_at": "2024-03-20T10:00:00.000000Z",
    }
}


class XalantisFirstDealWrite(DialectSerializer):
    """The body of `POST /api/deals`."""

    name = TextField()
    amount = MoneyField(required=False, allow_null=True)
    currency = TextField(max_length=3, required=False)
    pipeline_id = NumberedRowField("pipeline", source="pipeline", required=False, allow_null=True)
    stage_id = NumberedRowField("stage", source="stage", required=False, allow_null=True)
    expected_close_date = StrictDate(required=False, allow_null=True)
    contact_email = TextField(max_length=254)
    contact_first_name = OptionalText()
    contact_last_name = OptionalText()
    contact_phone = OptionalText()


class XalantisPipelineNested(Serializer):
    id = NumberedRowField("pipeline", source="*")
    name = serializers.CharField()


class XalantisStageNested(Serializer):
    id = NumberedRowField("stage", source="*")
    name = serializers.CharField()
    color = serializers.CharField()


class XalantisContactNested(DealContact, Serializer):
    """The only contact of a deal that the vendor has: its contact, or its client where it has none."""

    uuid = RowField("contact", source="*")
    full_name = serializers.CharField()
    email = serializers.CharField()


class XalantisFirstDealRead(Serializer):
    """A deal in an answer of the first generation."""

    uuid = RowField("deal", source="*")
    name = serializers.CharField()
    amount = NumberField(allow_null=True)
    currency = serializers.CharField()
    status = serializers.CharField()
    probability = serializers.IntegerField(source="effective_probability")
    pipeline = XalantisPipelineNested(source="stage.pipeline")
    stage = XalantisStageNested()
    contact = XalantisContactNested(allow_null=True)
    created_at = InstantField(digits=6)


DealAnswer: Any = inline_serializer("DealAnswer", {"data": XalantisFirstDealRead()})
