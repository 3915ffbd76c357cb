"""LeadConnector's words for people and companies."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from crm_project.api.fields import OptionalText
from crm_project.dialects.leadconnector.wire.fields import (
    ChoiceOfRow,
    CustomFieldsField,
    InstantField,
    LocationField,
)
from crm_project.dialects.leadconnector.wire.kept import (
    KeptDay,
    KeptFlag,
    KeptObject,
    KeptText,
    OtherFields,
    TagsField,
)
from crm_project.dialects.leadconnector.wire.opportunities import CompanyNameField
from crm_project.dialects.leadconnector.wire.pages import (
    MetaPart,
)
from crm_project.dialects.wire import RowField, ShownText, UnsayableField, WireSerializer


class ContactWords(WireSerializer):
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
    assignedTo = ChoiceOfRow("user", source="owner")
    # Before those that have a place in it.
    customFields = CustomFieldsField("contact", source="custom_fields", required=False)
    tags = TagsField()
    type = KeptText("type")
    state = KeptText("state")
    timezone = KeptText("timezone")
    gender = KeptText("gender")
    dateOfBirth = KeptDay("date_of_birth")
    dnd = KeptFlag("dnd")
    dndSettings = KeptObject("dnd_settings")
    inboundDndSettings = KeptObject("inbound_dnd_settings")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.pop("location", None)
        return attrs


class NewContact(ContactWords):
    locationId = LocationField()


class UpsertContact(NewContact):
    createNewIfDuplicateAllowed = UnsayableField()


class ChangedContact(ContactWords):
    """What is not named stays."""

    locationId = LocationField(required=False)


class ShownContact(serializers.Serializer[Any]):
    id = RowField("contact", source="*")
    locationId = LocationField()
    name = serializers.CharField(source="full_name")
    contactName = serializers.CharField(source="full_name")
    firstName = ShownText(source="first_name")
    lastName = ShownText(source="last_name")
    email = ShownText()
    phone = ShownText()
    companyName = CompanyNameField()
    address1 = ShownText(source="street")
    city = ShownText()
    postalCode = ShownText(source="postal_code")
    country = ShownText()
    website = ShownText()
    source: Any = ShownText(source="origin")
    assignedTo = RowField("user", source="owner", allow_null=True)
    tags = TagsField()
    type = KeptText("type")
    state = KeptText("state")
    timezone = KeptText("timezone")
    gender = KeptText("gender")
    dateOfBirth = KeptDay("date_of_birth")
    dnd = KeptFlag("dnd")
    dndSettings = KeptObject("dnd_settings")
    inboundDndSettings = KeptObject("inbound_dnd_settings")
    customFields = OtherFields("contact", source="custom_fields", shown_as="value")
    dateAdded = InstantField(source="created_at")
    dateUpdated = InstantField(source="updated_at")


OneContact: Any = inline_serializer("OneContact", {"contact": ShownContact()})
MaybeContact: Any = inline_serializer("MaybeContact", {"contact": ShownContact(allow_null=True)})
ChangedAnswer: Any = inline_serializer(
    "ChangedContactAnswer", {"succeded": serializers.BooleanField(), "contact": ShownContact()}
)
UpsertedContact: Any = inline_serializer(
    "UpsertedContact",
    {
        "new": serializers.BooleanField(),
        "succeded": serializers.BooleanField(),
        "contact": ShownContact(),
        "traceId": serializers.CharField(),
    },
)
Contacts: Any = inline_serializer(
    "Contacts",
    {"contacts": ShownContact(many=True), "count": serializers.IntegerField(), "meta": MetaPart()},
)
ContactsByBody: Any = inline_serializer(
    "ContactsByBody", {"contacts": ShownContact(many=True), "total": serializers.IntegerField()}
)
