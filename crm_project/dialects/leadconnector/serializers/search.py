"""LeadConnector's two searches for opportunities: by query parameters and by a body of filters."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Q
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from crm_project.api.fields import StrictChoice
from crm_project.dialects.kit.deal_contacts import has_contact
from crm_project.dialects.kit.fields import NumberField, UnsupportedFilter
from crm_project.dialects.kit.rows import FilterRowField
from crm_project.dialects.kit.serializers import DialectSerializer
from crm_project.dialects.leadconnector.serializers.fields import LocationField, RangeBoundField
from crm_project.dialects.leadconnector.serializers.filters import (
    FiltersField,
    SearchAfterField,
    SearchVocabulary,
    SortField,
)
from crm_project.dialects.leadconnector.serializers.opportunities import (
    ALL,
    STATUSES,
    LeadConnectorOpportunityRead,
)
from crm_project.dialects.leadconnector.serializers.pages import (
    CREATED,
    LIMIT,
    MOST,
    NEWEST,
    OLDEST,
    UPDATED,
    LeadConnectorPageMeta,
    LeadConnectorPageQuery,
    PageOrder,
)
from crm_project.records.paging import Key

BY_NAME = Key("name", text=True)
ORDERS = {
    "added_desc": NEWEST,
    "added_asc": OLDEST,
    "name_asc": PageOrder(BY_NAME),
    "name_desc": PageOrder(BY_NAME, descending=True),
}
# Lists that a client may ask for, by the parameter that asks.
DETAILS = {"getNotes": "notes", "getTasks": "tasks", "getCalendarEvents": "calendarEvents"}


CONDITIONS: dict[str, Callable[[Any], Q]] = {
    "pipeline": lambda value: Q(stage__pipeline=value),
    "stage": lambda value: Q(stage=value),
    "contact": lambda value: has_contact([value]),
    "owner": lambda value: Q(owner=value),
    "deal": lambda value: Q(pk=value),
    "status": lambda value: Q() if value == ALL else Q(status=value),
    "date": lambda value: Q(created_at__gte=value),
    "endDate": lambda value: Q(created_at__lte=value),
    "country": lambda value: Q(contact__country__iexact=value),
}


class LeadConnectorOpportunityQuery(LeadConnectorPageQuery):
    """The parameters of `GET /opportunities/search`, in the spellings of its second and third version."""

    q = serializers.CharField(required=False, max_length=75)
    location_id = LocationField(required=False)
    locationId = LocationField(required=False)
    pipeline_id = FilterRowField("pipeline", source="pipeline")
    pipelineId = FilterRowField("pipeline", source="pipeline")
    pipeline_stage_id = FilterRowField("stage", source="stage")
    pipelineStageId = FilterRowField("stage", source="stage")
    contact_id = FilterRowField("contact", source="contact")
    contactId = FilterRowField("contact", source="contact")
    assigned_to = FilterRowField("user", source="owner")
    assignedTo = FilterRowField("user", source="owner")
    id = FilterRowField("deal", source="deal")
    status = StrictChoice([*STATUSES, ALL], required=False)
    order = StrictChoice(list(ORDERS), required=False, default="added_desc")
    date = RangeBoundField()
    endDate = RangeBoundField(last=True)
    country = serializers.CharField(required=False)
    campaignId = UnsupportedFilter()
    getTasks = serializers.BooleanField(required=False, default=False)
    getNotes = serializers.BooleanField(required=False, default=False)
    getCalendarEvents = serializers.BooleanField(required=False, default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return with_location(attrs)


def with_location(attrs: dict[str, Any]) -> dict[str, Any]:
    """Require the location, except beside `startAfterId`, where n8n does not send it."""
    if "location" not in attrs and "startAfterId" not in attrs:
        raise serializers.ValidationError({"locationId": serializers.ErrorDetail("", "required")})
    return attrs


def filtered(rows: Any, query: Mapping[str, Any]) -> Any:
    """The rows that match the query's filters and its search text."""
    for name, condition in CONDITIONS.items():
        if name in query:
            rows = rows.filter(condition(query[name]))
    return rows.matching(query["q"]) if "q" in query else rows


VOCABULARY = SearchVocabulary(
    equal={
        "pipeline_id": (lambda: FilterRowField("pipeline"), CONDITIONS["pipeline"]),
        "pipeline_stage_id": (lambda: FilterRowField("stage"), CONDITIONS["stage"]),
        "contact_id": (lambda: FilterRowField("contact"), CONDITIONS["contact"]),
        "assigned_to": (lambda: FilterRowField("user"), CONDITIONS["owner"]),
        "id": (lambda: FilterRowField("deal"), CONDITIONS["deal"]),
        "status": (lambda: StrictChoice([*STATUSES, ALL]), CONDITIONS["status"]),
        "name": (serializers.CharField, lambda value: Q(name=value)),
        "monetary_value": (NumberField, lambda value: Q(amount=value)),
    },
    ranges={
        "date_added": (lambda last: RangeBoundField(last=last), "created_at"),
        "date_updated": (lambda last: RangeBoundField(last=last), "updated_at"),
        "monetary_value": (lambda last: NumberField(), "amount"),
    },
    sorts={"date_added": CREATED, "date_updated": UPDATED, "name": BY_NAME},
    contained={"name": lambda value: Q(name__icontains=value)},
    aliases={
        "locationId": "location_id",
        "pipelineId": "pipeline_id",
        "pipelineStageId": "pipeline_stage_id",
        "contactId": "contact_id",
        "assignedTo": "assigned_to",
        "monetaryValue": "monetary_value",
        "dateAdded": "date_added",
        "createdAt": "date_added",
        "created_at": "date_added",
        "dateUpdated": "date_updated",
        "updatedAt": "date_updated",
    },
)


class LeadConnectorDetailsWrite(DialectSerializer):
    notes = serializers.BooleanField(required=False, default=False)
    tasks = serializers.BooleanField(required=False, default=False)
    calendarEvents = serializers.BooleanField(required=False, default=False)
    unReadConversations = serializers.BooleanField(required=False, default=False)


class LeadConnectorOpportunitySearchBody(DialectSerializer):
    """The body of `POST /opportunities/search`."""

    locationId = LocationField()
    query = serializers.CharField(source="q", required=False, allow_blank=True)
    limit = serializers.IntegerField(required=False, default=LIMIT, min_value=1, max_value=MOST)
    page = serializers.IntegerField(required=False, default=1, min_value=1, max_value=10**9)
    searchAfter = SearchAfterField(required=False)
    filters = FiltersField(VOCABULARY)
    sort = SortField(VOCABULARY)
    additionalDetails = LeadConnectorDetailsWrite(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {"sort": NEWEST, **attrs, **attrs.pop("searchAfter", {})}


@extend_schema_field(OpenApiTypes.OBJECT)
class AggregationsField(serializers.Field[Any, Any, Any, Any]):
    """Always an empty object."""


Found: Any = inline_serializer(
    "FoundOpportunities",
    {
        "opportunities": LeadConnectorOpportunityRead(many=True),
        "meta": LeadConnectorPageMeta(),
        "aggregations": AggregationsField(),
    },
)
FoundByBody: Any = inline_serializer(
    "FoundOpportunitiesByBody",
    {
        "opportunities": LeadConnectorOpportunityRead(many=True),
        "total": serializers.IntegerField(),
        "aggregations": AggregationsField(),
    },
)
