"""Lists of the admin: views as tabs, active filters, totals, acts on all that match, exports of chosen rows."""

import csv
import datetime
import html
import re
from collections import defaultdict
from decimal import Decimal
from urllib.parse import parse_qs, urlencode, urlsplit

from django.utils import timezone

from crm_project.goals.services import create_goal
from crm_project.records.kinds import kinds
from crm_project.staff.filters import ChosenFilter
from deals import money
from deals.models import Deal
from deals.services import update_deals
from tests.factories import CompanyFactory
from tests.staff.base import StaffTestCase, action_url, list_url

LIST = list_url(Deal)
TOTAL = re.compile(r"<div><dt>([^<]+)</dt><dd>(.*?)</dd></div>", re.S)
TAGS = re.compile(r"<[^>]+>")


class ListTestCase(StaffTestCase):
    def listed(self, **query):
        response = self.client.get(LIST, query)
        assert response.status_code == 200
        return response.context["cl"]

    def names(self, **query):
        return sorted(deal.name for deal in self.listed(**query).result_list)


class TabTests(ListTestCase):
    def test_the_tabs_are_my_open_all_open_closing_this_month_and_all(self):
        today = timezone.localdate()
        self.deal(name="Mine", owner=self.bob.member.pk, expected_close_date=today)
        self.deal(name="Hers", owner=self.alice.member.pk)
        self.deal(name="Won", owner=self.bob.member.pk, status="won")

        tabs = {tab["label"]: tab for tab in self.listed().tabs}
        found = {label: self.names(**tab["query"]) for label, tab in tabs.items()}

        assert found == {
            "My open": ["Mine"],
            "All open": ["Hers", "Mine"],
            "Closing this month": ["Mine"],
            "All": ["Hers", "Mine", "Won"],
        }

    def test_the_tab_of_the_address_is_the_current_one(self):
        tabs = self.listed(status="open").tabs

        assert [tab["label"] for tab in tabs if tab["is_current"]] == ["All open"]


class ChipTests(ListTestCase):
    def test_each_active_filter_has_a_link_that_removes_it_alone(self):
        chips = self.listed(status="open", amount_from="10", amount_to="20", q="roof").chips

        assert [(chip["title"], chip["value"]) for chip in chips] == [
            ("Status", "Open"),
            ("Amount", "10 – 20"),
            ("Search", "roof"),
        ]
        assert parse_qs(chips[1]["url"][1:]) == {"status": ["open"], "q": ["roof"]}

    def test_a_chip_shows_text_of_the_address_as_text(self):
        page = self.page(f"{LIST}?q=<script>")

        assert "<script>:" not in page
        assert "Search: &lt;script&gt;" in page


class TotalTests(ListTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        for number in range(24):
            cls.deal(
                cls,
                cls.alice if number % 3 else cls.bob,
                name=f"Deal {number}",
                amount=None if number % 7 == 0 else Decimal(number) * 10 + Decimal("0.25"),
                currency=("EUR", "USD", "EUR")[number % 3],
                is_private=number % 4 == 0,
                **_place(cls, number),
            )

    def shown(self, **query):
        page = html.unescape(self.client.get(LIST, query).content.decode())
        part = page.partition('id="list-totals"')[2].partition("</dl>")[0]
        return {label: TAGS.sub("", text).strip() for label, text in TOTAL.findall(part)}

    def expected(self, actor, chosen):
        """The figures by adding up what the member may see, deal by deal."""
        count, sums, weighted = 0, defaultdict(Decimal), defaultdict(Decimal)
        for deal in Deal.objects.visible_to(actor.member).select_related("stage"):
            if chosen(deal):
                count += 1
                amount = deal.amount or Decimal(0)
                sums[deal.currency] += amount
                weighted[deal.currency] += amount * deal.effective_probability / 100
        found = {"Deals": str(count)}
        for currency in sums:
            total = _number(sums[currency])
            found[currency] = (
                f"{total} {_number(Decimal(money.rounded(weighted[currency], currency)))} weighted"
            )
        return found

    def test_they_are_what_each_role_may_see_added_up(self):
        filters = {
            "status=open": lambda deal: deal.status == "open",
            "amount_from=100": lambda deal: deal.amount is not None and deal.amount >= 100,
            f"stage={self.offer.pk}": lambda deal: deal.stage_id == self.offer.pk,
            "q=deal 1": lambda deal: "1" in deal.name,
        }
        for who in (self.alice, self.manager, self.bob, self.viewer, self.charlie):
            self.sign_in(who)
            for query, chosen in filters.items():
                given = {name: values[0] for name, values in parse_qs(query).items()}
                # A stage of another organization is no choice: the list is empty, and says why.
                is_refused = who is self.charlie and "stage" in given
                wanted = {} if is_refused else self.expected(who, chosen)
                assert self.shown(**given) == wanted, (who, query)

    def test_a_list_of_all_deals_is_not_added_up(self):
        assert self.shown() == {}


class SortTests(ListTestCase):
    def test_each_column_with_a_value_of_its_own_sorts(self):
        self.deal(name="Roof")

        page = self.page(LIST)

        for column in ("deal", "amount", "status", "expected close", "in stage"):
            assert f'title="Sort by {column}"' in page, column

    def test_pages_sorted_by_name_follow_each_other(self):
        for number in range(60):
            self.deal(name=f"Deal {number:02}")

        first = self.listed(o="1")
        following = self.client.get(f"{LIST}{first.next_page}").context["cl"]

        names = [deal.name for deal in (*first.result_list, *following.result_list)]
        assert names == [f"Deal {number:02}" for number in range(60)]


class ActTests(ListTestCase):
    def act(self, name, chosen=(), across=False, **query):
        data = {"action": name, "select_across": "1" if across else "0", "_selected_action": chosen}
        return self.client.post(f"{LIST}?{urlencode(query)}", data)

    def test_an_act_on_all_that_match_is_on_every_page_of_the_list(self):
        deals = [self.deal(name=f"Deal {number:02}") for number in range(60)]
        other = self.deal(name="Other")

        url = self.act("action_win", [deals[0].pk], across=True, q="deal")["location"]
        page = self.client.get(url).content.decode()
        sent = {"chosen": re.search(r'name="chosen" value="([^"]+)"', page)[1]}
        done = self.client.post(url, sent, follow=True).content.decode()

        assert "This changes <strong>60 deals</strong>" in page
        assert "60 deals: won." in done
        assert set(Deal.objects.filter(status="won")) == set(deals)
        other.refresh_from_db()
        assert other.status == "open"

    def test_it_is_on_the_rows_that_its_page_has_counted(self):
        self.deal(name="Deal 1")
        url = self.act("action_win", [1], across=True, q="deal")["location"]
        page = self.client.get(url).content.decode()
        later = self.deal(name="Deal 2")
        self.client.post(url, {"chosen": re.search(r'name="chosen" value="([^"]+)"', page)[1]})

        later.refresh_from_db()
        assert later.status == "open"

    def test_an_outsider_reaches_no_row_by_naming_it(self):
        deal = self.deal(name="Deal")
        self.sign_in(self.charlie)

        self.client.post("/admin/deals/deal/action/win/?ids=0", {"chosen": f"{deal.pk}:1"})

        deal.refresh_from_db()
        assert deal.status == "open"

    def test_a_row_of_any_kind_that_was_changed_since_the_page_was_opened_is_not_moved_to_the_trash(self):
        self.sign_in(self.manager)
        goal = create_goal(
            actor=self.manager, change={"month": datetime.date(2026, 1, 1), "amount": Decimal(2)}
        )
        activity = self.activity(deal=self.deal().pk)
        for row in (goal, activity):
            url = action_url("trash", row)
            sent = {"chosen": re.search(r'name="chosen" value="([^"]+)"', self.page(url))[1]}
            later = {"amount": Decimal(3)} if row is goal else {"subject": "Later"}
            kinds[row.row_kind].services.update(actor=self.manager, changes=[(row, later)])

            assert self.client.post(url, sent).status_code == 200, row
            row.refresh_from_db()
            assert row.deleted_at is None
            sent = {"chosen": re.search(r'name="chosen" value="([^"]+)"', self.page(url))[1]}
            assert self.client.post(url, sent).status_code == 302, row

    def test_a_deal_that_was_changed_since_the_page_was_opened_is_not_changed_again(self):
        deal = self.deal(name="Roof")
        url = f"/admin/deals/deal/action/move/?ids={deal.pk}"
        page = self.page(url)
        update_deals(actor=self.alice, changes=[(deal, {"stage": self.offer.pk})])

        sent = {"chosen": re.search(r'name="chosen" value="([^"]+)"', page)[1], "stage": self.new.pk}
        refused = self.client.post(url, sent).content.decode()

        assert "has changed since you read it" in refused
        deal.refresh_from_db()
        assert deal.stage_id == self.offer.pk

    def test_chosen_rows_are_exported_alone(self):
        one, two = self.deal(name="One"), self.deal(name="Two")
        self.deal(name="Three")

        url = self.act("export_deals", [one.pk, two.pk])["location"]
        rows = b"".join(self.client.get(url)).decode("utf-8-sig").splitlines()

        assert sorted(row["Name"] for row in csv.DictReader(rows)) == ["One", "Two"]
        assert parse_qs(urlsplit(url).query) == {ChosenFilter.parameter: [f"{one.pk},{two.pk}"]}

    def test_all_that_match_are_exported_by_the_query_of_the_list(self):
        self.deal(name="One", amount=5)
        self.deal(name="Two", amount=50)

        url = self.act("export_deals", [1], across=True, amount_from="10")["location"]
        rows = b"".join(self.client.get(url)).decode("utf-8-sig").splitlines()

        assert [row["Name"] for row in csv.DictReader(rows)] == ["Two"]


class SizeTests(ListTestCase):
    def test_a_page_of_fifty_deals_is_small(self):
        company = CompanyFactory(actor=self.alice, name="A company with quite a long name")
        for number in range(55):
            self.deal(
                name=f"A deal with a name of usual length {number}",
                client=company.pk,
                amount="12345.67",
                expected_close_date=datetime.date(2027, 1, 1),
            )

        size = len(self.client.get(LIST, {"status": "open"}).content)

        print(f"list of 50 deals: {size:,} bytes")
        assert size <= 120_000

    def test_the_customer_is_a_link(self):
        company = CompanyFactory(actor=self.alice, name="Acme")
        self.deal(name="Roof", client=company.pk)

        assert f'href="/admin/contacts/contact/{company.pk}/change/">Acme</a>' in self.page(LIST)


def _place(world, number):
    """The stage of an open deal and perhaps a probability of its own, or a won deal."""
    if number % 11 == 0:
        return {"status": "won"}
    own = {"probability": number} if number % 5 == 0 else {}
    return {"stage": (world.new, world.offer)[number % 2].pk, **own}


def _number(amount):
    return f"{amount:,.0f}" if amount == amount.to_integral_value() else f"{amount:,.2f}"
