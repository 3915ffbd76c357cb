"""Stages: one ordered list, of the default pipeline first."""

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import serializers

from crm_project.dialects.kit.rows import NumberedRowField
from crm_project.dialects.onlyoffice.serializers.params import (
    STAGE_KINDS,
    STAGE_NAMES,
    NamedNumberField,
    OnlyofficeParameters,
    OptionalTextParam,
    PercentField,
    RequiredTextParam,
    RowListParam,
)
from crm_project.dialects.onlyoffice.serializers.values import OnlyofficeRead
from pipelines.models import Stage

TYPES = {"open": 0, "won": 1, "lost": 2, "abandoned": 2}
CLOSED_PROBABILITY = {1: 100, 2: 0}
# Colours by which the vendor's own tests call stages; the core keeps numbers.
COLORS = {
    "black": "#000000",
    "blue": "#0000ff",
    "brown": "#a52a2a",
    "gray": "#808080",
    "green": "#008000",
    "grey": "#808080",
    "orange": "#ffa500",
    "pink": "#ffc0cb",
    "purple": "#800080",
    "red": "#ff0000",
    "white": "#ffffff",
    "yellow": "#ffff00",
}
ORDER = ("-pipeline__is_default", "pipeline_id", "position", "id")


def prefix(stage: Stage) -> str:
    return "" if stage.pipeline.is_default else f"{stage.pipeline.name}: "


class StagePresentation:
    """A stage in the vendor's eyes; `status` is that of an opportunity which stands in it."""

    def __init__(self, row: Stage, *, status: str = "", number: int = 0, count: int = 0) -> None:
        self.row, self.number, self.count = row, number, count
        self.title = f"{prefix(row)}{row.name}"
        self.type = TYPES[status or row.kind]
        self.probability = CLOSED_PROBABILITY.get(self.type, row.probability) if status else row.probability


class OnlyofficeStageNested(OnlyofficeRead):
    """A stage, as an opportunity shows it."""

    id = NumberedRowField("stage", source="row")
    title = serializers.CharField()
    description = serializers.CharField(source="row.description")
    color = serializers.CharField(source="row.color")
    successProbability = serializers.IntegerField(source="probability")
    stageType = serializers.IntegerField(source="type")


class OnlyofficeStageRead(OnlyofficeStageNested):
    sortOrder = serializers.IntegerField(source="number")
    relativeItemsCount = serializers.IntegerField(source="count")


class ColorParam(RequiredTextParam):
    """`#rrggbb`, `#rgb`, or one of the common names."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data).strip().lower()
        is_short = len(text) == 4 and text.startswith("#")
        return f"#{''.join(digit * 2 for digit in text[1:])}" if is_short else COLORS.get(text, text)


class OnlyofficeStageWrite(OnlyofficeParameters):
    title = RequiredTextParam(source="name")
    color = ColorParam()
    description = OptionalTextParam(default="")
    successProbability = PercentField(source="probability", default=0)
    stageType = NamedNumberField(STAGE_KINDS, STAGE_NAMES, source="kind", default="open")


class OnlyofficeStageColorWrite(OnlyofficeParameters):
    color = ColorParam()


class OnlyofficeStageOrder(OnlyofficeParameters):
    ids = RowListParam("stage", required=True, allow_null=False)


def renamed(stage: Stage, change: Mapping[str, Any]) -> dict[str, Any]:
    """The change without the pipeline's name, which the vendor sees before the stage's."""
    return {**change, "name": change["name"].removeprefix(prefix(stage))}


def reordered(stages: Iterable[Stage], ids: Iterable[int]) -> dict[int, list[int]]:
    """The new order of each pipeline that has one: what is named comes first, in its order; the rest stays."""
    wanted = {pk: place for place, pk in enumerate(ids)}
    now: dict[int, list[int]] = {}
    for stage in stages:
        now.setdefault(stage.pipeline_id, []).append(stage.pk)
    then = {
        pipeline: sorted(own, key=lambda pk: wanted.get(pk, len(wanted))) for pipeline, own in now.items()
    }
    return {pipeline: order for pipeline, order in then.items() if order != now[pipeline]}
