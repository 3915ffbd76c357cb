"""LeadConnector's searches for contacts: the list, a body of filters, and duplicates."""

from typing import Any
from urllib.parse import unquote

from django.db.models import Q
from rest_framework import serializers

from contacts.querysets import email_is, fold_email, further_matches, phone_contains, phone_is
from crm_project.api.fields import StrictChoice
from crm_project.dialects.kit.rows import FilterRowField
from crm_project.dialects.kit.serializers import DialectSerializer
from crm_project.dialects.kit.tags import KEY, has_tag
from crm_project.dialects.leadconnector.serializers.fields import LocationField, RangeBoundField
from crm_project.dialects.leadconnector.serializers.filters import (
    Condition,
    FiltersField,
    SearchAfterField,
    SearchVocabulary,
    SortField,
)
from crm_project.dialects.leadconnector.serializers.pages import (
    CREATED,
    LIMIT,
    NEWEST,
    UPDATED,
    LeadConnectorPageQuery,
    PageOrder,
)
from crm_project.dialects.leadconnector.serializers.search import with_location

SORTS = {"date_added": CREATED, "dateAdded": CREATED, "date_updated": UPDATED, "dateUpdated": UPDATED}
MOST_BY_BODY = 500
PHONE = "phone"
# The searchable text fields of a contact and their columns.
TEXTS = {
    "email": "email",
    "firstName": "first_name",
    "lastName": "last_name",
    "companyName": "company__name",
    "address1": "street",
    "city": "city",
    "country": "country",
    "postalCode": "postal_code",
    "website": "website",
    "source": "origin",
}


def text_is(column: str) -> Condition:
    """A condition on a column, independent of case."""
    return lambda value: Q(**{f"{column}__iexact": value})


def text_contains(column: str) -> Condition:
    if column == "email":
        return lambda value: (
            Q(email__contains=fold_email(value))
            | further_matches("email", Q(value__contains=fold_email(value)))
        )
    return lambda value: Q(**{f"{column}__icontains": value})


class PhoneField(serializers.CharField):
    """A phone number in any spelling, as the condition that a contact has it."""

    def to_internal_value(self, data: Any) -> Any:
        return phone_is(super().to_internal_value(data), self.context["view"].actor.organization)


class EmailField(serializers.CharField):
    """An e-mail address, as the condition that a contact has it as the first or a further one."""

    def to_internal_value(self, data: Any) -> Any:
        return email_is([super().to_internal_value(data)], self.context["view"].actor.organization_id)


VOCABULARY = SearchVocabulary(
    equal={
        **{name: (serializers.CharField, text_is(column)) for name, column in TEXTS.items()},
        PHONE: (PhoneField, lambda condition: condition),
        "email": (EmailField, lambda condition: condition),
        "id": (lambda: FilterRowField("contact"), lambda value: Q(pk=value)),
        "assignedTo": (lambda: FilterRowField("user"), lambda value: Q(owner=value)),
        KEY: (serializers.CharField, has_tag),
    },
    ranges={
        "dateAdded": (lambda last: RangeBoundField(last=last), "created_at"),
        "dateUpdated": (lambda last: RangeBoundField(last=last), "updated_at"),
    },
    sorts={"dateAdded": CREATED, "dateUpdated": UPDATED},
    contained={
        **{name: text_contains(column) for name, column in TEXTS.items()},
        PHONE: phone_contains,
        KEY: has_tag,
    },
    present={
        **{name: Q(**{f"{column}__gt": ""}) for name, column in TEXTS.items()},
        PHONE: Q(phone__gt="") | Q(mobile__gt=""),
        "assignedTo": Q(owner__isnull=False),
        KEY: Q(custom_fields__has_key=KEY),
    },
    aliases={
        "firstNameLowerCase": "firstName",
        "lastNameLowerCase": "lastName",
        "date_added": "dateAdded",
        "date_updated": "dateUpdated",
        "createdAt": "dateAdded",
        "updatedAt": "dateUpdated",
    },
)


class LeadConnectorContactQuery(LeadConnectorPageQuery):
    locationId = LocationField(required=False)
    query = serializers.CharField(source="q", required=False)
    sortBy = StrictChoice(list(SORTS), required=False, default="date_added")
    order = StrictChoice(["asc", "desc"], required=False, default="desc")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return with_location(attrs)


class EncodedText(serializers.CharField):
    """A value that clients URL-encode twice, once or not at all, since the vendor documents it as URL-encoded."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "trim_whitespace": False, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        text = unquote(super().to_internal_value(data))
        # An unencoded plus is parsed as a space; the plus of a phone number is at the beginning.
        return f"+{text[1:]}" if text.startswith(" ") else text


class LeadConnectorDuplicateQuery(DialectSerializer):
    locationId = LocationField(required=False)
    email = EncodedText()
    number = EncodedText()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return with_location(attrs)


class LeadConnectorContactSearchBody(DialectSerializer):
    """The body of `POST /contacts/search`."""

    locationId = LocationField()
    query = serializers.CharField(source="q", required=False, allow_blank=True)
    pageLimit = serializers.IntegerField(
        source="limit", required=False, default=LIMIT, min_value=1, max_value=MOST_BY_BODY
    )
    page = serializers.IntegerField(required=False, default=1, min_value=1, max_value=10**9)
    searchAfter = SearchAfterField(required=False)
    startAfter = RangeBoundField()
    startAfterId = serializers.CharField(required=False)
    filters = FiltersField(VOCABULARY)
    sort = SortField(VOCABULARY)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {"sort": NEWEST, **attrs, **attrs.pop("searchAfter", {})}


def order_of(query: dict[str, Any]) -> PageOrder:
    key = SORTS[query["sortBy"]]
    return NEWEST if key is CREATED and query["order"] == "desc" else PageOrder(key, query["order"] == "desc")
