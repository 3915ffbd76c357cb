"""Reads of pipelines and stages."""

from typing import Any, Self

from crm_project.records.querysets import RowQuerySet


class PipelineQuerySet(RowQuerySet[Any]):
    def default(self) -> Self:
        return self.live().filter(is_default=True)

    def default_first(self) -> Self:
        return self.order_by("-is_default", "id")


class StageQuerySet(RowQuerySet[Any]):
    def in_order(self) -> Self:
        return self.live().order_by("position", "id")
