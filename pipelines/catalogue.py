"""The live pipelines and stages of an organization, for writes of deals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm_project.records.catalogue_cache import CatalogueCache, note_version
from crm_project.records.locks import hold_catalogue_and_keys
from crm_project.records.rows import by_id
from pipelines.models import Pipeline, Stage


@dataclass
class Catalogue:
    """Pipelines and stages by id and by uuid, and the stages of each pipeline in order."""

    pipelines: dict[Any, Pipeline] = field(default_factory=dict)
    stages: dict[Any, Stage] = field(default_factory=dict)
    stages_of: dict[int, list[Stage]] = field(default_factory=dict)
    default: Pipeline | None = None

    def default_first(self) -> list[Pipeline]:
        """The pipelines, the default one first, as `PipelineQuerySet.default_first` has them."""
        pipelines = [self.pipelines[key] for key in self.stages_of]
        return sorted(pipelines, key=lambda pipeline: (not pipeline.is_default, pipeline.pk))

    def pipeline_of(self, *, stage: Any, pipeline: Any) -> Pipeline | None:
        """The pipeline of the given stage, else the given pipeline, else the default."""
        target = self.stages.get(stage)
        return target.pipeline if target else self.pipelines.get(pipeline, self.default)


def _stages(organization_id: int) -> Mapping[int, Stage]:
    """All stages with their pipelines, those in the trash included; one query, so that they fit together."""
    return by_id(Stage.objects.of(organization_id).select_related("pipeline"))


cached_stages: CatalogueCache[Mapping[int, Stage]] = CatalogueCache(_stages)


def _catalogue(organization_id: int) -> Catalogue:
    catalogue = Catalogue()
    for pipeline in Pipeline.objects.of(organization_id).live().order_by("id"):
        catalogue.pipelines |= {pipeline.pk: pipeline, pipeline.uuid: pipeline}
        catalogue.stages_of[pipeline.pk] = []
        if pipeline.is_default:
            catalogue.default = pipeline
    for stage in Stage.objects.of(organization_id).in_order():
        stage.pipeline = catalogue.pipelines[stage.pipeline_id]
        catalogue.stages |= {stage.pk: stage, stage.uuid: stage}
        catalogue.stages_of[stage.pipeline_id].append(stage)
    return catalogue


cached_catalogue: CatalogueCache[Catalogue] = CatalogueCache(_catalogue)


def held_catalogue(organization_id: int, keys: Iterable[tuple[Any, ...]] = ()) -> Catalogue:
    """The catalogue under its shared lock, which keeps it until the transaction ends; `keys` are locked after it."""
    hold_catalogue_and_keys(organization_id, keys)
    note_version(organization_id)
    return cached_catalogue.present(organization_id)
