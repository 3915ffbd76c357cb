"""Serializers of activities."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from crm_project.activities.models import Activity
from crm_project.api.compiled import Serializer
from crm_project.api.fields import (
    OptionalText,
    StrictBoolean,
    StrictChoice,
    StrictDate,
    StrictDateTime,
    StrictUUID,
    TextField,
)
from crm_project.api.serializers import MemberSerializer, ReferenceListField, StrictSerializer, take_shorthand
from crm_project.records.rules import LONG_TEXT

EXAMPLE = {
    "type": "call",
    "subject": "Ask for the budget",
    "due_on": "2026-12-01",
    "deal_uuid": "0b6c2f1e-8f5e-4c59-9f0e-3d0a7f2f6c11",
}


class ActivityDealSerializer(Serializer):
    uuid = StrictUUID()
    name = serializers.CharField(source="__str__")


class ActivityContactSerializer(Serializer):
    uuid = StrictUUID()
    full_name = serializers.CharField()


@extend_schema_serializer(examples=[OpenApiExample("Plan a call", EXAMPLE, request_only=True)])
class ActivitySerializer(StrictSerializer):
    """A call, a meeting, an e-mail, a task or a note, of a deal, a contact or both.

    It is open until it has a `done_at`; a note is never open. It is due at an instant or on a day, which ends in the
    time zone of the organization.
    """

    uuid = StrictUUID(read_only=True)
    type = StrictChoice(Activity.Types.choices, required=False)
    subject = OptionalText()
    text = OptionalText(max_length=LONG_TEXT)
    due_at = StrictDateTime(required=False, allow_null=True)
    due_on = StrictDate(required=False, allow_null=True)
    done_at = StrictDateTime(required=False, allow_null=True)
    result = OptionalText()
    is_pinned = StrictBoolean(required=False)
    owner = MemberSerializer(read_only=True, allow_null=True)
    deal = ActivityDealSerializer(read_only=True, allow_null=True)
    contact = ActivityContactSerializer(read_only=True, allow_null=True)
    external_references = ReferenceListField()
    created_at = StrictDateTime(read_only=True)
    updated_at = StrictDateTime(read_only=True)

    owner_uuid = StrictUUID(source="owner", write_only=True, required=False, allow_null=True)
    deal_uuid = StrictUUID(source="deal", write_only=True, required=False, allow_null=True)
    contact_uuid = StrictUUID(source="contact", write_only=True, required=False, allow_null=True)
    external_id = OptionalText(write_only=True)
    external_system = TextField(write_only=True, required=False)

    def validate(self, attrs: Mapping[str, Any]) -> dict[str, Any]:
        return take_shorthand(attrs, self.instance)
