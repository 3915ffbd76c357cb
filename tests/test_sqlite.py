"""Those who write to SQLite take turns, in one process and between processes; nobody is overtaken for ever."""

import subprocess
import sys
import threading
import time

import pytest
from django.db import OperationalError, connection, transaction
from django.test import TransactionTestCase

from crm_project.accounts.models import Organization
from crm_project.sqlite.base import Turn

WRITERS = 8
HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def turn(tmp_path):
    return Turn(str(tmp_path / "db-turn"))


def test_a_turn_that_is_not_given_up_ends_the_waiting(turn):
    turn.take(1)

    with pytest.raises(OperationalError, match="locked"):
        turn.take(0.05)

    turn.give_up()
    turn.take(0.05)


def test_another_process_has_its_turn_to_its_end(turn):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, turn.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        holder.stdout.readline()
        with pytest.raises(OperationalError, match="locked"):
            turn.take(0.05)
        holder.kill()
        holder.wait()

        turn.take(5)


@pytest.mark.race
def test_all_go_on_at_one_pace(turn):
    turns, begun, over = [0] * WRITERS, threading.Barrier(WRITERS), threading.Event()

    def write(number: int) -> None:
        begun.wait()
        while not over.is_set():
            turn.take(20)
            time.sleep(0.001)
            turns[number] += 1
            turn.give_up()
            if turns[number] == 40:
                over.set()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert min(turns) >= 10, turns


@pytest.mark.race
@pytest.mark.skipif(connection.vendor != "sqlite", reason="says something about SQLite alone")
class ConnectionTests(TransactionTestCase):
    def test_a_failed_or_closed_transaction_gives_its_turn_up(self):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            _ = 1 / 0
        with pytest.raises(OperationalError), transaction.atomic():
            connection.cursor().execute("SELECT nothing FROM nowhere")
        with transaction.atomic():
            connection.close()
        connection.close()

        other = threading.Thread(target=self.write)
        other.start()
        other.join(5)

        assert Organization.objects.filter(slug="other").exists()

    def write(self) -> None:
        with transaction.atomic():
            Organization.objects.create(name="Other", slug="other")
        connection.close()
