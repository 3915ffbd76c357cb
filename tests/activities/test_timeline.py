"""The timeline of a deal, a person and a company: activities and changes by time, for each role what it may see."""

import datetime
import html
import random
import re
from decimal import Decimal

from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.services import update_contacts
from crm_project.activities import timeline
from crm_project.activities.models import Activity
from crm_project.activities.services import trash_activities, update_activities
from crm_project.activities.timeline import Section
from crm_project.journal.models import Event
from deals.models import Deal
from deals.services import trash_deals, update_deals
from tests.api.client import ApiTestCase, problem
from tests.base import BaseTestCase
from tests.factories import CompanyFactory
from tests.staff.base import StaffTestCase, change_url

MINUTE = datetime.timedelta(minutes=1)
DAY = datetime.timedelta(days=1)


def texts(entries):
    return [str(entry.activity or entry.change.text) for entry in entries]


class TimelineTestCase(BaseTestCase):
    def read(self, row, actor=None, **asked):
        return timeline.read((actor or self.bob).member, row, **asked)

    def texts(self, row, actor=None, **asked):
        return texts(self.read(row, actor, size=500, **asked).entries)

    def pages(self, row, actor=None, size=3, between=lambda: None, **asked):
        """All entries, page by page; something may be written between two pages."""
        entries, after = [], None
        while True:
            page = self.read(row, actor, after=after, size=size, **asked)
            entries += page.entries
            if page.next is None:
                return entries
            assert len(page.entries) == size
            after = page.next
            between()


class OrderTests(TimelineTestCase):
    def test_what_is_planned_stands_first_then_what_is_pinned_then_the_newest(self):
        deal, now = self.deal(), timezone.now()
        self.activity(type="call", subject="Early", deal=deal.pk, done_at=now - DAY)
        self.activity(type="note", subject="Pinned", deal=deal.pk, done_at=now - 9 * DAY, is_pinned=True)
        self.activity(type="note", subject="Plain", deal=deal.pk, done_at=now - MINUTE * 60)
        self.activity(subject="Some day", deal=deal.pk)
        self.activity(subject="Later", deal=deal.pk, due_at=now + 2 * DAY)
        self.activity(subject="Sooner", deal=deal.pk, due_at=now + DAY)
        update_deals(actor=self.bob, changes=[(deal, {"stage": self.offer.pk})])

        page = self.read(deal)

        assert texts(page.entries) == [
            "Sooner",
            "Later",
            "Some day",
            "Pinned",
            "Moved from New to Offer",
            "Created",
            "Plain",
            "Early",
        ]
        sections = [entry.position.section for entry in page.entries]
        assert sections == [Section.PLANNED] * 3 + [Section.PINNED] + [Section.PAST] * 4
        assert page.next is None

    def test_each_kind_alone(self):
        deal, now = self.deal(), timezone.now()
        self.activity(type="call", subject="Call", deal=deal.pk, done_at=now)
        self.activity(type="email", subject="Mail", deal=deal.pk, done_at=now - MINUTE)
        self.activity(type="note", subject="Note", deal=deal.pk)
        self.activity(subject="Plan", deal=deal.pk)

        assert self.texts(deal, kind="activity") == ["Plan", "Call", "Mail"]
        assert self.texts(deal, kind="note") == ["Note"]
        assert self.texts(deal, kind="change") == ["Created"]

    def test_a_salespersons_words(self):
        deal = self.deal(amount="1200", owner=self.alice.member.pk)
        for change in (
            {"amount": Decimal(1500)},
            {"owner": self.bob.member.pk},
            {"stage": self.offer.pk},
            {"stage": self.won.pk},
        ):
            update_deals(actor=self.bob, changes=[(deal, change)])

        assert self.texts(deal) == [
            "Won",
            "Moved from New to Offer",
            "Handed from Alice to Bob",
            "Amount 1,200.00 EUR → 1,500.00 EUR",
            "Created",
        ]

    def test_what_is_in_the_trash_is_left_out(self):
        person = self.person()
        deal = self.deal(contact=person.pk)
        gone = self.activity(subject="Gone", deal=deal.pk)
        trash_activities(actor=self.bob, rows=[gone])
        assert "Gone" not in self.texts(deal)

        self.activity(subject="Kept", deal=deal.pk)
        assert "Kept" in self.texts(person)
        trash_deals(actor=self.bob, rows=[deal])
        assert self.texts(person) == ["Created"]


class PageTests(TimelineTestCase):
    def setUp(self):
        chance, now = random.Random(5), timezone.now()
        self.company = CompanyFactory(actor=self.bob)
        self.people = [self.person(company=self.company.pk) for _ in range(2)]
        self.deals = [self.deal(contact=chance.choice(self.people).pk) for _ in range(3)]
        for number in range(30):
            deal, person = chance.choice(self.deals), chance.choice(self.people)
            self.activity(
                type=chance.choice(["call", "note", "email"]),
                subject=f"Done {number}",
                # Few instants, so that several entries have the same.
                done_at=now - chance.randrange(4) * MINUTE,
                is_pinned=chance.random() < 0.2,
                **chance.choice(
                    [{"deal": deal.pk}, {"contact": person.pk}, {"deal": deal.pk, "contact": person.pk}]
                ),
            )
            self.activity(
                subject=f"Plan {number}",
                deal=deal.pk,
                due_on=chance.choice([None, now.date(), now.date() + DAY]),
            )
        for number in range(20):
            update_deals(actor=self.bob, changes=[(chance.choice(self.deals), {"probability": number})])
        # The changes of one transaction, or those of a coarse clock, have one time.
        self.same_time(now)

    def same_time(self, now):
        from crm_project.journal.append_only import rewriting

        with rewriting():
            Event.objects.filter(kind="deal").update(at=now - MINUTE)

    def test_pages_have_each_entry_once_whatever_their_size(self):
        for row in (self.company, self.people[0], self.deals[0]):
            for kind in ("", *timeline.KINDS):
                whole = self.read(row, kind=kind, size=500).entries
                for size in (3, 10):
                    assert self.pages(row, size=size, kind=kind) == whole, (row, kind, size)

    def test_the_whole_equals_a_computation_by_hand(self):
        found = self.read(self.company, size=500).entries

        activities = {entry.activity.pk for entry in found if entry.activity}
        events = {entry.event.pk for entry in found if entry.event}
        of_contacts = Event.objects.filter(
            kind="contact", row_uuid__in=[row.uuid for row in (self.company, *self.people)]
        )
        of_deals = Event.objects.filter(kind="deal", row_uuid__in=[deal.uuid for deal in self.deals])
        assert activities == set(Activity.objects.values_list("pk", flat=True))
        assert events == {event.pk for event in (*of_contacts, *of_deals)}
        assert len(found) == len(activities) + len(events)

    def test_entries_that_are_added_meanwhile_move_nothing(self):
        before = self.read(self.company, size=500).entries

        def write():
            deal = self.deals[0]
            self.activity(type="call", subject="New", deal=deal.pk, done_at=timezone.now())
            self.activity(subject="Soon", deal=deal.pk, due_at=timezone.now() - 30 * DAY)
            update_deals(actor=self.alice, changes=[(deal, {"origin": f"web {timezone.now()}"})])

        positions = [entry.position for entry in self.pages(self.company, size=9, between=write)]

        assert len(positions) == len(set(positions))
        assert {entry.position for entry in before} <= set(positions)

    def test_the_number_of_queries_does_not_grow(self):
        few = [self.queries(row) for row in (self.company, self.people[0], self.deals[0])]
        for number in range(10):
            person = self.person(company=self.company.pk)
            deal = self.deal(contact=person.pk)
            self.activity(subject=f"More {number}", deal=deal.pk, done_at=timezone.now())
            self.activity(subject=f"More {number}", contact=person.pk)

        assert [self.queries(row) for row in (self.company, self.people[0], self.deals[0])] == few
        assert max(few) <= 12

    def queries(self, row):
        with CaptureQueriesContext(connection) as queries:
            self.read(row, size=200)
        assert not [query for query in queries if "COUNT(" in query["sql"] or "OFFSET" in query["sql"]]
        return len(queries)


class VisibilityTests(TimelineTestCase):
    def setUp(self):
        self.company = CompanyFactory(actor=self.bob)
        self.sam = self.person(company=self.company.pk)
        self.deal(contact=self.sam.pk, name="Roof")
        self.secret = self.deal(self.alice, contact=self.sam.pk, name="Takeover", is_private=True)
        update_deals(actor=self.alice, changes=[(self.secret, {"origin": "secret origin"})])
        self.activity(self.alice, subject="Secret call", deal=self.secret.pk, done_at=timezone.now())
        self.activity(self.alice, subject="Secret plan", deal=self.secret.pk, contact=self.sam.pk)

    def test_what_happened_with_a_private_deal_shows_to_those_alone_who_may_see_it(self):
        for row in (self.company, self.sam):
            for who in (self.bob, self.viewer, self.manager):
                page = self.read(row, who, size=500)
                assert not any("ecret" in text for text in texts(page.entries)), who
                assert {entry.about for entry in page.entries if isinstance(entry.about, Deal)} != set()
                assert self.secret not in [entry.about for entry in page.entries]
            seen = self.texts(row, self.alice)
            assert {"Secret call", "Secret plan", "Origin set to secret origin"} <= set(seen)

    def test_who_is_put_on_the_access_list_sees_it(self):
        update_deals(actor=self.alice, changes=[(self.secret, {"access_list": [self.viewer.member.pk]})])

        assert "Secret call" in self.texts(self.company, self.viewer)
        assert "Secret call" not in self.texts(self.company, self.bob)

    def test_a_company_tells_of_its_people_and_their_deals_and_of_no_others(self):
        other = self.person(first_name="Other")
        self.activity(subject="Of another", contact=other.pk)
        update_contacts(actor=self.bob, changes=[(self.sam, {"job_title": "CEO"})])

        assert "Job title set to CEO" in self.texts(self.company)
        assert "Of another" not in self.texts(self.company)
        assert self.texts(self.company) != self.texts(self.sam)
        assert len(self.read(self.sam).entries) < len(self.read(self.company).entries)

    def test_nothing_of_a_redacted_contact_is_left(self):
        person = self.person(first_name="Sophie", email="sophie@example.com")
        self.activity(type="note", subject="", text="Sophie's mobile", contact=person.pk)
        update_contacts(actor=self.bob, changes=[(person, {"city": "Paris"})])

        call_command("redact_contact", str(person.uuid), "--yes")

        told = " ".join(self.texts(person))
        assert "Personal data erased" in told
        for word in ("Sophie", "mobile", "Paris", "sophie@"):
            assert word not in told


class ApiTests(ApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.company = CompanyFactory(actor=cls.bob)
        cls.sam = cls.person(cls, company=cls.company.pk)
        cls.roof = cls.deal(cls, name="Roof", contact=cls.sam.pk)
        cls.call = cls.activity(
            cls,
            type="call",
            subject="Asked",
            deal=cls.roof.pk,
            owner=cls.bob.member.pk,
            done_at=timezone.now(),
        )
        update_deals(actor=cls.alice, changes=[(cls.roof, {"stage": cls.offer.pk})])
        cls.url = f"/api/deals/{cls.roof.uuid}/timeline"

    def test_an_entry_has_its_words_and_its_row(self):
        moved, called, created = self.as_bob.get(self.url).json()["results"]

        assert (moved["kind"], moved["section"], moved["text"]) == (
            "change",
            "past",
            "Moved from New to Offer",
        )
        assert moved["member"]["full_name"] == "Alice"
        assert moved["about"] == {"kind": "deal", "uuid": str(self.roof.uuid), "name": "Roof"}
        assert moved["event"]["type"] == "deal.moved"
        assert moved["activity"] is None
        assert (called["kind"], called["text"], called["event"]) == ("activity", "Asked", None)
        assert called["activity"] == self.as_bob.get(f"/api/activities/{self.call.uuid}").json()
        assert created["text"] == "Created"

    def test_contacts_have_one_too(self):
        for row in (self.sam, self.company):
            found = self.as_bob.get(f"/api/contacts/{row.uuid}/timeline").json()["results"]
            assert {"Asked", "Moved from New to Offer"} <= {entry["text"] for entry in found}
            assert {entry["about"]["kind"] for entry in found} == {"contact", "deal"}

    def test_pages_are_followed_by_link_and_by_cursor(self):
        whole = self.as_bob.get(self.url).json()
        first = self.as_bob.get(f"{self.url}?page_size=2").json()
        rest = self.as_bob.get(f"{self.url}?page_size=2&cursor={first['next_cursor']}").json()
        by_link = self.as_bob.get(first["next"].removeprefix("http://testserver")).json()

        assert whole["next"] is whole["next_cursor"] is None
        assert first["results"] + rest["results"] == whole["results"]
        assert rest["next"] is None
        assert by_link == rest

    def test_a_kind_alone(self):
        found = self.as_bob.get(f"{self.url}?kind=change").json()["results"]

        assert {entry["kind"] for entry in found} == {"change"}

    def test_every_wrong_parameter_is_named(self):
        answer = self.as_bob.get(f"{self.url}?kind=mail&page_size=0&total=true&mood=good")

        problem(answer, 400, "invalid", "/kind", "/mood", "/page_size", "/total")

    def test_the_cursor_of_another_timeline_is_refused(self):
        cursor = self.as_bob.get(f"{self.url}?page_size=1").json()["next_cursor"]

        for url in (
            f"{self.url}?cursor=x",
            f"{self.url}?kind=change&cursor={cursor}",
            f"/api/contacts/{self.sam.uuid}/timeline?cursor={cursor}",
        ):
            problem(self.as_bob.get(url), 400, "invalid", "/cursor")

    def test_it_hides_other_organizations_and_private_deals(self):
        secret = self.deal(self.alice, is_private=True)

        assert self.as_bob.get(f"/api/deals/{secret.uuid}/timeline").status_code == 404
        assert self.as_charlie.get(self.url).status_code == 404
        assert self.as_charlie.get(f"/api/contacts/{self.sam.uuid}/timeline").status_code == 404

    def test_a_note_that_is_pinned_comes_first(self):
        note = self.activity(type="note", subject="", text="Call before noon", deal=self.roof.pk)
        update_activities(actor=self.bob, changes=[(note, {"is_pinned": True})])

        first = self.as_bob.get(self.url).json()["results"][0]

        assert (first["section"], first["kind"], first["text"]) == ("pinned", "note", "Call before noon")


class AdminTests(StaffTestCase):
    """The timeline on the page of a deal or a contact."""

    TIMELINE = re.compile(r"<div class=\"crm-timeline\" data-timeline>.*", re.DOTALL)

    def timeline(self, row, query=""):
        return self.TIMELINE.search(self.page(f"{change_url(row)}{query}"))[0]

    def headings(self, text):
        return re.findall(r"<h3>(.*?)</h3>", text)

    def link(self, text, label):
        """The address of a link, and that of the same for the script."""
        found = re.search(rf'<a[^>]*href="([^"#]*)[^"]*" data-fragment="([^"]*)"[^>]*>{label}</a>', text)
        return [html.unescape(address) for address in found.groups()] if found else None

    def test_years_are_headings_and_pinned_notes_come_first(self):
        deal, now = self.deal(), timezone.now()
        self.activity(type="call", subject="Old call", deal=deal.pk, done_at=now - 800 * DAY)
        self.activity(
            type="note", subject="Pinned note", deal=deal.pk, is_pinned=True, done_at=now - 400 * DAY
        )
        self.sign_in(self.bob)

        text = self.timeline(deal)

        assert self.headings(text) == ["Pinned", str(now.year), str((now - 800 * DAY).year)]
        places = [text.index(words) for words in ("Pinned note", "Created", "Old call")]
        assert places == sorted(places)

    def test_a_kind_is_chosen_by_a_link(self):
        deal = self.deal(name="Roof")
        self.activity(type="note", subject="A note", deal=deal.pk)
        self.activity(type="call", subject="A call", deal=deal.pk, done_at=timezone.now())
        self.sign_in(self.bob)
        whole = self.timeline(deal)
        for label, shown in (
            ("All", {"A note", "A call", "Created"}),
            ("Activities", {"A call"}),
            ("Notes", {"A note"}),
            ("Changes", {"Created"}),
        ):
            for url in self.link(whole, label):
                text = self.TIMELINE.search(self.page(url))[0]
                assert {words for words in ("A note", "A call", "Created") if words in text} == shown
                assert re.search(r'aria-current="true">(\w+)<', text)[1] == label

    def test_older_entries_continue_without_a_script_and_for_it(self):
        deal = self.deal()
        for number in range(45):
            done_at = timezone.now() - (number + 1) * DAY
            self.activity(type="call", subject=f"Call no {number:02}", deal=deal.pk, done_at=done_at)
        self.sign_in(self.bob)
        first = self.timeline(deal)

        for url in self.link(first, "Older entries"):
            older = self.TIMELINE.search(self.page(url))[0]
            calls = re.findall(r"Call no (\d\d)</a>", first + older)
            assert calls == [f"{number:02}" for number in range(45)]
            assert self.link(older, "Older entries") is None
            assert self.link(older, "Newest entries")

    def test_a_company_names_the_deals_of_its_story_and_no_private_one(self):
        company = CompanyFactory(actor=self.bob)
        person = self.person(company=company.pk)
        roof = self.deal(name="Roof", contact=person.pk)
        secret = self.deal(self.alice, name="Takeover", contact=person.pk, is_private=True)
        self.sign_in(self.bob)

        text = self.timeline(company)

        assert f'href="{change_url(roof)}">Roof</a>' in text
        assert "Takeover" not in text
        for about in (f"deal:{secret.pk}", "deal:x", "user:1", ""):
            answer = self.client.get(f"/admin/activities/activity/timeline/?about={about}")
            assert answer.status_code == 404, about
        self.sign_in(self.charlie)
        answer = self.client.get(f"/admin/activities/activity/timeline/?about=contact:{company.pk}")
        assert answer.status_code == 404
        assert self.client.get(change_url(company)).status_code in (302, 404)

    def test_texts_are_escaped(self):
        company = CompanyFactory(actor=self.bob)
        deal = self.deal(name="<i>Roof</i>", client=company.pk)
        update_deals(actor=self.bob, changes=[(deal, {"name": "<b>Pool</b>"})])
        self.sign_in(self.bob)

        for row in (deal, company):
            text = self.timeline(row)
            assert "&lt;b&gt;Pool" in text
            assert "<b>Pool" not in text
            assert "<i>Roof" not in text

    def test_a_viewer_has_no_undo(self):
        deal = self.deal()
        self.sign_in(self.viewer)
        assert "/undo/" not in self.timeline(deal)
        self.sign_in(self.bob)
        assert "/undo/" in self.timeline(deal)

    def test_the_page_has_a_fixed_number_of_queries(self):
        company = CompanyFactory(actor=self.bob)
        person = self.person(company=company.pk)
        deal = self.deal(contact=person.pk)
        self.activity(subject="Plan", deal=deal.pk)
        long_ago = timezone.now() - 9 * DAY
        self.activity(subject="Done", contact=person.pk, done_at=long_ago)
        update_deals(actor=self.bob, changes=[(deal, {"probability": 50})])
        self.sign_in(self.bob)
        for row in (company, deal):
            self.page(change_url(row))  # reads the content type, which is kept in memory
        few = [self.queries(row) for row in (company, deal)]
        for number in range(40):
            self.activity(subject=f"Plan {number}", deal=deal.pk)
            self.activity(subject=f"Done {number}", contact=person.pk, done_at=long_ago)
        for number in range(10):
            update_deals(actor=self.bob, changes=[(deal, {"probability": number})])

        assert [self.queries(row) for row in (company, deal)] == few

    def queries(self, row):
        with CaptureQueriesContext(connection) as queries:
            self.page(change_url(row))
        return len(queries)
