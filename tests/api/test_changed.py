"""Answers, receipts and events agree on what a write has changed, the probability in force included."""

from typing import Any

from django.db import transaction

from crm_project.journal.models import Event
from deals.models import Deal
from deals.services import create_deals, update_deals
from tests.api.client import ApiTestCase

# Fields of an answer that are no columns of a deal, or change with every write.
FOLLOWING = frozenset({"updated_at", "pipeline"})
WRITE_NAMES = {"stage": "stage_id", "lost_reason": "lost_reason_id"}


class ChangedTests(ApiTestCase):
    def moves(self) -> list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
        """The change that creates a deal, one that follows it, and the body of the write in question."""
        bodies: list[dict[str, Any]] = [
            *({"status": status} for status in ("won", "lost", "abandoned")),
            *({"stage_id": stage.pk} for stage in (self.offer, self.won, self.lost)),
            {"status": "won", "probability": 100},
            {"probability": None},
            {"probability": 10},
            {"probability": 50, "stage_id": self.offer.pk},
            {"pipeline_id": self.renewals.pk},
        ]
        moves = [(created, {}, body) for created in ({}, {"probability": 35}) for body in bodies]
        for created, then in (({"stage": self.won.pk}, {}), ({"probability": 35}, {"status": "lost"})):
            for body in ({"status": "open"}, {"status": "open", "probability": 20}, {"name": "Other"}):
                moves.append((created, then, body))
            moves.append((created, then, {"stage_id": self.offer.pk}))
            moves.append((created, then, {"status": "abandoned" if then else "lost"}))
        return moves

    def test_every_move(self) -> None:
        moves = self.moves()
        deals = create_deals(actor=self.bob, changes=[{"name": "A", **created} for created, _, _ in moves])
        changes = [(deal, then) for deal, (_, then, _) in zip(deals, moves, strict=True)]
        update_deals(actor=self.bob, changes=changes)
        before = self.shown()
        for op in ("update", "upsert"):
            with transaction.atomic():
                last = Event.objects.order_by("sequence").last().sequence
                operations = [
                    {"op": op, "uuid": str(deal.uuid), "data": body}
                    for deal, (_, _, body) in zip(deals, moves, strict=True)
                ]
                receipts = self.as_bob.post("/api/deals/bulk", {"operations": operations}).json()["results"]
                events = self.as_bob.get("/api/events", after=last).json()["results"]
                after = self.shown()
                transaction.set_rollback(True)
            of_events = {event["row"]: self.fields(event) for event in events}
            for operation, receipt in zip(operations, receipts, strict=True):
                with self.subTest(op=op, operation=operation):
                    uuid = operation["uuid"]
                    changed = {name for name, value in after[uuid].items() if before[uuid][name] != value}
                    changed -= FOLLOWING
                    assert of_events.get(uuid, set()) == changed
                    assert receipt["changed"] == sorted(WRITE_NAMES.get(name, name) for name in changed)

    def test_one_write_its_history_and_its_undo(self) -> None:
        deal = self.deal(probability=35)
        path = f"/api/deals/{deal.uuid}"
        before = self.as_bob.get(path).json()
        self.as_bob.patch(path, {"status": "won"})
        event = self.as_bob.get(f"{path}/history").json()["results"][0]
        assert "probability" in self.fields(event)

        stale = self.as_bob.patch(path, {"name": "B"}, headers={"If-Match": '"1-a"'}).json()
        assert "probability" in stale["changes"][0]["fields"]

        answer = self.as_bob.post(f"/api/events/{event['sequence']}/undo")
        assert answer.status_code == 200, answer.content
        changes = {change["field"]: change for change in answer.json()["events"][0]["changes"]}
        assert (changes["probability"]["from"], changes["probability"]["to"]) == (100, 35)
        after = self.as_bob.get(path).json()
        assert after == {**before, "updated_at": after["updated_at"]}
        assert Deal.objects.get(pk=deal.pk).probability == 35

    def shown(self) -> dict[str, Any]:
        return {row["uuid"]: row for row in self.as_bob.rows("/api/deals", page_size=200)}

    def fields(self, event: dict[str, Any]) -> set[str]:
        """The fields of an event, each with two different values."""
        assert all(change["from"] != change["to"] for change in event["changes"]), event
        return {change["field"] for change in event["changes"]}
