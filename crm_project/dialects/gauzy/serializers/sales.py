"""Gauzy's pipelines, stages and deals."""

from typing import Any

from rest_framework import serializers

from crm_project.api.fields import OptionalText, StrictBoolean, StrictInteger, TextField
from crm_project.dialects.gauzy.serializers.entities import OURS, GauzyEntityRead
from crm_project.dialects.gauzy.serializers.people import GauzyAddressNested, GauzyContactRead, GauzyUserRead
from crm_project.dialects.kit.deal_contacts import DealClient, client_of
from crm_project.dialects.kit.fields import FixedField, UnsupportedField
from crm_project.dialects.kit.rows import RowField
from crm_project.dialects.kit.serializers import DialectSerializer
from crm_project.records.rules import LONG_TEXT
from deals.models import Deal
from pipelines.models import Stage

# The usual names of closing stages, in the languages of the demo: English, French, Polish, Spanish, Italian, German.
WON_NAMES = (
    "won, closed won, closed - won, deal won, gagné, gagnée, affaire gagnée, conclu, wygrane, wygrana, wygrany,"
    " zamknięte wygrane, ganado, ganada, cerrado ganado, cerrada ganada, vinto, vinta, chiuso vinto, chiusa vinta,"
    " gewonnen, abgeschlossen gewonnen"
)
LOST_NAMES = (
    "lost, closed lost, closed - lost, deal lost, perdu, perdue, affaire perdue, przegrane, przegrana, przegrany,"
    " utracone, utracona, zamknięte przegrane, perdido, perdida, cerrado perdido, cerrada perdida, perso, persa,"
    " chiuso perso, chiusa persa, verloren, abgeschlossen verloren"
)
CLOSING_NAMES = {
    **{name.strip(): Stage.Kinds.WON for name in WON_NAMES.split(",")},
    **{name.strip(): Stage.Kinds.LOST for name in LOST_NAMES.split(",")},
}
CLOSED_PROBABILITY = {Stage.Kinds.WON: 100, Stage.Kinds.LOST: 0}
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
EXAMPLE_PIPELINE_CHANGE = {"name": "Updated Pipeline Name"}
EXAMPLE_DEAL_CHANGE = {"stageId": "next-stage-uuid", "probability": 90}


class GauzyPipelineNested(GauzyEntityRead):
    """The pipeline of a stage."""

    kind = "pipeline"
    name = serializers.CharField()
    description = serializers.CharField()


class GauzyStageDealNested(GauzyEntityRead):
    """A deal of a stage."""

    kind = "deal"
    title = serializers.CharField(source="name")
    probability = serializers.IntegerField(source="effective_probability")
    stageId = RowField("stage", source="stage")
    clientId = serializers.SerializerMethodField()
    createdByUserId = RowField("user", source="created_by", allow_null=True)

    def get_clientId(self, deal: Deal) -> str | None:
        client_id: str | None = self.context["view"].ids.id_of(client_of(deal))
        return client_id


class CreatedBy:
    """Mixin of the id of a row's creator, which pipelines and stages get from the journal where it is needed."""

    def get_attribute(self, instance: Any) -> Any:
        return getattr(instance, "created_by", None)


class CreatedByField(CreatedBy, RowField):
    pass


class GauzyCreatedByUser(CreatedBy, GauzyUserRead):
    pass


class GauzyStageRead(GauzyEntityRead):
    kind = "stage"
    createdByUserId = CreatedByField("user", allow_null=True)
    related = {
        "pipeline": GauzyPipelineNested,
        "deals": lambda: GauzyStageDealNested(source="visible_deals", many=True),
    }
    name = serializers.CharField()
    description = serializers.CharField()
    index = serializers.IntegerField(source="position")
    pipelineId = RowField("pipeline", source="pipeline")


class GauzyPipelineRead(GauzyPipelineNested):
    createdByUserId = CreatedByField("user", allow_null=True)
    related = {
        "stages": lambda: GauzyStageRead(source="live_stages", many=True, within="stages."),
        "createdByUser": lambda: GauzyCreatedByUser(allow_null=True),
        **OURS,
    }


class GauzyPipelineWithStagesRead(GauzyPipelineRead):
    stages = GauzyStageRead(source="live_stages", many=True)


class GauzyClientNested(DealClient, GauzyContactRead):
    """The client of a deal, or its contact where it has none."""

    related = {"contact": lambda: GauzyAddressNested(source="*")}


class GauzyDealRead(GauzyStageDealNested):
    """A deal, with its related rows on request."""

    related = {
        "stage": lambda: GauzyStageRead(within="stage."),
        "client": lambda: GauzyClientNested(within="client.", allow_null=True),
        "createdByUser": lambda: GauzyUserRead(source="created_by", allow_null=True),
        **OURS,
    }


class GauzyStageWrite(DialectSerializer):
    """A stage in a request of its own."""

    name = TextField()
    description = OptionalText(max_length=LONG_TEXT)
    probability = StrictInteger(required=False, min_value=0, max_value=100)
    index = serializers.IntegerField(required=False, write_only=True)


class GauzyStageNestedWrite(GauzyStageWrite):
    """A stage in the list of a pipeline's stages."""

    never_empty = frozenset({"id", "name"})

    id = RowField("stage", required=False)
    name = TextField(required=False)

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        """The list may be null, its items may not."""
        if data is None:
            self.fail("null")
        return super().validate_empty_values(data)


class GauzyPipelineWrite(DialectSerializer):
    """A pipeline in a request; the stages are in the order of the array."""

    name = TextField()
    description = OptionalText(max_length=LONG_TEXT)
    isActive = StrictBoolean(source="is_active", required=False)
    isArchived = StrictBoolean(source="is_archived", required=False)
    stages = GauzyStageNestedWrite(many=True, required=False, allow_null=True)

    def validate(self, change: dict[str, Any]) -> dict[str, Any]:
        stages = enumerate(change.get("stages") or ())
        if any(stage.get("index", place) != place for place, stage in stages):
            self.context["view"].ignore(["stages.index"])
        body = self.context["view"].body
        if body.get("isActive") is True and body.get("isArchived") is True:
            raise serializers.ValidationError({"isArchived": ["An archived pipeline cannot be active."]})
        return change


def pipeline_change(change: dict[str, Any]) -> dict[str, Any]:
    """The core's change of a pipeline: stages have the order of the list, and `is_archived` becomes `is_active`."""
    stages, archived = change.pop("stages", None), change.pop("is_archived", None)
    if archived is not None:
        change.setdefault("is_active", not archived)
    return change if stages is None else {**change, "stages": [stage_change(stage) for stage in stages]}


def stage_change(stage: dict[str, Any]) -> dict[str, Any]:
    """The core's change of a stage. The name of a new one may be its kind, which Gauzy cannot say otherwise."""
    change = {name: value for name, value in stage.items() if name != "index"}
    kind = CLOSING_NAMES.get(" ".join(str(change.get("name", "")).casefold().split()))
    if "id" in change or kind is None:
        return change
    return {"probability": CLOSED_PROBABILITY[kind], **change, "kind": kind}


class GauzyDealWrite(DialectSerializer):
    """A deal in a request."""

    title = TextField(source="name")
    probability = StrictInteger(required=False, allow_null=True, min_value=0, max_value=100)
    stageId = RowField("stage", source="stage")
    clientId = RowField("contact", source="client", required=False, allow_null=True)
    isActive = FixedField(True)
    isArchived = UnsupportedField()
