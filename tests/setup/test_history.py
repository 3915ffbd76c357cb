"""A history written set-wise is the history that the services would have written, row for row and event for event."""

import datetime
from itertools import pairwise

import pytest
from django.db import transaction

from contacts.models import Contact
from crm_project.journal.models import Counter, Event
from crm_project.journal.services import replayed_columns
from crm_project.setup.demo.build import FIRST_CONTACT
from crm_project.setup.demo.bulk import reserve_ids, write_history
from crm_project.setup.demo.data import demo_data
from crm_project.setup.demo.hours import midnight
from crm_project.setup.demo.logins import make_logins
from crm_project.setup.demo.scene import build_scene
from crm_project.setup.demo.typed import type_history
from crm_project.setup.demo.world import crowd_size, world_of
from deals.models import Deal, DealAccess, DealContact, DealFollower, DealState

DEALS = 150
END = midnight(datetime.date(2026, 5, 20))
START = END - datetime.timedelta(days=730)
LINKS = (DealContact, DealFollower, DealAccess)

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    data = demo_data()["demo"]
    return build_scene("demo", data, make_logins("correct horse battery", set()), START)


def world_for(scene, *, deals=DEALS, **ids):
    start = START.date() + datetime.timedelta(days=1)
    return world_of(scene, seed=7, deals=deals, start=start, end=END, **ids)


@pytest.fixture
def world(scene):
    """The world, with its history written set-wise."""
    world = world_for(
        scene,
        first_contact=reserve_ids(Contact, crowd_size(DEALS), above=FIRST_CONTACT),
        first_deal=reserve_ids(Deal, DEALS),
    )
    write_history(world, lambda count: None)
    return world


class Written:
    """What is in the tables, with places in the order of creation instead of the generated ids."""

    def __init__(self, scene):
        self.organization = scene.admin.organization
        self.places = {model.row_kind: self.places_of(model) for model in (Contact, Deal)}

    def rows(self, model):
        return model.objects.filter(organization=self.organization)

    def places_of(self, model):
        ids = self.rows(model).order_by("id").values_list("pk", flat=True)
        return {pk: place for place, pk in enumerate(ids)}

    def dump(self):
        ordered = {Contact: ["id"], Deal: ["id"], DealState: ["deal_id", "valid_from"], Event: ["sequence"]}
        ordered |= dict.fromkeys(LINKS, ["deal_id", "id"])
        tables = {model.__name__: self.table(model, order) for model, order in ordered.items()}
        return tables | {"last": Counter.objects.get(organization=self.organization).last}

    def table(self, model, order):
        kind = getattr(model, "row_kind", None)
        return [self.placed(row, kind) for row in self.rows(model).order_by(*order).values()]

    def placed(self, row, kind):
        """The columns of one row, or of one event's `row_id` and changes."""
        if "changes" in row:
            kind = row["kind"]
            told = row["changes"].items() if kind in self.places else ()
            row = row | {"change_set": None, "row_uuid": None, "id": None}
            row["row_id"] = self.place("id", row["row_id"], kind)
            row["changes"] = {name: [self.place(name, value, kind) for value in pair] for name, pair in told}
            return row
        return {name: self.place(name, value, kind) for name, value in row.items()}

    def place(self, name, value, kind):
        if value is None or name == "uuid":
            return None
        if name == "members":
            return [self.places["contact"].get(key) for key in value]
        of = {"id": kind, "deal_id": "deal"} | dict.fromkeys(
            ("contact_id", "client_id", "company_id"), "contact"
        )
        if name not in of:
            return value
        return self.places[of[name]][value] if of[name] in self.places else None


def test_it_is_what_the_services_write(scene):
    with transaction.atomic():
        type_history(world_for(scene), scene)
        typed = Written(scene).dump()
        transaction.set_rollback(True)

    world = world_for(
        scene,
        first_contact=reserve_ids(Contact, crowd_size(DEALS), above=FIRST_CONTACT),
        first_deal=reserve_ids(Deal, DEALS),
    )
    write_history(world, lambda count: None)
    written = Written(scene).dump()

    for part, expected in typed.items():
        assert written[part] == expected, part


def test_the_events_replay_to_the_rows(world):
    for model in (Contact, Deal):
        events = Event.objects.filter(kind=model.row_kind, organization=world.organization_id).order_by(
            "sequence"
        )
        replayed = replayed_columns(model, events)
        rows = model.objects.filter(organization=world.organization_id).values()
        assert len(replayed) == len(rows)
        for row in rows:
            names = row.keys() - model.derived | {"version"}
            assert {name: replayed[row["id"]].get(name) for name in names} == {
                name: row[name] for name in names
            }


def test_the_states_of_a_deal_follow_each_other_without_a_gap(world):
    for deal in Deal.objects.filter(organization=world.organization_id):
        states = list(deal.states.order_by("valid_from"))
        assert states[0].valid_from == deal.created_at
        assert all(one.valid_to == other.valid_from for one, other in pairwise(states))
        assert states[-1].valid_to is None
        assert (states[-1].stage_id, states[-1].status) == (deal.stage_id, deal.status)


def test_the_events_are_numbered_in_the_order_of_time(world):
    events = Event.objects.filter(organization=world.organization_id).order_by("sequence")
    numbers, instants = zip(*events.values_list("sequence", "at"), strict=True)

    assert numbers == tuple(range(1, len(numbers) + 1))
    assert list(instants) == sorted(instants)
    assert Counter.objects.get(organization=world.organization_id).last == numbers[-1]
    assert instants[-1] < END
