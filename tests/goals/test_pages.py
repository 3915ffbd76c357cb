"""Goals on the home page and in the forecast of the reports: each number is that of the list that its link opens."""

import datetime
import html
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm_project.goals.models import Goal
from crm_project.staff import display
from crm_project.staff.request_actor import today
from tests.goals.base import MONTHS, counted, figures, goal, in_tokyo, random_deals
from tests.staff.base import StaffTestCase

pytestmark = pytest.mark.once

HOME = "/admin/"
REPORTS = "/admin/deals/deal/reports/"
CARD = re.compile(r'<a class="crm-card crm-goal" href="([^"]*)">(.*?)</a>', re.S)
VALUE = re.compile(r'<progress max="100" value="([^"]*)"')
TAGS = re.compile(r"<[^>]+>")


class HomeTests(StaffTestCase):
    def cards(self):
        """The address, the texts and the value of the bar of each."""
        return [
            (html.unescape(url), html.unescape(" ".join(TAGS.sub(" ", text).split())), VALUE.findall(text))
            for url, text in CARD.findall(self.page(HOME))
        ]

    def goals_of_this_month(self, amount="800"):
        month = today(self.bob).replace(day=1)
        for actor in (None, self.bob, self.manager):
            goal(self.alice, month.isoformat(), amount, actor and actor.member.pk)
        goal(self.alice, (month - datetime.timedelta(days=1)).replace(day=1).isoformat())
        goal(self.charlie, month.isoformat())
        return month

    def test_the_member_s_own_goal_of_this_month_and_the_organization_s(self):
        self.goals_of_this_month()
        self.deal(status="won", amount=100, owner=self.bob.member.pk)
        self.deal(status="won", amount="900.50", owner=self.alice.member.pk)
        self.deal(status="won", amount=1, currency="USD", owner=self.alice.member.pk)

        (_, own, own_value), (_, of_all, value) = self.cards()
        assert own == "Your goal of this month 100 EUR of 800 EUR 12.5% · 1 won deal"
        assert own_value == ["12.5"]
        assert of_all == (
            "The organization's goal of this month 1,000.50 EUR of 800 EUR 125.1% · 3 won deals"
            " · 1 without a rate"
        )
        assert value == ["100"]

    def test_a_page_without_goals_has_no_cards(self):
        assert self.cards() == []

    def test_each_card_is_of_the_list_that_its_link_opens(self):
        in_tokyo(self)
        month = self.goals_of_this_month()
        first = datetime.datetime.combine(month, datetime.time(), datetime.UTC)
        for hours in (-24, -10, -8, 0, 1, 24):
            closed = min(first + datetime.timedelta(hours=hours), timezone.now())
            for owner in (None, self.bob.member.pk):
                self.deal(status="won", amount=10, owner=owner, closed_at=closed)
        self.deal(self.alice, status="won", amount=10, is_private=True)

        seen = set()
        for reader in (self.bob, self.alice, self.viewer):
            self.sign_in(reader)
            for url, text, _ in self.cards():
                listed = self.client.get(url).context["cl"].result_list
                assert re.search(rf" {len(listed)} won deals?", text), (text, len(listed))
                amount = sum((deal.amount_base for deal in listed), Decimal(0))
                assert f" {display.number(amount)} EUR of " in text
                seen.add(len(listed))
        assert len(seen) > 2

    def test_the_number_of_queries_does_not_depend_on_the_number_of_deals(self):
        self.goals_of_this_month()
        # Reads the stages, which are kept until one is written.
        self.page(HOME)
        found = []
        for _ in range(2):
            with CaptureQueriesContext(connection) as caught:
                self.page(HOME)
            found.append(len(caught))
            for _ in range(3):
                self.deal(status="won", amount=10, owner=self.bob.member.pk)

        assert found[0] == found[1]


class ForecastTests(StaffTestCase):
    def forecast(self, query):
        response = self.client.get(f"{REPORTS}?{query}")
        return next(section for section in response.context["sections"] if section.name == "forecast")

    def test_the_organization_s_goal_of_each_month_and_what_is_attained(self):
        in_tokyo(self)
        random_deals(self)
        for month in MONTHS[:2]:
            goal(self.alice, month.isoformat(), "1234.50")
            goal(self.alice, month.isoformat(), "77", self.bob.member.pk)

        for reader in (self.alice, self.bob):
            self.sign_in(reader)
            section = self.forecast("since=2024-01-01&until=2024-03-31")
            assert list(section.headers[-2:]) == ["Goal", "Attained"]
            for row, month in zip(section.rows, MONTHS, strict=True):
                assert row[1].plain == len(counted(reader, month))
                goals = Goal.objects.filter(month=month, member=None)
                expected = [(one.amount, figures(reader, one)[1]) for one in goals] or [(None, None)]
                assert [(row[-2].plain, row[-1].plain)] == [
                    (amount, percent and float(percent) / 100) for amount, percent in expected
                ]
                if goals:
                    assert (row[-2].text, row[-1].text) == ("1,234.50", f"{expected[0][1]:g}%")

    def test_the_goals_of_a_member_for_those_who_may_see_them(self):
        random_deals(self)
        for month in MONTHS:
            goal(self.alice, month.isoformat(), "77", self.bob.member.pk)
            goal(self.alice, month.isoformat(), "88", self.manager.member.pk)
        own, hers = (
            f"since=2024-01-01&until=2024-03-31&owner={actor.member.pk}" for actor in (self.bob, self.manager)
        )
        for reader, query, member in (
            (self.manager, own, self.bob),
            (self.bob, own, self.bob),
            (self.alice, hers, self.manager),
        ):
            self.sign_in(reader)
            for row, month in zip(self.forecast(query).rows, MONTHS, strict=True):
                one = Goal.objects.get(month=month, member=member.member)
                assert row[-2].plain == one.amount
                assert row[-1].plain == float(figures(reader, one)[1]) / 100
                assert row[1].plain == figures(reader, one)[2]

        self.sign_in(self.bob)
        assert "Goal" not in self.forecast(hers).headers

    def test_a_part_of_a_month_shows_what_is_attained_in_all_of_it(self):
        goal(self.alice, "2024-01-01", "100")
        closed = datetime.datetime(2024, 1, 5, 12, tzinfo=datetime.UTC)
        self.deal(status="won", amount=50, closed_at=closed)

        section = self.forecast("since=2024-01-10&until=2024-01-31")
        assert section.rows[0][-1].text == "50%"

    def test_there_are_no_columns_without_goals_or_for_one_pipeline(self):
        assert "Goal" not in self.forecast("since=2024-01-01&until=2024-03-31").headers

        goal(self.alice)
        query = f"since=2024-01-01&until=2024-03-31&pipeline={self.pipeline.pk}"
        assert "Goal" not in self.forecast(query).headers
        text = self.client.get(f"{REPORTS}forecast.csv?since=2024-01-01&until=2024-03-31").content.decode()
        assert text.splitlines()[0].endswith("Weighted,Goal,Attained")
