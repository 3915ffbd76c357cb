"""A history as people would type it: every step through the services, with the clock at the step's instant."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from contacts.services import create_contacts, update_contacts
from crm_project.accounts.actors import Actor
from crm_project.setup.demo.clock import stopped_at
from crm_project.setup.demo.crowd import life_of_contact
from crm_project.setup.demo.lives import life_of_deal
from crm_project.setup.demo.scene import Scene
from crm_project.setup.demo.steps import Place, Step
from crm_project.setup.demo.world import World
from deals.services import create_deals, restore_deals, trash_deals, update_deals

Rows = dict[tuple[str, int], Any]
Service = Callable[[Actor, Any, dict[str, Any]], Any]

SERVICES: dict[tuple[str, str], Service] = {
    ("contact", "create"): lambda actor, row, change: create_contacts(actor=actor, changes=[change])[0],
    ("contact", "update"): lambda actor, row, change: (
        update_contacts(actor=actor, changes=[(row, change)])[0].row
    ),
    ("deal", "create"): lambda actor, row, change: create_deals(actor=actor, changes=[change])[0],
    ("deal", "update"): lambda actor, row, change: update_deals(actor=actor, changes=[(row, change)])[0].row,
    ("deal", "trash"): lambda actor, row, change: trash_deals(actor=actor, rows=[row])[0],
    ("deal", "restore"): lambda actor, row, change: restore_deals(actor=actor, rows=[row])[0],
}


def type_history(world: World, scene: Scene) -> None:
    actors = {actor.member.pk: actor for actor in scene.actors.values()}
    rows: Rows = {}
    for place, step in in_order(world):
        key = (place.kind, place.row)
        service = SERVICES[place.kind, step.verb]
        with stopped_at(step.at):
            rows[key] = service(actors[step.actor], rows.get(key), _with_ids(step.change, world, rows))


def in_order(world: World) -> Iterator[tuple[Place, Step]]:
    """Every step of the world, in the order of time."""
    lives = chain(
        (("contact", index, life_of_contact(world, index)) for index in range(world.contacts)),
        (("deal", index, life_of_deal(world, index)) for index in range(world.deals)),
    )
    steps = [
        (Place(step.at, kind, index, number), step)
        for kind, index, life in lives
        for number, step in enumerate(life)
    ]
    return iter(sorted(steps, key=lambda entry: entry[0]))


def _with_ids(change: dict[str, Any], world: World, rows: Rows) -> dict[str, Any]:
    """The change with the ids that the contacts have got, in place of those that the world foresaw."""

    def found(contact: int) -> int:
        return int(rows["contact", contact - world.first_contact].pk)

    named: dict[str, Any] = {
        name: found(change[name]) for name in ("contact", "client", "company") if name in change
    }
    if "members" in change:
        named["members"] = [found(contact) for contact in change["members"]]
    return change | named
