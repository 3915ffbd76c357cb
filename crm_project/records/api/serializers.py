"""Serializer of custom-field definitions."""

from typing import Any

from rest_framework import serializers

from crm_project.api.fields import (
    OptionalText,
    StrictBoolean,
    StrictChoice,
    StrictDateTime,
    StrictInteger,
    StrictUUID,
    TextField,
)
from crm_project.api.serializers import StrictSerializer
from crm_project.records.models import CustomField


class CustomFieldSerializer(StrictSerializer):
    """A definition. Key, kind and type cannot be changed, since values are stored under them."""

    id = StrictInteger(read_only=True)
    uuid = StrictUUID(read_only=True)
    kind = StrictChoice(CustomField.Kinds.choices)
    key = TextField(max_length=63)
    label: Any = TextField()
    type = StrictChoice(CustomField.Types.choices)
    options = serializers.ListField(child=TextField(), required=False, max_length=500)
    mask = OptionalText()
    position = StrictInteger(required=False, min_value=0, max_value=2**31 - 1)
    required: Any = StrictBoolean(required=False)
    created_at = StrictDateTime(read_only=True)
    updated_at = StrictDateTime(read_only=True)
