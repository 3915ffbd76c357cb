"""A preview holds nobody's writes, on SQLite neither, and stores nothing."""

import threading
import time

import pytest
from django.db import connection

from crm_project.imports import services
from crm_project.imports.files import receive
from crm_project.imports.models import Import
from crm_project.imports.progress import progress_of
from crm_project.imports.tasks import carry_out, claim
from deals.models import Deal
from tests.base import World
from tests.factories import DealFactory
from tests.imports.client import csv_file
from tests.imports.test_imports import HEADER, deal_row

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world():
    return World()


def claimed_preview(actor):
    upload = receive("deals.csv", [csv_file(HEADER, *(deal_row(n) for n in range(3)))])
    source = services.upload_file(actor=actor, kind="deals", upload=upload)
    services.ask_for(actor=actor, source=source, task="preview")
    source = claim(source.pk)
    assert source is not None
    return source


def in_a_thread(work):
    """Call the function with a connection of its own; returns the seconds it took."""
    seconds = []

    def run():
        began = time.monotonic()
        try:
            work()
            seconds.append(time.monotonic() - began)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    return seconds[0]


def test_others_write_during_a_preview(world, monkeypatch):
    source = claimed_preview(world.bob)
    waited = []

    def write_of_others(heartbeat, rows):
        waited.append(in_a_thread(lambda: DealFactory(actor=world.alice, name="Meanwhile")))
        waited.append(in_a_thread(lambda: DealFactory(actor=world.charlie, name="Elsewhere")))

    monkeypatch.setattr("crm_project.imports.progress._Heartbeat.update", write_of_others)
    carry_out(source)

    assert len(waited) == 2
    assert max(waited) < 5
    source.refresh_from_db()
    assert (source.state, source.counts["created"]) == (Import.States.PREVIEWED, 3)
    assert set(Deal.objects.values_list("name", flat=True)) == {"Meanwhile", "Elsewhere"}


def test_a_preview_has_a_heartbeat(world, monkeypatch):
    monkeypatch.setattr("crm_project.imports.progress.HEARTBEAT_SECONDS", 0.05)
    source = claimed_preview(world.bob)
    began = source.heartbeat_at

    with progress_of(source) as progress:
        progress(2)
        end = time.monotonic() + 10
        while source.progress != 2 and time.monotonic() < end:
            time.sleep(0.05)
            source.refresh_from_db()

    assert source.progress == 2
    assert source.heartbeat_at > began
