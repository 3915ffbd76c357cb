"""The shape of a goal."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_project.api.fields import (
    AMOUNT_SCHEMA,
    AmountField,
    StrictDate,
    StrictDateTime,
    StrictUUID,
)
from crm_project.api.serializers import MemberSerializer, StrictSerializer
from crm_project.goals.models import Goal
from deals import money


@extend_schema_field(AMOUNT_SCHEMA)
class GoalAmountField(AmountField):
    """Above 0, in the organization's currency."""

    def get_attribute(self, instance: Any) -> Any:
        return money.formatted(instance.amount, instance.attainment.currency)


class GoalSerializer(StrictSerializer):
    """The amount that a member, or the whole organization, is to win in a month, and how far it is attained.

    Won deals count on the day of `closed_at` in the organization's time zone, for their present owner; of them those
    that you may see.
    """

    uuid = StrictUUID(read_only=True)
    month = StrictDate(help_text="Its first day.")
    amount = GoalAmountField()
    currency = serializers.CharField(
        source="attainment.currency", read_only=True, help_text="The organization's."
    )
    member = MemberSerializer(read_only=True, allow_null=True, help_text="Null for the whole organization.")
    attained = serializers.SerializerMethodField()
    attained_percent = serializers.SerializerMethodField()
    deals = serializers.IntegerField(
        source="attainment.deals", read_only=True, help_text="The number of won deals."
    )
    without_rate = serializers.IntegerField(
        source="attainment.without_rate",
        read_only=True,
        help_text="The number of won deals whose amount has no rate: they are not in `attained`.",
    )
    created_at = StrictDateTime(read_only=True)
    updated_at = StrictDateTime(read_only=True)

    member_uuid = StrictUUID(source="member", write_only=True, required=False, allow_null=True)

    @extend_schema_field({**AMOUNT_SCHEMA, "description": "The sum of the won deals with a rate."})
    def get_attained(self, goal: Goal) -> str:
        return money.in_base(goal.attainment.attained)  # type: ignore[attr-defined]

    @extend_schema_field({"type": "number", "description": "`attained` in percent of `amount`."})
    def get_attained_percent(self, goal: Goal) -> float:
        return float(goal.attainment.percent)  # type: ignore[attr-defined]
