"""Serializers of deals and lost reasons."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.api.fields import (
    AMOUNT_SCHEMA,
    AmountField,
    CustomFieldsField,
    OptionalText,
    RowIdField,
    StrictBoolean,
    StrictChoice,
    StrictDate,
    StrictDateTime,
    StrictInteger,
    StrictUUID,
    TextField,
    UUIDList,
)
from crm_project.api.serializers import MemberSerializer, ReferenceListField, StrictSerializer, take_shorthand
from crm_project.records.rules import LONG_TEXT
from deals import money
from deals.models import Deal
from deals.rules import NEXT_STEPS
from deals.services.bulk import MATCH_KEYS
from pipelines.models import ForecastCategories

EXAMPLE = {
    "name": "Partenariat 2024",
    "amount": 15000,
    "contact_email": "sophie.martin@example.com",
    "contact_first_name": "Sophie",
    "contact_last_name": "Martin",
}


@extend_schema_field(AMOUNT_SCHEMA)
class DealAmountField(AmountField):
    """An amount with the decimals of the deal's currency."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_null": True, **kwargs})

    def get_attribute(self, instance: Any) -> Any:
        return money.formatted(getattr(instance, str(self.source)), instance.currency)


class BaseAmountField(DealAmountField):
    """The amount in the organization's currency, as it is stored: with four decimals."""

    def get_attribute(self, instance: Any) -> Any:
        return None if instance.amount_base is None else money.in_base(instance.amount_base)


class NamedSerializer(Serializer):
    id = StrictInteger()
    name = serializers.CharField()


class StagePartSerializer(NamedSerializer):
    color = serializers.CharField()
    kind = serializers.CharField()


class ContactPartSerializer(Serializer):
    uuid = StrictUUID()
    full_name = serializers.CharField()
    email = serializers.CharField()


class ClientPartSerializer(Serializer):
    uuid = StrictUUID()
    full_name = serializers.CharField()


class ParticipantSerializer(ClientPartSerializer):
    kind = serializers.CharField()


class NextDealSerializer(Serializer):
    uuid = StrictUUID()
    name = serializers.CharField(source="__str__")


class NextStepSerializer(Serializer):
    """The open activity of a deal that is due first; one that is due on a day is due at the end of it."""

    state = serializers.ChoiceField(NEXT_STEPS)
    due_at = StrictDateTime(allow_null=True)
    activity_uuid = StrictUUID()


@extend_schema_serializer(examples=[OpenApiExample("Create", EXAMPLE, request_only=True)])
class DealSerializer(StrictSerializer):
    """A deal as it is read, and the fields by which it is written."""

    uuid = StrictUUID(read_only=True)
    name = TextField()
    description = OptionalText(max_length=LONG_TEXT)
    amount = DealAmountField()
    amount_base = BaseAmountField(read_only=True)
    amount_gross = DealAmountField()
    tax_rate = OptionalText()
    currency = TextField(required=False, max_length=3)
    bid_type = StrictChoice(Deal.BidTypes.choices, required=False)
    bid_value = DealAmountField()
    bid_periods = StrictInteger(required=False, allow_null=True, min_value=0, max_value=2**31 - 1)
    status = StrictChoice(Deal.Statuses.choices, required=False)
    probability = StrictInteger(required=False, allow_null=True, min_value=0, max_value=100)
    forecast_category = StrictChoice(
        ForecastCategories.choices,
        required=False,
        allow_null=True,
        help_text="The category in force; null in a request stands for that of the stage.",
    )
    pipeline = NamedSerializer(source="stage.pipeline", read_only=True)
    stage = StagePartSerializer(read_only=True)
    contact = ContactPartSerializer(read_only=True, allow_null=True)
    client = ClientPartSerializer(read_only=True, allow_null=True)
    owner = MemberSerializer(read_only=True, allow_null=True)
    participants = serializers.SerializerMethodField()
    followers = serializers.SerializerMethodField()
    is_private = StrictBoolean(required=False)
    access_list = serializers.SerializerMethodField()
    lost_reason = NamedSerializer(read_only=True, allow_null=True)
    expected_close_date = StrictDate(required=False, allow_null=True)
    paused_until = StrictDate(
        required=False,
        allow_null=True,
        help_text="The last day of an open deal's pause, in the time zone of the organization. Null ends the pause, as"
        " the closing of the deal does.",
    )
    pause_reason = OptionalText(help_text="Required with `paused_until`.")
    closed_at = StrictDateTime(required=False, allow_null=True)
    date = StrictDate(required=False, allow_null=True)
    date_from = StrictDate(required=False, allow_null=True)
    date_to = StrictDate(required=False, allow_null=True)
    number = OptionalText()
    invoice_no = OptionalText()
    url = OptionalText(max_length=2000)
    origin = OptionalText()
    external_references = ReferenceListField()
    department_id = StrictInteger(required=False, allow_null=True, min_value=-(2**63), max_value=2**63 - 1)
    project_id = StrictInteger(required=False, allow_null=True, min_value=-(2**63), max_value=2**63 - 1)
    task_id = StrictInteger(required=False, allow_null=True, min_value=-(2**63), max_value=2**63 - 1)
    next_deal = NextDealSerializer(read_only=True, allow_null=True)
    next_step = NextStepSerializer(read_only=True, allow_null=True)
    custom_fields = CustomFieldsField(required=False)
    stage_entered_at = StrictDateTime(read_only=True)
    created_by = MemberSerializer(read_only=True, allow_null=True)
    created_at = StrictDateTime(read_only=True)
    updated_at = StrictDateTime(read_only=True)

    pipeline_id = RowIdField(source="pipeline", write_only=True, required=False)
    stage_id = RowIdField(source="stage", write_only=True, required=False)
    contact_uuid = StrictUUID(source="contact", write_only=True, required=False, allow_null=True)
    contact_email = OptionalText(write_only=True, max_length=254)
    contact_first_name = OptionalText(write_only=True)
    contact_last_name = OptionalText(write_only=True)
    contact_phone = OptionalText(write_only=True)
    client_uuid = StrictUUID(source="client", write_only=True, required=False, allow_null=True)
    owner_uuid = StrictUUID(source="owner", write_only=True, required=False, allow_null=True)
    participant_uuids = UUIDList(source="members", write_only=True)
    follower_uuids = UUIDList(source="followers", write_only=True)
    access_list_uuids = UUIDList(source="access_list", write_only=True)
    next_deal_uuid = StrictUUID(source="next_deal", write_only=True, required=False, allow_null=True)
    lost_reason_id = RowIdField(source="lost_reason", write_only=True, required=False, allow_null=True)
    notify_access_list = StrictBoolean(write_only=True, required=False)
    external_id = OptionalText(write_only=True)
    external_system = TextField(write_only=True, required=False)

    @extend_schema_field(ParticipantSerializer(many=True))
    def get_participants(self, deal: Deal) -> Any:
        contacts = [link.contact for link in deal.contact_links.all()]
        return ParticipantSerializer(contacts, many=True).data if contacts else []

    @extend_schema_field(MemberSerializer(many=True))
    def get_followers(self, deal: Deal) -> Any:
        return _members(deal.follower_links.all())

    @extend_schema_field(MemberSerializer(many=True))
    def get_access_list(self, deal: Deal) -> Any:
        return _members(deal.access_links.all())

    def to_representation(self, instance: Deal) -> dict[str, Any]:
        representation = super().to_representation(instance)
        if "probability" in representation:
            representation["probability"] = instance.effective_probability
        if "forecast_category" in representation:
            representation["forecast_category"] = instance.effective_forecast_category
        return representation

    def validate_name(self, name: str) -> str:
        if not name.strip() and not (self.instance is not None and self.instance.name == name):
            raise serializers.ValidationError("This may not be blank.", "blank")
        return name

    def validate(self, attrs: Mapping[str, Any]) -> dict[str, Any]:
        return take_shorthand(attrs, self.instance)


def _members(links: Iterable[Any]) -> Any:
    members = [link.member for link in links]
    return MemberSerializer(members, many=True).data if members else []


class UpsertDealSerializer(DealSerializer):
    """A deal with the key that finds it."""

    uuid = StrictUUID(required=False)
    match_on = StrictChoice(MATCH_KEYS, write_only=True, required=False)
    name = TextField(required=False)


class DealReceiptSerializer(DealSerializer):
    """The deal, and the outcome of the upsert."""

    outcome = serializers.ChoiceField(["created", "updated", "unchanged"], read_only=True)
    new = serializers.BooleanField(read_only=True)
    matched_on = serializers.ChoiceField(MATCH_KEYS, read_only=True, allow_null=True)
    changed = serializers.ListField(child=serializers.CharField(), read_only=True)


class RestoreDealSerializer(StrictSerializer):
    """The stage for a deal whose own stage is in the trash."""

    stage_id = RowIdField(source="stage", required=False)


class TotalSerializer(Serializer):
    """Count and sums of one status in one currency."""

    status = serializers.ChoiceField(Deal.Statuses.choices)
    currency = serializers.CharField()
    count = serializers.IntegerField()
    amount = serializers.SerializerMethodField()
    amount_gross = serializers.SerializerMethodField()
    amount_gross_count = serializers.IntegerField(
        help_text="The number of deals that have a gross amount, and so are in its sum."
    )
    weighted_amount = serializers.SerializerMethodField()
    amount_base = serializers.SerializerMethodField()
    without_rate = serializers.IntegerField(
        help_text="The number of deals whose amount has no rate, and so is not in `amount_base`."
    )

    def get_amount_base(self, total: Mapping[str, Any]) -> str:
        """In the organization's currency, with four decimals."""
        return money.in_base(total["amount_base"])

    def get_amount(self, total: Mapping[str, Any]) -> str:
        return _formatted(total["amount"], total)

    def get_amount_gross(self, total: Mapping[str, Any]) -> str | None:
        """Null with `as_of`: past states have no gross amount."""
        return None if total["amount_gross"] is None else _formatted(total["amount_gross"], total)

    def get_weighted_amount(self, total: Mapping[str, Any]) -> str:
        """Rounded half up to the currency's decimals."""
        return money.rounded(total["weighted_amount"], total["currency"])


class SummarySerializer(Serializer):
    """The number of deals, and sums by status and currency."""

    count = serializers.IntegerField()
    totals = TotalSerializer(many=True)


def summary_of(deals: Any) -> dict[str, Any]:
    """The summary of a queryset of deals or of their states."""
    totals = deals.totals()
    return SummarySerializer({"count": sum(total["count"] for total in totals), "totals": totals}).data


def _formatted(amount: Decimal, total: Mapping[str, Any]) -> str:
    return money.formatted(amount, total["currency"]) or "0"


@extend_schema_serializer(examples=[OpenApiExample("A reason", {"name": "Too expensive"}, request_only=True)])
class LostReasonSerializer(StrictSerializer):
    id = StrictInteger(read_only=True)
    uuid = StrictUUID(read_only=True)
    name = TextField()
    created_at = StrictDateTime(read_only=True)
    updated_at = StrictDateTime(read_only=True)
