"""The figures of the home page and of panels: each is that of the list which its link opens."""

import datetime
import html
import random
import re
from decimal import Decimal

from django.db.models import Q
from django.utils import timezone

from contacts.models import Contact
from crm_project.currencies import CURRENCY_DECIMALS
from crm_project.rates.services import create_exchange_rate
from crm_project.staff import display
from deals.admin.work import work_lists
from deals.models import Deal
from deals.services import create_deals, trash_deals, update_deals
from pipelines.services import update_stage
from tests.factories import CompanyFactory
from tests.staff.base import StaffTestCase, change_url, list_url

CARD = re.compile(r'<a class="crm-card" href="([^"]*)">(.*?)</a>', re.DOTALL)
LIST = re.compile(r'<section class="crm-box">\s*<header>(.*?)</header>(.*?)</section>', re.DOTALL)
NAME = re.compile(r'<strong><a class="crm-link" href="[^"]*">(.*?)</a></strong>')


class HomeTests(StaffTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        chance = random.Random(11)
        today = timezone.now().date()
        stages = [*cls.pipeline.stages.in_order(), *cls.renewals.stages.in_order()]
        members = [actor.member.pk for actor in (cls.alice, cls.manager, cls.bob)]
        for actor in (cls.alice, cls.bob):
            changes = [
                {
                    "name": f"Deal {number} of {actor.member}",
                    "amount": chance.choice([None, Decimal(7), Decimal("12.50"), Decimal(999_999)]),
                    "currency": "EUR",
                    "stage": chance.choice(stages).pk,
                    "owner": chance.choice([None, *members]),
                    "is_private": chance.random() < 0.3,
                    "expected_close_date": chance.choice(
                        [None, *(today + datetime.timedelta(days=days) for days in (-40, -1, 0, 1, 40))]
                    ),
                }
                for number in range(25)
            ]
            for change in changes[::4]:
                change |= {"currency": "JPY", "amount": change["amount"] and Decimal(500)}
            deals = create_deals(actor=actor, changes=changes)
            trash_deals(actor=actor, rows=deals[:3])
        create_deals(actor=cls.charlie, changes=[{"name": "Theirs", "amount": Decimal(5)}])
        for stage, limit in ((cls.new, 20), (cls.offer, 300)):
            update_stage(actor=cls.alice, stage=stage, change={"stale_after_days": limit})
        for deal in Deal.objects.all():
            days = datetime.timedelta(days=chance.choice([0, 29, 31, 400]))
            until = chance.choice(
                [None, None, *(today + datetime.timedelta(days=days) for days in (-1, 0, 9))]
            )
            until = until if deal.status == "open" else None
            Deal.objects.filter(pk=deal.pk).update(
                stage_entered_at=timezone.now() - days,
                paused_until=until,
                pause_reason="Budget" if until else "",
            )

    def rows(self, url):
        """All rows of a list, page by page."""
        response = self.client.get(url)
        changelist = response.context["cl"]
        following = changelist.next_page
        return [*changelist.result_list, *(self.rows(f"{list_url(Deal)}{following}") if following else [])]

    def sums(self, deals):
        by_currency = {}
        for deal in deals:
            by_currency.setdefault(deal.currency, []).append(deal.amount or Decimal(0))
        return {
            str(display.money(sum(amounts), currency, CURRENCY_DECIMALS[currency]))
            for currency, amounts in by_currency.items()
            if sum(amounts)
        }

    def test_each_figure_is_that_of_the_list_behind_it(self):
        figures = {}
        for who in (self.alice, self.manager, self.bob, self.viewer):
            for whose in ("mine", "all"):
                self.sign_in(who)
                page = self.page(f"/admin/?whose={whose}")
                figures[who.member.role, whose] = [*self.check_cards(page), *self.check_lists(page)]

        assert all(len(one) == 7 for one in figures.values())
        assert len({tuple(one) for one in figures.values()}) > 4, "the people see different deals"
        assert figures["viewer", "mine"] == [0] * 7

    def check_cards(self, page):
        for url, card in CARD.findall(page):
            deals = self.rows(html.unescape(url))
            count = int(re.search(r"([\d,]+) open deal", card)[1].replace(",", ""))
            sums = set(re.findall(r'<span class="crm-money">.*?</span></span>', card))
            assert (count, sums) == (len(deals), self.sums(deals)), card
            yield count

    def check_lists(self, page):
        for header, body in LIST.findall(page):
            shown, count = re.search(r'crm-count">(?:(\d+) of )?([\d,]+)<', header).groups()
            count = int(count.replace(",", ""))
            link = re.search(r'href="([^"]*)"', header)
            deals = self.rows(html.unescape(link[1])) if link else []
            assert count == len(deals), header
            assert len(NAME.findall(body)) == min(count, 8)
            assert shown == ("8" if count > 8 else None)
            assert {*map(html.unescape, NAME.findall(body))} <= {*map(str, deals)}
            assert len(re.findall(r'<div class="crm-why[^>]*><p>[^<]+</p>', body)) == min(count, 8)
            self.check_value(header, deals)
            yield count

    def check_value(self, header, deals):
        """The sum of the list in the organization's currency, and the number of its deals without a rate."""
        value = re.search(
            r'<span class="crm-value">(.*?)</span></span>(?: <small>(\d+) without a rate</small>)?', header
        )
        assert bool(value) is ("Closing this month" in header)
        if value:
            base = sum((deal.amount_base or Decimal(0) for deal in deals), Decimal(0))
            lacking = sum(deal.amount is not None and deal.amount_base is None for deal in deals)
            assert value[1] + "</span></span>" == str(display.money(round(base, 2), "EUR")), header
            assert int(value[2] or 0) == lacking

    def test_the_lists_are_the_same_whoever_counts_them(self):
        """Without the admin's filters."""
        self.sign_in(self.bob)
        rows = Deal.objects.visible_to(self.bob.member)
        own = [deal for deal in rows if deal.status == "open" and deal.owner_id == self.bob.member.pk]
        self.activity(deal=next(deal.pk for deal in own if deal.paused_until is None))

        for who in (self.alice, self.manager, self.bob, self.viewer):
            self.sign_in(who)
            for whose in ("mine", "all"):
                counts = [*self.check_lists(self.page(f"/admin/?whose={whose}"))]
                assert counts == self.computed(who, whose), (who, whose)

    def computed(self, who, whose):
        """The numbers of deals in the five lists, row by row."""
        now, today = timezone.now(), timezone.now().date()
        next_month = (today.replace(day=1) + datetime.timedelta(days=32)).replace(day=1)
        deals = [
            deal
            for deal in Deal.objects.visible_to(who.member).select_related("stage")
            if deal.status == "open" and (whose == "all" or deal.owner_id == who.member.pk)
        ]
        awake = [deal for deal in deals if deal.paused_until is None or deal.paused_until < today]
        dated = [deal for deal in deals if deal.expected_close_date]
        return [
            sum(deal.next_activity is None for deal in awake),
            sum(deal in awake and deal.expected_close_date < today for deal in dated),
            sum(today <= deal.expected_close_date < next_month for deal in dated),
            sum((now - deal.stage_entered_at).days >= (deal.stage.stale_after_days or 30) for deal in awake),
            len(deals),
        ]


class ReasonTests(StaffTestCase):
    def setUp(self):
        super().setUp()
        self.today = timezone.now().date()

    def reasons(self):
        page = self.page("/admin/?whose=all")
        found = {}
        for header, body in LIST.findall(page):
            title = re.search(r"<h2>(.*?)</h2>", header)[1]
            found[title] = re.findall(r'<div class="crm-why[^>]*><p>([^<]+)</p>', body)
        return found

    def test_each_row_says_why_it_is_there(self):
        update_stage(actor=self.alice, stage=self.new, change={"stale_after_days": 7})
        deal = self.deal(name="Roof", stage=self.new.pk, expected_close_date=self.today)
        old = timezone.now() - datetime.timedelta(days=42, hours=1)
        Deal.objects.filter(pk=deal.pk).update(stage_entered_at=old)

        assert self.reasons() == {
            "Without a next step": ["No next step"],
            "Close date passed": [],
            "Closing this month": ["Closes today"],
            "Too long in one stage": [f"42 days in {self.new.name}, limit 7"],
            "Newest open deals": ["Added today"],
        }
        days = datetime.timedelta(days=3)
        Deal.objects.update(expected_close_date=self.today - days, created_at=timezone.now() - days)
        assert self.reasons()["Close date passed"] == ["Close date 3 days ago"]
        assert self.reasons()["Newest open deals"] == ["Added 3 days ago"]

    def test_a_day_of_this_month_is_named(self):
        today = datetime.date(2026, 11, 3)
        closing = next(one for one in work_lists(today, Q()) if one.name == "this_month")
        deal = Deal(expected_close_date=datetime.date(2026, 11, 28))

        assert closing.reason(deal, (today, timezone.now())) == "Closes on 28 Nov"

    def test_the_value_of_this_month_is_in_one_currency(self):
        change = {"currency": "USD", "rate": Decimal("0.5"), "date": datetime.date(2026, 1, 1)}
        create_exchange_rate(actor=self.manager, change=change)
        for amount, currency in ((1, "EUR"), (10, "USD"), (500, "JPY"), (None, "JPY")):
            self.deal(amount=amount, currency=currency, expected_close_date=self.today)
        self.deal(amount=50, expected_close_date=self.today, status="won")
        self.deal(self.alice, amount=70, expected_close_date=self.today, is_private=True)

        page = self.page("/admin/?whose=all")

        value = re.search(r'<span class="crm-value">(.*?)</span></span> <small>(.*?)</small>', page)
        assert re.sub(r"<[^>]*>", "", value[1]) == "6 EUR"
        assert value[2] == "1 without a rate"

    def test_a_paused_deal_is_quiet(self):
        deal = self.deal(name="Roof", expected_close_date=self.today - datetime.timedelta(days=40))
        old = timezone.now() - datetime.timedelta(days=42)
        Deal.objects.filter(pk=deal.pk).update(stage_entered_at=old)
        quiet = ("Without a next step", "Close date passed", "Too long in one stage")
        assert all(self.reasons()[title] for title in quiet)

        update_deals(actor=self.bob, changes=[(deal, {"paused_until": self.today, "pause_reason": "Budget"})])

        assert not any(self.reasons()[title] for title in quiet)
        Deal.objects.update(paused_until=self.today - datetime.timedelta(days=1))
        assert all(self.reasons()[title] for title in quiet)


class RowTests(StaffTestCase):
    """What can be done with a deal in a list of the home page."""

    def row(self, deal):
        """The links of the first row of the deal, by their names."""
        rows = re.findall(r'<p class="crm-row-acts">(.*?)</p>', self.page("/admin/?whose=all"), re.DOTALL)
        links = [
            dict(map(reversed, re.findall(r'href="([^"]*)".*?aria-label="([^"]*)"', row))) for row in rows
        ]
        return next((row for row in links if any(name.endswith(str(deal)) for name in row)), {})

    def test_a_deal_is_planned_moved_called_and_mailed_about(self):
        person = self.person(
            first_name="Sophie", last_name="Martin", phone="+33 1 23", email="sophie@example.com"
        )
        deal = self.deal(name="Roof", contact=person.pk)

        links = self.row(deal)

        assert links["Plan the next step of Roof"] == f"{change_url(deal)}#timeline"
        assert links["Call Sophie Martin about Roof"] == "tel:+33 1 23"
        assert links["Mail Sophie Martin about Roof"] == "mailto:sophie@example.com"
        move = html.unescape(links["Move Roof"])
        answer = self.client.post(move, {"stage": self.offer.pk})
        assert (answer.status_code, answer["Location"]) == (302, "/admin/?whose=all")
        deal.refresh_from_db()
        assert deal.stage == self.offer

    def test_without_a_contact_its_company_is_called(self):
        company = CompanyFactory(actor=self.bob, name="Roofers", email="", phone="", mobile="0151 7")
        deal = self.deal(name="Roof", client=company.pk)

        assert [*self.row(deal)] == ["Plan the next step of Roof", "Move Roof", "Call Roofers about Roof"]

    def test_nobody_in_the_trash_is_called(self):
        person = self.person(phone="0151 7", email="x@example.com")
        deal = self.deal(name="Roof", contact=person.pk)
        Contact.objects.filter(pk=person.pk).update(deleted_at=timezone.now())

        assert [*self.row(deal)] == ["Plan the next step of Roof", "Move Roof"]

    def test_a_viewer_calls_and_mails_only(self):
        person = self.person(first_name="Sophie", last_name="Martin", phone="0151 7", email="")
        deal = self.deal(name="Roof", contact=person.pk)
        self.deal(name="Floor")
        self.sign_in(self.viewer)

        assert [*self.row(deal)] == ["Call Sophie Martin about Roof"]

    def test_names_and_numbers_are_escaped(self):
        person = self.person(first_name='"><script>', phone='"onclick="x', email="")
        self.deal(name='Roof"><script>', contact=person.pk)

        page = self.page("/admin/?whose=all")

        assert "<script>&quot;" not in page
        assert '"><script>' not in page.replace("&quot;", "'")
        assert "tel:&quot;onclick=&quot;x" in page


class PanelTests(StaffTestCase):
    def panel(self, contact, title):
        panels = self.client.get(change_url(contact)).context["panels"]
        return next(panel for panel in panels if panel.title == title)

    def test_the_deals_of_a_company_and_its_people(self):
        company = CompanyFactory(actor=self.bob)
        person = self.person(company=company.pk)
        other = self.person()
        parts = (
            {"client": company.pk},
            {"contact": person.pk},
            {"members": [person.pk]},
            {"members": [company.pk]},
        )
        deals = [self.deal(**parts[number % 4]) for number in range(20)]
        self.deal(contact=other.pk)
        self.deal(self.alice, client=company.pk, is_private=True, owner=self.alice.member.pk)
        trash_deals(actor=self.bob, rows=[self.deal(client=company.pk)])
        assert self.panel(company, "Deals").more_url == ""
        deals.append(self.deal(client=company.pk))

        panel = self.panel(company, "Deals")

        assert "Show all" in self.page(change_url(company))
        listed = self.client.get(panel.more_url).context["cl"].result_list
        assert {deal.pk for deal in listed} == {deal.pk for deal in deals}
        assert [str(display.link(deal)) for deal in listed[:20]] == [str(row[0]) for row in panel.rows]
        assert str(company) in self.page(panel.more_url), "the filter names the company"
        assert self.client.get(f"{list_url(Deal)}?with={other.pk}").context["cl"].result_count == 1

    def test_the_people_of_a_company(self):
        company = CompanyFactory(actor=self.bob)
        for number in range(51):
            self.person(company=company.pk, first_name=f"P{number}")
        self.person()

        panel = self.panel(company, "People")

        assert len(panel.rows) == 50
        response = self.client.get(panel.more_url)
        assert len([*response.context["cl"].result_list]) == 50
        assert response.context["cl"].next_page
        assert {person.company_id for person in response.context["cl"].result_list} == {company.pk}

    def test_the_filter_by_a_hidden_or_unknown_contact_shows_nothing(self):
        theirs = self.person(self.charlie)
        self.deal(self.charlie, contact=theirs.pk)
        self.deal()

        for model, parameter in ((Deal, "with"), (Contact, "company")):
            for value in (theirs.pk, 10**9, "x", "-1"):
                changelist = self.client.get(f"{list_url(model)}?{parameter}={value}").context["cl"]
                assert changelist.result_count == 0, value
                assert changelist.filter_errors
