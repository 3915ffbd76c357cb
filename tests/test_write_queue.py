"""The queue of SQLite's writers: order of arrival within a process, one writer among processes, and timeouts."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import pytest
from django.db import OperationalError, connection, transaction
from django.test import TransactionTestCase

from crm_project.accounts.models import Organization
from crm_project.changes import change_set
from crm_project.write_queue import WriteQueue, write_transaction

HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""
ADDER = """
import sys
import django
from django.db import connection
django.setup()
connection.settings_dict["NAME"] = sys.argv[1]
from tests.test_write_queue import add_in_threads
add_in_threads(threads=8, times=5)
"""


@pytest.fixture
def queue(tmp_path):
    return WriteQueue(str(tmp_path / "db-turn"))


def test_a_writer_times_out_while_another_one_writes(queue):
    with queue.turn(1), pytest.raises(OperationalError, match="locked"), queue.turn(0.05):
        pytest.fail("two writers at once")

    with queue.turn(0.05):
        pass


def test_a_turn_ends_with_an_exception(queue):
    with pytest.raises(ZeroDivisionError), queue.turn(1):
        _ = 1 / 0

    with queue.turn(0.05):
        pass


def test_the_lock_file_excludes_other_processes_and_ends_with_them(queue):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, queue.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        holder.stdout.readline()
        with pytest.raises(OperationalError, match="locked"), queue.turn(0.05):
            pytest.fail("two processes at once")
        holder.kill()
        holder.wait()

        with queue.turn(5):
            pass


def test_threads_write_in_the_order_of_their_arrival(queue):
    order: list[str] = []

    def write(name: str) -> None:
        with queue.turn(20):
            order.append(name)

    with queue.turn(1):
        threads = [arrive(queue, write, name) for name in ("second", "third", "fourth")]
    write("first, but again")
    for thread in threads:
        thread.join()

    assert order == ["second", "third", "fourth", "first, but again"]


def test_a_writer_that_times_out_is_passed_over(queue):
    outcomes: list[str] = []

    def write(timeout: float) -> None:
        try:
            with queue.turn(timeout):
                outcomes.append("written")
        except OperationalError:
            outcomes.append("timed out")

    with queue.turn(1):
        impatient, patient = arrive(queue, write, 0.2), arrive(queue, write, 20)
        impatient.join()
    patient.join()

    assert outcomes == ["timed out", "written"]
    with queue.turn(0.05):
        pass


def arrive(queue: WriteQueue, write, argument: object) -> threading.Thread:
    """Start a thread and wait until it is in the queue."""
    before, thread = len(queue), threading.Thread(target=write, args=(argument,))
    thread.start()
    while len(queue) == before:
        time.sleep(0.001)
    return thread


def add_in_threads(*, threads: int, times: int) -> None:
    """Read a number and write the next one, which loses updates unless the transactions take turns."""

    def add(_: int) -> None:
        try:
            for _ in range(times):
                with change_set(None):
                    row = Organization.objects.get(slug="sum")
                    row.name = str(int(row.name) + 1)
                    row.save(update_fields=["name"])
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(add, range(threads)))


@pytest.mark.race
@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has many writers")
class TransactionTests(TransactionTestCase):
    def test_a_failed_or_closed_transaction_ends_its_turn(self):
        with pytest.raises(ZeroDivisionError), write_transaction():
            _ = 1 / 0
        with pytest.raises(OperationalError), write_transaction():
            connection.cursor().execute("SELECT nothing FROM nowhere")
        with write_transaction():
            connection.close()
        connection.close()

        other = threading.Thread(target=self.write)
        other.start()
        other.join(60)

        assert Organization.objects.filter(slug="other").exists()

    def test_a_plain_transaction_waits_in_the_queue_too(self):
        """As that of a session or of a form page: if it only polled, it would lose against all that queue."""
        path = f"{connection.settings_dict['NAME']}-turn"
        command = [sys.executable, "-c", HOLDER, path]
        connection.ensure_connection()
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            holder.stdout.readline()
            impatient = mock.patch.dict(connection.settings_dict["OPTIONS"], timeout=0.05)
            with impatient, pytest.raises(OperationalError, match="locked"), transaction.atomic():
                pytest.fail("two writers at once")
            holder.kill()
            holder.wait()

        for _ in range(2):
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                _ = 1 / 0
        with transaction.atomic():
            Organization.objects.create(name="Plain", slug="plain")

    def test_a_time_out_is_for_one_transaction(self):
        with write_transaction(timeout=0.05):
            Organization.objects.create(name="Quick", slug="quick")
        other = threading.Thread(target=self.write)
        with write_transaction():
            other.start()
            time.sleep(0.2)
        other.join(60)

        assert Organization.objects.count() == 2

    def test_a_transaction_that_is_open_already_is_joined(self):
        """It has its turn already."""
        other = threading.Thread(target=self.write)
        with transaction.atomic():
            other.start()
            time.sleep(0.2)
            with write_transaction():
                Organization.objects.create(name="Joined", slug="joined")
        other.join(60)

        assert set(Organization.objects.values_list("slug", flat=True)) == {"joined", "other"}

    def test_threads_of_two_processes_lose_no_update(self):
        Organization.objects.create(name="0", slug="sum")
        command = [sys.executable, "-c", ADDER, str(connection.settings_dict["NAME"])]

        with subprocess.Popen(command) as process:
            add_in_threads(threads=8, times=5)
            assert process.wait(120) == 0

        assert Organization.objects.get(slug="sum").name == "80"

    def write(self) -> None:
        with write_transaction():
            Organization.objects.create(name="Other", slug="other")
        connection.close()
