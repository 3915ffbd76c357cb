"""LeadConnector's words for people and companies."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from crm_project.api.fields import OptionalText
from crm_project.dialects.kit.serializers import (
    DialectSerializer,
    RowField,
    TextOrNullField,
    UnsupportedField,
)
from crm_project.dialects.leadconnector.serializers.custom_field_backed import (
    CustomFieldBackedDay,
    CustomFieldBackedFlag,
    CustomFieldBackedObject,
    CustomFieldBackedText,
    LeadConnectorOtherCustomFields,
    LeadConnectorTagsField,
)
from crm_project.dialects.leadconnector.serializers.fields import (
    InstantField,
    LeadConnectorCustomFields,
    LocationField,
    RowOrBlankField,
)
from crm_project.dialects.leadconnector.serializers.opportunities import CompanyNameField
from crm_project.dialects.leadconnector.serializers.pages import (
    LeadConnectorPageMeta,
)


class LeadConnectorContactWrite(DialectSerializer):
    """What every write of a contact may say. `full` and `company_name` are made into what the core has for them."""

    firstName = OptionalText(source="first_name")
    lastName = OptionalText(source="last_name")
    name = OptionalText(source="full", max_length=511)
    email = OptionalText(max_length=254)
    phone = OptionalText()
    companyName = OptionalText(source="company_name")
    address1 = OptionalText(source="street")
    city = OptionalText()
    postalCode = OptionalText(source="postal_code")
    country = OptionalText()
    website = OptionalText(max_length=2000)
    source: Any = OptionalText(source="origin")
    assignedTo = RowOrBlankField("user", source="owner")
    # Before those that have a place in it.
    customFields = LeadConnectorCustomFields("contact", source="custom_fields", required=False)
    tags = LeadConnectorTagsField()
    type = CustomFieldBackedText("type")
    state = CustomFieldBackedText("state")
    timezone = CustomFieldBackedText("timezone")
    gender = CustomFieldBackedText("gender")
    dateOfBirth = CustomFieldBackedDay("date_of_birth")
    dnd = CustomFieldBackedFlag("dnd")
    dndSettings = CustomFieldBackedObject("dnd_settings")
    inboundDndSettings = CustomFieldBackedObject("inbound_dnd_settings")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.pop("location", None)
        return attrs


class LeadConnectorContactCreate(LeadConnectorContactWrite):
    locationId = LocationField()


class LeadConnectorContactUpsert(LeadConnectorContactCreate):
    createNewIfDuplicateAllowed = UnsupportedField()


class LeadConnectorContactUpdate(LeadConnectorContactWrite):
    """What is not named stays."""

    locationId = LocationField(required=False)


class LeadConnectorContactRead(serializers.Serializer[Any]):
    id = RowField("contact", source="*")
    locationId = LocationField()
    name = serializers.CharField(source="full_name")
    contactName = serializers.CharField(source="full_name")
    firstName = TextOrNullField(source="first_name")
    lastName = TextOrNullField(source="last_name")
    email = TextOrNullField()
    phone = TextOrNullField()
    companyName = CompanyNameField()
    address1 = TextOrNullField(source="street")
    city = TextOrNullField()
    postalCode = TextOrNullField(source="postal_code")
    country = TextOrNullField()
    website = TextOrNullField()
    source: Any = TextOrNullField(source="origin")
    assignedTo = RowField("user", source="owner", allow_null=True)
    tags = LeadConnectorTagsField()
    type = CustomFieldBackedText("type")
    state = CustomFieldBackedText("state")
    timezone = CustomFieldBackedText("timezone")
    gender = CustomFieldBackedText("gender")
    dateOfBirth = CustomFieldBackedDay("date_of_birth")
    dnd = CustomFieldBackedFlag("dnd")
    dndSettings = CustomFieldBackedObject("dnd_settings")
    inboundDndSettings = CustomFieldBackedObject("inbound_dnd_settings")
    customFields = LeadConnectorOtherCustomFields("contact", source="custom_fields", shown_as="value")
    dateAdded = InstantField(source="created_at")
    dateUpdated = InstantField(source="updated_at")


OneContact: Any = inline_serializer("OneContact", {"contact": LeadConnectorContactRead()})
MaybeContact: Any = inline_serializer("MaybeContact", {"contact": LeadConnectorContactRead(allow_null=True)})
ChangedAnswer: Any = inline_serializer(
    "ChangedContactAnswer", {"succeded": serializers.BooleanField(), "contact": LeadConnectorContactRead()}
)
UpsertedContact: Any = inline_serializer(
    "UpsertedContact",
    {
        "new": serializers.BooleanField(),
        "succeded": serializers.BooleanField(),
        "contact": LeadConnectorContactRead(),
        "traceId": serializers.CharField(),
    },
)
Contacts: Any = inline_serializer(
    "Contacts",
    {
        "contacts": LeadConnectorContactRead(many=True),
        "count": serializers.IntegerField(),
        "meta": LeadConnectorPageMeta(),
    },
)
ContactsByBody: Any = inline_serializer(
    "ContactsByBody", {"contacts": LeadConnectorContactRead(many=True), "total": serializers.IntegerField()}
)
