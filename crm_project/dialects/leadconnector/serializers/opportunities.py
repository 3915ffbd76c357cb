"""LeadConnector's opportunities, which are deals."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.api.fields import OptionalText, StrictChoice, StrictInteger, TextField
from crm_project.dialects.kit.deal_contacts import DealContact
from crm_project.dialects.kit.fields import NumberField, TextOrNullField
from crm_project.dialects.kit.ids import as_text
from crm_project.dialects.kit.instants import InstantField
from crm_project.dialects.kit.money import MoneyField
from crm_project.dialects.kit.rows import RowField, RowListField
from crm_project.dialects.kit.serializers import DialectSerializer
from crm_project.dialects.leadconnector.serializers.custom_field_backed import LeadConnectorTagsField
from crm_project.dialects.leadconnector.serializers.fields import (
    IdField,
    LeadConnectorCustomFields,
    LeadConnectorDayField,
    LocationField,
    RowOrBlankField,
)
from deals.models import Deal

STATUSES = Deal.Statuses.values
# In a search, any status. Clients also send it in writes, where it is ignored.
ALL = "all"
LOST = (Deal.Statuses.LOST, Deal.Statuses.ABANDONED)
NOT_LOST = [status for status in STATUSES if status not in LOST]
REASON = "lostReasonId"
EXAMPLE_REQUEST = {
    "id": "yWQobCRIhRguQtD2llvk",
    "pipelineId": "bCkKGpDsyPP4peuKowkG",
    "locationId": "CLu7BaljjqrEjBGKTNNe",
    "followers": "LiKJ2vnRg5ETM8Z19K7",
    "isRemoveAllFollowers": True,
    "followersActionType": "add",
    "name": "opportunity name",
    "status": "open",
    "pipelineStageId": "7915dedc-8f18-44d5-8bc3-77c04e994a10",
    "monetaryValue": 220,
    "assignedTo": "082goXVW3lIExEQPOnd3",
    "lostReasonId": "CLu7BaljjqrEjBGKTNNe",
}
EXAMPLE_ANSWER = {
    "opportunity": {
        "id": "yWQobCRIhRguQtD2llvk",
        "name": "opportunity name",
        "monetaryValue": 220,
        "pipelineId": "bCkKGpDsyPP4peuKowkG",
        "pipelineStageId": "7915dedc-8f18-44d5-8bc3-77c04e994a10",
        "pipelineStageUId": "7915dedc-8f18-44d5-8bc3-77c04e994a10",
        "assignedTo": "082goXVW3lIExEQPOnd3",
        "status": "open",
        "source": None,
        "lastStatusChangeAt": "2026-03-01T10:00:00.000Z",
        "lastStageChangeAt": "2026-03-01T10:00:00.000Z",
        "lastActionDate": "2026-03-01T10:00:00.000Z",
        "indexVersion": 1,
        "createdAt": "2026-03-01T10:00:00.000Z",
        "updatedAt": "2026-03-01T10:00:00.000Z",
        "contactId": "",
        "locationId": "CLu7BaljjqrEjBGKTNNe",
        "contact": {},
        "lostReasonId": None,
        "customFields": [],
        "followers": ["LiKJ2vnRg5ETM8Z19K7"],
        "forecastExpectedCloseDate": None,
        "forecastProbability": None,
        "effectiveProbability": 10,
    },
    "new": True,
    "traceId": "5f0c8c7e-6f0e-4a53-9d7c-3f6f2b8e9a11",
}


@extend_schema_field(OpenApiTypes.STR)
class ContactIdField(DealContact, RowOrBlankField):
    """The deal's contact, or its client where it has no contact."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("contact", **{"source": "contact", "required": True, "allow_null": False, **kwargs})


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class FollowersField(RowField):
    """Ids of users, and of contacts, since the vendor documents followers as ids of contacts.

    The validated value is (primary keys of users, primary keys of contacts); an id of neither is refused.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("user", **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        texts = [as_text(value) for value in (data if isinstance(data, list) else [data])]
        users = self.ids.resolve_all("user", texts)
        strangers = [text for text in texts if text not in users]
        contacts = self.ids.resolve_all("contact", strangers) if strangers else {}
        if any(text not in contacts for text in strangers):
            self.fail("does_not_exist", kind="user")
        return (
            [users[text].pk for text in texts if text in users],
            [contacts[text].pk for text in dict.fromkeys(strangers)],
        )


class LeadConnectorOpportunityStatusWrite(DialectSerializer):
    """A status and a lost reason."""

    status = StrictChoice([*STATUSES, ALL], required=False, allow_null=True)
    lostReasonId = RowOrBlankField("lost_reason", source="lost_reason")

    def to_internal_value(self, data: Any) -> Any:
        """A lost reason beside a status that is not lost is ignored without a lookup."""
        if isinstance(data, Mapping) and REASON in data and data.get("status") in NOT_LOST:
            self.context["view"].ignore([REASON])
            data = {name: value for name, value in data.items() if name != REASON}
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.pop("location", None)
        if attrs.get("status") == ALL:
            self.context["view"].ignore(["status"])
        if attrs.get("status") in (None, ALL):
            attrs.pop("status", None)
        return attrs


class LeadConnectorOpportunityWrite(LeadConnectorOpportunityStatusWrite):
    """The fields of all writes of an opportunity."""

    name = OptionalText()
    pipelineId = RowField("pipeline", source="pipeline", required=False)
    pipelineStageId = RowOrBlankField("stage", source="stage")
    monetaryValue = MoneyField(source="amount", required=False, allow_null=True)
    assignedTo = RowOrBlankField("user", source="owner")
    customFields = LeadConnectorCustomFields("deal", source="custom_fields", required=False)
    source: Any = OptionalText(source="origin")
    forecastExpectedCloseDate = LeadConnectorDayField(
        source="expected_close_date", required=False, allow_null=True
    )
    forecastProbability = StrictInteger(source="probability", required=False, allow_null=True)


class LeadConnectorOpportunityCreate(LeadConnectorOpportunityWrite):
    """The body of `POST /opportunities/`."""

    name: Any = TextField()
    pipelineId = RowField("pipeline", source="pipeline")
    locationId = LocationField()
    status = StrictChoice([*STATUSES, ALL])
    contactId = ContactIdField()


class LeadConnectorOpportunityUpdate(LeadConnectorOpportunityWrite):
    """The body of `PUT /opportunities/{id}`; absent fields are unchanged. Clients also send `contactId`."""

    locationId = LocationField(required=False)
    contactId = ContactIdField(required=False, allow_null=True)


class LeadConnectorOpportunityUpsert(LeadConnectorOpportunityWrite):
    """The body of `POST /opportunities/upsert`, in its current form (`followers`) and its older one (`contactId`)."""

    id = IdField(required=False, allow_null=True, allow_blank=True)
    pipelineId = RowField("pipeline", source="pipeline")
    locationId = LocationField()
    contactId = ContactIdField(required=False, allow_null=True)
    followers = FollowersField(required=False)
    isRemoveAllFollowers = serializers.BooleanField(required=False, default=False)
    followersActionType = StrictChoice(["add", "remove"], required=False, default="add")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        clears, adds = attrs.pop("isRemoveAllFollowers"), attrs.pop("followersActionType") == "add"
        if not (attrs.get("id") or attrs.get("contact") or "followers" in attrs):
            raise serializers.ValidationError({"contactId": ["Send an id, a contactId or followers."]})
        users, contacts = attrs.pop("followers", ([], []))
        if contacts and attrs.get("contact") is None:
            attrs["contact"] = contacts[0]
        if set(contacts) - {attrs.get("contact")}:
            raise serializers.ValidationError(
                {"followers": ["Only the contact of the opportunity can be a follower that is a contact."]}
            )
        if clears:
            attrs["followers"] = users if adds else []
        elif users:
            attrs["add_followers" if adds else "remove_followers"] = users
        return attrs


class LeadConnectorOpportunityStatusUpdate(LeadConnectorOpportunityStatusWrite):
    """The body of `PUT /opportunities/{id}/status`."""

    status = StrictChoice([*STATUSES, ALL])


class LeadConnectorFollowersWrite(DialectSerializer):
    followers = RowListField("user")


class LeadConnectorFollowersRemoval(DialectSerializer):
    followers = RowListField("user", required=False)


class LeadConnectorFollowersQuery(DialectSerializer):
    isRemoveAllFollowers = serializers.BooleanField(required=False, default=False)


class CompanyNameField(serializers.CharField):
    """The name of a company, or of a person's company, unless the company is in the trash."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, "allow_null": True, **kwargs})

    def get_attribute(self, instance: Any) -> Any:
        company = instance if instance.kind == instance.Kinds.COMPANY else instance.company
        return company.full_name if company and company.deleted_at is None else None


class LeadConnectorContactNested(DealContact, Serializer):
    """An empty object where the opportunity has no contact."""

    id = RowField("contact", source="*", required=False)
    name = serializers.CharField(source="full_name", required=False)
    companyName = CompanyNameField(read_only=False, required=False)
    email = TextOrNullField(read_only=False, required=False)
    phone = TextOrNullField(read_only=False, required=False)
    tags = LeadConnectorTagsField()


class LeadConnectorOpportunityRead(Serializer):
    id = RowField("deal", source="*")
    name = serializers.CharField()
    monetaryValue = NumberField(source="amount", allow_null=True)
    pipelineId = RowField("pipeline", source="stage.pipeline")
    pipelineStageId = RowField("stage", source="stage")
    pipelineStageUId = RowField("stage", source="stage")
    assignedTo = RowField("user", source="owner", allow_null=True)
    status = serializers.CharField()
    source: Any = TextOrNullField(source="origin")
    lastStatusChangeAt = InstantField(digits=3, source="status_since")
    lastStageChangeAt = InstantField(digits=3, source="stage_entered_at")
    lastActionDate = InstantField(digits=3, source="updated_at")
    indexVersion = serializers.IntegerField(source="version")
    createdAt = InstantField(digits=3, source="created_at")
    updatedAt = InstantField(digits=3, source="updated_at")
    contactId = ContactIdField()
    locationId = LocationField()
    contact = LeadConnectorContactNested()
    lostReasonId = RowField("lost_reason", source="lost_reason", allow_null=True)
    customFields = LeadConnectorCustomFields("deal", source="custom_fields")
    followers = RowListField("user", through="follower_links.member")
    forecastExpectedCloseDate = serializers.DateField(source="expected_close_date", allow_null=True)
    forecastProbability = serializers.IntegerField(source="probability", allow_null=True)
    effectiveProbability = serializers.IntegerField(source="effective_probability")

    def to_representation(self, instance: Deal) -> dict[str, Any]:
        """Without a contact `contactId` is an empty string and `contact` an empty object, as in the vendor's schema."""
        data = super().to_representation(instance)
        return {**data, "contactId": data["contactId"] or "", "contact": data["contact"] or {}}


def without_redundant_contact(change: Mapping[str, Any], deal: Deal | None) -> dict[str, Any]:
    """The change without a contact that is only the client, which an opportunity without a contact represents."""
    is_client = deal is not None and deal.contact_id is None and change.get("contact") == deal.client_id
    return {name: value for name, value in change.items() if not (name == "contact" and is_client)}


OneOpportunity: Any = inline_serializer("OneOpportunity", {"opportunity": LeadConnectorOpportunityRead()})
UpsertedOpportunity: Any = inline_serializer(
    "UpsertedOpportunity",
    {
        "opportunity": LeadConnectorOpportunityRead(),
        "new": serializers.BooleanField(),
        "traceId": serializers.CharField(),
    },
)
Done: Any = inline_serializer("Done", {"succeded": serializers.BooleanField()})
AddedFollowers: Any = inline_serializer(
    "AddedFollowers",
    {
        "followers": serializers.ListField(child=serializers.CharField()),
        "followersAdded": serializers.ListField(child=serializers.CharField()),
    },
)
RemovedFollowers: Any = inline_serializer(
    "RemovedFollowers",
    {
        "followers": serializers.ListField(child=serializers.CharField()),
        "followersRemoved": serializers.ListField(child=serializers.CharField()),
    },
)
