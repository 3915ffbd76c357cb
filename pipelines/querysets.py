"""Reads of pipelines and stages."""

from typing import Any, Self

from django.db.models import Prefetch

from crm_project.records.querysets import RowQuerySet


class PipelineQuerySet(RowQuerySet[Any]):
    def default(self) -> Self:
        return self.live().filter(is_default=True)

    def default_first(self) -> Self:
        return self.order_by("-is_default", "id")

    def with_stages(self) -> Self:
        """Each pipeline's live stages, in order, as `live_stages`."""
        from pipelines.models import Stage

        return self.prefetch_related(Prefetch("stages", Stage.objects.in_order(), to_attr="live_stages"))


class StageQuerySet(RowQuerySet[Any]):
    def in_order(self) -> Self:
        return self.live().order_by("position", "id")
