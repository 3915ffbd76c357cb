"""A small load is as consistent as what the services write, on either database."""

from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import connection
from django.db.models import Count, Sum
from django.utils import timezone
from rest_framework.test import APIClient

from contacts.models import Contact
from crm_project.activities.models import Activity
from crm_project.activities.next_steps import refresh_next_steps
from crm_project.journal.models import Counter, Event
from crm_project.journal.services import replayed_columns
from deals.models import Deal
from deals.services.base_amounts import recompute
from tests.load.loading import load

DEALS = 500

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[False, True], ids=["with indexes", "without indexes"])
def loaded(request):
    return load(deals=DEALS, without_indexes=request.param)


def rows(model, loaded):
    return model.objects.filter(organization=loaded.organization)


def test_the_rows_satisfy_the_constraints(loaded):
    connection.check_constraints()

    assert rows(Deal, loaded).count() == DEALS
    assert rows(Contact, loaded).count() == DEALS // 12
    assert set(rows(Deal, loaded).values_list("status", flat=True)) == {"open", "won", "lost"}
    assert len(set(rows(Deal, loaded).values_list("stage", flat=True))) == 6
    assert not rows(Deal, loaded).filter(created_at__gt=timezone.now()).exists()


def test_derived_columns_are_those_of_the_services(loaded):
    names = ("search_text", "full_name", "deadline")
    for model in (Contact, Deal, Activity):
        for row in rows(model, loaded):
            before = {name: getattr(row, name) for name in names if hasattr(row, name)}
            row.refresh_derived()
            assert before == {name: getattr(row, name) for name in before}


def test_next_steps_and_amounts_are_those_of_the_services(loaded):
    columns = ("id", "amount_base", "next_due_at", "next_activity")
    before = list(rows(Deal, loaded).order_by("id").values_list(*columns))
    assert sum(due is not None for _, _, due, _ in before) > 10

    refresh_next_steps([pk for pk, *_ in before])
    recompute(loaded.organization, "", None)

    assert list(rows(Deal, loaded).order_by("id").values_list(*columns)) == before


def test_every_deal_has_one_open_state_that_agrees_with_it(loaded):
    for deal in rows(Deal, loaded).select_related("stage").prefetch_related("states"):
        states = sorted(deal.states.all(), key=lambda state: state.valid_from)
        last = states[-1]
        assert [state.valid_to for state in states].count(None) == 1
        assert all(one.valid_to == other.valid_from for one, other in pairwise(states))
        assert states[0].valid_from == deal.created_at
        assert last.valid_from == deal.stage_entered_at
        for name in (
            "stage_id",
            "status",
            "amount",
            "currency",
            "owner_id",
            "closed_at",
            "expected_close_date",
        ):
            assert getattr(last, name) == getattr(deal, name), name
        assert last.probability == deal.effective_probability


def test_the_journal_is_gapless_and_replays_to_the_rows(loaded):
    events = rows(Event, loaded).exclude(kind="token").order_by("sequence")
    numbers = list(events.values_list("sequence", flat=True))

    assert numbers == list(range(1, len(numbers) + 1))
    assert Counter.objects.get(organization=loaded.organization).last == len(numbers) + 1
    instants = list(events.values_list("at", flat=True))
    assert instants == sorted(instants)
    for model in (Contact, Deal, Activity):
        replayed = replayed_columns(model, events.filter(kind=model.row_kind))
        stored = rows(model, loaded).values()
        assert len(replayed) == len(stored)
        for row in stored:
            names = row.keys() - model.derived | {"version"}
            assert {name: replayed[row["id"]].get(name) for name in names} == {
                name: row[name] for name in names
            }


def test_the_tables_are_analyzed_and_constraints_and_indexes_are_back(loaded):
    before = constraints_and_indexes()

    load(deals=20, slug="again", without_indexes=True)

    assert constraints_and_indexes() == before
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'deals_deal'")
            assert cursor.fetchone()[0] >= DEALS
        else:
            cursor.execute("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'deals_deal'")
            assert cursor.fetchone()[0] > 0


def constraints_and_indexes():
    with connection.cursor() as cursor:
        return {
            table: connection.introspection.get_constraints(cursor, table)
            for table in connection.introspection.table_names(cursor)
        }


def test_the_api_answers_the_totals_of_the_tables(loaded):
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {loaded.token}")

    listed = client.get("/api/deals", {"total": "true", "status": "won", "page_size": 5}).json()
    summary = client.get("/api/deals/summary").json()

    expected = {
        row["status"]: (row["count"], row["total"])
        for row in rows(Deal, loaded)
        .order_by()
        .values("status")
        .annotate(count=Count("id"), total=Sum("amount"))
    }
    assert (listed["count"], len(listed["results"])) == (expected["won"][0], 5)
    assert {row["status"]: (row["count"], Decimal(row["amount"])) for row in summary["totals"]} == expected
    assert summary["count"] == DEALS


def test_a_new_deal_and_contact_follow_the_loaded_ones(loaded):
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {loaded.token}")

    body = {"name": "One more", "contact_email": "new@example.com", "contact_first_name": "New"}
    answer = client.post("/api/deals", body, format="json")

    assert answer.status_code == 201, answer.json()
    history = client.get(f"/api/deals/{rows(Deal, loaded).order_by('id').first().uuid}/history").json()
    assert history["results"]
