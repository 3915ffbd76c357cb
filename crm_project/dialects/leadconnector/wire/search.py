"""LeadConnector's two searches for opportunities: a query of two spellings, and a body of filters."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Q
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from crm_project.api.fields import StrictChoice
from crm_project.api.pagination import Key
from crm_project.dialects.leadconnector.wire.fields import BoundField, FilterField, LocationField
from crm_project.dialects.leadconnector.wire.opportunities import ALL, STATUSES, ShownOpportunity
from crm_project.dialects.leadconnector.wire.pages import (
    CREATED,
    LIMIT,
    MOST,
    NEWEST,
    OLDEST,
    MetaPart,
    Order,
    PageQuery,
)
from crm_project.dialects.wire import NumberField, UnsayableField, WireSerializer

BY_NAME = Key("name", text=True)
ORDERS = {
    "added_desc": NEWEST,
    "added_asc": OLDEST,
    "name_asc": Order(BY_NAME),
    "name_desc": Order(BY_NAME, descending=True),
}
SORTS = {"date_added": CREATED, "created_at": CREATED, "name": BY_NAME}
# What is stored nowhere, and so is none: shown as an empty list to those who ask for it.
DETAILS = {"getNotes": "notes", "getTasks": "tasks", "getCalendarEvents": "calendarEvents"}


def of_contact(pk: int) -> Q:
    """The contact that an opportunity shows."""
    return Q(contact=pk) | Q(contact=None, client=pk)


CONDITIONS: dict[str, Callable[[Any], Q]] = {
    "pipeline": lambda value: Q(stage__pipeline=value),
    "stage": lambda value: Q(stage=value),
    "contact": of_contact,
    "owner": lambda value: Q(owner=value),
    "deal": lambda value: Q(pk=value),
    "status": lambda value: Q() if value == ALL else Q(status=value),
    "date": lambda value: Q(created_at__gte=value),
    "endDate": lambda value: Q(created_at__lte=value),
    "country": lambda value: Q(contact__country__iexact=value),
}


class SearchQuery(PageQuery):
    """The parameters of `GET /opportunities/search`, as its second and as its third version spell them."""

    q = serializers.CharField(required=False, max_length=75)
    location_id = LocationField(required=False)
    locationId = LocationField(required=False)
    pipeline_id = FilterField("pipeline", source="pipeline")
    pipelineId = FilterField("pipeline", source="pipeline")
    pipeline_stage_id = FilterField("stage", source="stage")
    pipelineStageId = FilterField("stage", source="stage")
    contact_id = FilterField("contact", source="contact")
    contactId = FilterField("contact", source="contact")
    assigned_to = FilterField("user", source="owner")
    assignedTo = FilterField("user", source="owner")
    id = FilterField("deal", source="deal")
    status = StrictChoice([*STATUSES, ALL], required=False)
    order = StrictChoice(list(ORDERS), required=False, default="added_desc")
    date = BoundField()
    endDate = BoundField(last=True)
    country = serializers.CharField(required=False)
    campaignId = UnsayableField()
    getTasks = serializers.BooleanField(required=False, default=False)
    getNotes = serializers.BooleanField(required=False, default=False)
    getCalendarEvents = serializers.BooleanField(required=False, default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return with_location(attrs)


def with_location(attrs: dict[str, Any]) -> dict[str, Any]:
    """A list is always asked for in a location."""
    if "location" not in attrs:
        raise serializers.ValidationError({"locationId": serializers.ErrorDetail("", "required")})
    return attrs


def narrowed(rows: Any, query: Mapping[str, Any]) -> Any:
    """The rows that the query asks for."""
    for name, condition in CONDITIONS.items():
        if name in query:
            rows = rows.filter(condition(query[name]))
    return rows.matching(query["q"]) if "q" in query else rows


# A field of a filter → the field that reads its value, and the condition that it stands for.
FILTERS: dict[str, tuple[Callable[[], Any], Callable[[Any], Q]]] = {
    "pipeline_id": (lambda: FilterField("pipeline"), CONDITIONS["pipeline"]),
    "pipeline_stage_id": (lambda: FilterField("stage"), CONDITIONS["stage"]),
    "contact_id": (lambda: FilterField("contact"), of_contact),
    "assigned_to": (lambda: FilterField("user"), CONDITIONS["owner"]),
    "id": (lambda: FilterField("deal"), CONDITIONS["deal"]),
    "status": (lambda: StrictChoice([*STATUSES, ALL]), CONDITIONS["status"]),
    "name": (serializers.CharField, lambda value: Q(name=value)),
    "monetary_value": (NumberField, lambda value: Q(amount=value)),
}
RANGES: dict[str, tuple[Callable[[bool], Any], str]] = {
    "date_added": (lambda last: BoundField(last=last), "created_at"),
    "date_updated": (lambda last: BoundField(last=last), "updated_at"),
    "monetary_value": (lambda last: NumberField(), "amount"),
}
BOUNDS = {"gte": False, "gt": False, "lte": True, "lt": True}
WORDS = {
    "locationId": "location_id",
    "pipelineId": "pipeline_id",
    "pipelineStageId": "pipeline_stage_id",
    "contactId": "contact_id",
    "assignedTo": "assigned_to",
    "monetaryValue": "monetary_value",
    "dateAdded": "date_added",
    "createdAt": "date_added",
    "dateUpdated": "date_updated",
    "updatedAt": "date_updated",
}


@extend_schema_field({"type": "array", "items": {"type": "object"}})
class FiltersField(serializers.Field[Any, Any, Any, Any]):
    """`[{field, operator, value}]`, and groups of these, as one condition; what it does not know is refused."""

    default_error_messages = {
        "invalid": "A list of objects with field, operator and value.",
        "unknown": "This filter is not known here: {name}.",
    }

    def to_internal_value(self, data: Any) -> Q:
        return self._all(data, "AND")

    def _all(self, entries: Any, connector: str) -> Q:
        if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
            self.fail("invalid")
        return Q(*(self._one(entry) for entry in entries), _connector=connector)

    def _one(self, entry: Mapping[str, Any]) -> Q:
        if "filters" in entry:
            return self._all(entry["filters"], "OR" if entry.get("group") == "OR" else "AND")
        field, operator, value = str(entry.get("field")), entry.get("operator", "eq"), entry.get("value")
        field = WORDS.get(field, field)
        if operator == "range" and field in RANGES:
            return self._range(field, value)
        if operator not in ("eq", "not_eq", "in") or field not in FILTERS:
            self.fail("unknown", name=f"{field} {operator}")
        reader, condition = FILTERS[field]
        values = value if isinstance(value, list) else [value]
        found = Q(*(condition(self._read(reader(), one)) for one in values), _connector="OR")
        return ~found if operator == "not_eq" else found

    def _range(self, field: str, value: Any) -> Q:
        if not isinstance(value, Mapping) or not value or value.keys() - BOUNDS.keys():
            self.fail("unknown", name=f"{field} range")
        reader, column = RANGES[field]
        return Q(
            **{f"{column}__{step}": self._read(reader(BOUNDS[step]), bound) for step, bound in value.items()}
        )

    def _read(self, reader: Any, value: Any) -> Any:
        reader.bind("value", self)
        return reader.run_validation(value)


@extend_schema_field({"type": "array", "items": {"type": "object"}})
class SortField(serializers.Field[Any, Any, Any, Any]):
    """`[{field, direction}]`, one at most."""

    default_error_messages = {"invalid": "One object with a field (date_added, name) and a direction."}

    def to_internal_value(self, data: Any) -> Order:
        if data == []:
            return NEWEST
        entry = data[0] if isinstance(data, list) and len(data) == 1 else None
        if not isinstance(entry, Mapping):
            self.fail("invalid")
        field = str(entry.get("field"))
        key, direction = SORTS.get(WORDS.get(field, field)), entry.get("direction", "asc")
        if key is None or direction not in ("asc", "desc"):
            self.fail("invalid")
        return Order(key, direction == "desc")


@extend_schema_field({"type": "array", "items": {}})
class SearchAfterField(serializers.Field[Any, Any, Any, Any]):
    """`[milliseconds, id]`, as an opportunity's `sort` says it; an empty list begins."""

    default_error_messages = {"invalid": "The `sort` of the last row."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if data == []:
            return {}
        if not isinstance(data, list) or len(data) != 2:
            self.fail("invalid")
        instant: Any = BoundField()
        instant.bind("instant", self)
        return {"startAfter": instant.run_validation(data[0]), "startAfterId": str(data[1])}


class Details(WireSerializer):
    notes = serializers.BooleanField(required=False, default=False)
    tasks = serializers.BooleanField(required=False, default=False)
    calendarEvents = serializers.BooleanField(required=False, default=False)
    unReadConversations = serializers.BooleanField(required=False, default=False)


class SearchBody(WireSerializer):
    """What `POST /opportunities/search` takes."""

    locationId = LocationField()
    query = serializers.CharField(source="q", required=False, allow_blank=True)
    limit = serializers.IntegerField(required=False, default=LIMIT, min_value=1, max_value=MOST)
    page = serializers.IntegerField(required=False, default=1, min_value=1, max_value=10**9)
    searchAfter = SearchAfterField(required=False)
    filters = FiltersField(required=False)
    sort = SortField(required=False)
    additionalDetails = Details(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {"sort": NEWEST, **attrs, **attrs.pop("searchAfter", {})}


@extend_schema_field(OpenApiTypes.OBJECT)
class Aggregations(serializers.Field[Any, Any, Any, Any]):
    """Nothing is aggregated."""


Found: Any = inline_serializer(
    "FoundOpportunities",
    {"opportunities": ShownOpportunity(many=True), "meta": MetaPart(), "aggregations": Aggregations()},
)
FoundByBody: Any = inline_serializer(
    "FoundOpportunitiesByBody",
    {
        "opportunities": ShownOpportunity(many=True),
        "total": serializers.IntegerField(),
        "aggregations": Aggregations(),
    },
)
