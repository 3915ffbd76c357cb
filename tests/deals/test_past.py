"""The pipeline as it was: on random histories it equals what was there, deal by deal and sum by sum."""

import datetime
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase
from rest_framework.test import APIClient

from crm_project.accounts.services import create_token
from crm_project.errors import DomainError
from crm_project.journal.append_only import rewriting
from crm_project.rates.services import create_exchange_rate
from deals.models import Deal, DealState
from deals.services import create_deals, restore_deals, trash_deals, update_deals
from tests.base import BaseTestCase
from tests.examples import examples

Snapshot = dict[str, dict[str, Any]]
DAYS = ("2026-01-31", "2026-02-28", None)
STATUSES = ("open", "won", "lost", "abandoned")
CHANGES = (*STATUSES[1:], "added", "reopened", "grown", "shrunk", "slipped", "moved", "removed")

steps = st.tuples(
    st.sampled_from("create create move move amount amount currency day owner status trash restore".split()),
    st.integers(0, 3),
    st.integers(0, 3),
)


def client_of(actor: Any) -> APIClient:
    _, secret = create_token(actor=actor, name="test")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


class History:
    """A random history, written by the services, and what was there after each of its steps."""

    def __init__(self, world: Any, script: list[tuple[str, int, int]]) -> None:
        self.world = world
        self.deals: list[Deal] = []
        self.moments: list[tuple[datetime.datetime, Snapshot]] = [(timezone.now(), {})]
        for verb, which, value in script:
            try:
                self.step(verb, which, value)
            except DomainError:
                continue
            self.moments.append((timezone.now(), self.snapshot()))

    def step(self, verb: str, which: int, value: int) -> None:
        world, actor = self.world, (self.world.alice, self.world.bob)[which % 2]
        if verb == "create":
            change = {"name": f"Deal {value}", "amount": Decimal(100 * value), "is_private": which == 2}
            self.deals.append(create_deals(actor=actor, changes=[change])[0])
            return
        if not self.deals:
            raise DomainError
        deal = self.deals[which % len(self.deals)]
        stages = [world.new, world.offer, world.won, world.lost]
        match verb:
            case "move":
                change = {"stage": stages[value].pk}
            case "amount":
                change = {"amount": Decimal(50 * value) if value else None}
            case "currency":
                change = {"currency": ("EUR", "USD")[value % 2]}
            case "day":
                day = DAYS[value % 3]
                change = {"expected_close_date": datetime.date.fromisoformat(day) if day else None}
            case "owner":
                change = {"owner": (world.alice, world.bob)[value % 2].member.pk}
            case "status":
                change = {"status": STATUSES[value]}
            case "trash":
                trash_deals(actor=world.alice, rows=[deal])
                return
            case _:
                restore_deals(actor=world.alice, rows=[deal])
                return
        update_deals(actor=world.alice, changes=[(deal, change)])

    @staticmethod
    def snapshot() -> Snapshot:
        """Those in the trash too, which are counted as removed for what they were worth when they went."""
        return {str(row.uuid): fields(row) for row in Deal.objects.select_related("stage", "owner")}


def live(snapshot: Snapshot) -> Snapshot:
    return {key: deal for key, deal in snapshot.items() if not deal["trashed"]}


def fields(deal: Deal) -> dict[str, Any]:
    return {
        "stage": deal.stage_id,
        "status": deal.status,
        "amount": deal.amount,
        "amount_base": deal.amount_base,
        "currency": deal.currency,
        "owner": str(deal.owner.uuid) if deal.owner else None,
        "probability": deal.effective_probability,
        "expected_close_date": deal.expected_close_date.isoformat() if deal.expected_close_date else None,
        "closed_at": deal.closed_at,
        "stage_entered_at": deal.stage_entered_at,
        "trashed": deal.deleted_at is not None,
        "created_at": deal.created_at,
    }


def shown(deal: dict[str, Any]) -> dict[str, Any]:
    def instant(text: str | None) -> Any:
        return datetime.datetime.fromisoformat(text) if text else None

    return {
        "stage": deal["stage"]["id"],
        "status": deal["status"],
        "amount": Decimal(deal["amount"]) if deal["amount"] is not None else None,
        "amount_base": Decimal(deal["amount_base"]) if deal["amount_base"] is not None else None,
        "currency": deal["currency"],
        "owner": deal["owner"] and deal["owner"]["uuid"],
        "probability": deal["probability"],
        "expected_close_date": deal["expected_close_date"],
        "closed_at": instant(deal["closed_at"]),
        "stage_entered_at": instant(deal["stage_entered_at"]),
        "trashed": False,
        "created_at": instant(deal["created_at"]),
    }


def totals(snapshot: Snapshot) -> dict[tuple[str, str], tuple[int, Decimal, Decimal]]:
    result: dict[Any, Any] = defaultdict(lambda: (0, Decimal(0), Decimal(0)))
    for deal in snapshot.values():
        key = deal["status"], deal["currency"]
        count, amount, amount_base = result[key]
        result[key] = count + 1, amount + (deal["amount"] or 0), amount_base + (deal["amount_base"] or 0)
    return dict(result)


def changes(
    before: Snapshot, after: Snapshot, now: Snapshot, since: datetime.datetime, until: datetime.datetime
) -> dict[str, dict[str, tuple[int, Decimal]]]:
    """What `changes` should answer, found by looking at each deal."""
    result: dict[str, dict[str, tuple[int, Decimal]]] = {name: {} for name in CHANGES}

    def note(name: str, deal: dict[str, Any], amount: Decimal | None) -> None:
        count, total = result[name].get(deal["currency"], (0, Decimal(0)))
        result[name][deal["currency"]] = count + 1, total + (amount or 0)

    for key in before.keys() | after.keys():
        was, then = live(before).get(key), live(after).get(key)
        if then is None:
            if was is not None:
                note("removed", after[key], after[key]["amount"])
            continue
        if since <= then["created_at"] < until:
            note("added", then, then["amount"])
        if was is None:
            continue
        both_open = was["status"] == then["status"] == "open"
        if then["status"] == "open" and was["status"] != "open":
            note("reopened", then, then["amount"])
        if both_open and was["stage"] != then["stage"]:
            note("moved", then, then["amount"])
        difference = (then["amount"] or Decimal(0)) - (was["amount"] or Decimal(0))
        if difference and was["currency"] == then["currency"]:
            note("grown" if difference > 0 else "shrunk", then, abs(difference))
        days = was["expected_close_date"], then["expected_close_date"]
        if then["status"] == "open" and None not in days and days[1] > days[0]:
            note("slipped", then, then["amount"])
    for deal in live(now).values():
        if deal["closed_at"] and since <= deal["closed_at"] < until:
            note(deal["status"], deal, deal["amount"])
    return result


@pytest.mark.slow
class PastTests(BaseTestCase, HypothesisTestCase):
    @settings(max_examples=examples(12), deadline=None, phases=[Phase.explicit, Phase.generate])
    @given(script=st.lists(steps, min_size=3, max_size=10))
    def test_it_equals_what_was_there(self, script):
        rate = {"currency": "USD", "date": datetime.date(2026, 1, 1), "rate": Decimal("0.9234567891")}
        create_exchange_rate(actor=self.alice, change=rate)
        history = History(self, script)
        for actor in (self.alice, self.bob):
            client = client_of(actor)
            seen = {str(deal.uuid) for deal in Deal.objects.seen_by(actor.member)}
            moments = [
                (instant, {key: deal for key, deal in snapshot.items() if key in seen})
                for instant, snapshot in history.moments
            ]
            for instant, snapshot in moments:
                self.check_as_of(client, instant, live(snapshot))
            for index in range(0, len(moments), 2):
                self.check_changes(client, moments[index], moments[-1 - index // 3], moments[-1][1])

    def check_as_of(self, client, instant, snapshot):
        asked = {"as_of": instant.isoformat()}

        deals = client.get("/api/deals", asked).json()["results"]
        summary = client.get("/api/deals/summary", asked).json()

        assert {deal["uuid"]: shown(deal) for deal in deals} == snapshot
        assert len(deals) == len(snapshot) == summary["count"]
        found = {
            (total["status"], total["currency"]): (
                *(total["count"], Decimal(total["amount"]), Decimal(total["amount_base"])),
            )
            for total in summary["totals"]
        }
        assert found == totals(snapshot)

    def check_changes(self, client, one, other, present):
        (since, before), (until, after) = sorted([one, other], key=lambda moment: moment[0])

        asked = {"since": since.isoformat(), "until": until.isoformat()}
        body = client.get("/api/deals/changes", asked).json()

        expected = changes(before, after, present, since, until)
        for name in CHANGES:
            found = {
                total["currency"]: (total["count"], Decimal(total["amount"]))
                for total in body[name]["totals"]
            }
            assert found == expected[name], name
            assert body[name]["count"] == sum(count for count, _ in expected[name].values())


class AsOfTests(BaseTestCase):
    def setUp(self):
        self.client = client_of(self.bob)

    def test_it_shows_the_deal_as_it_was_under_its_name_of_today(self):
        deal = self.deal(name="Old name", amount="100", amount_gross="120")
        then = timezone.now()
        change = {"name": "New name", "amount": Decimal(300), "stage": self.won.pk}
        update_deals(actor=self.bob, changes=[(deal, change)])

        was = self.client.get("/api/deals", {"as_of": then.isoformat()}).json()["results"][0]

        assert was["name"] == "New name"
        assert (was["amount"], was["status"], was["stage"]["name"]) == ("100.00", "open", "New")
        assert was["amount_gross"] is None
        assert datetime.datetime.fromisoformat(was["as_of"]) == then

    def test_now_equals_the_present_list(self):
        for amount in ("1", "2", "3"):
            self.deal(amount=amount)

        present = self.client.get("/api/deals").json()["results"]
        now = self.client.get("/api/deals", {"as_of": timezone.now().isoformat()}).json()["results"]

        assert [{**deal, "as_of": now[0]["as_of"]} for deal in present] == now

    def test_amounts_in_base_are_by_the_rates_of_that_day(self):
        """An open deal has the last rate of the day, one that was closed then the rate of its closing."""
        rates = {10: "0.5", 5: "0.3333333333", 1: "2"}
        today = timezone.localdate()
        for days, rate in rates.items():
            change = {"currency": "USD", "date": today - datetime.timedelta(days), "rate": Decimal(rate)}
            create_exchange_rate(actor=self.alice, change=change)
        was_open = self.deal(name="Open", amount="0.01", currency="USD")
        was_closed = self.deal(name="Closed", amount="100", currency="USD")
        self.deal(name="No rate", amount="100", currency="CHF")
        self.deal(name="Own currency", amount="7")
        closed_at = timezone.now() - datetime.timedelta(7)
        for change in ({"status": "won", "closed_at": closed_at}, {"amount": Decimal(200)}):
            update_deals(actor=self.alice, changes=[(was_closed, change)])
        begun = timezone.now() - datetime.timedelta(20)
        Deal.objects.update(created_at=begun)
        with rewriting():
            # Each deal had its first state all the time; one of them was closed when its amount was another one.
            DealState.objects.exclude(deal=was_closed).update(valid_from=begun)
            closed = DealState.objects.filter(deal=was_closed, status="won", amount=Decimal(100))
            closed.update(valid_from=begun, valid_to=timezone.now())

        def asked(days):
            as_of = {"as_of": (timezone.now() - datetime.timedelta(days)).isoformat()}
            deals = self.client.get("/api/deals", as_of).json()["results"]
            totals = self.client.get("/api/deals/metrics", {**as_of, "group_by": "status"}).json()["results"]
            return (
                {deal["name"]: deal["amount_base"] for deal in deals},
                {one["group"]["status"]: (one["amount_base"], one["without_rate"]) for one in totals},
            )

        always = {"Closed": "50.0000", "No rate": None, "Own currency": "7.0000"}
        assert was_open.currency == "USD"
        for days, in_base in ((12, None), (8, "0.0050"), (3, "0.0033"), (0.1, "0.0200")):
            with self.subTest(days=days):
                deals, totals = asked(days)
                assert deals == {**always, "Open": in_base}
                of_open = Decimal(in_base or 0) + 7
                assert totals == {"open": (f"{of_open:.4f}", 1 + (in_base is None)), "won": ("50.0000", 0)}

    def test_a_deal_in_the_trash_was_there_before(self):
        deal = self.deal()
        then = timezone.now()
        trash_deals(actor=self.bob, rows=[deal])

        assert len(self.client.get("/api/deals", {"as_of": then.isoformat()}).json()["results"]) == 1
        later = timezone.now().isoformat()
        assert self.client.get("/api/deals", {"as_of": later}).json()["results"] == []

    def test_filters_speak_of_the_past(self):
        deal = self.deal(amount="100")
        then = timezone.now().isoformat()
        update_deals(actor=self.bob, changes=[(deal, {"stage": self.won.pk, "amount": Decimal(500)})])

        def count(**asked: Any) -> int:
            return len(self.client.get("/api/deals", {"as_of": then, **asked}).json()["results"])

        assert count(status="open") == count(amount_max="100") == count(stage=self.new.pk) == 1
        assert count(pipeline=self.pipeline.pk) == count(currency="eur") == 1
        assert count(status="won") == count(amount_min="101") == count(pipeline=self.renewals.pk) == 0
        assert count(owner=self.bob.member.uuid) == 0

    def test_pages_have_each_deal_once(self):
        deals = [self.deal(amount=str(n % 2)) for n in range(7)]
        then = timezone.now().isoformat()
        for ordering in ("created_at", "-amount", "expected_close_date", "name", "-status"):
            seen: list[str] = []
            url: Any = f"/api/deals?page_size=3&ordering={ordering}&as_of={then.replace('+', '%2B')}"
            while url:
                page = self.client.get(url).json()
                seen += [deal["uuid"] for deal in page["results"]]
                url = page["next"]
            assert sorted(seen) == sorted(str(deal.uuid) for deal in deals), ordering

    def test_what_states_cannot_answer_is_refused_with_what_they_can(self):
        then = timezone.now().isoformat()
        for asked in ({"q": "x"}, {"origin": "web"}, {"ordering": "updated_at"}, {"custom_x": "1"}):
            response = self.client.get("/api/deals", {"as_of": then, **asked})
            assert response.status_code == 400, asked
        assert "amount_min" in self.client.get("/api/deals", {"as_of": then, "q": "x"}).json()["detail"]
        for text in ("yesterday", "2026-13-01", "9999-12-31", ""):
            assert self.client.get("/api/deals", {"as_of": text}).status_code == 400, text
        assert self.client.get("/api/deals", {"as_of": then, "deleted": "only"}).status_code == 400

    def test_a_day_means_its_end(self):
        self.deal()
        today = timezone.now().date()
        yesterday = (today - datetime.timedelta(days=1)).isoformat()

        assert len(self.client.get("/api/deals", {"as_of": today.isoformat()}).json()["results"]) == 1
        assert self.client.get("/api/deals", {"as_of": yesterday}).json()["results"] == []

    def test_one_pipeline_has_a_past_too(self):
        self.deal()
        then = timezone.now().isoformat()
        for pipeline, count in ((self.pipeline, 1), (self.renewals, 0)):
            page = self.client.get(f"/api/pipelines/{pipeline.pk}/deals", {"as_of": then}).json()
            assert len(page["results"]) == count

    def test_it_hides_other_organizations(self):
        self.deal()
        client = client_of(self.charlie)
        now = timezone.now().isoformat()

        assert client.get("/api/deals", {"as_of": now}).json()["results"] == []
        assert client.get("/api/deals/summary", {"as_of": now}).json()["count"] == 0
        assert client.get("/api/deals/changes", {"since": "2020-01-01"}).json()["added"]["count"] == 0

    def test_the_queries_do_not_depend_on_the_number_of_deals(self):
        counts = []
        self.deal()
        self.client.get(
            "/api/deals"
        )  # notes the token's use, once a minute, and reads the stages, which are kept
        for _ in range(2):
            for _ in range(3):
                self.deal(owner=self.bob.member.pk)
            now = timezone.now().isoformat()
            with CaptureQueriesContext(connection) as queries:
                self.client.get("/api/deals", {"as_of": now})
            counts.append(len(queries))

        assert counts[0] == counts[1]


class ChangesTests(BaseTestCase):
    def setUp(self):
        self.client = client_of(self.bob)

    def test_it_narrows_to_a_pipeline_and_an_owner(self):
        since = timezone.now().isoformat()
        self.deal(amount="100", owner=self.bob.member.pk)

        def added(**asked: Any) -> int:
            return self.client.get("/api/deals/changes", {"since": since, **asked}).json()["added"]["count"]

        assert added() == added(pipeline=self.pipeline.pk) == added(owner=self.bob.member.uuid) == 1
        assert added(pipeline=self.renewals.pk) == added(owner=self.alice.member.uuid) == 0

    def test_it_refuses_what_it_does_not_understand(self):
        for asked in (
            {},
            {"since": "soon"},
            {"since": "2026-02-01", "until": "2026-01-01"},
            {"since": "2026-01-01", "q": "1"},
            {"since": "2026-01-01", "owner": "you"},
            {"since": "2026-01-01", "currency": "EURO"},
        ):
            assert self.client.get("/api/deals/changes", asked).status_code == 400, asked

    def test_a_back_dated_win_counts_when_it_happened(self):
        """Typed today, signed in March: the month after has it, and today does not."""
        closed_at = datetime.datetime(2026, 3, 15, 10, tzinfo=datetime.UTC)
        for status, stage in (("won", self.won), ("lost", self.lost), ("abandoned", self.lost)):
            change = {
                "name": "x",
                "amount": Decimal(50),
                "status": status,
                "stage": stage.pk,
                "closed_at": closed_at,
            }
            create_deals(actor=self.bob, changes=[{**change, "owner": self.bob.member.pk}])
        days = {"closed_at_after": "2026-03-01", "closed_at_before": "2026-03-31"}
        march = {"since": "2026-03-01", "until": "2026-04-01", "owner": "me"}

        found = self.client.get("/api/deals/changes", march).json()
        today = self.client.get("/api/deals/changes", {"since": "2026-04-01"}).json()
        summary = self.client.get("/api/deals/summary", days).json()

        for name in ("won", "lost", "abandoned"):
            assert found[name] == {
                "count": 1,
                "totals": [{"currency": "EUR", "count": 1, "amount": "50.00"}],
            }
            assert today[name]["count"] == 0
        assert (found["added"]["count"], today["added"]["count"]) == (0, 3)
        assert {total["status"]: total["count"] for total in summary["totals"]} == {
            "won": 1,
            "lost": 1,
            "abandoned": 1,
        }

    def test_since_is_included_and_until_excluded(self):
        """Month after month has each first instant once, in the zone of the organization."""
        first = datetime.datetime(2026, 4, 1, tzinfo=datetime.UTC)
        won = {"status": "won", "stage": self.won.pk, "closed_at": first}
        deal = create_deals(actor=self.bob, changes=[{"name": "x", **won}])[0]
        Deal.objects.filter(pk=deal.pk).update(created_at=first)

        def count(since: str, until: str) -> int:
            asked = {"since": since, "until": until}
            return self.client.get("/api/deals/changes", asked).json()["won"]["count"]

        assert count("2026-03-01", "2026-04-01") == 0
        assert count("2026-04-01", "2026-05-01") == 1
        assert count("2026-04-01T00:00:00Z", "2026-04-01T00:00:00.000001Z") == 1
        assert count("2026-04-01", "2026-04-01") == 0

    def test_it_takes_the_filters_of_states(self):
        since = timezone.now().isoformat()
        self.deal(amount="100", owner=self.bob.member.pk)
        self.deal(amount="7", currency="USD")

        def added(**asked: Any) -> int:
            return self.client.get("/api/deals/changes", {"since": since, **asked}).json()["added"]["count"]

        assert added() == added(stage=f"{self.new.pk},{self.offer.pk}") == added(currency="eur,usd") == 2
        assert added(owner="none") == added(owner_not="me") == added(owner_empty="true") == 1
        assert (
            added(currency_not="EUR") == added(amount_max="7") == added(owner="me,none", amount_min="8") == 1
        )
        assert added(stage_kind="won") == added(stage_not=self.new.pk) == added(closed_at_empty="false") == 0
