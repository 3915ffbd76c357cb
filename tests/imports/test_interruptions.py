"""Workers are processes that can be killed: nothing is half-written, nothing doubled, and the work is begun again."""

import time

import pytest
from django.db import connection, transaction

from contacts.models import Contact
from crm_project.imports import services
from crm_project.imports.files import receive
from crm_project.imports.progress import progress_of
from crm_project.imports.running import mark
from crm_project.imports.tasks import claim
from crm_project.journal.models import Counter, Event
from deals.models import Deal, DealReference, DealState
from tests.base import World
from tests.imports.client import csv_file
from tests.imports.test_imports import HEADER, deal_row
from tests.tasks import worker, workers

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ROWS = 3_000
SECONDS = 60


def asked(actor):
    rows = (deal_row(n, contact_email=f"p{n % 500}@example.com", contact_first_name="P") for n in range(ROWS))
    upload = receive("deals.csv", [csv_file(HEADER, *rows)])
    source = services.upload_file(actor=actor, kind="deals", upload=upload)
    return services.ask_for(actor=actor, source=source, task="run")


def until(source, state):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        source.refresh_from_db()
        if source.state == state:
            return
        time.sleep(0.05)
    pytest.fail(f"{source.state} instead of {state}: {source.problem}")


def test_the_heartbeat_goes_on_during_a_long_last_statement(monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    source = asked(World().bob)
    monkeypatch.setattr("crm_project.imports.progress.HEARTBEAT_SECONDS", 0.05)
    taken = claim(source.pk)
    assert taken is not None

    with progress_of(taken) as tell:
        tell(7)
        end = time.monotonic() + SECONDS
        while source.progress != 7 and time.monotonic() < end:
            time.sleep(0.05)
            source.refresh_from_db()

    source.refresh_from_db()
    assert source.progress == 7
    assert source.heartbeat_at > taken.heartbeat_at
    finished = source.heartbeat_at
    time.sleep(0.2)
    source.refresh_from_db()
    assert source.heartbeat_at == finished


def test_it_does_not_wait_for_its_own_transaction(monkeypatch, caplog):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    source = asked(World().bob)
    monkeypatch.setattr("crm_project.imports.progress.HEARTBEAT_SECONDS", 0.05)
    taken = claim(source.pk)
    assert taken is not None

    with transaction.atomic():
        mark(taken, state="done")
        with progress_of(taken) as tell:
            tell(7)
            time.sleep(0.3)

    assert caplog.records == []
    taken.refresh_from_db()
    assert (taken.state, taken.progress) == ("done", 0)


def test_a_killed_worker_leaves_nothing_and_two_others_do_it_once():
    bob = World().bob
    first = asked(bob)
    numbered = Event.objects.filter(organization=bob.organization_id).count()
    killed = worker()
    until(first, "working")
    time.sleep(0.4)
    killed.kill()
    killed.wait(SECONDS)

    first.refresh_from_db()
    assert (first.state, first.attempt) == ("working", 1)
    assert not Deal.objects.exists()
    assert not Contact.objects.exists()

    second = asked(bob)
    with workers(2):
        until(first, "done")
        until(second, "done")

    assert first.attempt == 2
    outcomes = sorted((row.counts["created"], row.counts["unchanged"]) for row in (first, second))
    assert outcomes == [(0, ROWS), (ROWS, 0)]
    assert [model.objects.count() for model in (Deal, DealReference, DealState)] == [ROWS] * 3
    assert Contact.objects.count() == 500
    sequences = Event.objects.filter(organization=bob.organization_id).order_by("sequence")
    assert list(sequences.values_list("sequence", flat=True)) == list(range(1, numbered + ROWS + 501))
    assert Counter.objects.get(organization=bob.organization_id).last == numbered + ROWS + 500
