"""Intum's statuses, which are the stages of all pipelines."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.dialects.intum.serializers.fields import (
    ClosedField,
    IntumDefaultText,
    IntumInteger,
    IntumRequiredText,
    IntumText,
    token_field,
)
from crm_project.dialects.kit.fields import (
    ConstantBoolean,
    FixedBooleanField,
    TextOrNullField,
    UnsupportedField,
)
from crm_project.dialects.kit.rows import NumberedRowField
from crm_project.dialects.kit.serializers import DialectSerializer
from crm_project.dialects.kit.stages import stage_prefix
from crm_project.records.rules import LONG_TEXT
from pipelines.models import Stage

KINDS = {"win": Stage.Kinds.WON, "lost": Stage.Kinds.LOST, "": Stage.Kinds.OPEN, None: Stage.Kinds.OPEN}


class StatusClosedField(ClosedField):
    """False is read as blank. True is not valid, since it could be `win` or `lost`."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation("" if data is False else data)


class IntumStatusWrite(DialectSerializer):
    """A status in a request. Stages are used in deals only."""

    name = IntumRequiredText()
    description = IntumText(max_length=LONG_TEXT)
    color = IntumDefaultText(max_length=7, required=False)
    closed = StatusClosedField(source="kind")
    category = serializers.ChoiceField(["todo", "in_progress", "ready", "done"], required=False)
    priority = IntumInteger(source="position", min_value=0, max_value=10_000, allow_null=False)
    active = FixedBooleanField()
    use_in_deals = FixedBooleanField()
    all_modules = FixedBooleanField(value=False)
    use_in_clients = FixedBooleanField(value=False)
    use_in_contacts = FixedBooleanField(value=False)
    use_in_tasks = FixedBooleanField(value=False)
    use_in_emails = FixedBooleanField(value=False)
    team_ids = UnsupportedField()


StatusBody: Any = inline_serializer("StatusBody", {"api_token": token_field(), "status": IntumStatusWrite()})


def category_of(kind: str) -> str:
    return "in_progress" if kind == Stage.Kinds.OPEN else "done"


def stage_change(change: dict[str, Any], stage: Stage | None) -> dict[str, Any]:
    """The core's change of a stage. The category is derived from `closed`; any other one is refused."""
    change = dict(change)
    if "kind" in change:
        change["kind"] = KINDS[change["kind"]]
    kind = change.get("kind", stage.kind if stage else Stage.Kinds.OPEN)
    category = change.pop("category", None)
    if category not in (None, category_of(kind)):
        raise serializers.ValidationError({"category": serializers.ErrorDetail("", "not_supported")})
    if stage is not None and "name" in change:
        change["name"] = change["name"].removeprefix(stage_prefix(stage))
    return change


class IntumStatusRead(Serializer):
    id = NumberedRowField("stage", source="*")
    name = serializers.SerializerMethodField()
    description = TextOrNullField()
    category = serializers.SerializerMethodField()
    color = serializers.CharField()
    closed = serializers.SerializerMethodField()
    active = serializers.BooleanField(source="pipeline.is_active")
    priority = serializers.IntegerField(source="position")
    use_in_deals = ConstantBoolean(True)

    def get_name(self, stage: Stage) -> str:
        return f"{stage_prefix(stage)}{stage.name}"

    def get_category(self, stage: Stage) -> str:
        return category_of(stage.kind)

    def get_closed(self, stage: Stage) -> bool:
        return bool(stage.kind != Stage.Kinds.OPEN)
