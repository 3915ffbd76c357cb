"""One organization of the demo before anything is sold: its members, pipelines, lost reasons and custom fields."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import User
from crm_project.accounts.services import add_member, create_organization
from crm_project.records.services import change_references, create_custom_field
from crm_project.setup.demo.clock import stopped_at
from deals.models import LostReason
from deals.services import create_lost_reason
from pipelines.models import Pipeline
from pipelines.services import create_pipeline

Data = Mapping[str, Any]
MEMBER_FIELDS = ("role", "job_title")
STAGE_FIELDS = ("name", "color", "probability", "kind", "description")


@dataclass
class Scene:
    data: Data
    actors: dict[str, Actor]
    pipelines: dict[str, Pipeline] = field(default_factory=dict)
    lost_reasons: dict[str, LostReason] = field(default_factory=dict)

    @property
    def admin(self) -> Actor:
        return next(iter(self.actors.values()))


def build_scene(slug: str, data: Data, logins: Mapping[str, User], opening: datetime.datetime) -> Scene:
    """Open the organization at `opening`; the first of its members is an admin and sets up the rest."""
    with stopped_at(opening):
        named = {name: data[name] for name in ("name", "currency", "time_zone")}
        organization = create_organization(slug=slug, **named)
        actors: dict[str, Actor] = {}
        for told in data["members"]:
            admin = next(iter(actors.values()), None)
            fields = {name: told[name] for name in MEMBER_FIELDS}
            member = add_member(actor=admin, organization=organization, user=logins[told["email"]], **fields)
            actors[told["email"]] = Actor(member)
            _refer(next(iter(actors.values())), member, told)
        scene = Scene(data, actors)
        _refer(scene.admin, organization, data)
        _fill(scene)
    return scene


def _fill(scene: Scene) -> None:
    for told in scene.data["pipelines"]:
        pipeline = create_pipeline(actor=scene.admin, change=_pipeline_change(told))
        scene.pipelines[told["name"]] = pipeline
        for stage, stage_told in zip(pipeline.stages.in_order(), told["stages"], strict=True):
            _refer(scene.admin, stage, stage_told)
    for told in scene.data.get("lost_reasons", ()):
        change = {"name": told["name"], "external_references": _keys(told)}
        scene.lost_reasons[told["name"]] = create_lost_reason(actor=scene.admin, change=change)
    for position, told in enumerate(scene.data.get("custom_fields", ())):
        create_custom_field(actor=scene.admin, change={**told, "position": position})


def _pipeline_change(told: Data) -> dict[str, Any]:
    stages = [{name: stage[name] for name in STAGE_FIELDS if name in stage} for stage in told["stages"]]
    return {
        "name": told["name"],
        "description": told.get("description", ""),
        "external_references": _keys(told),
        "stages": stages,
    }


def _refer(actor: Actor, row: Any, told: Data) -> None:
    if keys := _keys(told):
        change_references(actor=actor, row=row, add=keys)


def _keys(told: Data) -> Sequence[tuple[str, str]]:
    return [(system, external_id) for system, external_id in told.get("references", ())]
