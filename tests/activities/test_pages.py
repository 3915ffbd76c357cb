"""The activities on the pages of the admin: each figure is that of its list, each act works without a script."""

import datetime
import html
import random
import re
from zoneinfo import ZoneInfo

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm_project.accounts.models import Organization
from crm_project.activities.models import Activity
from crm_project.activities.services import create_activities
from deals.models import Deal
from tests.factories import CompanyFactory
from tests.staff.base import StaffTestCase, change_url, list_url

DAY, HOUR = datetime.timedelta(days=1), datetime.timedelta(hours=1)
BOX = re.compile(r'<section class="crm-box crm-today">\s*<header>(.*?)</header>(.*?)</section>', re.DOTALL)
LOG = "/admin/activities/activity/log/"


def act_url(row, name):
    return reverse("admin:activities_activity_act", args=[row.pk, name])


class DayTests(StaffTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        chance, now = random.Random(3), timezone.now()
        owners = [None, *(actor.member.pk for actor in (cls.alice, cls.manager, cls.bob, cls.viewer))]
        for actor in (cls.alice, cls.bob):
            deals = [
                cls.deal(cls, actor, is_private=number % 3 == 0, owner=chance.choice(owners))
                for number in range(6)
            ]
            changes = [
                {
                    "type": chance.choice(["call", "task", "meeting"]),
                    "subject": f"Step {number}",
                    "deal": chance.choice(deals).pk,
                    "owner": chance.choice(owners),
                    "done_at": chance.choice([None, None, now]),
                    **chance.choice(
                        [
                            *({"due_on": now.date() + days * DAY} for days in (-9, -1, 0, 0, 1)),
                            *({"due_at": now + hours * HOUR} for hours in (-30, -9, -1, 1, 9, 30)),
                            {},
                        ]
                    ),
                }
                for number in range(60)
            ]
            create_activities(actor=actor, changes=changes)

    def expected(self, actor, whose, state):
        """A computation by hand over what the person may see."""
        seen = [row for row in Activity.objects.visible_to(actor.member) if row.done_at is None]
        mine = [row for row in seen if whose == "all" or row.owner_id == actor.member.pk]
        now, zone = timezone.now(), ZoneInfo(self.organization.time_zone)
        today = now.astimezone(zone).date()
        days = {row: row.due_on or (row.due_at and row.due_at.astimezone(zone).date()) for row in mine}
        if state == "Meetings today":
            return {row.pk for row in mine if row.type == "meeting" and days[row] == today}
        late = {
            row.pk for row in mine if days[row] and (days[row] < today or (row.due_at and row.due_at < now))
        }
        return late if state == "Overdue" else {row.pk for row in mine if days[row] == today} - late

    def test_each_count_is_that_of_its_list_and_of_a_computation_by_hand(self):
        counted = set()
        for who in (self.alice, self.manager, self.bob, self.viewer):
            for whose in ("mine", "all"):
                self.sign_in(who)
                boxes = BOX.findall(self.page(f"/admin/?whose={whose}"))
                boxes = {re.search(r"<h2>(.*?)</h2>", header)[1]: (header, body) for header, body in boxes}
                for state in ("Meetings today", "Overdue", "Due today"):
                    expected = self.expected(who, whose, state)
                    if state == "Meetings today" and not expected:
                        assert state not in boxes
                        continue
                    header, body = boxes[state]
                    shown, count = re.search(r'crm-count">(?:(\d+) of )?(\d+)<', header).groups()
                    count = int(count)
                    assert count == len(expected)
                    assert shown == ("8" if count > 8 else None)
                    assert body.count('<li class="crm-act">') == min(count, 8)
                    link = re.search(r'href="([^"]*)"', header)
                    url = html.unescape(link[1]) if link else list_url(Activity)
                    if link:
                        listed = self.client.get(url).context["cl"].result_list
                        assert {row.pk for row in listed} == expected
                    counted.add(count)
        assert len(counted) > 4

    def test_the_meetings_of_today_stand_in_the_order_of_their_time(self):
        """Those that are over by now too, until they are done."""
        zone = ZoneInfo("America/New_York")
        Organization.objects.filter(pk=self.organization.pk).update(time_zone=zone.key)
        self.bob.organization.time_zone = zone.key
        today = timezone.now().astimezone(zone).date()
        midnight, next_midnight = (
            datetime.datetime.combine(day, datetime.time(), zone) for day in (today, today + DAY)
        )
        minute = datetime.timedelta(minutes=1)
        Activity.objects.all().delete()
        person = self.person(first_name="Sophie", last_name="Martin")
        deal, owner = self.deal(name="Roof", contact=person.pk), self.bob.member.pk
        for subject, due in (
            ("Whole day", {"due_on": today}),
            ("Evening", {"due_at": next_midnight - minute}),
            ("Over", {"due_at": midnight}),
            ("Next day", {"due_at": next_midnight}),
            ("Last evening", {"due_at": midnight - minute}),
        ):
            self.activity(type="meeting", subject=subject, deal=deal.pk, owner=owner, **due)
        self.activity(type="call", subject="A call", deal=deal.pk, owner=owner, due_on=today)
        self.sign_in(self.bob)

        header, body = BOX.findall(self.page("/admin/?whose=mine"))[0]

        assert "Meetings today" in header
        assert re.findall(r'aria-label="Done: (.*?)"', body) == ["Over", "Evening", "Whole day"]
        times = re.findall(r'<div class="crm-act-when"><span>(.*?)</span><span>', body)
        assert [re.sub(r"<.*?>", "", text) for text in times] == ["00:00", "23:59", "All day"]
        assert body.count("Roof</a> · Sophie Martin") == 3
        url = html.unescape(re.search(r'href="([^"]*)"', header)[1])
        listed = self.client.get(url).context["cl"].result_list
        assert {row.subject for row in listed} == {"Over", "Evening", "Whole day"}

    def test_the_number_of_queries_does_not_grow(self):
        self.sign_in(self.bob)
        self.page("/admin/?whose=all")
        few = self.queries()
        deal, today = self.deal(), timezone.now().date()
        changes = [{"subject": "More", "deal": deal.pk, "due_on": today} for _ in range(30)]
        create_activities(actor=self.bob, changes=changes)

        assert self.queries() == few

    def queries(self):
        with CaptureQueriesContext(connection) as queries:
            self.page("/admin/?whose=all")
        return len(queries)

    def test_a_task_is_done_on_the_spot(self):
        self.sign_in(self.bob)
        task = self.activity(deal=self.deal().pk, owner=self.bob.member.pk, due_on=timezone.now().date())

        answer = self.client.post(act_url(task, "done"), {"on": "day", "next": "/admin/?whose=mine"})

        assert (answer.status_code, answer["Location"]) == (302, "/admin/?whose=mine")
        task.refresh_from_db()
        assert task.done_at
        assert "Undo" in self.page("/admin/?whose=mine")

    def test_the_script_gets_the_lists_and_the_form_of_the_next_step(self):
        self.sign_in(self.bob)
        deal = self.deal(name="Roof")
        task = self.activity(deal=deal.pk, owner=self.bob.member.pk, due_on=timezone.now().date())

        answer = self.client.post(
            act_url(task, "done"),
            {"on": "day", "whose": "mine"},
            headers={"X-Requested-With": "XMLHttpRequest"},
        )

        page = answer.content.decode()
        assert "Next step of Roof" in page
        assert f'value="deal:{deal.pk}"' in page

    def test_the_next_step_is_planned_in_the_row_of_a_deal(self):
        """The script shows the form there; the answer has the figures and lists as they are now."""
        self.sign_in(self.bob)
        deal = self.deal(name="Roof", owner=self.bob.member.pk)
        page = self.page("/admin/?whose=mine")
        before = self.without_a_step(page)
        link = html.unescape(
            re.search(r'data-plan="([^"]*)" aria-label="Plan the next step of Roof"', page)[1]
        )

        form = self.page(link)
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
        fields = {name: html.unescape(value) for name, value in fields.items()}
        planned = {"next_type": "call", "next_subject": "Ring them", "next_when": "0"}
        answer = self.client.post(
            LOG, {**fields, **planned}, headers={"X-Requested-With": "XMLHttpRequest"}
        ).content.decode()

        assert "Next step of Roof" in form
        row = Activity.objects.get(deal=deal.pk)
        assert (row.subject, row.type, row.due_on) == ("Ring them", "call", timezone.localdate())
        assert "Done: Ring them" in answer
        assert self.without_a_step(answer) == before - 1
        assert answer.index("crm-act-message") > answer.index("Due today")

    def without_a_step(self, page):
        return int(re.search(r'Without a next step</h2>\s*<span class="crm-count">(\d+)<', page)[1])

    def test_a_form_with_a_mistake_keeps_what_was_typed(self):
        self.sign_in(self.bob)
        deal = self.deal(name="Roof")
        for on in ("day", "work"):
            answer = self.client.post(
                LOG,
                {
                    "form_key": f"k-{on}",
                    "about": f"deal:{deal.pk}",
                    "on": on,
                    "type": "call",
                    "next_type": "task",
                    "next_subject": "Ring them",
                    "next_when": "day",
                },
                headers={"X-Requested-With": "XMLHttpRequest"},
            ).content.decode()

            assert "Choose a day." in answer
            assert 'value="Ring them"' in answer
            assert f'name="on" value="{on}"' in answer

    def test_the_form_of_a_hidden_deal_is_not_there(self):
        secret = self.deal(self.alice, is_private=True)
        plan = reverse("admin:activities_activity_plan")
        self.sign_in(self.bob)
        for about in (f"deal:{secret.pk}", "deal:x", "", f"deal:{10**17}"):
            assert self.client.get(plan, {"about": about}).status_code == 404
        mine = self.deal()
        self.sign_in(self.viewer)
        assert self.client.get(plan, {"about": f"deal:{mine.pk}"}).status_code == 403

    def test_a_task_is_postponed(self):
        self.sign_in(self.bob)
        task = self.activity(deal=self.deal().pk, due_on=timezone.now().date() - 3 * DAY)

        self.client.post(act_url(task, "postpone"), {"on": "day"})

        task.refresh_from_db()
        assert task.due_on == timezone.localdate() + DAY


class SectionTests(StaffTestCase):
    def log(self, about, **fields):
        given = {"form_key": "k1", "about": about, "type": "call", "next_type": "task", "next": "/admin/"}
        return self.client.post(LOG, {**given, **fields})

    def test_one_form_logs_a_call_and_plans_the_next_step(self):
        self.sign_in(self.bob)
        deal = self.deal(name="Roof")

        self.log(f"deal:{deal.pk}", subject="Wants an offer", next_subject="Send it", next_when="1")

        done, planned = Activity.objects.filter(deal=deal).order_by("id")
        assert (done.type, done.subject, bool(done.done_at)) == ("call", "Wants an offer", True)
        assert (planned.type, planned.subject, planned.due_on) == (
            "task",
            "Send it",
            timezone.localdate() + DAY,
        )
        assert {done.owner_id, planned.owner_id} == {self.bob.member.pk}
        assert Deal.objects.get(pk=deal.pk).next_activity == planned.uuid
        page = self.page(change_url(deal))
        assert "Wants an offer" in page
        assert "Send it" in page

    def test_a_form_that_is_sent_twice_is_saved_once(self):
        self.sign_in(self.bob)
        deal = self.deal()

        for _ in range(3):
            self.log(f"deal:{deal.pk}", subject="Once", next_when="0")

        assert Activity.objects.filter(deal=deal).count() == 2

    def test_an_empty_form_says_what_it_needs(self):
        self.sign_in(self.bob)
        deal = self.deal()

        answer = self.log(f"deal:{deal.pk}")

        assert Activity.objects.filter(deal=deal).count() == 0
        assert "Write down what was done" in self.page(answer["Location"])

    def test_a_time_makes_it_due_at_an_instant(self):
        self.sign_in(self.bob)
        deal = self.deal()

        self.log(
            f"deal:{deal.pk}", next_type="meeting", next_when="day", next_on="2030-05-01", next_at="10:30"
        )

        row = Activity.objects.get(deal=deal)
        assert timezone.localtime(row.due_at).isoformat()[:16] == "2030-05-01T10:30"

    def test_a_hidden_deal_takes_none(self):
        secret = self.deal(self.alice, is_private=True)
        hidden = self.activity(self.alice, deal=secret.pk)
        self.sign_in(self.bob)

        self.log(f"deal:{secret.pk}", subject="x")
        self.client.post(act_url(hidden, "done"))

        assert Activity.objects.filter(deal=secret).count() == 1
        hidden.refresh_from_db()
        assert hidden.done_at is None

    def test_a_viewer_sees_them_and_has_no_form(self):
        deal = self.deal()
        task = self.activity(subject="Call back", deal=deal.pk)
        self.sign_in(self.viewer)

        page = self.page(change_url(deal))

        assert "Call back" in page
        assert 'class="crm-log"' not in page
        assert self.client.post(act_url(task, "done")).status_code == 403
        assert self.log(f"deal:{deal.pk}", subject="x").status_code == 403

    def test_the_page_of_a_company_has_those_of_its_people_and_deals(self):
        company = CompanyFactory(actor=self.bob)
        person = self.person(company=company.pk)
        self.activity(subject="Of the person", contact=person.pk)
        self.activity(subject="Of the deal", deal=self.deal(contact=person.pk).pk)
        secret = self.deal(self.alice, contact=person.pk, is_private=True)
        self.activity(self.alice, subject="Of a secret", deal=secret.pk)
        self.sign_in(self.bob)

        page = self.page(change_url(company))
        listed = self.client.get(f"{list_url(Activity)}?with={company.pk}").context["cl"].result_list

        assert "Of the person" in page
        assert "Of the deal" in page
        assert "Of a secret" not in page
        assert {row.subject for row in listed} == {"Of the person", "Of the deal"}

    def test_texts_are_escaped(self):
        deal = self.deal()
        self.activity(subject="<script>alert(1)</script>", text="<b>x</b>", deal=deal.pk)
        self.sign_in(self.bob)

        page = self.page(change_url(deal))

        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;alert(1)" in page


class ListTests(StaffTestCase):
    def test_the_filter_of_the_state_finds_what_it_says(self):
        self.sign_in(self.bob)
        deal, today = self.deal(), timezone.now().date()
        for subject, due_on in (
            ("late", today - DAY),
            ("today", today),
            ("later", today + DAY),
            ("never", None),
        ):
            self.activity(subject=subject, deal=deal.pk, due_on=due_on)
        self.activity(subject="done", deal=deal.pk, done_at=timezone.now())
        for state, expected in (
            ("open", {"late", "today", "later", "never"}),
            ("late", {"late", "today"}),
            ("overdue", {"late"}),
            ("today", {"today"}),
            ("planned", {"later"}),
            ("undated", {"never"}),
            ("done", {"done"}),
        ):
            listed = self.client.get(f"{list_url(Activity)}?state={state}").context["cl"].result_list
            assert {row.subject for row in listed} == expected, state

    def test_the_list_of_deals_without_a_next_step(self):
        self.sign_in(self.bob)
        planned, empty = self.deal(), self.deal()
        self.activity(deal=planned.pk, due_on=timezone.now().date() - DAY)

        for state, expected in (("none", {empty}), ("overdue", {planned}), ("today", set())):
            listed = self.client.get(f"{list_url(Deal)}?next_step={state}").context["cl"].result_list
            assert {row.pk for row in listed} == {row.pk for row in expected}
