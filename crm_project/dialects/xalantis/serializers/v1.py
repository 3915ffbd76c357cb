"""Deals, pipelines, custom fields and pages of `/api/v1`."""

import re
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.api.fields import CustomFieldsField, OptionalText, StrictDate, StrictInteger, TextField
from crm_project.dialects.kit.fields import NumberField, TextOrNullField
from crm_project.dialects.kit.instants import InstantField
from crm_project.dialects.kit.money import MoneyField
from crm_project.dialects.kit.rows import NumberedRowField, RowField
from crm_project.dialects.kit.serializers import DialectSerializer
from crm_project.dialects.xalantis.serializers.first import (
    XalantisContactNested,
    XalantisFirstDealRead,
    XalantisFirstDealWrite,
    XalantisPipelineNested,
    XalantisStageNested,
)
from deals.models import Deal

PER_PAGE, MOST_PER_PAGE = 15, 100
MIDNIGHT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T00:00:00(\.0{1,9})?Z")


@extend_schema_field(OpenApiTypes.DATETIME)
class XalantisDayField(StrictDate):
    """A date, written as its midnight; input may have either form."""

    def to_internal_value(self, value: Any) -> Any:
        matched = MIDNIGHT.fullmatch(value) if isinstance(value, str) else None
        return super().to_internal_value(matched[1] if matched else value)

    def to_representation(self, value: Any) -> str:
        return f"{super().to_representation(value)}T00:00:00.000000Z"


class AmountOrZeroField(NumberField):
    """An amount; an unknown one is 0, since the vendor's are never null."""

    def get_attribute(self, instance: Any) -> Decimal:
        return super().get_attribute(instance) or Decimal(0)


class XalantisPipelineStageNested(Serializer):
    id = NumberedRowField("stage", source="*")
    uuid = serializers.UUIDField()
    name = serializers.CharField()
    color = serializers.CharField()
    probability = serializers.IntegerField()
    position = serializers.IntegerField()


class XalantisV1PipelineNested(XalantisPipelineNested):
    uuid = serializers.UUIDField()
    is_default = serializers.BooleanField()


class XalantisPipelineRead(XalantisV1PipelineNested):
    stages = XalantisPipelineStageNested(source="live_stages", many=True)


class XalantisV1StageNested(XalantisStageNested):
    uuid = serializers.UUIDField()


class XalantisV1ContactNested(XalantisContactNested):
    phone = TextOrNullField()


class XalantisV1DealRead(XalantisFirstDealRead):
    """A deal in an answer."""

    amount = AmountOrZeroField()
    expected_close_date = XalantisDayField(allow_null=True)
    pipeline = XalantisV1PipelineNested(source="stage.pipeline")
    stage = XalantisV1StageNested()
    contact = XalantisV1ContactNested(allow_null=True)
    custom_fields = CustomFieldsField()
    updated_at = InstantField(digits=6)


class XalantisV1DealCreate(XalantisFirstDealWrite):
    """A new deal: the first generation's fields, and UUIDs, which win over the numbers."""

    expected_close_date = XalantisDayField(required=False, allow_null=True)
    probability = StrictInteger(required=False, allow_null=True, min_value=0, max_value=100)
    custom_fields = CustomFieldsField(required=False)
    pipeline_uuid = RowField("pipeline", source="pipeline", required=False, allow_null=True)
    stage_uuid = RowField("stage", source="stage", required=False, allow_null=True)


class XalantisV1DealUpdate(DialectSerializer):
    """A change of a deal."""

    never_empty = frozenset({"name"})

    name = TextField(required=False)
    amount = MoneyField(required=False, allow_null=True)
    currency = TextField(max_length=3, required=False)
    status = serializers.ChoiceField(Deal.Statuses.choices, required=False)
    expected_close_date = XalantisDayField(required=False, allow_null=True)
    probability = StrictInteger(required=False, allow_null=True, min_value=0, max_value=100)
    custom_fields = CustomFieldsField(required=False)
    pipeline_id = NumberedRowField("pipeline", source="pipeline", required=False)
    stage_id = NumberedRowField("stage", source="stage", required=False)
    pipeline_uuid = RowField("pipeline", source="pipeline", required=False)
    stage_uuid = RowField("stage", source="stage", required=False)


class XalantisCustomFieldRead(Serializer):
    """A declared custom field."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    type = serializers.CharField()
    options = serializers.ListField()
    required = serializers.BooleanField()  # type: ignore[assignment]


class PageSizeField(serializers.IntegerField):
    """The size of a page; a larger one is reduced to the maximum."""

    def to_internal_value(self, data: Any) -> int:
        return min(super().to_internal_value(data), MOST_PER_PAGE)


class CursorField(OptionalText):
    """A cursor, or a link that contains one."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        return parse_qs(urlsplit(text).query).get("cursor", [text])[-1]


class XalantisPageQuery(DialectSerializer):
    per_page = PageSizeField(required=False, min_value=1, default=PER_PAGE)
    page = serializers.IntegerField(required=False, min_value=1, max_value=1_000_000, default=1)
    paginate = serializers.ChoiceField(["cursor", "offset"], required=False)
    cursor = CursorField(max_length=2000)
    search = OptionalText()


@cache
def response_of(name: str, serializer: Any, *, many: bool = False) -> Any:
    """The envelope of an answer, for the OpenAPI document."""
    return inline_serializer(name, {"success": serializers.BooleanField(), "data": serializer(many=many)})
