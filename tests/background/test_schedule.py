"""The schedule: each occurrence once, whatever is done to the clock."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest
from django.test import TestCase

from crm_project.background import schedule
from crm_project.background.models import Schedule, StoredTask
from tests.background import sample
from tests.tasks import run_tasks

HOUR = timedelta(hours=1)
NIGHT = datetime(2026, 11, 29, 2, 30, tzinfo=UTC)


class ScheduleTestCase(TestCase):
    rhythm: schedule.Rhythm

    @pytest.fixture(autouse=True)
    def _one_entry(self, monkeypatch):
        monkeypatch.setattr(schedule, "_entries", {"it": schedule.Entry(sample.scheduled, self.rhythm)})

    def look(self, now):
        return len(schedule.enqueue_due(now))


class DailyTests(ScheduleTestCase):
    rhythm = schedule.Daily(time(3))

    def test_it_is_enqueued_at_its_time_and_again_the_next_day(self):
        enqueued = [self.look(NIGHT + hours * HOUR) for hours in range(50)]

        assert [hour for hour, count in enumerate(enqueued) if count] == [1, 25, 49]
        assert run_tasks() == 3
        assert sample.marks("scheduled") == 3

    def test_a_clock_an_hour_ahead_and_set_back_doubles_nothing(self):
        self.look(NIGHT)
        assert self.look(NIGHT + HOUR) == 1  # set forward, over the time

        assert [self.look(NIGHT + timedelta(minutes=minutes)) for minutes in range(0, 23 * 60, 10)] == [
            0
        ] * 138
        assert self.look(NIGHT + 25 * HOUR) == 1

    def test_a_clock_an_hour_back_doubles_nothing(self):
        self.look(NIGHT)
        assert self.look(NIGHT + HOUR) == 1

        assert self.look(NIGHT) == 0
        assert self.look(NIGHT + HOUR) == 0

    def test_a_clock_that_was_a_year_ahead_does_not_stop_it(self):
        self.look(NIGHT)
        assert self.look(NIGHT + timedelta(days=365)) == 1

        assert self.look(NIGHT) == 0
        assert self.look(NIGHT + HOUR) == 1

    def test_what_was_missed_is_made_up_for_once(self):
        self.look(NIGHT)

        assert self.look(NIGHT + timedelta(days=10)) == 1
        assert self.look(NIGHT + timedelta(days=10)) == 0


class IntervalTests(ScheduleTestCase):
    rhythm = schedule.Every(timedelta(minutes=10))

    def test_it_is_enqueued_at_each_interval(self):
        counts = [self.look(NIGHT + timedelta(minutes=minutes)) for minutes in range(61)]

        assert [minute for minute, count in enumerate(counts) if count] == [10, 20, 30, 40, 50, 60]

    def test_a_clock_that_is_set_keeps_the_interval(self):
        """In minutes of the true time, while the clock shows an hour more from 25 and the true time from 45."""
        self.look(NIGHT)

        found = []
        for minute in range(1, 81):
            wrong = HOUR if 25 <= minute < 45 else timedelta(0)
            if self.look(NIGHT + timedelta(minutes=minute) + wrong):
                found.append(minute)

        assert found == [10, 20, 25, 35, 55, 65, 75]
        assert min(after - before for before, after in pairwise(found)) >= 5

    def test_a_look_when_nothing_is_due_is_one_read(self):
        self.look(NIGHT)

        with self.assertNumQueries(1) as queries:
            assert self.look(NIGHT) == 0
        assert queries[0]["sql"].startswith("SELECT")

    def test_the_next_time_and_the_task_are_one_transaction(self):
        self.look(NIGHT)
        entry = schedule.Entry(sample.mark, self.rhythm)  # it wants an argument
        schedule._entries["it"] = schedule.Entry(Broken(entry.task), self.rhythm)

        with pytest.raises(ZeroDivisionError):
            self.look(NIGHT + HOUR)

        assert Schedule.objects.get().next_at == NIGHT + timedelta(minutes=10)
        assert not StoredTask.objects.exists()


class Broken:
    """A task that cannot be enqueued."""

    def __init__(self, task):
        self.task = task

    def enqueue(self):
        self.task.enqueue("half")
        raise ZeroDivisionError
