"""Gauzy's words for pipelines, stages, deals, contacts and users, and its three ways to write a query."""

import json
import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from contacts.models import Contact
from crm_project.api.fields import OptionalText, StrictBoolean, StrictInteger, TextField
from crm_project.dialects.wire import RowField, UnsayableField, WireSerializer
from crm_project.records.rules import LONG_TEXT
from deals.models import Deal

BRACKETS = re.compile(r"([a-zA-Z]+)((?:\[[^\[\]]*\])+)")
EXAMPLE_PIPELINE = {
    "name": "Enterprise Sales",
    "description": "Pipeline for enterprise deals",
    "organizationId": "uuid",
    "stages": [
        {"name": "Prospecting", "index": 0},
        {"name": "Qualification", "index": 1},
        {"name": "Proposal", "index": 2},
        {"name": "Negotiation", "index": 3},
        {"name": "Closed Won", "index": 4},
    ],
}
EXAMPLE_DEAL = {
    "title": "Acme Corp Enterprise License",
    "stageId": "stage-uuid",
    "clientId": "contact-uuid",
    "probability": 75,
}


class InstantField(serializers.DateTimeField):
    """UTC with three digits of a second."""

    def to_representation(self, value: Any) -> Any:
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"


class Entity(serializers.Serializer[Any]):
    """What every entity has."""

    kind = ""
    createdAt = InstantField(source="created_at")
    updatedAt = InstantField(source="updated_at")
    deletedAt = InstantField(source="deleted_at", allow_null=True)
    isActive = serializers.SerializerMethodField()
    isArchived = serializers.SerializerMethodField()
    archivedAt = serializers.SerializerMethodField()
    tenantId = serializers.SerializerMethodField()
    organizationId = serializers.SerializerMethodField()

    def get_fields(self) -> dict[str, Any]:
        return {"id": RowField(self.kind, source="*"), **super().get_fields()}

    def get_isActive(self, row: Any) -> bool:
        return bool(getattr(row, "is_active", True))

    def get_isArchived(self, row: Any) -> bool:
        return False

    def get_archivedAt(self, row: Any) -> str | None:
        return None

    def get_tenantId(self, row: Any) -> str:
        return str(self.context["view"].actor.organization.uuid)

    get_organizationId = get_tenantId


class ShownStage(Entity):
    kind = "stage"
    name = serializers.CharField()
    description = serializers.CharField()
    index = serializers.IntegerField(source="position")
    pipelineId = RowField("pipeline", source="pipeline")


class ShownPipeline(Entity):
    kind = "pipeline"
    name = serializers.CharField()
    description = serializers.CharField()


class ShownPipelineWithStages(ShownPipeline):
    stages = ShownStage(source="live_stages", many=True)


class ShownContact(Entity):
    kind = "contact"
    name = serializers.CharField(source="full_name")
    primaryEmail = serializers.CharField(source="email")
    primaryPhone = serializers.CharField(source="phone")
    notes = serializers.CharField(source="description")
    contactType = serializers.SerializerMethodField()

    def get_contactType(self, contact: Contact) -> str:
        return "CLIENT"


class ShownUser(serializers.Serializer[Any]):
    """A member, as a user of the tenant."""

    id = RowField("user", source="*")
    email = serializers.CharField()
    name = serializers.CharField(source="full_name")
    tenantId = serializers.SerializerMethodField()
    role = serializers.SerializerMethodField()

    def get_tenantId(self, member: Any) -> str:
        return str(member.organization.uuid)

    def get_role(self, member: Any) -> dict[str, str]:
        return {"name": str(member.role).upper()}


class ShownDeal(Entity):
    kind = "deal"
    title = serializers.CharField(source="name")
    probability = serializers.IntegerField(source="effective_probability")
    stageId = RowField("stage", source="stage")
    clientId = serializers.SerializerMethodField()
    createdByUserId = RowField("user", source="created_by", allow_null=True)

    def get_clientId(self, deal: Deal) -> str | None:
        client = deal.client or deal.contact
        return self.context["view"].ids.shown(client) if client else None


class ShownDealWithRelations(ShownDeal):
    """A deal with the rows that `relations` asked for."""

    def get_fields(self) -> dict[str, Any]:
        related = {
            "stage": ShownStage(),
            "client": ClientOfDeal(source="*"),
            "createdByUser": ShownUser(source="created_by", allow_null=True),
        }
        asked = self.context["view"].relations
        return {**super().get_fields(), **{name: field for name, field in related.items() if name in asked}}


class ClientOfDeal(serializers.Serializer[Any]):
    """The client, or the contact of a deal that has none."""

    def to_representation(self, deal: Deal) -> Any:
        client = deal.client or deal.contact
        return ShownContact(client, context=self.context).data if client else None


class StageWords(WireSerializer):
    id = RowField("stage", required=False)
    name = TextField(required=False)
    description = OptionalText(max_length=LONG_TEXT)
    index = serializers.IntegerField(required=False, write_only=True)


class PipelineWords(WireSerializer):
    """A pipeline as it is written; the array is the order of its stages."""

    name = TextField()
    description = OptionalText(max_length=LONG_TEXT)
    isActive = StrictBoolean(source="is_active", required=False)
    isArchived = UnsayableField()
    stages = StageWords(many=True, required=False, allow_null=True)


def pipeline_change(change: dict[str, Any]) -> dict[str, Any]:
    """The core numbers stages by their order in the list; an absent or null list leaves them."""
    stages = change.pop("stages", None)
    if stages is None:
        return change
    return {
        **change,
        "stages": [{name: value for name, value in stage.items() if name != "index"} for stage in stages],
    }


class DealWords(WireSerializer):
    """A deal as it is written."""

    title = TextField(source="name")
    probability = StrictInteger(required=False, allow_null=True, min_value=0, max_value=100)
    stageId = RowField("stage", source="stage")
    clientId = RowField("contact", source="client", required=False, allow_null=True)


class ContactWords(WireSerializer):
    name = TextField()
    primaryEmail = OptionalText(source="email", max_length=254)
    primaryPhone = OptionalText(source="phone")
    notes = OptionalText(source="description", max_length=LONG_TEXT)
    contactType = serializers.ChoiceField(["CLIENT"], required=False, write_only=True)
    budget = UnsayableField()
    budgetType = UnsayableField()


def parsed_query(query: Mapping[str, str]) -> dict[str, Any]:
    """`where[a]=1&relations[0]=b`, `relations[]=b` and `data={…}` as one object; plain parameters stay."""
    parsed: dict[str, Any] = {}
    for name, value in query.items():
        matched = BRACKETS.fullmatch(name)
        if matched is None:
            parsed[name] = value
            continue
        keys = re.findall(r"\[([^\[\]]*)\]", matched[2])
        if matched[1] == "relations":
            parsed.setdefault("relations", []).append(value)
        else:
            parsed.setdefault(matched[1], {})[".".join(keys)] = value
    return {**parsed, **_legacy(parsed.pop("data", None))}


def _legacy(text: Any) -> dict[str, Any]:
    """The one JSON string of older services: `relations` and `findInput`."""
    try:
        data = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        raise serializers.ValidationError({"data": ["This is not JSON."]}) from None
    if not isinstance(data, dict):
        raise serializers.ValidationError({"data": ["This is not a JSON object."]})
    found = {"relations": data.get("relations"), "where": data.get("findInput")}
    return {name: value for name, value in found.items() if value}
