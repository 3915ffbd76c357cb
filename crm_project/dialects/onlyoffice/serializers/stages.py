"""Stages: one ordered list of all pipelines, the default pipeline first."""

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import serializers

from crm_project.dialects.kit.rows import NumberedRowField
from crm_project.dialects.kit.stages import stage_prefix
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
# Names of colours that the vendor's clients send.
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


class StagePresentation:
    """The vendor's view of a stage. With the `status` of an opportunity, type and probability are the opportunity's."""

    def __init__(self, row: Stage, *, status: str = "", number: int = 0, count: int = 0) -> None:
        self.row, self.number, self.count = row, number, count
        self.title = f"{stage_prefix(row)}{row.name}"
        self.type = TYPES[status or row.kind]
        self.probability = CLOSED_PROBABILITY.get(self.type, row.probability) if status else row.probability


class OnlyofficeStageNested(OnlyofficeRead):
    """A stage nested in an opportunity."""

    id = NumberedRowField("stage", source="row")
    title = serializers.CharField()
    description = serializers.CharField(source="row.description")
    color = serializers.CharField(source="row.color")
    successProbability = serializers.IntegerField(source="probability")
    stageType = serializers.IntegerField(source="type")
    sortOrder = serializers.IntegerField(source="row.position")


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


def stage_change(stage: Stage, change: Mapping[str, Any]) -> dict[str, Any]:
    """The change without the pipeline's name before the stage's name."""
    return {**change, "name": change["name"].removeprefix(stage_prefix(stage))}


def reordered(stages: Iterable[Stage], ids: Iterable[int]) -> dict[int, list[int]]:
    """The new order of the stages of each changed pipeline: the sent ids first, then the others in their old order."""
    places = {pk: place for place, pk in enumerate(ids)}
    now: dict[int, list[int]] = {}
    for stage in stages:
        now.setdefault(stage.pipeline_id, []).append(stage.pk)
    after = {
        pipeline: sorted(own, key=lambda pk: places.get(pk, len(places))) for pipeline, own in now.items()
    }
    return {pipeline: order for pipeline, order in after.items() if order != now[pipeline]}
