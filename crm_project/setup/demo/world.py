"""What a history is told about: plain values and ids, so that it can be told in another process."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any, NamedTuple

from crm_project.accounts.rules import Permission
from crm_project.setup.demo.crowd import Profile, gather
from crm_project.setup.demo.data import demo_data
from crm_project.setup.demo.hours import CLOSES, Seasons
from crm_project.setup.demo.scene import Scene
from pipelines.models import Stage


class Route(NamedTuple):
    """A pipeline: its open stages in order and where they lead; `pace` and `size` as in the data."""

    open: list[Stage]
    won: Stage
    lost: Stage
    weight: float
    pace: float
    size: float


@dataclass(frozen=True)
class World:
    """Contacts and deals have consecutive ids, from `first_contact` and `first_deal` on."""

    seed: int
    organization_id: int
    currency: str
    start: datetime.date
    end: datetime.datetime
    deals: int
    contacts: int
    sellers: list[int]
    members: list[int]
    managers: list[int]
    routes: list[Route]
    lost_reasons: list[int]
    has_custom_fields: bool
    first_contact: int = 1
    first_deal: int = 1

    @property
    def words(self) -> Mapping[str, Any]:
        words: Mapping[str, Any] = demo_data()["words"]
        return words

    @cached_property
    def seasons(self) -> Seasons:
        # Until the last day that was over before the end: whoever is born then has lived.
        last = (self.end - datetime.timedelta(seconds=CLOSES)).date()
        return Seasons(self.start, last, self.words["seasons"])

    @cached_property
    def crowd(self) -> list[Profile]:
        return gather(self)

    @cached_property
    def arrivals(self) -> list[datetime.datetime]:
        """When each of the crowd became known, in order."""
        return [profile.at for profile in self.crowd]

    @cached_property
    def stages(self) -> dict[int, Stage]:
        return {stage.pk: stage for route in self.routes for stage in (*route.open, route.won, route.lost)}

    def random(self, kind: str, index: int) -> Random:
        """Each row has its own luck, so that its life does not depend on who is told before it."""
        return Random(f"{self.seed} {self.end.date()} {kind} {index}")


def world_of(
    scene: Scene, *, seed: int, deals: int, start: datetime.date, end: datetime.datetime, **ids: int
) -> World:
    actors = [actor for actor in scene.actors.values() if actor.may(Permission.EDIT_DEALS)]
    organization = scene.admin.organization
    return World(
        seed=seed,
        organization_id=organization.pk,
        currency=organization.currency,
        start=start,
        end=end,
        deals=deals,
        contacts=crowd_size(deals),
        # The head of sales sells little.
        sellers=[actor.member.pk for actor in actors if actor is not scene.admin or len(actors) == 1],
        members=[actor.member.pk for actor in scene.actors.values()],
        managers=[actor.member.pk for actor in actors if actor.may(Permission.EDIT_PIPELINES)],
        routes=[_route(scene, told) for told in scene.data["pipelines"]],
        lost_reasons=[reason.pk for reason in scene.lost_reasons.values()],
        has_custom_fields=bool(scene.data.get("custom_fields")),
        **ids,
    )


def crowd_size(deals: int) -> int:
    """Customers come back: 2,000 deals are with 800 contacts, a million with 85,000."""
    return max(round(2.68 * deals**0.75), 8)


def _route(scene: Scene, told: Mapping[str, Any]) -> Route:
    stages = list(scene.pipelines[told["name"]].stages.in_order())
    closing = {stage.kind: stage for stage in stages}
    opens = [stage for stage in stages if stage.kind == Stage.Kinds.OPEN]
    return Route(opens, closing["won"], closing["lost"], told["weight"], told["pace"], told["size"])
