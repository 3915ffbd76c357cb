"""Backup and restore as an operator does them, while somebody writes; the restored data are the whole data."""

import stat
import threading
import time
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from contacts.models import Contact
from crm_project.journal.models import Event
from crm_project.operations.backups import newest
from deals.models import Deal
from deals.services import create_deals
from tests.base import World

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world():
    return World()


def backup(place):
    printed = StringIO()
    call_command("backup", str(place), stdout=printed)
    return Path(printed.getvalue().partition(" (")[0])


def test_a_backup_brings_everything_back(world, tmp_path):
    deal = world.deal(name="Kept", contact=world.person().pk, external_references=[("erp", "1")])
    events = list(Event.objects.order_by("id").values_list("id", "row_version"))

    path = backup(tmp_path)
    world.deal(name="Later")
    with_later = Event.objects.count()
    Deal.objects.filter(pk=deal.pk).update(name="Spoiled")
    call_command("restore", str(path), yes=True, stdout=StringIO())

    assert with_later > len(events)
    assert list(Deal.objects.values_list("name", flat=True)) == ["Kept"]
    assert list(Event.objects.order_by("id").values_list("id", "row_version")) == events
    assert Contact.objects.count() == 1
    # Sequences, constraints and the trigger of the journal are there too.
    assert world.deal(name="Next").pk > deal.pk
    call_command("migrate", check_unapplied=True, verbosity=0)


def test_the_file_is_its_owners_and_named_by_its_time(tmp_path):
    path = backup(tmp_path)

    assert path.parent == tmp_path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.name.startswith("crm-20")
    assert newest(tmp_path) == path
    assert [*tmp_path.iterdir()] == [path]


def test_a_backup_is_consistent_while_somebody_writes(world, tmp_path):
    over, made = threading.Event(), []

    def write():
        try:
            while not over.is_set():
                made.append(create_deals(actor=world.bob, changes=[{"name": str(len(made))}]))
        finally:
            connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        time.sleep(0.3)
        path = backup(tmp_path)
        time.sleep(0.2)
    finally:
        over.set()
        thread.join(30)
    before = len(made)
    call_command("restore", str(path), yes=True, stdout=StringIO())

    count = Deal.objects.count()
    assert 0 < count <= before
    # Each deal has its event, and the numbers have no gap.
    assert Event.objects.filter(kind="deal").count() == count
    sequences = list(Event.objects.filter(organization=world.organization).order_by("sequence"))
    assert [event.sequence for event in sequences] == list(range(1, len(sequences) + 1))


def test_a_damaged_backup_changes_nothing(world, tmp_path):
    world.deal(name="Kept")
    path = backup(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3])

    with pytest.raises(CommandError):
        call_command("restore", str(path), yes=True)
    with pytest.raises(CommandError, match="no file"):
        call_command("restore", str(tmp_path / "absent"), yes=True)

    assert Deal.objects.get().name == "Kept"


def test_a_failed_backup_leaves_the_earlier_one(tmp_path, monkeypatch):
    path = tmp_path / "crm.backup"
    backup(path)
    whole = path.read_bytes()
    monkeypatch.setattr("crm_project.operations.backups._sqlite_path", lambda: tmp_path / "absent" / "db")
    monkeypatch.setattr("crm_project.operations.backups._database_name", lambda: "no_such_database")

    with pytest.raises(CommandError):
        backup(path)

    assert path.read_bytes() == whole
    assert [*tmp_path.iterdir()] == [path]


def test_a_restore_asks_first(monkeypatch, tmp_path):
    monkeypatch.setattr("builtins.input", lambda prompt: "no")

    with pytest.raises(CommandError, match="Nothing was done"):
        call_command("restore", str(tmp_path))
