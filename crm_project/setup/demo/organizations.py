"""An organization of the demo: its members, pipelines, lost reasons, custom fields, and the people it sells to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import User
from crm_project.accounts.rules import Permission
from crm_project.accounts.services import add_member, create_organization
from crm_project.records.services import change_references, create_custom_field
from deals.models import LostReason
from deals.services import create_lost_reason
from pipelines.models import Stage
from pipelines.services import create_pipeline

Data = Mapping[str, Any]


@dataclass
class DemoOrganization:
    """`data` is its table of `demo.toml`, `rng` the source of all that is random in it.

    Members are keyed by e-mail address, the admin first; the stages of each pipeline and the lost reasons by name.
    """

    data: Data
    rng: Random
    actors: dict[str, Actor] = field(default_factory=dict)
    stages: dict[str, list[Stage]] = field(default_factory=dict)
    lost_reasons: dict[str, LostReason] = field(default_factory=dict)
    people: list[Contact] = field(default_factory=list)

    @property
    def admin(self) -> Actor:
        return next(iter(self.actors.values()))

    @property
    def sellers(self) -> list[Actor]:
        """The members who edit deals, without the admin where there are others."""
        editors = [actor for actor in self.actors.values() if actor.may(Permission.EDIT_DEALS)]
        return editors[1:] or editors

    def some_member(self) -> int:
        return self.rng.choice([actor.member.pk for actor in self.actors.values()])


def create_demo_organization(
    slug: str, data: Data, rng: Random, logins: Mapping[str, User]
) -> DemoOrganization:
    """Create it under `slug`; its first member is the admin, who creates everything else."""
    made = DemoOrganization(data, rng)
    columns = {name: data[name] for name in ("name", "currency", "time_zone")}
    organization = create_organization(slug=slug, **columns)
    for entry in data["members"]:
        admin = made.admin if made.actors else None
        columns = {name: entry[name] for name in ("role", "job_title")}
        member = add_member(actor=admin, organization=organization, user=logins[entry["email"]], **columns)
        made.actors[entry["email"]] = Actor(member)
        _add_references(made.admin, member, entry)
    _add_references(made.admin, organization, data)
    for entry in data["pipelines"]:
        made.stages[entry["name"]] = _create_pipeline(made.admin, entry)
    for entry in data.get("lost_reasons", ()):
        made.lost_reasons[entry["name"]] = create_lost_reason(actor=made.admin, change=change_of(entry))
    for position, entry in enumerate(data.get("custom_fields", ())):
        create_custom_field(actor=made.admin, change={**entry, "position": position})
    return made


def _create_pipeline(actor: Actor, entry: Data) -> list[Stage]:
    """Returns the pipeline's stages in order."""
    stages = list(create_pipeline(actor=actor, change=change_of(entry)).stages.in_order())
    for stage, stage_entry in zip(stages, entry["stages"], strict=True):
        _add_references(actor, stage, stage_entry)
    return stages


def _add_references(actor: Actor, row: Any, entry: Data) -> None:
    if keys := references_of(entry):
        change_references(actor=actor, row=row, add=keys)


def references_of(entry: Data) -> Sequence[tuple[str, str]]:
    return [(system, external_id) for system, external_id in entry.get("references", ())]


def change_of(entry: Data) -> dict[str, Any]:
    """The entry as a service takes it; services ignore the demo's own keys."""
    return {**entry, "external_references": references_of(entry)}
