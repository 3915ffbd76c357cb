"""A history written set-wise is the history that the services would have written, row for row and event for event."""

import datetime
from itertools import pairwise

import pytest
from django.db import connection, transaction

from contacts.models import Contact
from crm_project.journal.models import Counter, Event
from crm_project.journal.services import replayed_columns
from crm_project.setup.demo import bulk, removal, telling
from crm_project.setup.demo.build import FIRST_CONTACT
from crm_project.setup.demo.bulk import reserve_ids, write_history
from crm_project.setup.demo.data import demo_data
from crm_project.setup.demo.hours import midnight
from crm_project.setup.demo.lives import life_of_deal
from crm_project.setup.demo.logins import make_logins
from crm_project.setup.demo.scene import build_scene
from crm_project.setup.demo.typed import type_history
from crm_project.setup.demo.world import crowd_size, world_of
from deals.models import Deal
from tests.setup.written import Written, without_catalogue

# Few, and of a seed that has something of everything happen to them.
DEALS, SEED = 60, 9
END = midnight(datetime.date(2026, 5, 20))
START = END - datetime.timedelta(days=730)

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    data = demo_data()["demo"]
    return build_scene("demo", data, make_logins("correct horse battery", set()), START)


def world_for(scene, *, deals=DEALS, **ids):
    start = START.date() + datetime.timedelta(days=1)
    return world_of(scene, seed=SEED, deals=deals, start=start, end=END, **ids)


@pytest.fixture
def world(scene):
    """The world, with its history written set-wise."""
    world = foreseen(scene)
    write_history(world, lambda count: None)
    return world


def foreseen(scene):
    """The world, with the ids that its rows will have."""
    return world_for(
        scene,
        first_contact=reserve_ids(Contact, crowd_size(DEALS), above=FIRST_CONTACT),
        first_deal=reserve_ids(Deal, DEALS),
    )


def test_it_is_what_the_services_write(scene):
    with transaction.atomic():
        type_history(world_for(scene), scene)
        typed = Written(scene.admin.organization).dump()
        transaction.set_rollback(True)

    write_history(foreseen(scene), lambda count: None)
    written = Written(scene.admin.organization).dump()

    for part, expected in typed.items():
        assert written[part] == expected, part


def test_a_great_one_is_the_same(scene, world, monkeypatch):
    """PresentedEvent by other processes, and written to tables that get their checks and indexes back afterwards."""
    small, parts = Written(scene.admin.organization).dump(), constraints_and_indexes()
    for module in (bulk, removal, telling):
        monkeypatch.setattr(module, "GREAT", 1)

    removal.remove_organizations([scene.admin.organization.slug])
    again = build_scene("demo", scene.data, make_logins("correct horse battery", set()), START)
    write_history(foreseen(again), lambda count: None)

    great = Written(again.admin.organization).dump()
    assert constraints_and_indexes() == parts
    assert without_catalogue(great) == without_catalogue(small)


def constraints_and_indexes():
    with connection.cursor() as cursor:
        return {
            table: connection.introspection.get_constraints(cursor, table)
            for table in connection.introspection.table_names(cursor)
        }


def test_something_of_everything_happens_in_it(world):
    steps = [step for index in range(DEALS) for step in life_of_deal(world, index)]
    told = {name for step in steps if step.verb == "create" for name in step.change}
    changed = {name for step in steps if step.verb == "update" for name in step.change}

    assert {step.verb for step in steps} == {"create", "update", "trash", "restore"}
    assert {
        "is_private",
        "access_list",
        "members",
        "followers",
        "bid_type",
        "tax_rate",
        "custom_fields",
    } <= told
    assert {"stage", "status", "amount", "owner", "probability", "add_followers", "closed_at"} <= changed
    assert {"expected_close_date", "lost_reason", "custom_fields"} <= changed
    assert "open" in {step.change.get("status") for step in steps}


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
