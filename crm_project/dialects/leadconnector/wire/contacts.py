"""LeadConnector's words for people and companies."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from crm_project.api.fields import OptionalText, StrictChoice
from crm_project.dialects.leadconnector.wire.catalogue import YesField
from crm_project.dialects.leadconnector.wire.fields import CustomFieldsField, InstantField, LocationField
from crm_project.dialects.leadconnector.wire.opportunities import CompanyNameField, NothingField
from crm_project.dialects.leadconnector.wire.pages import (
    CREATED,
    LIMIT,
    MOST,
    NEWEST,
    UPDATED,
    MetaPart,
    Order,
    PageQuery,
)
from crm_project.dialects.leadconnector.wire.search import SearchAfterField, with_location
from crm_project.dialects.wire import RowField, UnsayableField, WireSerializer

SORTS = {"date_added": CREATED, "dateAdded": CREATED, "date_updated": UPDATED, "dateUpdated": UPDATED}


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
    assignedTo = RowField("user", source="owner", required=False, allow_null=True)
    customFields = CustomFieldsField("contact", source="custom_fields", required=False)
    state = UnsayableField()
    tags = UnsayableField()
    dnd = UnsayableField()
    dndSettings = UnsayableField()
    inboundDndSettings = UnsayableField()
    timezone = UnsayableField()
    gender = UnsayableField()
    dateOfBirth = UnsayableField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.pop("location", None)
        return attrs


class NewContact(ContactWords):
    locationId = LocationField()


class UpsertContact(NewContact):
    createNewIfDuplicateAllowed = UnsayableField()


class ChangedContact(ContactWords):
    """What is not named stays."""


class ContactQuery(PageQuery):
    locationId = LocationField(required=False)
    query = serializers.CharField(source="q", required=False)
    sortBy = StrictChoice(list(SORTS), required=False, default="date_added")
    order = StrictChoice(["asc", "desc"], required=False, default="desc")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return with_location(attrs)


class DuplicateQuery(WireSerializer):
    locationId = LocationField(required=False)
    email = serializers.CharField(required=False)
    number = serializers.CharField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return with_location(attrs)


class ContactSearchBody(WireSerializer):
    """What `POST /contacts/search` takes."""

    locationId = LocationField()
    query = serializers.CharField(source="q", required=False, allow_blank=True)
    pageLimit = serializers.IntegerField(
        source="limit", required=False, default=LIMIT, min_value=1, max_value=MOST
    )
    page = serializers.IntegerField(required=False, default=1, min_value=1, max_value=10**9)
    searchAfter = SearchAfterField(required=False)
    filters = UnsayableField()
    sort = UnsayableField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return attrs | attrs.pop("searchAfter", {})


class ShownContact(serializers.Serializer[Any]):
    id = RowField("contact", source="*")
    locationId = LocationField()
    name = serializers.CharField(source="full_name")
    firstName = serializers.CharField(source="first_name")
    lastName = serializers.CharField(source="last_name")
    email = serializers.CharField()
    phone = serializers.CharField()
    companyName = CompanyNameField()
    address1 = serializers.CharField(source="street")
    city = serializers.CharField()
    postalCode = serializers.CharField(source="postal_code")
    country = serializers.CharField()
    website = serializers.CharField()
    source: Any = serializers.CharField(source="origin")
    assignedTo = RowField("user", source="owner", allow_null=True)
    tags = NothingField()
    dnd = YesField(says=False)
    customFields = CustomFieldsField("contact", source="custom_fields", shown_as="value")
    dateAdded = InstantField(source="created_at")
    dateUpdated = InstantField(source="updated_at")


def order_of(query: dict[str, Any]) -> Order:
    key = SORTS[query["sortBy"]]
    return NEWEST if key is CREATED and query["order"] == "desc" else Order(key, query["order"] == "desc")


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
Contacts: Any = inline_serializer("Contacts", {"contacts": ShownContact(many=True), "meta": MetaPart()})
ContactsByBody: Any = inline_serializer(
    "ContactsByBody", {"contacts": ShownContact(many=True), "total": serializers.IntegerField()}
)
