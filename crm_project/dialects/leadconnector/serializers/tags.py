"""LeadConnector's tags of contacts."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from crm_project.dialects.kit.serializers import DialectSerializer
from crm_project.dialects.leadconnector.serializers.custom_field_backed import LeadConnectorTagsField
from crm_project.dialects.leadconnector.serializers.fields import IdField, LocationField


class LeadConnectorTagsWrite(DialectSerializer):
    """Tags to add or to remove."""

    tags = LeadConnectorTagsField(required=True, allow_null=False)


class LeadConnectorBulkTagsWrite(LeadConnectorTagsWrite):
    """Tags to add to many contacts or to remove from them."""

    contacts: Any = serializers.ListField(child=IdField(), max_length=1000)
    locationId = LocationField()
    removeAllTags = serializers.BooleanField(required=False, default=False)


def result_of(contact: str, before: list[str], tags: list[str]) -> dict[str, Any]:
    """The entry of one contact in the answer."""
    return {
        "contactId": contact,
        "message": "Tags updated",
        "type": "success",
        "oldTags": before,
        "tagsAdded": [tag for tag in tags if tag not in before],
        "tagsRemoved": [tag for tag in before if tag not in tags],
    }


def tags_after(result: dict[str, Any]) -> list[str]:
    """The contact's tags after the change."""
    remaining: list[str] = [tag for tag in result["oldTags"] if tag not in result["tagsRemoved"]]
    return remaining + list(result["tagsAdded"])


def unknown_contact(contact: str) -> dict[str, Any]:
    return {"contactId": contact, "message": "contact does not belong to location", "type": "error"}


TAG_LIST = serializers.ListField(child=serializers.CharField())
AddedTags: Any = inline_serializer("AddedTags", {"tags": TAG_LIST, "tagsAdded": TAG_LIST})
RemovedTags: Any = inline_serializer("RemovedTags", {"tags": TAG_LIST, "tagsRemoved": TAG_LIST})
Retagged: Any = inline_serializer(
    "Retagged",
    {
        "succeded": serializers.BooleanField(),
        "errorCount": serializers.IntegerField(),
        "responses": serializers.ListField(child=serializers.DictField()),
    },
)
