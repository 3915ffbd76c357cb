"""LeadConnector's contacts, which are people and companies."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from contacts.models import Contact
from crm_project.api.compiled import Serializer
from crm_project.api.fields import OptionalText
from crm_project.dialects.kit.fields import TextOrNullField, UnsupportedField
from crm_project.dialects.kit.instants import InstantField
from crm_project.dialects.kit.names import split_name
from crm_project.dialects.kit.rows import RowField
from crm_project.dialects.kit.serializers import DialectSerializer
from crm_project.dialects.leadconnector.serializers.custom_field_backed import (
    CUSTOM_FIELD_BACKED,
    CustomFieldBackedDay,
    CustomFieldBackedFlag,
    CustomFieldBackedObject,
    CustomFieldBackedText,
    LeadConnectorOtherCustomFields,
    LeadConnectorTagsField,
    without_no_ops,
)
from crm_project.dialects.leadconnector.serializers.fields import (
    LeadConnectorCustomFields,
    LocationField,
    RowOrBlankField,
)
from crm_project.dialects.leadconnector.serializers.opportunities import CompanyNameField
from crm_project.dialects.leadconnector.serializers.pages import (
    LeadConnectorPageMeta,
)


class LeadConnectorContactWrite(DialectSerializer):
    """The fields of all writes of a contact. `contact_change` converts `full` and `company_name`."""

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
    # Before the fields that are stored in it.
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
    """Absent fields are unchanged."""

    locationId = LocationField(required=False)


class LeadConnectorContactRead(Serializer):
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
    dateAdded = InstantField(digits=3, source="created_at")
    dateUpdated = InstantField(digits=3, source="updated_at")


def is_company(contact: Contact | None) -> bool:
    return contact is not None and contact.kind == Contact.Kinds.COMPANY


def contact_change(sent: Mapping[str, Any], contact: Contact | None) -> dict[str, Any]:
    """The core's change of a contact, or of a new person. A full name counts only where neither part is sent."""
    change = {**sent, "free_custom_fields": CUSTOM_FIELD_BACKED.keys()}
    if contact is not None and "custom_fields" in sent:
        change["custom_fields"] = without_no_ops(sent["custom_fields"], contact)
    full_name = change.pop("full", None)
    is_known = contact is not None and contact.full_name == full_name
    if full_name and not is_known and not change.get("first_name") and not change.get("last_name"):
        change |= {"name": full_name} if is_company(contact) else split_name(full_name)
    return change


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
