"""What a row's life leaves in the database: the row as it is now, its states, its events and its lists. Pure."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from contacts.models import Contact
from crm_project.changes import Columns, difference, plain
from crm_project.journal.models import Event
from crm_project.setup.demo.crowd import life_of_contact
from crm_project.setup.demo.lives import life_of_deal
from crm_project.setup.demo.shadows import ContactShadow, DealShadow, Shadow, all_columns
from crm_project.setup.demo.steps import Place, Step
from crm_project.setup.demo.world import World
from deals.models import Deal, DealState
from deals.rules import STATE_FIELDS, state_of
from deals.services.write import LISTS

Row = list[Any]
ACTIONS = {"create": "created", "update": "updated", "trash": "trashed", "restore": "restored"}

STATE_COLUMNS = ("organization_id", "deal_id", *STATE_FIELDS, "probability", "valid_from", "valid_to")
EVENT_COLUMNS = (
    "organization_id change_set at actor_id kind action row_id row_uuid row_version changes sequence".split()
)
# In the order in which they refer to each other; an event's last column is known when all lives are told.
COLUMNS: dict[Any, tuple[str, ...]] = {
    Contact: all_columns(Contact),
    Deal: all_columns(Deal),
    DealState: STATE_COLUMNS,
    **{model: ("organization_id", "deal_id", column) for model, column in LISTS.values()},
    Event: tuple(EVENT_COLUMNS),
}


@dataclass
class Trace:
    rows: dict[Any, list[Row]] = field(default_factory=lambda: {model: [] for model in COLUMNS})
    events: list[tuple[Place, Row]] = field(default_factory=list)

    def note(self, place: Place, step: Step, shadow: Shadow, changed: dict[str, tuple[Any, Any]]) -> None:
        """An event as the journal writes it, but for its number."""
        changes = {name: (plain(old), plain(new)) for name, (old, new) in changed.items()}
        kind, action = place.kind, ACTIONS[step.verb]
        row = [shadow.organization_id, uuid.uuid4(), step.at, step.actor, kind, action, shadow.id, shadow.uuid,
               shadow.version, changes]  # fmt: skip
        self.events.append((place, row))


def trace_contacts(world: World, indexes: Iterable[int]) -> Trace:
    trace = Trace()
    for index in indexes:
        *_, contact = _lived(trace, ContactShadow, world, world.first_contact + index, "contact", index)
        trace.rows[Contact].append(contact.stored())
    return trace


def trace_deals(world: World, indexes: Iterable[int]) -> Trace:
    trace = Trace()
    for index in indexes:
        states: list[tuple[Any, Columns]] = []
        for deal in _lived(trace, DealShadow, world, world.first_deal + index, "deal", index):
            state = state_of(deal)
            if not states or states[-1][1] != state:
                states.append((deal.updated_at, state))
        trace.rows[Deal].append(deal.stored())
        trace.rows[DealState] += _states(deal, states)
        for name, (model, _) in LISTS.items():
            trace.rows[model] += [[world.organization_id, deal.id, key] for key in deal.lists.get(name, ())]
    return trace


def _lived(trace: Trace, kind_of: Any, world: World, row_id: int, kind: str, index: int) -> Iterator[Any]:
    """Live the life, noting each event; yields the row after every step that changed it."""
    life = life_of_contact if kind == "contact" else life_of_deal
    shadow, before, lists = None, Columns(), Columns()
    for number, step in enumerate(life(world, index)):
        shadow = shadow or kind_of(world, row_id, step)
        shadow.apply(step)
        after = shadow.columns()
        changed = difference(before, after) | _lists_changed(lists, shadow, is_new=not before)
        if not changed:
            continue
        if before:
            shadow.version += 1
            shadow.updated_at = step.at
        trace.note(Place(step.at, kind, index, number), step, shadow, changed)
        before, lists = after, dict(shadow.lists)
        yield shadow


def _lists_changed(before: Columns, shadow: Shadow, *, is_new: bool) -> dict[str, tuple[Any, Any]]:
    none: Any = None if is_new else []
    return {
        name: (before.get(name, none), keys)
        for name, keys in shadow.lists.items()
        if before.get(name) != keys
    }


def _states(deal: DealShadow, states: list[tuple[Any, Columns]]) -> Iterator[Row]:
    """Each state ends where the next one begins."""
    ends = [begun for begun, _ in states[1:]] + [None]
    for (begun, state), ended in zip(states, ends, strict=True):
        yield [deal.organization_id, deal.id, *state.values(), begun, ended]
