"""The words of `/api/v1`: deals, pipelines, contacts and clients."""

from typing import Any

from rest_framework import serializers

from crm_project.api.fields import CustomFieldsField, OptionalText, StrictDate, StrictInteger, TextField
from crm_project.dialects.wire import NumberedRowField, NumberField, RowField, UnsayableField, WireSerializer
from crm_project.dialects.xalantis.wire.first import InstantField, NewDeal, ShownDeal
from crm_project.records.rules import LONG_TEXT
from deals.models import Deal


class PipelineStage(serializers.Serializer[Any]):
    id = NumberedRowField("stage", source="*")
    uuid = serializers.UUIDField()
    name = serializers.CharField()
    color = serializers.CharField()
    probability = serializers.IntegerField()
    position = serializers.IntegerField()


class ShownPipeline(serializers.Serializer[Any]):
    id = NumberedRowField("pipeline", source="*")
    uuid = serializers.UUIDField()
    name = serializers.CharField()
    is_default = serializers.BooleanField()
    stages = PipelineStage(source="live_stages", many=True)


class ShownV1Deal(ShownDeal):
    """A deal as v1 prints it."""

    expected_close_date = serializers.DateField(allow_null=True)
    custom_fields = CustomFieldsField()
    updated_at = InstantField()


class NewV1Deal(NewDeal):
    """The first generation's fields, and the uuids, which win over the numbers."""

    probability = StrictInteger(required=False, allow_null=True, min_value=0, max_value=100)
    custom_fields = CustomFieldsField(required=False)
    pipeline_uuid = RowField("pipeline", source="pipeline", required=False, allow_null=True)
    stage_uuid = RowField("stage", source="stage", required=False, allow_null=True)


class DealChange(WireSerializer):
    """What PATCH takes."""

    name = TextField(required=False)
    amount = NumberField(required=False, allow_null=True)
    currency = TextField(max_length=3, required=False)
    status = serializers.ChoiceField(Deal.Statuses.choices, required=False)
    expected_close_date = StrictDate(required=False, allow_null=True)
    probability = StrictInteger(required=False, allow_null=True, min_value=0, max_value=100)
    custom_fields = CustomFieldsField(required=False)
    pipeline_id = NumberedRowField("pipeline", source="pipeline", required=False)
    stage_id = NumberedRowField("stage", source="stage", required=False)
    pipeline_uuid = RowField("pipeline", source="pipeline", required=False)
    stage_uuid = RowField("stage", source="stage", required=False)


class ClientPart(serializers.Serializer[Any]):
    uuid = RowField("contact", source="*")
    name = serializers.CharField(source="full_name")


class ShownContact(serializers.Serializer[Any]):
    uuid = RowField("contact", source="*")
    full_name = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    email = serializers.CharField()
    phone = serializers.CharField()
    mobile = serializers.CharField()
    job_title = serializers.CharField()
    department = serializers.CharField()
    client = ClientPart(source="company", allow_null=True)
    address = serializers.CharField(source="street")
    postal_code = serializers.CharField()
    city = serializers.CharField()
    country = serializers.CharField()
    custom_fields = CustomFieldsField()
    created_at = InstantField()
    updated_at = InstantField()


class AddressWords(WireSerializer):
    phone = OptionalText()
    address = OptionalText(source="street")
    postal_code = OptionalText()
    city = OptionalText()
    country = OptionalText()
    custom_fields = CustomFieldsField(required=False)
    status = UnsayableField()


class ContactWords(AddressWords):
    first_name = TextField()
    last_name = OptionalText()
    email = TextField(max_length=254)
    mobile = OptionalText()
    job_title = OptionalText()
    department = OptionalText()
    client_id = RowField("contact", source="company", required=False, allow_null=True)
    linkedin_url = UnsayableField()
    twitter_url = UnsayableField()


class ShownClient(serializers.Serializer[Any]):
    uuid = RowField("contact", source="*")
    name = serializers.CharField()
    email = serializers.CharField()
    phone = serializers.CharField()
    website = serializers.CharField()
    description = serializers.CharField()
    address = serializers.CharField(source="street")
    postal_code = serializers.CharField()
    city = serializers.CharField()
    country = serializers.CharField()
    custom_fields = CustomFieldsField()
    created_at = InstantField()
    updated_at = InstantField()


class ClientWords(AddressWords):
    name = TextField()
    email = OptionalText(max_length=254)
    website = OptionalText(max_length=2000)
    description = OptionalText(max_length=LONG_TEXT)


class ShownField(serializers.Serializer[Any]):
    """A declared custom field."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    type = serializers.CharField()
    options = serializers.ListField()
    required = serializers.BooleanField()  # type: ignore[assignment]


class PageQuery(WireSerializer):
    per_page = serializers.IntegerField(required=False, min_value=1, max_value=100)
    page = serializers.IntegerField(required=False, min_value=1, max_value=1_000_000)
    paginate = serializers.ChoiceField(["cursor"], required=False)
    cursor = OptionalText(max_length=2000)
    search = OptionalText()
