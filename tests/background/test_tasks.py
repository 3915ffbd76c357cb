"""Tasks: enqueued with the transaction, attempted again after a pause, listed with their error in the end."""

import datetime
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import transaction
from django.test import TestCase
from django.utils import timezone

from crm_project.background import queue
from crm_project.background.api import TaskResultDoesNotExist, TaskResultStatus
from crm_project.background.backend import enqueue_many, run_again
from crm_project.background.models import StoredTask
from crm_project.background.options import Options
from crm_project.background.worker import run_due
from tests.background import sample
from tests.tasks import run_tasks

States = StoredTask.States


class EnqueueTests(TestCase):
    def test_a_task_runs_and_its_result_can_be_read(self):
        result = sample.mark.enqueue("a")
        assert result.status == TaskResultStatus.READY

        assert run_tasks() == 1

        result.refresh()
        assert (result.status, result.return_value, result.attempts) == ("SUCCESSFUL", "marked a", 1)
        assert sample.mark.get_result(result.id).is_finished
        assert sample.marks("a") == 1
        assert run_tasks() == 0

    def test_a_rollback_leaves_none(self):
        with transaction.atomic():
            sample.mark.enqueue("a")
            transaction.set_rollback(True)

        assert not StoredTask.objects.exists()

    def test_nothing_runs_by_itself(self):
        with self.captureOnCommitCallbacks(execute=True):
            sample.mark.enqueue("a")

        assert sample.marks("a") == 0

    def test_many_are_one_statement(self):
        deferred = 2 if settings.TASK_ENGINE == "procrastinate" else 0
        with self.assertNumQueries(3 + deferred):  # with the savepoint of the test
            enqueue_many(sample.mark, [{"name": "a"}, {"name": "b"}])

        assert run_tasks() == 2

    def test_arguments_that_json_does_not_have_are_refused(self):
        with pytest.raises(TypeError):
            sample.mark.enqueue(timezone.now())

    def test_a_result_that_does_not_exist(self):
        for unknown in ("no uuid", "6ff4a3e4-9a5f-4a5c-8c0b-2b0b7c9d7f10"):
            with pytest.raises(TaskResultDoesNotExist):
                sample.mark.get_result(unknown)

    def test_a_task_can_wait(self):
        later = timezone.now() + timedelta(hours=1)
        sample.mark.using(run_after=later).enqueue("a")

        assert run_tasks() == 0
        assert len(run_due(now=lambda: later)) == 1

    def test_the_urgent_ones_come_first(self):
        sample.mark.enqueue("first")
        sample.mark.using(priority=10).enqueue("urgent")
        sample.mark.using(priority=-10).enqueue("idle")

        ran = [task.args[0] for task, _ in run_due()]

        assert ran == ["urgent", "first", "idle"]


class FailureTests(TestCase):
    def test_it_is_attempted_again(self):
        result = sample.fails_once.enqueue("a")

        run_tasks(failing=True)

        result.refresh()
        assert (result.status, result.attempts, sample.marks("a")) == ("SUCCESSFUL", 2, 1)
        assert result.errors == []

    def test_one_that_always_fails_ends_with_its_error(self):
        result = sample.always_fails.enqueue("a")

        run_tasks(failing=True)

        result.refresh()
        assert (result.status, result.attempts, sample.marks("a")) == ("FAILED", 3, 3)
        assert result.errors[0].exception_class is ValueError
        stored = StoredTask.objects.get()
        assert stored.error == "ValueError: a cannot be done, says ***"
        assert "sample.py" in stored.traceback
        assert stored.finished_at is not None

    def test_it_can_be_run_again(self):
        sample.always_fails.enqueue("a")
        run_tasks(failing=True)
        stored = StoredTask.objects.get()

        assert run_again(stored)
        assert not run_again(stored)

        run_tasks(failing=True)
        stored.refresh_from_db()
        assert (stored.state, stored.attempt, sample.marks("a")) == (States.FAILED, 3, 6)

    def test_an_atomic_task_leaves_nothing_of_a_failed_attempt(self):
        sample.mark_then_fail_if_asked.enqueue("a", fails=True)
        sample.mark_then_fail_if_asked.enqueue("b", fails=False)

        run_tasks(failing=True)

        assert (sample.marks("a"), sample.marks("b")) == (0, 1)
        failed = StoredTask.objects.get(args=["a"])
        assert (failed.state, failed.attempt) == (States.READY, 1)
        assert failed.due_at > timezone.now()

    def test_a_task_of_another_release_waits_for_it(self):
        sample.mark.enqueue("a")
        StoredTask.objects.update(name="crm_project.background.tasks.of_tomorrow")

        run_tasks(failing=True)

        stored = StoredTask.objects.get()
        assert (stored.state, stored.error_class) == (
            States.READY,
            "crm_project.background.running.UnknownTask",
        )

    def test_the_pause_doubles_up_to_a_bound_and_is_spread(self):
        options = Options(delay=timedelta(seconds=5), longest_delay=timedelta(minutes=1))

        longest = [options.delay_after(n, lambda: 1).total_seconds() for n in range(1, 7)]
        shortest = [options.delay_after(n, lambda: 0).total_seconds() for n in range(1, 7)]

        assert longest == [5, 10, 20, 40, 60, 60]
        assert shortest == [2.5, 5, 10, 20, 30, 30]
        assert options.delay_after(10_000, lambda: 1) == timedelta(minutes=1)


class ClaimTests(TestCase):
    def test_a_claimed_task_is_not_claimed_again(self):
        sample.mark.enqueue("a")

        assert queue.claim("default", "one", timezone.now())
        assert queue.claim("default", "other", timezone.now()) is None

    def test_a_look_at_an_empty_queue_is_one_read(self):
        with self.assertNumQueries(1) as queries:
            assert queue.claim("default", "one", timezone.now()) is None

        assert queries[0]["sql"].startswith("SELECT")

    def test_the_queues_are_apart(self):
        sample.slowly.enqueue("a", 0)

        assert queue.claim("default", "one", timezone.now()) is None
        assert queue.claim("long", "one", timezone.now())

    def test_of_a_group_one_runs_at_a_time(self):
        for group, name in (("x", "a"), ("x", "b"), ("y", "c")):
            sample.one_at_a_time.enqueue(group, name)

        first = queue.claim("default", "one", timezone.now())
        other = queue.claim("default", "two", timezone.now())

        assert (first.args, other.args) == (["x", "a"], ["y", "c"])
        assert queue.claim("default", "three", timezone.now()) is None
        queue.succeed(first, None)
        assert queue.claim("default", "three", timezone.now()).args == ["x", "b"]

    def test_a_rescued_task_is_another_attempt(self):
        sample.mark.enqueue("a")
        dead = queue.claim("default", "dead", timezone.now())

        assert queue.rescue("dead") == 1

        again = queue.claim("default", "other", timezone.now())
        assert again.attempt == 2
        with pytest.raises(queue.Superseded):
            queue.succeed(dead, None)
        with pytest.raises(queue.Superseded):
            queue.fail(dead, ValueError())
        queue.succeed(again, None)

    def test_one_that_kills_its_workers_ends_as_failed(self):
        sample.always_fails.enqueue("a")
        for _ in range(3):
            assert queue.claim("default", "dead", timezone.now())
            queue.rescue("dead")

        stored = StoredTask.objects.get()
        assert (stored.state, stored.attempt) == (States.FAILED, 3)
        assert stored.error == "WorkerDied: The process that ran the task has died."

    def test_a_released_task_has_not_been_attempted(self):
        sample.mark.enqueue("a")

        queue.release(queue.claim("default", "one", timezone.now()))

        stored = StoredTask.objects.get()
        assert (stored.state, stored.attempt) == (States.READY, 0)

    def test_the_clock_may_be_set(self):
        """A running task is no one else's, whatever the clock of another process says."""
        sample.mark.enqueue("a")
        assert queue.claim("default", "one", timezone.now())

        for hours in (-1, 1, 24):
            now = timezone.now() + datetime.timedelta(hours=hours)
            assert queue.claim("default", "other", now) is None
