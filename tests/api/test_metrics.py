"""`/api/deals/metrics`, `/api/pipelines/{id}/forecast` and `/funnel`: shapes, parameters, and what others may see."""

import datetime

from crm_project.accounts.services import update_organization
from tests.api.client import ApiTestCase, problem

METRICS = "/api/deals/metrics"


def counts(results, *names):
    """The number of deals of each group, by the values of its dimensions."""

    def key(value):
        return value.get("name", value.get("full_name")) if isinstance(value, dict) else value

    return {tuple(key(row["group"][name]) for name in names): row["count"] for row in results}


class InParis(ApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        update_organization(actor=cls.alice, organization=cls.organization, time_zone="Europe/Paris")


class MetricsTests(InParis):
    def test_groups_have_names_and_sums(self):
        self.deal(amount="10", probability=50)
        self.deal(amount="5", currency="USD", stage=self.offer.pk)
        self.deal(stage=self.offer.pk, owner=None)

        body = self.as_bob.get(METRICS, group_by="stage").json()

        assert body["currency"] == "EUR"
        assert counts(body["results"], "stage") == {("New",): 1, ("Offer",): 2}
        first, second = body["results"]
        assert first["group"]["stage"]["id"] == self.new.pk
        assert first["totals"] == [
            {
                "currency": "EUR",
                "count": 1,
                "amount": "10.00",
                "weighted_amount": "5.00",
                "amount_gross": "0.00",
            }
        ]
        assert (first["amount_base"], first["weighted_amount_base"]) == ("10.0000", "5.0000")
        assert (second["amount_base"], second["without_rate"]) == ("0.0000", 1)

    def test_two_dimensions_and_a_bucket(self):
        bob, alice = self.bob.member.pk, self.alice.member.pk
        late = datetime.datetime(2025, 3, 31, 22, 30, tzinfo=datetime.UTC)
        self.deal(status="won", owner=bob, closed_at=late)
        self.deal(status="lost", owner=alice, closed_at=datetime.datetime(2025, 3, 1, tzinfo=datetime.UTC))
        self.deal(status="won", closed_at=datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC))
        asked = {"since": "2025-01-01", "until": "2026-01-01", "bucket": "month"}

        results = self.as_bob.get(METRICS, group_by="status,owner", **asked).json()["results"]

        assert counts(results, "status", "owner", "period") == {
            ("lost", "Alice", "2025-03-01"): 1,
            # In Paris it was the first of April.
            ("won", "Bob", "2025-04-01"): 1,
        }

    def test_the_filters_of_the_list(self):
        for amount in (1, 2, 3):
            self.deal(amount=amount, origin="fair" if amount > 1 else "")
        asked = {"amount_min": "2", "status": "open"}

        results = self.as_bob.get(METRICS, group_by="origin,pipeline", **asked).json()["results"]

        assert counts(results, "origin", "pipeline") == {("fair", "Sales"): 2}
        assert results[0]["count"] == len(self.as_bob.rows("/api/deals", origin="fair", **asked))

    def test_one_group_of_all(self):
        self.deal()
        self.deal(status="won")

        [group] = self.as_bob.get(METRICS).json()["results"]

        assert (group["group"], group["count"]) == ({}, 2)

    def test_chosen_measures(self):
        self.deal(amount=1)

        [counted] = self.as_bob.get(METRICS, measures="count").json()["results"]
        [summed] = self.as_bob.get(METRICS, measures="amount").json()["results"]

        assert counted == {"group": {}, "count": 1}
        assert summed == {
            "group": {},
            "amount_base": "1.0000",
            "without_rate": 0,
            "totals": [{"currency": "EUR", "amount": "1.00"}],
        }

    def test_as_of_an_earlier_instant(self):
        deal = self.deal(amount=7)
        before = datetime.datetime.now(datetime.UTC).isoformat()
        self.as_bob.patch(f"/api/deals/{deal.uuid}", {"status": "won", "amount": 9})

        past = self.as_bob.get(METRICS, group_by="status", as_of=before).json()["results"]
        now = self.as_bob.get(METRICS, group_by="status").json()["results"]

        assert counts(past, "status") == {("open",): 1}
        assert past[0]["totals"][0]["amount"] == "7.00"
        assert counts(now, "status") == {("won",): 1}
        problem(self.as_bob.get(METRICS, as_of="2026-01-01", group_by="origin"), 400, "invalid", "/group_by")

    def test_closings_as_of_an_instant(self):
        closed_at = datetime.datetime(2025, 3, 5, 12, tzinfo=datetime.UTC)
        self.deal(amount=7, status="won", closed_at=closed_at)
        self.deal(amount=8)
        asked = {"since": "2025-03-01", "until": "2025-04-01", "bucket": "month", "group_by": "status"}

        now = self.as_bob.get(METRICS, **asked).json()
        past = self.as_bob.get(METRICS, **asked, as_of="2999-01-01T00:00:00Z").json()

        assert counts(now["results"], "status", "period") == {("won", "2025-03-01"): 1}
        for body in (now, past):
            [total] = body["results"][0]["totals"]
            assert (total["amount"], total["weighted_amount"]) == ("7.00", "7.00")

    def test_others_deals_are_in_no_figure(self):
        self.deal(self.alice, is_private=True, amount=1)
        self.deal(self.charlie, amount=2)

        for path in (METRICS, f"/api/pipelines/{self.pipeline.pk}/forecast"):
            body = self.as_bob.get(path).json()
            assert not any(row["count"] for row in body.get("results", []))
        for name in ("forecast", "funnel"):
            problem(self.as_bob.get(f"/api/pipelines/{self.theirs.pk}/{name}"), 404, "not_found")

    def test_every_wrong_parameter_is_named(self):
        asked = {
            "group_by": "stage,owner,status",
            "bucket": "day",
            "date": "updated_at",
            "measures": "median",
            "since": "2025-13-01",
        }
        problem(self.as_bob.get(METRICS, **asked), 400, "invalid", *(f"/{name}" for name in sorted(asked)))
        for asked, wrong in (
            ({"since": "2024-01-01"}, "/until"),
            ({"since": "2024-01-01", "until": "2026-01-02"}, "/until"),
            ({"since": "2024-01-02", "until": "2024-01-02"}, "/until"),
            ({"bucket": "month"}, "/since"),
            ({"group_by": "stage,stage"}, "/group_by"),
            ({"ordering": "name"}, "/ordering"),
        ):
            answer = self.as_bob.get(METRICS, **asked)
            assert (answer.status_code, [e["pointer"] for e in answer.json()["errors"]]) == (400, [wrong]), (
                asked
            )


class PipelineFiguresTests(InParis):
    def test_the_forecast(self):
        self.deal(amount=5, expected_close_date=datetime.date(2026, 2, 3), forecast_category="commit")
        self.deal(amount=6, expected_close_date=datetime.date(2026, 2, 28), probability=50)
        self.deal(amount=9, pipeline=self.renewals.pk, expected_close_date=datetime.date(2026, 2, 1))
        self.deal(
            amount=7, status="won", closed_at=datetime.datetime(2026, 1, 31, 23, 30, tzinfo=datetime.UTC)
        )

        body = self.as_bob.get(
            f"/api/pipelines/{self.pipeline.uuid}/forecast", since="2026-01-01", until="2026-03-01"
        ).json()

        january, february = body["months"]
        assert (body["since"], body["until"], body["currency"]) == ("2026-01-01", "2026-03-01", "EUR")
        assert (january["month"], january["won"]["count"], january["weighted"]["count"]) == (
            "2026-01-01",
            0,
            0,
        )
        assert (february["won"]["count"], february["won"]["amount_base"]) == (1, "7.0000")
        assert (february["commit"]["count"], february["pipeline"]["count"]) == (1, 1)
        assert february["weighted"]["weighted_amount_base"] == "3.5000"
        assert february["omitted"]["totals"] == []

    def test_the_funnel(self):
        first = self.deal(amount=100)
        self.deal(amount=50)
        self.as_bob.patch(f"/api/deals/{first.uuid}", {"stage_id": self.offer.pk})
        self.as_bob.patch(f"/api/deals/{first.uuid}", {"status": "won"})

        body = self.as_bob.get(f"/api/pipelines/{self.pipeline.pk}/funnel").json()

        new, offer = body["stages"]
        assert (new["stage"]["name"], new["entered"], new["passed"], new["conversion"]) == ("New", 2, 1, 0.5)
        assert (offer["entered"], offer["passed"], offer["conversion"]) == (1, 1, 1.0)
        assert new["median_days"] is not None
        assert (body["won"]["count"], body["win_rate"]) == (1, 1.0)
        assert body["velocity"] is not None

    def test_a_pipeline_without_deals(self):
        body = self.as_bob.get(f"/api/pipelines/{self.renewals.pk}/funnel").json()

        assert (body["win_rate"], body["median_days_to_win"], body["velocity"]) == (None, None, None)
        assert {stage["conversion"] for stage in body["stages"]} == {None}
