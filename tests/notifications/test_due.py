"""Notifications of activities that become due: once for each activity and due time, in the organization's zone."""

import datetime
from zoneinfo import ZoneInfo

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm_project.accounts.services import update_organization
from crm_project.activities.services import complete_activities, update_activities
from crm_project.background import schedule
from crm_project.notifications.models import Notification, NotificationPosition
from crm_project.notifications.presenting import present
from crm_project.notifications.reading import read_clock
from tests.notifications.base import NotificationTestCase

PARIS = ZoneInfo("Europe/Paris")
MINUTE = datetime.timedelta(minutes=1)
# Noon of a day that is far from any change of clocks.
NOON = datetime.datetime(2031, 1, 15, 12, tzinfo=datetime.UTC)


class DueTests(NotificationTestCase):
    def setUp(self):
        super().setUp()
        update_organization(actor=self.alice, organization=self.organization, time_zone="Europe/Paris")
        self.organization.refresh_from_db()
        self.roof = self.deal(self.bob, name="Roof")
        self.read()
        self.begin(NOON)

    def begin(self, now):
        """As if the clock had been read at this time."""
        day = now.astimezone(PARIS).date()
        NotificationPosition.objects.update(due_until=now, due_day=day)

    def planned(self, actor=None, **due):
        change = {"type": "task", "subject": "Call back", "deal": self.roof.pk, "owner": self.bob.member.pk}
        row = self.activity(actor or self.bob, **change, **due)
        self.read()
        return row

    def at(self, now):
        return read_clock(self.organization, now)

    def test_an_instant(self):
        self.planned(due_at=NOON + MINUTE)

        assert self.at(NOON) == 0
        assert self.at(NOON + MINUTE) == 1
        assert self.at(NOON + 2 * MINUTE) == 0
        assert self.of(self.bob) == [("activity_due", "Call back")]

    def test_a_day_is_due_in_its_morning_in_the_zone_of_the_organization(self):
        day = datetime.date(2031, 1, 16)
        self.planned(due_on=day)
        morning = datetime.datetime.combine(day, datetime.time(7), PARIS)

        assert self.at(morning - MINUTE) == 0
        assert self.at(morning) == 1
        assert self.at(morning + datetime.timedelta(hours=9)) == 0
        assert self.at(morning + datetime.timedelta(days=1)) == 0

    def test_each_day_of_both_changes_of_clocks_comes_once(self):
        for day in (datetime.date(2031, 3, 30), datetime.date(2031, 10, 26)):
            begin = datetime.datetime.combine(day, datetime.time(), PARIS).astimezone(datetime.UTC)
            self.begin(begin - datetime.timedelta(hours=12))
            self.planned(due_on=day)

            quarters = [begin + datetime.timedelta(minutes=15 * number) for number in range(4 * 25)]
            found = {now: self.at(now) for now in quarters}

            [(moment, count)] = [(now, number) for now, number in found.items() if number]
            assert count == 1
            assert moment.astimezone(PARIS).time() == datetime.time(7)

    def test_what_was_missed_while_no_worker_ran_comes_once(self):
        self.planned(due_at=NOON + MINUTE)
        self.planned(due_on=datetime.date(2031, 1, 16))

        assert self.at(NOON + datetime.timedelta(days=3)) == 2
        assert self.at(NOON + datetime.timedelta(days=3, minutes=1)) == 0

    def test_another_due_time_is_another_happening(self):
        row = self.planned(due_at=NOON + MINUTE)
        assert self.at(NOON + MINUTE) == 1

        update_activities(actor=self.bob, changes=[(row, {"due_at": NOON + 10 * MINUTE})])

        assert self.at(NOON + 10 * MINUTE) == 1
        assert len(self.of(self.bob)) == 2

    def test_none_if_it_is_done_or_of_nobody_or_hidden(self):
        done = self.planned(due_at=NOON + MINUTE)
        complete_activities(actor=self.bob, rows=[done])
        self.activity(self.bob, subject="Nobody's", deal=self.roof.pk, owner=None, due_at=NOON + MINUTE)
        secret = self.deal(self.alice, name="Secret", is_private=True)
        self.activity(
            self.alice, subject="Hidden", deal=secret.pk, owner=self.bob.member.pk, due_at=NOON + MINUTE
        )

        assert self.at(NOON + MINUTE) == 0

    def test_one_that_is_due_already_when_somebody_hands_it_over(self):
        """The clock has passed its time; the journal has the change."""
        now = timezone.now()
        self.planned(self.alice, due_at=now - datetime.timedelta(hours=1))

        assert self.of(self.bob) == [("activity_due", "Call back")]
        self.begin(now - datetime.timedelta(days=1))
        assert self.at(now) == 0

    def test_none_of_an_overdue_one_that_one_has_planned_oneself(self):
        self.planned(self.bob, due_at=timezone.now() - datetime.timedelta(hours=1))

        assert self.of(self.bob) == []

    def test_nothing_is_written_while_nothing_is_due(self):
        with CaptureQueriesContext(connection) as queries:
            self.at(NOON + MINUTE)

        assert not [query for query in queries if query["sql"].startswith(("UPDATE", "INSERT"))]

    def test_the_text_has_the_time_in_the_zone_and_says_if_it_is_done(self):
        row = self.planned(due_at=NOON + MINUTE)
        self.at(NOON + MINUTE)
        notifications = Notification.objects.visible_to(self.bob.member)
        self.bob.member.organization.time_zone = "Europe/Paris"
        assert present(notifications, self.bob.member)[0].summary == "Task due 15 Jan 2031 13:01"

        complete_activities(actor=self.bob, rows=[row])

        assert present(notifications, self.bob.member)[0].summary.endswith(", done")

    def test_the_schedule_has_it(self):
        assert "notify-of-due-activities" in schedule.entries()
        assert not Notification.objects.exists()
