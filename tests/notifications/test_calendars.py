"""The calendar feed: a member's open activities with a date, read by a calendar library."""

import datetime
from urllib.parse import urlsplit

import icalendar
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm_project.accounts.models import User
from crm_project.accounts.services import update_member
from crm_project.activities.services import complete_activities, update_activities
from crm_project.notifications.calendars import end_address, renew_address
from crm_project.notifications.models import CalendarFeed
from deals.services import update_deals
from tests.base import BaseTestCase
from tests.staff.base import StaffTestCase

NOON = datetime.datetime(2031, 3, 30, 12, tzinfo=datetime.UTC)
SETTINGS = reverse("admin:notifications_notification_settings")
RENEW = reverse("admin:notifications_notification_calendar")


class CalendarTests(BaseTestCase):
    def setUp(self):
        self.path = urlsplit(renew_address(actor=self.bob)).path
        self.roof = self.deal(self.bob, name="Roof")
        # Somebody without a session.
        self.client = Client()

    def planned(self, **change):
        own = {"type": "call", "subject": "Ring back", "deal": self.roof.pk, "owner": self.bob.member.pk}
        return self.activity(self.bob, **{**own, **change})

    def events(self, path=""):
        response = self.client.get(path or self.path)
        assert response.status_code == 200
        return icalendar.Calendar.from_ical(response.content).walk("VEVENT")

    def names(self):
        return [str(event["summary"]) for event in self.events()]

    def test_it_works(self):
        row = self.planned(due_at=NOON, text="About the offer")

        [event] = self.events()

        assert event["uid"].startswith(f"{row.uuid}@")
        assert str(event["summary"]) == "Call: Ring back"
        assert event.decoded("dtstart") == NOON
        assert event.decoded("dtend") == NOON + datetime.timedelta(minutes=30)
        assert str(event["description"]).startswith("Roof\n\nAbout the offer\n\n")
        assert event["url"].endswith(reverse("admin:activities_activity_change", args=[row.pk]))

    def test_the_headers(self):
        response = self.client.get(self.path)

        assert response["Content-Type"] == "text/calendar; charset=utf-8"
        assert response["Cache-Control"] == "private, no-cache"
        calendar = icalendar.Calendar.from_ical(response.content)
        assert calendar["version"] == "2.0"
        assert str(calendar["x-wr-calname"]) == "Alice and Co: activities"

    def test_a_day_is_a_whole_day(self):
        self.planned(due_on=NOON.date())

        [event] = self.events()

        assert event.decoded("dtstart") == datetime.date(2031, 3, 30)
        assert event.decoded("dtend") == datetime.date(2031, 3, 31)
        assert event["dtstart"].params["VALUE"] == "DATE"

    def test_any_text_comes_through_and_lines_are_folded(self):
        subject = 'Komma, Semikolon; "Zitat" \\ łódź 🎉 ' + "lang " * 40
        text = "one\r\ntwo\nEND:VEVENT\nBEGIN:VALARM"
        self.planned(due_at=NOON, subject=subject, text=text)

        [event] = self.events()

        assert str(event["summary"]) == f"Call: {subject}"
        assert "END:VEVENT" in str(event["description"])
        assert event.subcomponents == []
        assert max(map(len, self.client.get(self.path).content.split(b"\r\n"))) <= 75

    def test_only_one_s_own_open_ones_with_a_date(self):
        done = self.planned(subject="Done", due_at=NOON)
        complete_activities(actor=self.bob, rows=[done])
        self.planned(subject="Undated")
        self.planned(subject="Alice's", due_at=NOON, owner=self.alice.member.pk)
        self.planned(subject="Overdue", due_on=datetime.date(2020, 1, 1))

        assert self.names() == ["Call: Overdue"]

    def test_only_visible_ones(self):
        secret = self.deal(self.alice, name="Secret", owner=self.bob.member.pk, is_private=True)
        self.activity(
            self.alice, subject="Hidden later", deal=secret.pk, owner=self.bob.member.pk, due_at=NOON
        )
        assert len(self.names()) == 1

        update_deals(actor=self.alice, changes=[(secret, {"owner": self.alice.member.pk})])

        assert self.names() == []

    def test_an_unchanged_calendar_is_not_sent_again(self):
        row = self.planned(due_at=NOON)
        first = self.client.get(self.path)
        headers = {"If-None-Match": first["ETag"]}

        again = self.client.get(self.path, headers=headers)
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])

        update_activities(actor=self.bob, changes=[(row, {"subject": "Ring again"})])
        assert self.client.get(self.path, headers=headers).status_code == 200

    def test_a_renewed_address_ends_the_one_before(self):
        fresh = urlsplit(renew_address(actor=self.bob)).path

        assert self.client.get(self.path).status_code == 404
        assert self.client.get(fresh).status_code == 200

    def test_an_ended_one_and_a_guess_are_not_found(self):
        end_address(actor=self.bob)
        end_address(actor=self.bob)

        for path in (self.path, reverse("calendar", args=["guess"]), reverse("calendar", args=["ł\x00"])):
            assert self.client.get(path).status_code == 404

    def test_a_deactivated_member_or_login_has_none(self):
        User.objects.filter(pk=self.bob.member.user_id).update(is_active=False)
        assert self.client.get(self.path).status_code == 404
        User.objects.filter(pk=self.bob.member.user_id).update(is_active=True)
        assert self.client.get(self.path).status_code == 200

        update_member(actor=self.alice, member=self.bob.member, is_active=False)
        assert self.client.get(self.path).status_code == 404

    def test_the_secret_is_not_stored(self):
        secret = self.path.removeprefix("/ical/").removesuffix(".ics")

        assert len(secret) >= 43
        assert secret not in str(CalendarFeed.objects.values())

    def test_other_methods_are_refused(self):
        assert self.client.head(self.path).status_code == 200
        assert self.client.post(self.path).status_code == 405

    def test_the_number_of_queries_does_not_depend_on_the_activities(self):
        def count():
            with CaptureQueriesContext(connection) as queries:
                self.events()
            return len(queries)

        self.planned(due_at=NOON)
        few = count()
        for _ in range(10):
            self.planned(due_at=NOON)

        assert count() == few <= 3


class PageTests(StaffTestCase):
    def test_the_address_is_shown_once(self):
        assert "Make an address" in self.page(SETTINGS)

        response = self.client.post(RENEW)

        address = response.context["address"]
        assert address in response.content.decode()
        assert not response.has_header("Content-Encoding")
        assert Client().get(urlsplit(address).path).status_code == 200
        page = self.page(SETTINGS)
        assert address not in page
        assert "Make a new address" in page

    def test_it_is_renewed_and_ended(self):
        first, second = (urlsplit(self.client.post(RENEW).context["address"]).path for _ in range(2))
        assert [Client().get(path).status_code for path in (first, second)] == [404, 200]

        self.client.post(RENEW, {"end": "yes"})

        assert Client().get(second).status_code == 404
        assert self.client.get(RENEW).status_code == 405
