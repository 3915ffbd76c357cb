"""Intum's words for the stages of all pipelines, which it calls statuses."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

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
from crm_project.records.rules import LONG_TEXT
from pipelines.models import Stage

KINDS = {"win": Stage.Kinds.WON, "lost": Stage.Kinds.LOST, "": Stage.Kinds.OPEN, None: Stage.Kinds.OPEN}


class StatusClosedField(ClosedField):
    """A flag, where off is blank. For one that is on, the core must know which: `win` or `lost`."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation("" if data is False else data)


class IntumStatusWrite(DialectSerializer):
    """The fields of a status as they are written. Stages are used in deals, and in deals alone."""

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


def place(stage: Stage) -> str:
    """What stands before the name: the pipeline, unless it is the default one."""
    return "" if stage.pipeline.is_default else f"{stage.pipeline.name}: "


def category_of(kind: str) -> str:
    return "in_progress" if kind == Stage.Kinds.OPEN else "done"


def settled(change: dict[str, Any], stage: Stage | None) -> dict[str, Any]:
    """The change in the core's words; a category follows from `closed`, and another one cannot be kept."""
    change = dict(change)
    if "kind" in change:
        change["kind"] = KINDS[change["kind"]]
    kind = change.get("kind", stage.kind if stage else Stage.Kinds.OPEN)
    category = change.pop("category", None)
    if category not in (None, category_of(kind)):
        raise serializers.ValidationError({"category": serializers.ErrorDetail("", "not_supported")})
    if stage is not None and "name" in change:
        change["name"] = change["name"].removeprefix(place(stage))
    return change


class IntumStatusRead(serializers.Serializer[Any]):
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
        return f"{place(stage)}{stage.name}"

    def get_category(self, stage: Stage) -> str:
        return category_of(stage.kind)

    def get_closed(self, stage: Stage) -> bool:
        return bool(stage.kind != Stage.Kinds.OPEN)
