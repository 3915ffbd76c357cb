"""Who is alive is found out without the clock of the wall, which may be set."""

import os
import signal
import subprocess
import sys

import pytest
from django.test import TestCase

from crm_project.background.models import WorkerProcess
from crm_project.background.presence import Heartbeat, LockedFile
from tests.background import sample


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class HeartbeatTests(TestCase):
    def setUp(self):
        self.clock = Clock()
        self.observer, self.other = Heartbeat(30, self.clock), Heartbeat(30)
        self.other.begin()

    def dead_after(self, seconds, *, beats=False):
        for _ in range(seconds // 5):
            self.clock.now += 5
            if beats:
                self.other.beat()
            found = self.observer.dead()
        return found

    def test_one_whose_number_does_not_change_for_the_lease_is_dead(self):
        assert self.dead_after(30) == []
        assert self.dead_after(5) == [self.other.id]

    def test_one_whose_number_changes_lives(self):
        assert self.dead_after(300, beats=True) == []

    def test_the_time_of_the_last_sign_is_not_compared(self):
        """A clock that is set forward makes every sign look old."""
        WorkerProcess.objects.update(seen_at="2020-01-01T00:00:00Z")

        assert self.dead_after(30) == []

    def test_an_observer_that_stood_still_begins_anew(self):
        self.dead_after(20)
        self.clock.now += 3600  # it slept, or the database was away: the others could show nothing either

        assert self.observer.dead() == []
        assert self.dead_after(25) == []
        assert self.dead_after(5) == [self.other.id]

    def test_one_that_was_considered_dead_by_mistake_appears_again(self):
        WorkerProcess.objects.all().delete()

        self.other.beat()

        assert WorkerProcess.objects.get().pk == self.other.id

    def test_a_running_task_of_a_process_without_a_row_is_observed_too(self):
        from django.utils import timezone

        from crm_project.background import queue

        sample.mark.enqueue("a")
        queue.claim("default", "gone", timezone.now())

        assert "gone" not in self.dead_after(30)
        assert "gone" in self.dead_after(5)

    def test_it_does_not_consider_itself_dead(self):
        self.observer.begin()

        assert self.observer.id not in self.dead_after(300)


class LockedFileTests(TestCase):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.database = str(tmp_path / "db.sqlite3")

    def test_the_lock_of_a_living_process_is_seen(self):
        one, other = LockedFile(self.database), LockedFile(self.database)
        one.begin()
        other.begin()

        assert one.dead() == other.dead() == []
        assert one.is_alive(other.id)
        other.end(is_idle=True)
        assert not one.is_alive(other.id)
        one.end(is_idle=True)
        assert not WorkerProcess.objects.exists()

    def test_the_kernel_frees_the_lock_of_one_that_is_killed(self):
        script = (
            "import fcntl, os, sys, time\n"
            "descriptor = os.open(sys.argv[1], os.O_CREAT | os.O_RDWR)\n"
            "fcntl.flock(descriptor, fcntl.LOCK_EX)\n"
            "print('locked', flush=True)\n"
            "time.sleep(60)\n"
        )
        path = f"{self.database}-worker-other"
        line = [sys.executable, "-c", script, path]
        one = LockedFile(self.database)
        with subprocess.Popen(line, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"locked\n"
            assert one.is_alive("other")
            process.send_signal(signal.SIGKILL)
        assert not one.is_alive("other")
        assert not os.path.exists(path)

    def test_a_look_writes_nothing(self):
        one = LockedFile(self.database)
        one.begin()

        with self.assertNumQueries(2) as queries:
            one.beat()
            assert one.dead() == []
        assert all(query["sql"].startswith("SELECT") for query in queries)
        one.end(is_idle=True)
