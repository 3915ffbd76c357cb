"""Exchange rates, and the amounts of deals in the organization's currency that follow from them."""

import datetime
import random
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from django.test import TestCase

from crm_project.accounts.services import update_organization
from crm_project.journal.models import Event
from crm_project.journal.undo import undo
from crm_project.rates.models import ExchangeRate
from crm_project.rates.reading import read_csv, read_ecb
from crm_project.rates.services import (
    create_exchange_rate,
    restore_exchange_rate,
    set_exchange_rates,
    trash_exchange_rate,
    update_exchange_rate,
)
from deals.models import Deal
from deals.services import trash_deals, update_deals
from tests.api.client import ApiTestCase, problem
from tests.base import BaseTestCase, refused
from tests.tasks import run_tasks

ECB = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<Cube><Cube time="2026-01-05"><Cube currency="USD" rate="1.25"/><Cube currency="PLN" rate="4"/></Cube>
<Cube time="2026-01-02"><Cube currency="USD" rate="1.2"/></Cube></Cube></gesmes:Envelope>"""


def day(text):
    return datetime.date.fromisoformat(text)


def closed(text):
    return datetime.datetime.fromisoformat(f"{text}T12:00:00+00:00")


class RatesTestCase(BaseTestCase):
    def rate(self, date, rate, currency="USD", actor=None):
        change = {"currency": currency, "date": day(date), "rate": Decimal(rate)}
        return create_exchange_rate(actor=actor or self.manager, change=change)

    def base(self, deal):
        return Deal.objects.get(pk=deal.pk).amount_base


class BaseAmountTests(RatesTestCase):
    def test_an_open_deal_has_the_latest_rate_and_a_closed_one_that_of_its_day(self):
        self.rate("2024-01-01", "0.5")
        self.rate("2024-02-01", "0.25")

        opened = self.deal(amount=10, currency="USD")
        before = self.deal(amount=10, currency="USD", status="won", closed_at=closed("2023-12-31"))
        between = self.deal(amount=10, currency="USD", status="lost", closed_at=closed("2024-01-31"))
        own = self.deal(amount=10)

        assert [self.base(deal) for deal in (opened, before, between, own)] == [
            Decimal("2.5"),
            None,
            Decimal(5),
            Decimal(10),
        ]

    def test_the_day_is_that_of_the_organization_s_zone(self):
        update_organization(actor=self.alice, organization=self.organization, time_zone="Asia/Tokyo")
        self.manager.organization.refresh_from_db()
        self.rate("2024-01-01", "0.5")
        self.bob.organization.refresh_from_db()

        deal = self.deal(
            amount=10,
            currency="USD",
            status="won",
            closed_at=datetime.datetime(2023, 12, 31, 15, 30, tzinfo=datetime.UTC),
        )

        assert self.base(deal) == 5

    def test_it_has_four_decimals_rounded_half_up(self):
        self.rate("2024-01-01", "0.33335")

        assert self.base(self.deal(amount=1, currency="USD")) == Decimal("0.3334")

    def test_it_follows_the_deal(self):
        self.rate("2024-01-01", "0.5")
        deal = self.deal(amount=10)

        for change, expected in (
            ({"currency": "USD"}, 5),
            ({"amount": Decimal(4)}, 2),
            ({"status": "won", "closed_at": closed("2023-01-01")}, None),
            ({"status": "open"}, 2),
            ({"amount": None}, None),
            ({"amount": Decimal(6)}, 3),
        ):
            update_deals(actor=self.bob, changes=[(deal, change)])
            assert self.base(deal) == expected

        undo(actor=self.bob, sequence=Event.objects.order_by("sequence").last().sequence)
        assert self.base(deal) is None

    def test_a_rate_changes_no_version_and_records_no_event_of_a_deal(self):
        deal = self.deal(amount=10, currency="USD")
        before = Deal.objects.get(pk=deal.pk)

        rate = self.rate("2024-01-01", "0.5")
        run_tasks()

        after = Deal.objects.get(pk=deal.pk)
        assert (before.amount_base, after.amount_base) == (None, 5)
        assert (after.version, after.updated_at) == (before.version, before.updated_at)
        assert Event.objects.filter(kind="deal", row_id=deal.pk).count() == 1
        assert Event.objects.filter(kind="exchange_rate", row_id=rate.pk).count() == 1

    def test_every_change_of_a_rate_is_followed(self):
        deal = self.deal(amount=10, currency="USD")
        trashed = self.deal(amount=10, currency="USD")
        trash_deals(actor=self.bob, rows=[trashed])
        rate = self.rate("2024-01-01", "0.5")

        for change, expected in (
            (
                lambda: update_exchange_rate(
                    actor=self.manager, exchange_rate=rate, change={"rate": Decimal(2)}
                ),
                20,
            ),
            (lambda: trash_exchange_rate(actor=self.manager, exchange_rate=rate), None),
            (lambda: restore_exchange_rate(actor=self.manager, exchange_rate=rate), 20),
            (
                lambda: update_exchange_rate(
                    actor=self.manager, exchange_rate=rate, change={"currency": "chf"}
                ),
                None,
            ),
            (
                lambda: undo(actor=self.manager, sequence=Event.objects.order_by("sequence").last().sequence),
                20,
            ),
            (lambda: self.organization_in("CHF"), None),
        ):
            change()
            run_tasks()
            assert (self.base(deal), self.base(trashed)) == (expected, expected)

    def organization_in(self, currency):
        update_organization(actor=self.alice, organization=self.organization, currency=currency)

    def test_random_rates_and_deals(self):
        chance = random.Random(5)
        days = [f"2024-{month:02}-{n:02}" for month in range(1, 7) for n in (1, 15)]
        deals = [
            self.deal(
                amount=chance.choice([None, Decimal("10.01"), Decimal(3)]),
                currency=chance.choice(["EUR", "USD", "PLN", "CHF"]),
                **chance.choice([{}, {"status": "won", "closed_at": closed(chance.choice(days))}]),
            )
            for _ in range(25)
        ]
        for _ in range(12):
            rows = list(ExchangeRate.objects.live())
            if rows and chance.random() < 0.3:
                trash_exchange_rate(actor=self.manager, exchange_rate=chance.choice(rows))
            else:
                currency, date = chance.choice(["USD", "PLN"]), chance.choice(days)
                set_exchange_rates(
                    actor=self.manager,
                    rates=read_csv(
                        f"currency,date,rate\n{currency},{date},{chance.randint(1, 99) / 7:.10f}\n"
                    ),
                )
        run_tasks()

        for deal in Deal.objects.filter(pk__in=[deal.pk for deal in deals]):
            assert deal.amount_base == self.expected(deal)

    def expected(self, deal):
        if deal.amount is None or deal.currency == "EUR":
            return deal.amount
        rates = ExchangeRate.objects.live().filter(currency=deal.currency).order_by("date")
        zone = ZoneInfo(self.organization.time_zone)
        on = deal.closed_at.astimezone(zone).date() if deal.closed_at else datetime.date.max
        known = [rate.rate for rate in rates if rate.date <= on]
        return (deal.amount * known[-1]).quantize(Decimal("0.0001"), ROUND_HALF_UP) if known else None


class RuleTests(RatesTestCase):
    def test_what_is_refused(self):
        self.rate("2024-01-01", "0.5")

        for date, rate, currency, code, field in (
            ("2024-01-01", "2", "USD", "date_taken", "date"),
            ("2999-01-01", "2", "CHF", "future", "date"),
            ("2024-01-01", "0", "CHF", "out_of_range", "rate"),
            ("2024-01-01", "100000000", "CHF", "out_of_range", "rate"),
            ("2024-01-01", "0.00000000001", "CHF", "max_decimal_places", "rate"),
            ("2024-01-01", "2", "EUR", "invalid", "currency"),
            ("2024-01-01", "2", "XX", "invalid_choice", "currency"),
        ):
            with refused(code, field):
                self.rate(date, rate, currency)
        with refused("forbidden"):
            self.rate("2024-03-01", "1", actor=self.bob)


class ReadingTests(TestCase):
    def test_a_csv(self):
        [one, other] = read_csv(
            "\ufeffDate,Rate,Currency\n2024-01-01,0.9,usd\n\n2024-01-02,1,CHF\n2024-01-02,2,CHF\n"
        )

        assert (one.currency, one.date, one.rate) == ("USD", day("2024-01-01"), Decimal("0.9"))
        assert other.rate == 2

    def test_the_european_central_bank_s_xml(self):
        euro = {(read.currency, f"{read.date}"): read.rate for read in read_ecb(ECB, "EUR")}
        zloty = {read.currency: read.rate for read in read_ecb(ECB, "PLN")}

        assert euro == {
            ("PLN", "2026-01-05"): Decimal("0.25"),
            ("USD", "2026-01-05"): Decimal("0.8"),
            ("USD", "2026-01-02"): Decimal("0.8333333333"),
        }
        assert zloty == {"EUR": 4, "USD": Decimal("3.2")}

    def test_what_is_no_file_of_rates(self):
        bomb = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
        for read in (
            lambda: read_ecb(bomb, "EUR"),
            lambda: read_ecb("<a>", "EUR"),
            lambda: read_ecb("", "EUR"),
            lambda: read_ecb("<a/>", "EUR"),
            lambda: read_ecb(ECB, "JPY"),
            lambda: read_csv(""),
            lambda: read_csv("a,b\n1,2\n"),
            lambda: read_csv("currency,date,rate\nUSD,2024-02-30,1\n"),
            lambda: read_csv("currency,date,rate\nUSD,2024-02-01,NaN\n"),
            lambda: read_csv("currency,date,rate\nUSD,2024-02-01\n"),
        ):
            with refused("unreadable_file", "content"):
                read()


class ApiTests(ApiTestCase):
    def test_a_rate_and_a_file(self):
        body = {"currency": "usd", "date": "2024-01-01", "rate": "0.50"}
        created = self.as_manager.post("/api/exchange-rates", body).json()
        content = "currency,date,rate\nUSD,2024-01-01,0.25\nCHF,2024-01-01,1.1\n"
        receipt = self.as_manager.post("/api/exchange-rates/upload", {"format": "csv", "content": content})

        assert (created["currency"], created["base"], created["rate"]) == ("USD", "EUR", "0.5")
        assert receipt.json() == {"created": 1, "updated": 1, "unchanged": 0}
        again = self.as_manager.post("/api/exchange-rates/upload", {"format": "csv", "content": content})
        assert again.json() == {"created": 0, "updated": 0, "unchanged": 2}
        rows = self.as_bob.rows("/api/exchange-rates", currency="USD")
        assert [(row["date"], row["rate"]) for row in rows] == [("2024-01-01", "0.25")]

    def test_a_file_with_a_wrong_rate_writes_nothing(self):
        content = "currency,date,rate\nUSD,2024-01-01,0.25\nUSD,2024-01-02,0\n"

        answer = self.as_manager.post("/api/exchange-rates/upload", {"format": "csv", "content": content})

        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "out_of_range")
        assert self.as_bob.rows("/api/exchange-rates") == []
        problem(
            self.as_bob.post("/api/exchange-rates/upload", {"format": "csv", "content": content}),
            403,
            "forbidden",
        )

    def test_lists_sort_and_filter_by_the_amount_in_the_organization_s_currency(self):
        self.as_manager.post("/api/exchange-rates", {"currency": "USD", "date": "2024-01-01", "rate": "0.5"})
        for name, amount, currency in (("a", 10, "USD"), ("b", 6, "EUR"), ("c", 100, "CHF")):
            self.deal(name=name, amount=amount, currency=currency)

        assert self.as_bob.names("/api/deals", ordering="-amount_base") == ["b", "a", "c"]
        assert self.as_bob.names("/api/deals", amount_base_min="5.5") == ["b"]
        [total] = self.as_bob.get("/api/deals/metrics").json()["results"]
        assert (total["amount_base"], total["without_rate"]) == ("11.0000", 1)
