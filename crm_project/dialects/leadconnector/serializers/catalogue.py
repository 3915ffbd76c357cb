"""LeadConnector's pipelines, lost reasons, users and locations."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from contacts.querysets import fold_email
from crm_project.api.compiled import Serializer
from crm_project.api.fields import TextField
from crm_project.dialects.kit.fields import (
    ConstantBoolean,
    ConstantText,
    FirstNameField,
    FixedBooleanField,
    LastNameField,
    UnsupportedField,
)
from crm_project.dialects.kit.instants import InstantField
from crm_project.dialects.kit.rows import RowField
from crm_project.dialects.kit.serializers import DialectSerializer
from crm_project.dialects.leadconnector.serializers.fields import LocationField
from crm_project.dialects.leadconnector.serializers.search import with_location


class LeadConnectorLocationQuery(DialectSerializer):
    locationId = LocationField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return with_location(attrs)


class LeadConnectorStageWrite(DialectSerializer):
    """A stage of a pipeline; one with an id exists already."""

    id = RowField("stage", required=False, allow_null=True)
    name = TextField()
    position = serializers.IntegerField(required=False, min_value=0)
    stageWinProbability = serializers.IntegerField(
        source="probability", required=False, min_value=0, max_value=100
    )
    showInFunnel = FixedBooleanField()
    showInPieChart = FixedBooleanField()


class LeadConnectorPipelineWrite(DialectSerializer):
    """A pipeline with all of its stages, in the order of their positions."""

    name = TextField()
    locationId = LocationField()
    stages = LeadConnectorStageWrite(many=True, allow_empty=False)
    showInFunnel = FixedBooleanField()
    showInPieChart = FixedBooleanField()
    useOpportunityProbability = FixedBooleanField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.pop("location", None)
        if "stages" in attrs:
            last = len(attrs["stages"])
            ordered = sorted(attrs["stages"], key=lambda stage: stage.pop("position", last))
            attrs["stages"] = ordered
        return attrs


class LeadConnectorPipelineUpdate(LeadConnectorPipelineWrite):
    """Absent fields are unchanged; `stages` replaces all stages."""

    name = TextField(required=False)
    locationId = LocationField(required=False)
    stages = LeadConnectorStageWrite(many=True, allow_empty=False, required=False)


class LeadConnectorLostReasonQuery(LeadConnectorLocationQuery):
    name = serializers.CharField(required=False)
    query = serializers.CharField(required=False)
    deleted = serializers.BooleanField(required=False, default=False)
    skip = serializers.IntegerField(required=False, default=0, min_value=0, max_value=10**9)
    limit = serializers.IntegerField(required=False, default=100, min_value=1, max_value=100)
    getCount = serializers.BooleanField(required=False, default=True)


class LeadConnectorUserQuery(DialectSerializer):
    """`companyId`, the id of an agency, is ignored."""

    locationId = LocationField(required=False)
    query = serializers.CharField(required=False)
    skip = serializers.IntegerField(required=False, default=0, min_value=0, max_value=10**9)
    limit = serializers.IntegerField(required=False, default=25, min_value=1, max_value=100)


class LeadConnectorUserEmailSearch(DialectSerializer):
    """The body of `POST /users/search/filter-by-email`: comma-separated addresses."""

    emails = serializers.CharField(max_length=65_535)
    deleted = FixedBooleanField(value=False)
    skip = serializers.IntegerField(required=False, default=0, min_value=0, max_value=10**9)
    limit = serializers.IntegerField(required=False, default=25, min_value=1, max_value=100)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {**attrs, "emails": [fold_email(email) for email in attrs["emails"].split(",")]}


class LeadConnectorLocationListQuery(DialectSerializer):
    """There is only one location: the order has no effect, and a search by e-mail address is refused."""

    skip = serializers.IntegerField(required=False, default=0, min_value=0, max_value=10**9)
    limit = serializers.IntegerField(required=False, default=10, min_value=1, max_value=10**9)
    order = serializers.ChoiceField(["asc", "desc"], required=False)
    email = UnsupportedField()


class LeadConnectorStageNested(Serializer):
    id = RowField("stage", source="*")
    name = serializers.CharField()
    position = serializers.IntegerField()
    showInFunnel = ConstantBoolean(True)
    showInPieChart = ConstantBoolean(True)
    stageWinProbability = serializers.IntegerField(source="probability")


class LeadConnectorPipelineRead(Serializer):
    id = RowField("pipeline", source="*")
    name = serializers.CharField()
    locationId = LocationField()
    stages = LeadConnectorStageNested(source="live_stages", many=True)
    showInFunnel = ConstantBoolean(True)
    showInPieChart = ConstantBoolean(True)
    useOpportunityProbability = ConstantBoolean(True)
    colorRenderMode = ConstantText("dot")
    dateAdded = InstantField(digits=3, source="created_at")
    dateUpdated = InstantField(digits=3, source="updated_at")


class LeadConnectorLostReasonRead(Serializer):
    id = RowField("lost_reason", source="*")
    name = serializers.CharField()
    locationId = LocationField()
    createdAt = InstantField(digits=3, source="created_at")
    updatedAt = InstantField(digits=3, source="updated_at")


@extend_schema_field({"type": "object"})
class RolesField(serializers.Field[Any, Any, Any, Any]):
    """Admin or user; the vendor has no equivalent of the other roles."""

    def to_representation(self, value: Any) -> dict[str, Any]:
        location = self.context["view"].ids.id_of(self.context["view"].actor.organization)
        role = "admin" if value.role == value.Roles.ADMIN else "user"
        return {"type": "account", "role": role, "locationIds": [location]}


class LeadConnectorUserRead(Serializer):
    id = RowField("user", source="*")
    name = serializers.CharField(source="full_name")
    firstName = FirstNameField()
    lastName = LastNameField()
    email = serializers.CharField()
    roles = RolesField(source="*")
    deleted = ConstantBoolean(False)


class LeadConnectorLocationRead(Serializer):
    """The organization; it is also the agency, whose id is `companyId`."""

    id = RowField("organization", source="*")
    companyId = RowField("organization", source="*")
    name = serializers.CharField()
    timezone = serializers.CharField(source="time_zone")
    language = serializers.CharField()
    currency = serializers.CharField()
    dateAdded = InstantField(digits=3, source="created_at")


class LeadConnectorTagRead(Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    locationId = serializers.CharField()


OnePipeline: Any = inline_serializer("OnePipeline", {"pipeline": LeadConnectorPipelineRead()})
Pipelines: Any = inline_serializer(
    "Pipelines", {"pipelines": LeadConnectorPipelineRead(many=True), "traceId": serializers.CharField()}
)
LostReasons: Any = inline_serializer(
    "LostReasons",
    {
        "lostReasons": LeadConnectorLostReasonRead(many=True),
        "total": serializers.IntegerField(required=False),
    },
)
Users: Any = inline_serializer("Users", {"users": LeadConnectorUserRead(many=True)})
FoundUsers: Any = inline_serializer(
    "FoundUsers", {"users": LeadConnectorUserRead(many=True), "count": serializers.IntegerField()}
)
Locations: Any = inline_serializer("Locations", {"locations": LeadConnectorLocationRead(many=True)})
OneLocation: Any = inline_serializer("OneLocation", {"location": LeadConnectorLocationRead()})
LocationTags: Any = inline_serializer("LocationTags", {"tags": LeadConnectorTagRead(many=True)})
TimeZones: Any = inline_serializer(
    "TimeZones", {"timeZones": serializers.ListField(child=serializers.CharField())}
)
