"""Goals in the admin: the list with its figures, each of them that of the list that its link opens, and the form."""

import datetime
import html
import re
from decimal import Decimal

import pytest

from crm_project.goals.models import Goal
from tests.goals.base import MONTHS, counted, goal, in_tokyo, random_deals
from tests.staff.base import StaffTestCase, add_url, change_url, list_url

pytestmark = pytest.mark.once

LIST = list_url(Goal)
LINK = re.compile(r'<a class="crm-link" href="(/admin/deals/deal/\?[^"]*)">([^<]*)</a>')
TAGS = re.compile(r"<[^>]+>")


class ListTests(StaffTestCase):
    def cells(self, page):
        """Of each row the texts of its cells."""
        rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page.split("<tbody")[1], re.S)
        cells = [
            re.findall(r'<t[hd][^>]*class="[^"]*field-[^"]*"[^>]*>(.*?)</t[hd]>', row, re.S) for row in rows
        ]
        return [[" ".join(TAGS.sub(" ", cell).split()) for cell in row] for row in cells if row]

    def test_it_shows_month_member_amount_and_what_is_attained(self):
        goal(self.alice, "2024-02-01", "50000")
        goal(self.alice, "2024-01-01", "800", self.bob.member.pk)
        goal(self.alice, "2024-01-01", "800", self.manager.member.pk)
        at = datetime.datetime(2024, 1, 5, tzinfo=datetime.UTC)
        self.deal(status="won", closed_at=at, amount="100.50", owner=self.bob.member.pk)

        assert self.cells(self.page(LIST)) == [
            ["Feb 2024", "Whole organization", "50,000 EUR", "0 EUR", "0%", "0"],
            ["Jan 2024", "Bob", "800 EUR", "100.50 EUR", "12.6%", "1"],
        ]
        assert "Add goal" not in self.page(LIST)

    def test_every_number_of_deals_is_that_of_the_list_that_its_link_opens(self):
        in_tokyo(self)
        random_deals(self)
        for month in MONTHS:
            for member in (None, self.alice.member.pk, self.bob.member.pk):
                goal(self.alice, month.isoformat(), member=member)
        for reader in (self.alice, self.bob):
            self.sign_in(reader)
            links = LINK.findall(self.page(LIST))
            expected = [
                len(counted(reader, one.month, one.member_id))
                for one in Goal.objects.visible_to(reader.member).order_by("-month", "-id")
            ]
            assert [int(text) for _, text in links] == [number for number in expected if number]
            for url, text in links:
                listed = self.client.get(html.unescape(url)).context["cl"].result_list
                assert len(listed) == int(text), url

    def test_the_filters(self):
        for month in MONTHS:
            for member in (None, self.bob.member.pk):
                goal(self.alice, month.isoformat(), member=member)

        assert len(self.cells(self.page(f"{LIST}?month_from=2024-02-01&member=none"))) == 2
        assert len(self.cells(self.page(f"{LIST}?member={self.bob.member.pk}"))) == 3


class FormTests(StaffTestCase):
    def setUp(self):
        self.sign_in(self.manager)

    def test_any_day_of_the_month_may_be_typed(self):
        given = {"month": "2024-02-17", "amount": "1,250.50", "member": self.bob.member.pk}
        self.save(add_url(Goal), **given)

        row = Goal.objects.get()
        assert (row.month, row.amount, row.member) == (
            datetime.date(2024, 2, 1),
            Decimal("1250.50"),
            self.bob.member,
        )
        assert self.form(change_url(row))["amount"] == "1250.50"
        self.save(change_url(row), member="")
        assert Goal.objects.get().member is None

    def test_a_refusal_stands_at_its_field(self):
        goal(self.manager, "2024-02-01")
        answer = self.save(add_url(Goal), month="2024-02-17", amount="1")

        self.assertContains(answer, "There is a goal of this month already.")
        self.assertContains(self.save(add_url(Goal), month="2024-03-01", amount="0"), "Must be above 0.")
        assert Goal.objects.count() == 1

    def test_the_page_of_a_goal_leads_to_its_deals(self):
        one = goal(self.manager, "2024-01-01", "800")
        at = datetime.datetime(2024, 1, 5, tzinfo=datetime.UTC)
        won = self.deal(status="won", closed_at=at, amount="100", currency="USD")

        page = self.page(change_url(one))
        [(url, text)] = LINK.findall(page)
        assert text == "1"
        listed = self.client.get(html.unescape(url)).context["cl"].result_list
        assert [row.pk for row in listed] == [won.pk]
        assert "(1 without a rate)" in page

    def test_a_member_has_the_page_of_the_own_goal_without_a_form_and_no_other(self):
        own, other = (goal(self.manager, member=actor.member.pk) for actor in (self.bob, self.manager))
        self.sign_in(self.bob)

        assert ">Save<" not in self.page(change_url(own))
        assert self.client.get(change_url(other)).status_code == 302
        assert self.client.get(add_url(Goal)).status_code == 403
