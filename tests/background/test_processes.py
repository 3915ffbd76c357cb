"""Workers are processes that are killed, stopped and started: a task that is lost is done by another, once."""

import os
import signal
import subprocess
import threading
import time

import pytest
from django.db import connection
from django.utils import timezone

from crm_project.background import schedule
from crm_project.background.models import Schedule, StoredTask, WorkerProcess
from tests.background import sample
from tests.server import gunicorn, until
from tests.tasks import SECONDS, database_url, worker, workers

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

States = StoredTask.States


def is_(state, task):
    return lambda: StoredTask.objects.get(uuid=task.id).state == state


def test_a_task_lost_to_kill_9_is_done_by_another_worker_with_one_effect():
    task = sample.slowly.enqueue("a", 3)
    killed = worker()
    until(is_(States.RUNNING, task), SECONDS)

    killed.kill()
    killed.wait(SECONDS)
    assert sample.marks("a") == 0
    with workers(2):
        until(is_(States.DONE, task), SECONDS)

    assert sample.marks("a") == 1
    assert StoredTask.objects.get().attempt == 2
    assert not WorkerProcess.objects.exists()


def test_each_task_is_run_once_by_several_workers():
    for number in range(40):
        sample.mark.enqueue(f"task{number:02}")

    with workers(3, "--threads", "2"):
        until(lambda: not StoredTask.objects.exclude(state=States.DONE).exists(), SECONDS)

    assert [sample.marks(f"task{number:02}") for number in range(40)] == [1] * 40
    assert {task.attempt for task in StoredTask.objects.all()} == {1}


def test_one_that_always_fails_ends_in_the_list_with_its_error():
    task = sample.always_fails.enqueue("a")

    with workers(2):
        until(is_(States.FAILED, task), SECONDS)

    stored = StoredTask.objects.get()
    assert (stored.attempt, sample.marks("a")) == (3, 3)
    assert stored.error.startswith("ValueError: a cannot be done")


def test_a_worker_that_is_told_to_stop_ends_its_task_first():
    task = sample.slowly_by_parts.enqueue("a", 1)
    with workers(1) as [stopped]:
        until(is_(States.RUNNING, task), SECONDS)
        sample.mark.enqueue("later")
        stopped.terminate()
        assert stopped.wait(SECONDS) == 0

    assert is_(States.DONE, task)()
    assert (sample.marks("a began"), sample.marks("a ended")) == (1, 1)
    assert not WorkerProcess.objects.exists()


def test_one_that_has_no_time_gives_its_task_back():
    task = sample.slowly.enqueue("a", 5)
    stopped = worker("--patience", "0.2")
    until(is_(States.RUNNING, task), SECONDS)
    stopped.terminate()
    assert stopped.wait(SECONDS) == 0

    with workers(1):
        until(is_(States.DONE, task), SECONDS)

    assert sample.marks("a") == 1
    # On SQLite nothing can be written while the task has the write lock: it is rescued, which is an attempt.
    assert StoredTask.objects.get().attempt == (1 if connection.vendor == "postgresql" else 2)


@pytest.mark.postgres
def test_one_that_stood_still_finds_its_task_taken_over():
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite a process that stands still has its lock, and maybe the write lock")
    task = sample.slowly_by_parts.enqueue("a", 1)
    with workers(1) as [still]:
        until(lambda: sample.marks("a began") == 1, SECONDS)
        still.send_signal(signal.SIGSTOP)
        try:
            with workers(1):
                until(is_(States.DONE, task), SECONDS)
        finally:
            still.send_signal(signal.SIGCONT)
        until(lambda: sample.marks("a ended") == 2, SECONDS)
        until(lambda: WorkerProcess.objects.exists(), SECONDS)

    # At least once: it is an atomic task that has one effect.
    stored = StoredTask.objects.get()
    assert (stored.state, stored.attempt) == (States.DONE, 2)


def test_a_server_runs_tasks_with_nothing_else_to_start():
    task = sample.slowly.enqueue("a", 0)

    with gunicorn(database_url(), PYTHONPATH=os.getcwd(), TASK_LEASE_SECONDS="2") as server:
        until(is_(States.DONE, task), SECONDS)
        until(lambda: WorkerProcess.objects.exists(), SECONDS)
        assert server.ask("GET", "/readyz").json()["tasks"]["worker"] == "ok"
        again = sample.slowly_by_parts.enqueue("b", 1)
        until(is_(States.RUNNING, again), SECONDS)

    assert is_(States.DONE, again)()
    assert not WorkerProcess.objects.exists()


def test_a_server_whose_work_is_done_elsewhere_runs_none():
    task = sample.mark.enqueue("a")

    with gunicorn(database_url(), PYTHONPATH=os.getcwd(), TASK_WORKER="command"):
        time.sleep(2)  # for what must not happen, no event can be waited for
        assert is_(States.READY, task)()


def test_an_occurrence_is_enqueued_once_by_several_workers(monkeypatch):
    entries = {"nightly": schedule.Entry(sample.scheduled, schedule.Every(timezone.timedelta(hours=1)))}
    monkeypatch.setattr(schedule, "_entries", entries)
    now = timezone.now()
    Schedule.objects.create(name="nightly", next_at=now)
    start, failures = threading.Barrier(6), []

    def look():
        try:
            start.wait(SECONDS)
            schedule.enqueue_due(now)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)

    assert failures == []
    assert StoredTask.objects.count() == 1


def test_it_waits_for_a_database_without_tables(tmp_path):
    """A server may be there before the migrations: its worker looks again."""
    with gunicorn(f"sqlite:///{tmp_path / 'empty.sqlite3'}") as server:
        assert server.ask("GET", "/livez").status == 200
        assert subprocess.run(["kill", "-0", str(server.pid)], check=False).returncode == 0
