"""Figures of sales against a computation row by row, for each role, on random deals with a random past."""

import datetime
import random
from collections import Counter
from decimal import Decimal
from statistics import median
from zoneinfo import ZoneInfo

from django.test import TestCase

from crm_project.setup.demo.clock import frozen_time
from deals import metrics
from deals.metrics import Period
from deals.models import Deal, DealState
from deals.services import create_deals, create_lost_reason, trash_deals, update_deals
from pipelines.models import Stage
from pipelines.services import update_stage
from tests.base import World

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime.datetime(2026, 6, 15, 12, tzinfo=datetime.UTC)
CATEGORIES = ["commit", "best_case", "pipeline", "omitted"]


def day(text):
    return datetime.date.fromisoformat(text)


class Figures(TestCase):
    """Deals of two years in one organization, some private, in currencies with and without rates."""

    @classmethod
    def setUpTestData(cls):
        cls.world = world = World()
        chance = random.Random(7)
        with frozen_time(NOW - datetime.timedelta(days=800)):
            update_stage(actor=world.alice, stage=world.offer, change={"forecast_category": "best_case"})
            cls.reasons = [
                create_lost_reason(actor=world.alice, change={"name": name}) for name in ("Price", "Time")
            ]
        cls.actors = [world.alice, world.manager, world.bob, world.viewer]
        for number in range(60):
            cls.live_through(chance, number)

    @classmethod
    def live_through(cls, chance, number):
        """A deal is created, moved, repriced, closed at a day of the past, reopened or trashed, by chance."""
        world, at = cls.world, NOW - datetime.timedelta(days=chance.uniform(1, 700))
        writer = chance.choice(cls.actors[:3])
        stages = list(
            Stage.objects.filter(pipeline=chance.choice([world.pipeline, world.renewals])).in_order()
        )
        opened = [stage for stage in stages if stage.kind == "open"]
        change = {
            "name": f"{number}",
            "stage": chance.choice(opened).pk,
            "amount": chance.choice([None, Decimal("10.01"), Decimal(300), Decimal("0.5")]),
            "currency": chance.choice(["EUR", "USD", "PLN"]),
            "owner": chance.choice([None, world.bob.member.pk, world.alice.member.pk]),
            "probability": chance.choice([None, 0, 35]),
            "forecast_category": chance.choice([None, *CATEGORIES]),
            "is_private": chance.random() < 0.3,
            "expected_close_date": chance.choice(
                [None, (at + datetime.timedelta(days=chance.randint(1, 300))).date()]
            ),
        }
        with frozen_time(at):
            deal = create_deals(actor=writer, changes=[change])[0]
        for _ in range(chance.randint(0, 4)):
            at = min(at + datetime.timedelta(days=chance.uniform(0, 90)), NOW)
            with frozen_time(at):
                cls.step(chance, writer, deal, stages, at)
            if Deal.objects.get(pk=deal.pk).deleted_at:
                return

    @classmethod
    def step(cls, chance, writer, deal, stages, at):
        match chance.choice(["move", "move", "reprice", "win", "lose", "reopen", "trash"]):
            case "move":
                change = {"stage": chance.choice(stages).pk}
            case "reprice":
                change = {"amount": Decimal(chance.randint(0, 900))}
            case "win":
                change = {"status": "won", "closed_at": at - datetime.timedelta(days=chance.randint(0, 60))}
            case "lose":
                change = {"status": "lost", "lost_reason": chance.choice([None, cls.reasons[0].pk])}
            case "reopen":
                change = {"status": "open"}
            case _:
                if chance.random() < 0.3:
                    trash_deals(actor=writer, rows=[deal])
                return
        update_deals(actor=writer, changes=[(deal, change)])

    def setUp(self):
        self.period = Period(day("2026-01-10"), day("2026-07-05"), PARIS)

    def visible(self, actor):
        """The deals that the actor may see, by the rule in words; and the queryset of the same."""
        own, admin = actor.member.pk, actor.member.role == "admin"
        rows = [
            deal
            for deal in Deal.objects.filter(organization=actor.organization_id, deleted_at=None)
            .select_related("stage__pipeline")
            .order_by("id")
            if admin or not deal.is_private or own in (deal.owner_id, deal.created_by_id)
        ]
        return rows, Deal.objects.visible_to(actor.member)

    def closed_in(self, deal):
        closed = deal.closed_at and deal.closed_at.astimezone(PARIS).date()
        return closed is not None and self.period.since <= closed < self.period.until

    def each(self):
        """Rows and queryset for each role."""
        return [self.visible(actor) for actor in self.actors]


def sums(rows):
    """Count, sum and weighted sum per currency, deal by deal; and what is known in euro."""
    found = {}
    for deal in rows:
        own = found.setdefault(deal.currency, [0, Decimal(0), Decimal(0)])
        own[0] += 1
        own[1] += deal.amount or 0
        own[2] += (deal.amount or Decimal(0)) * deal.effective_probability / 100
    known = sum((deal.amount or Decimal(0)) for deal in rows if deal.currency == "EUR")
    unknown = sum(1 for deal in rows if deal.currency != "EUR" and deal.amount is not None)
    return found, known, unknown


def as_sums(totals):
    found = {}
    for total in totals:
        own = found.setdefault(total["currency"], [0, Decimal(0), Decimal(0)])
        own[0] += total["count"]
        own[1] += total["amount"]
        own[2] += total["weighted_amount"]
    return found, metrics.base_of(totals), metrics.without_rate_of(totals)


class FigureTests(Figures):
    def test_the_forecast(self):
        for rows, deals in self.each():
            months = metrics.forecast(deals, self.period)

            assert [month["month"].isoformat() for month in months] == [
                f"2026-{n:02}-01" for n in range(1, 8)
            ]
            for month in months:
                first = month["month"]
                won = [
                    deal
                    for deal in rows
                    if deal.status == "won"
                    and self.closed_in(deal)
                    and deal.closed_at.astimezone(PARIS).date().replace(day=1) == first
                ]
                assert as_sums(month["won"]) == sums(won)
                for category in CATEGORIES:
                    expected = [
                        deal
                        for deal in rows
                        if deal.status == "open"
                        and deal.effective_forecast_category == category
                        and deal.expected_close_date
                        and self.period.since <= deal.expected_close_date < self.period.until
                        and deal.expected_close_date.replace(day=1) == first
                    ]
                    assert as_sums(month[category]) == sums(expected)

    def test_the_results(self):
        for rows, deals in self.each():
            found = metrics.results(deals, self.period)

            closed = [deal for deal in rows if self.closed_in(deal)]
            won = [deal for deal in closed if deal.status == "won"]
            for status in ("won", "lost", "abandoned"):
                assert as_sums(getattr(found, status)) == sums([d for d in closed if d.status == status])
            assert as_sums(found.open) == sums([deal for deal in rows if deal.status == "open"])
            assert found.win_rate == len(won) / len(closed)
            days = [(deal.closed_at - deal.created_at).total_seconds() / 86400 for deal in won]
            assert abs(found.median_days - median(days)) < 1e-6
            known = [deal.amount for deal in won if deal.currency == "EUR" and deal.amount is not None]
            assert found.average_won == (sum(known) / len(known) if known else None)

    def test_lost_reasons(self):
        for rows, deals in self.each():
            totals = metrics.lost_reasons(deals, self.period)

            lost = [deal for deal in rows if self.closed_in(deal) and deal.status in ("lost", "abandoned")]
            counted = Counter()
            for total in totals:
                counted[total["lost_reason"]] += total["count"]
            assert counted == Counter(deal.lost_reason_id for deal in lost)
            assert as_sums(totals) == sums(lost)

    def test_members(self):
        for rows, deals in self.each():
            found = metrics.members(deals, self.period)

            shown = [deal for deal in rows if deal.status == "open" or self.closed_in(deal)]
            assert found.keys() == {deal.owner_id for deal in shown}
            for owner, by_status in found.items():
                for status, totals in by_status.items():
                    own = [deal for deal in shown if (deal.owner_id, deal.status) == (owner, status)]
                    assert as_sums(totals) == sums(own)

    def test_the_funnel(self):
        since, until = self.period.instants
        for rows, deals in self.each():
            for pipeline in (self.world.pipeline, self.world.renewals):
                stages = list(Stage.objects.filter(pipeline=pipeline).in_order())

                found = metrics.funnel(deals, stages, self.period)

                assert [one.stage for one in found] == [stage for stage in stages if stage.kind == "open"]
                for one in found:
                    entered, passed, days = self.passages(rows, one.stage, since, until)
                    assert (one.entered, one.passed) == (len(entered), len(passed))
                    assert one.conversion == (len(passed) / len(entered) if entered else None)
                    assert (one.median_days is None) == (not days)
                    assert not days or abs(one.median_days - median(days)) < 1e-6

    def passages(self, rows, stage, since, until):
        """The deals that entered the stage, those that passed it, and the days of those stays that ended."""
        entered, passed, days = set(), set(), []
        for deal in rows:
            states = list(DealState.objects.filter(deal=deal).select_related("stage").order_by("valid_from"))
            inside = [
                state.stage_id == stage.pk and state.status == "open" and not state.deleted_at
                for state in states
            ]
            for index, state in enumerate(states):
                came = inside[index] and not (index and inside[index - 1])
                if not came or not since <= state.valid_from < until:
                    continue
                entered.add(deal.pk)
                later = states[index + 1 :]
                if any(
                    not after.deleted_at
                    and (
                        after.status == "won"
                        or (
                            after.stage.pipeline_id == stage.pipeline_id
                            and after.stage.kind == "open"
                            and after.stage.position > stage.position
                        )
                    )
                    for after in later
                ):
                    passed.add(deal.pk)
                ends = [after.valid_from for n, after in enumerate(later, index + 1) if not inside[n]]
                if ends:
                    days.append((ends[0] - state.valid_from).total_seconds() / 86400)
        return entered, passed, days

    def test_slipped_deals(self):
        today = NOW.date()
        for rows, deals in self.each():
            expected = {
                deal.pk
                for deal in rows
                if deal.status == "open"
                and deal.effective_forecast_category in ("commit", "best_case")
                and deal.expected_close_date
                and deal.expected_close_date < today
            }
            assert set(deals.slipped(today).values_list("pk", flat=True)) == expected

    def test_groups_of_two_dimensions_and_a_bucket(self):
        def quarter(deal):
            at = deal.created_at.astimezone(PARIS).date()
            return at.replace(month=(at.month - 1) // 3 * 3 + 1, day=1)

        for rows, deals in self.each():
            found = metrics.grouped(
                deals, ("owner", "category"), period=self.period, column="created_at", bucket="quarter"
            )

            shown = [
                deal
                for deal in rows
                if self.period.since <= deal.created_at.astimezone(PARIS).date() < self.period.until
            ]
            keys = {(deal.owner_id, deal.effective_forecast_category, quarter(deal)) for deal in shown}
            assert {(row["owner"], row["category"], row["period"]) for row in found} == keys
            for key in keys:
                own = [d for d in shown if (d.owner_id, d.effective_forecast_category, quarter(d)) == key]
                totals = [row for row in found if (row["owner"], row["category"], row["period"]) == key]
                assert as_sums(totals) == sums(own)


def test_a_period_has_at_most_24_months():
    assert not Period(day("2024-01-31"), day("2026-01-31"), PARIS).is_too_long
    assert Period(day("2024-01-01"), day("2026-01-02"), PARIS).is_too_long
    assert Period(day("2026-01-31"), day("2026-03-01"), PARIS).months == [
        day("2026-01-01"),
        day("2026-02-01"),
    ]
