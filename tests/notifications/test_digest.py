"""The morning digest: one a day, in the member's own morning, with what the member may see."""

import datetime
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm_project.accounts.models import Member, Organization
from crm_project.mail.models import Message
from crm_project.notifications.digest import queue_digests
from crm_project.notifications.models import NotificationSettings
from crm_project.notifications.services import change_settings
from crm_project.notifications.tasks import send_digests
from deals.models import Deal
from tests.base import World
from tests.factories import ActorFactory
from tests.notifications.base import NotificationTestCase
from tests.notifications.test_processes import at_once
from tests.tasks import run_tasks

PARIS = ZoneInfo("Europe/Paris")
DAY = datetime.timedelta(days=1)
QUARTER = datetime.timedelta(minutes=15)
# The days on which clocks change in Paris: by one hour forward at two, and back at three.
SPRING, AUTUMN = datetime.date(2031, 3, 30), datetime.date(2031, 10, 26)


class DigestTestCase(NotificationTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        Organization.objects.filter(pk=cls.organization.pk).update(time_zone="Europe/Paris")
        cls.organization.refresh_from_db()
        for actor in (cls.alice, cls.manager, cls.bob, cls.viewer):
            actor.member.organization.time_zone = "Europe/Paris"


class MorningTests(DigestTestCase):
    def mornings(self, first, last):
        """(local day and time) of each digest of Bob, from the beginning of a day to that of another one."""
        Message.objects.all().delete()
        begin, end = (
            datetime.datetime.combine(day, datetime.time(), PARIS).astimezone(datetime.UTC)
            for day in (first, last)
        )
        found, now = [], begin
        while now < end:
            queue_digests(self.organization, now)
            for message in Message.objects.filter(recipient=self.bob.member.email):
                local = now.astimezone(PARIS)
                assert message.parameters["day"] == local.date().isoformat()
                found.append((local.date(), local.time()))
            Message.objects.all().delete()
            now += QUARTER
        return found

    def test_at_seven_once_a_day_across_both_changes_of_clocks(self):
        seven = datetime.time(7)
        for day in (SPRING, AUTUMN):
            found = self.mornings(day - DAY, day + 2 * DAY)

            assert found == [(day - DAY, seven), (day, seven), (day + DAY, seven)]

    def test_at_an_hour_that_the_clock_leaves_out_or_repeats(self):
        change_settings(actor=self.bob, change={"digest_hour": 2})
        two = datetime.time(2)

        spring = self.mornings(SPRING, SPRING + 2 * DAY)
        autumn = self.mornings(AUTUMN, AUTUMN + 2 * DAY)

        assert spring == [(SPRING, datetime.time(3)), (SPRING + DAY, two)]
        assert autumn == [(AUTUMN, two), (AUTUMN + DAY, two)]

    def test_a_morning_without_a_worker_is_made_up_for_until_noon(self):
        at = {hour: datetime.datetime(2031, 1, 15, hour, tzinfo=PARIS) for hour in (6, 11, 12)}

        assert queue_digests(self.organization, at[6]) == 0
        assert queue_digests(self.organization, at[12]) == 0
        assert queue_digests(self.organization, at[11]) == 4
        assert queue_digests(self.organization, at[11]) == 0

    def test_each_in_their_own_morning_and_language(self):
        Member.objects.filter(pk=self.bob.member.pk).update(time_zone="Asia/Tokyo", language="fr")
        deal, due = self.deal(self.bob), datetime.date(2031, 1, 15)
        self.activity(self.bob, subject="Appeler", deal=deal.pk, owner=self.bob.member.pk, due_on=due)
        tokyo = datetime.datetime(2031, 1, 15, 7, tzinfo=ZoneInfo("Asia/Tokyo"))
        Message.objects.all().delete()

        assert queue_digests(self.organization, tokyo) == 1
        assert queue_digests(self.organization, datetime.datetime(2031, 1, 15, 7, tzinfo=PARIS)) == 3
        assert Message.objects.get(recipient=self.bob.member.email).parameters["day"] == "2031-01-15"
        run_tasks()
        [letter] = [one for one in mail.outbox if one.to == [self.bob.member.email]]
        assert letter.subject.startswith("mercredi")

    def test_switched_off(self):
        change_settings(actor=self.bob, change={"digest": False})

        queue_digests(self.organization, datetime.datetime(2031, 1, 15, 8, tzinfo=PARIS))

        recipients = set(Message.objects.filter(template="digest").values_list("recipient", flat=True))
        assert recipients == {"alice@example.com", "mary@example.com", "victor@example.com"}

    def test_nothing_is_queued_without_a_mail_server(self):
        NotificationSettings.objects.all().delete()
        with self.settings(EMAIL_BACKEND="django.core.mail.backends.console.EmailBackend"):
            send_digests.call()

        assert not Message.objects.filter(template="digest").exists()

    def test_the_number_of_queries_does_not_depend_on_the_members(self):
        def count(day):
            NotificationSettings.objects.all().delete()
            with CaptureQueriesContext(connection) as queries:
                found = queue_digests(self.organization, datetime.datetime(2031, 1, day, 8, tzinfo=PARIS))
            return found, len(queries)

        few, queries = count(15)
        for _ in range(5):
            ActorFactory(organization=self.organization)

        assert count(16) == (few + 5, queries)


class TextTests(DigestTestCase):
    def setUp(self):
        super().setUp()
        self.now = timezone.now().astimezone(PARIS)
        self.today = self.now.date()
        self.roof = self.deal(self.bob, name="Roof", amount=1500, owner=self.bob.member.pk)

    def digest(self, actor=None):
        """The digest of today, or None if none was sent."""
        self.read()
        mail.outbox.clear()
        member = (actor or self.bob).member
        morning = datetime.datetime.combine(self.today, datetime.time(7), PARIS)
        NotificationSettings.objects.update(digest_on=None)
        queue_digests(self.organization, morning)
        Message.objects.update(expires_at=None)
        run_tasks()
        return next((message for message in mail.outbox if message.to == [member.email]), None)

    def planned(self, **change):
        return self.activity(
            self.bob, **{"type": "task", "deal": self.roof.pk, "owner": self.bob.member.pk, **change}
        )

    def sold(self, actor, name, at, **change):
        deal = self.deal(actor, name=name, **change)
        Deal.objects.filter(pk=deal.pk).update(status="won", closed_at=at)
        return deal

    def test_nothing_is_sent_if_there_is_nothing(self):
        assert self.digest() is None
        assert not Message.objects.filter(template="digest").exists()

    def test_it_works(self):
        yesterday = datetime.datetime.combine(self.today - DAY, datetime.time(12), PARIS)
        self.planned(subject="Call back", due_on=self.today)
        self.planned(subject="Send offer", due_on=self.today - 3 * DAY)
        self.planned(subject="Far away", due_on=self.today + DAY)
        Deal.objects.filter(pk=self.roof.pk).update(
            expected_close_date=self.today - DAY, forecast_category="commit"
        )
        self.sold(self.bob, "Wall", yesterday, owner=self.bob.member.pk)
        self.sold(self.alice, "Followed", yesterday, followers=[self.bob.member.pk])
        self.sold(self.bob, "Older", yesterday - DAY, owner=self.bob.member.pk)
        self.sold(self.alice, "Others", yesterday)

        message = self.digest()

        assert message.subject.endswith("in Alice and Co: 2 activities due, 1 deal slipped, 2 deals won")
        for text in ("Call back (Roof)", "Send offer (Roof)", "Roof, 1500.00 EUR", "Wall", "Followed"):
            assert text in message.body
        for text in ("Far away", "Older", "Others"):
            assert text not in message.body
        assert "Overdue since" in message.body
        assert "/admin/notifications/notification/settings/" in message.body

    def test_a_paused_deal_is_not_named_as_slipped(self):
        pause = {"paused_until": self.today, "pause_reason": "Budget"}
        slipped = {"expected_close_date": self.today - DAY, "forecast_category": "commit"}
        Deal.objects.filter(pk=self.roof.pk).update(**slipped, **pause)

        assert self.digest() is None
        Deal.objects.filter(pk=self.roof.pk).update(paused_until=self.today - DAY)
        assert "1 deal slipped" in self.digest().subject

    def test_nothing_that_the_member_may_not_see(self):
        secret = self.deal(self.alice, name="Secret", is_private=True)
        self.activity(
            self.alice, subject="Hidden", deal=secret.pk, owner=self.bob.member.pk, due_on=self.today
        )

        assert self.digest() is None

    def test_access_is_checked_when_it_is_sent(self):
        self.planned(subject="Call back", due_on=self.today)
        queue_digests(self.organization, datetime.datetime.combine(self.today, datetime.time(7), PARIS))
        self.bob.member.is_active = False
        self.bob.member.save()
        Message.objects.update(expires_at=None)
        run_tasks()

        assert self.mails_to(self.bob) == []

    def test_a_long_section_is_cut(self):
        for number in range(22):
            self.planned(subject=f"Call {number}", due_on=self.today)

        message = self.digest()

        assert "more than 20 activities due" in message.subject
        assert message.body.count("- ") >= 21
        assert "- and more" in message.body


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_processes_in_the_same_morning():
    world = World()

    at_once(
        *[lambda: queue_digests(world.organization, datetime.datetime(2031, 1, 15, 8, tzinfo=datetime.UTC))]
        * 4
    )

    recipients = list(Message.objects.filter(template="digest").values_list("recipient", flat=True))
    assert len(recipients) == len(set(recipients)) == 4
