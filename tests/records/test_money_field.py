"""Money is exact on both databases: what goes in comes out, and sums do not drift."""

import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import Avg, Count, F, Max, Min, Sum
from django.utils import timezone

from crm_project.records.fields import MoneyField
from deals.models import Deal, DealState
from tests.base import BaseTestCase

BIGGEST = Decimal("999999999999.9999")


class StoreMoney(BaseTestCase):
    def deals_of(self, *amounts):
        common = {"organization": self.organization, "stage": self.new, "currency": "EUR"}
        Deal.objects.bulk_create(Deal(**common, amount=amount) for amount in amounts)

    def test_it_comes_back_as_it_went_in(self):
        amounts = [
            Decimal(text) for text in ("0", "0.0001", "0.1", "1.5", "123456789012.3456", "999999999999.9999")
        ]

        self.deals_of(*amounts)

        assert list(Deal.objects.order_by("amount").values_list("amount", flat=True)) == amounts

    def test_null_stays_null(self):
        self.deals_of(None)

        assert Deal.objects.get().amount is None

    def test_it_is_found_exactly(self):
        self.deals_of(BIGGEST, BIGGEST - Decimal("0.0001"))

        assert Deal.objects.filter(amount=BIGGEST).count() == 1
        assert Deal.objects.filter(amount__lt=BIGGEST).count() == 1
        assert Deal.objects.filter(amount__gte=BIGGEST).count() == 1
        assert Deal.objects.filter(amount__in=[BIGGEST, Decimal(0)]).count() == 1
        assert Deal.objects.filter(amount__range=(BIGGEST, BIGGEST)).count() == 1

    def test_a_hundred_thousand_tenths_are_ten_thousand(self):
        self.deal(amount="0.1")
        DealState.objects.update(valid_to=timezone.now() + datetime.timedelta(days=1))
        names = ", ".join(field.column for field in DealState._meta.concrete_fields if not field.primary_key)

        with connection.cursor() as cursor:
            cursor.execute(
                "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
                f" INSERT INTO deals_dealstate ({names}) SELECT {names} FROM deals_dealstate, n"
            )

        found = DealState.objects.aggregate(count=Count("id"), sum=Sum("amount"))
        assert found == {"count": 100_000, "sum": Decimal(10_000)}

    def test_a_sum_outgrows_one_amount(self):
        self.deals_of(*[BIGGEST] * 500)

        assert Deal.objects.aggregate(sum=Sum("amount"))["sum"] == BIGGEST * 500

    def test_a_derived_field_is_money_where_declared(self):
        self.deals_of(Decimal("0.1"), Decimal("0.2"), None)

        found = Deal.objects.aggregate(
            min=Min("amount"),
            max=Max("amount"),
            mean=Avg("amount", output_field=MoneyField()),
            double=Sum(F("amount") * 2, output_field=MoneyField()),
        )

        assert found == {
            "min": Decimal("0.1"),
            "max": Decimal("0.2"),
            "mean": Decimal("0.15"),
            "double": Decimal("0.6"),
        }


class Totals(BaseTestCase):
    def test_it_works(self):
        for amount in ("0.1", "0.2", "999999999999.99"):
            self.deal(amount=amount, tax_rate="0")
        self.deal(amount=5, currency="JPY")
        self.deal()
        self.deal(amount=70, status="won")
        self.deal(amount=30, status="lost")

        totals = Deal.objects.visible_to(self.bob.member).totals()

        assert [{name: total[name] for name in KEYS} for total in totals] == [
            total("lost", "EUR", 1, "30", "0", "0"),
            total("open", "EUR", 4, "1000000000000.29", "1000000000000.29", "100000000000.029", with_gross=3),
            total("open", "JPY", 1, "5", "0", "0.5"),
            total("won", "EUR", 1, "70", "0", "70"),
        ]

    def test_they_weigh_each_deal_by_the_probability_in_force(self):
        for stage, probability, amount in (
            (self.new, None, "10.01"),
            (self.new, 33, "0.07"),
            (self.new, 0, 500),
            (self.offer, None, "3.5"),
            (self.offer, 33, None),
        ):
            self.deal(stage=stage.pk, probability=probability, amount=amount)
        self.deal(stage=self.offer.pk, amount=8, status="won")
        deals = Deal.objects.visible_to(self.bob.member)

        by_status, by_stage = deals.totals(), deals.totals("stage")

        expected = sum((deal.amount or 0) * deal.effective_probability for deal in deals) / 100
        assert sum(total["weighted_amount"] for total in by_status) == expected
        assert sum(total["weighted_amount"] for total in by_stage) == expected
        assert [total["stage"] for total in by_stage] == sorted({deal.stage_id for deal in deals})

    def test_they_hold_nothing_of_others(self):
        self.deal(amount=1, is_private=True)
        self.deal(self.charlie, amount=2)

        assert Deal.objects.visible_to(self.viewer.member).totals() == []
        assert Deal.objects.none().totals() == []


KEYS = ("status", "currency", "count", "amount", "amount_gross", "amount_gross_count", "weighted_amount")


def total(status, currency, count, amount, gross, weighted, with_gross=0):
    return {
        "status": status,
        "currency": currency,
        "count": count,
        "amount": Decimal(amount),
        "amount_gross": Decimal(gross),
        "amount_gross_count": with_gross,
        "weighted_amount": Decimal(weighted),
    }
