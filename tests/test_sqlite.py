"""Those who write to SQLite take turns, in one process and between processes; nobody is overtaken for ever."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test import TransactionTestCase

from crm_project.accounts.models import Organization
from crm_project.sqlite.base import Turn

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


def test_threads_have_their_turns_in_the_order_in_which_they_came(turn):
    order: list[str] = []

    def write(name: str) -> None:
        turn.take(20)
        order.append(name)
        turn.give_up()

    turn.take(1)
    threads = [queue(turn, write, name) for name in ("second", "third", "fourth")]
    turn.give_up()
    write("first, but again")
    for thread in threads:
        thread.join()

    assert order == ["second", "third", "fourth", "first, but again"]


def test_who_waits_no_longer_is_passed_over(turn):
    refused: list[Exception] = []

    def write(timeout: float) -> None:
        try:
            turn.take(timeout)
            turn.give_up()
        except OperationalError as error:
            refused.append(error)

    turn.take(1)
    impatient, patient = queue(turn, write, 0.2), queue(turn, write, 20)
    impatient.join()
    turn.give_up()
    patient.join()

    assert len(refused) == 1
    turn.take(0.05)


def queue(turn: Turn, write: Callable[[Any], None], argument: object) -> threading.Thread:
    """A thread that waits for its turn behind all that wait already."""
    before, thread = len(turn.queue), threading.Thread(target=write, args=(argument,))
    thread.start()
    while len(turn.queue) == before:
        time.sleep(0.001)
    return thread


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
        other.join(60)

        assert Organization.objects.filter(slug="other").exists()

    def write(self) -> None:
        with transaction.atomic():
            Organization.objects.create(name="Other", slug="other")
        connection.close()
