"""Pauses and the limits of stages over HTTP: writes of every kind, the filters, the cards of the board."""

import datetime

from django.utils import timezone

from deals.models import Deal
from tests.api.client import ApiTestCase, problem

UNTIL = "2999-01-31"
PAUSE = {"paused_until": UNTIL, "pause_reason": "Budget"}
BOTH = ("/paused_until", "/pause_reason")


class PauseTests(ApiTestCase):
    def setUp(self):
        super().setUp()
        self.row = self.deal(name="Roof")
        self.path = f"/api/deals/{self.row.uuid}"

    def pauses(self, answer):
        return answer.json()["paused_until"], answer.json()["pause_reason"]

    def test_it_works(self):
        assert self.pauses(self.as_bob.patch(self.path, PAUSE)) == (UNTIL, "Budget")
        assert self.pauses(self.as_bob.get(self.path)) == (UNTIL, "Budget")
        assert self.pauses(self.as_bob.patch(self.path, {"paused_until": None})) == (None, "")
        assert self.pauses(self.as_bob.post("/api/deals", {"name": "Wall", **PAUSE})) == (UNTIL, "Budget")

    def test_each_wrong_field_is_named(self):
        yesterday = (timezone.now() - datetime.timedelta(days=2)).date().isoformat()
        found = problem(self.as_bob.patch(self.path, {"paused_until": yesterday}), 400, "invalid")
        assert [(error["pointer"], error["code"]) for error in found["errors"]] == [
            ("/paused_until", "past"),
            ("/pause_reason", "required"),
        ]
        problem(self.as_bob.patch(self.path, {"pause_reason": "Budget"}), 400, "required", "/paused_until")
        problem(self.as_bob.patch(self.path, {"status": "won", **PAUSE}), 400, "invalid", *BOTH)

    def test_a_stale_version_pauses_nothing(self):
        answer = self.as_bob.send("PATCH", self.path, PAUSE, headers={"If-Match": '"7"'})

        problem(answer, 412, "precondition_failed")

    def test_bulk_upsert_and_dry_run(self):
        dry = self.as_bob.send("PATCH", self.path, PAUSE, dry_run="true")
        assert self.pauses(dry) == (UNTIL, "Budget")
        assert self.pauses(self.as_bob.get(self.path)) == (None, "")
        operation = {"op": "update", "uuid": str(self.row.uuid), "data": PAUSE}
        answer = self.as_bob.post("/api/deals/bulk", {"operations": [operation]})
        assert answer.json()["results"][0]["outcome"] == "updated"
        again = self.as_bob.post("/api/deals/upsert", {"uuid": str(self.row.uuid), **PAUSE})
        assert again.json()["outcome"] == "unchanged"
        assert self.pauses(
            self.as_bob.post("/api/deals/upsert", {"external_id": "7", **PAUSE, "name": "B"})
        ) == (
            UNTIL,
            "Budget",
        )

    def test_the_filters_and_the_outsider(self):
        self.as_bob.patch(self.path, PAUSE)
        other = self.deal(name="Wall")
        old = timezone.now() - datetime.timedelta(days=31)
        Deal.objects.update(stage_entered_at=old)

        def found(client, **query):
            return [row["uuid"] for row in client.rows("/api/deals", **query)]

        assert found(self.as_bob, paused="true") == [str(self.row.uuid)]
        assert found(self.as_bob, stale="true") == [str(other.uuid)]
        assert found(self.as_bob, stale="false") == [str(self.row.uuid)]
        assert found(self.as_charlie, stale="true") == []
        problem(self.as_bob.get("/api/deals", stale="yes"), 400, "invalid", "/stale")
        assert self.as_bob.get("/api/deals", as_of="2026-01-01", paused="true").status_code == 400
        total = self.as_bob.get("/api/deals/summary", stale="true").json()
        assert total["count"] == 1

    def test_the_card(self):
        stage = self.as_alice.patch(f"/api/stages/{self.new.pk}", {"stale_after_days": 5})
        assert stage.json()["stale_after_days"] == 5
        old = timezone.now() - datetime.timedelta(days=6)
        Deal.objects.update(stage_entered_at=old)

        def card():
            columns = self.as_bob.get(f"/api/pipelines/{self.pipeline.pk}/board").json()["columns"]
            return columns[0]["cards"][0]

        assert (card()["is_stale"], card()["paused_until"]) == (True, None)
        self.as_bob.patch(self.path, PAUSE)
        assert (card()["is_stale"], card()["paused_until"]) == (False, UNTIL)
        Deal.objects.update(paused_until=datetime.date(2026, 1, 1))
        assert (card()["is_stale"], card()["paused_until"]) == (True, None), "the pause has ended"


class LimitTests(ApiTestCase):
    def test_the_range(self):
        path = f"/api/stages/{self.new.pk}"
        for wrong in (0, -1, 3651, "5", True):
            answer = self.as_alice.patch(path, {"stale_after_days": wrong})
            assert answer.status_code == 400, wrong
            assert [error["pointer"] for error in answer.json()["errors"]] == ["/stale_after_days"]
        for good in (1, 3650, None):
            assert self.as_alice.patch(path, {"stale_after_days": good}).json()["stale_after_days"] == good
        assert self.as_bob.patch(path, {"stale_after_days": 7}).status_code == 403

    def test_closing_stages_have_none(self):
        problem(
            self.as_alice.patch(f"/api/stages/{self.won.pk}", {"stale_after_days": 7}),
            400,
            "invalid",
            "/stale_after_days",
        )
        body = {"name": "Next", "pipeline_id": self.pipeline.pk, "stale_after_days": 7}
        stage = self.as_alice.post("/api/stages", body).json()
        closing = self.as_alice.patch(f"/api/stages/{stage['id']}", {"kind": "lost"}).json()
        assert (closing["kind"], closing["stale_after_days"]) == ("lost", None)

    def test_inside_a_pipeline_with_history_and_undo(self):
        path = f"/api/pipelines/{self.pipeline.pk}"
        stages = [{"id": stage.pk} for stage in (self.new, self.offer, self.won, self.lost)]
        stages[0]["stale_after_days"] = 10

        answer = self.as_alice.patch(path, {"stages": stages}).json()

        assert [stage["stale_after_days"] for stage in answer["stages"]] == [10, None, None, None]
        event = self.as_alice.get(f"{path}/history").json()["results"][0]
        assert event["changes"] == [{"field": "stale_after_days", "from": None, "to": 10}]
        self.as_alice.post(f"/api/events/{event['sequence']}/undo", {})
        assert self.as_alice.get(path).json()["stages"][0]["stale_after_days"] is None
