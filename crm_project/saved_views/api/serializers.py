"""The shape of a saved view."""

from typing import Any

from rest_framework import serializers

from crm_project.api.fields import (
    OptionalText,
    StrictBoolean,
    StrictChoice,
    StrictDateTime,
    StrictUUID,
    TextField,
)
from crm_project.api.serializers import MemberSerializer, StrictSerializer
from crm_project.saved_views.models import SavedView
from crm_project.saved_views.services import MOST_FILTERS


class FiltersField(serializers.DictField):
    """Parameters of a list with their values as texts."""

    child = TextField(max_length=1000)


class SavedViewSerializer(StrictSerializer):
    """Filters, order and columns of a list under a name. A private view is seen by its owner alone."""

    uuid = StrictUUID(read_only=True)
    name = TextField(max_length=255)
    list = StrictChoice(
        SavedView.Lists.values, help_text="The list that it is a view of; it cannot be changed."
    )
    is_shared = StrictBoolean(required=False, help_text="Whether the organization sees it.")
    filters = FiltersField(
        required=False,
        help_text=f"Parameters of the list by name, at most {MOST_FILTERS}: those of its filters.",
    )
    ordering = OptionalText(max_length=64, help_text="As the parameter `ordering` of the list.")
    columns: Any = serializers.ListField(
        child=TextField(max_length=64),
        required=False,
        max_length=50,
        help_text="The columns of the list in the admin, by their fields; all of them if empty.",
    )
    user = MemberSerializer(source="owner", read_only=True, help_text="Its owner, who alone may change it.")
    created_at = StrictDateTime(read_only=True)
    updated_at = StrictDateTime(read_only=True)
