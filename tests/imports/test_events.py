"""What an import leaves in the journal: one event for each row, which names the import; past wins are no news."""

from crm_project.journal.models import Event
from deals.models import Deal
from tests.api.client import ApiTestCase
from tests.imports.client import carried_out, counts, csv_file, imported
from tests.webhooks.base import WebhookTestCase

HEADER = ("external_id", "name", "stage", "status", "closed_at", "created_at")
WON = ("1", "Old win", "", "won", "2024-05-02T10:00:00Z", "2024-03-01T09:00:00Z")
OPEN = ("2", "Still open", "", "open", "", "2024-04-01T09:00:00Z")


class EventTests(WebhookTestCase, ApiTestCase):
    def imported(self, *rows, **change):
        return imported(self.as_bob, "deals", csv_file(HEADER, *rows), **change)

    def events_of(self, name):
        deal = Deal.objects.get(name=name)
        return [event for event in self.as_bob.rows("/api/events") if event["row"] == str(deal.uuid)]

    def test_a_past_win_is_created_and_not_won(self):
        result = self.imported(WON, OPEN)

        assert counts(result) == (2, 0, 0, 0)
        (event,) = self.events_of("Old win")
        assert event["type"] == "deal.created"
        assert event["types"] == ["deal.created"]
        assert event["import"] == result["uuid"]
        assert {"field": "status", "from": None, "to": "won"} in event["changes"]
        assert Deal.objects.get(name="Old win").created_at.year == 2024

    def test_a_deal_that_is_created_as_won_is_still_news(self):
        self.deal(name="New win", status="won")

        (event,) = self.events_of("New win")

        assert event["types"] == ["deal.created", "deal.won"]
        assert event["import"] is None

    def test_webhooks_get_the_creation_alone(self):
        wins = self.webhook(events=["deal.won"])
        everything = self.webhook(events=["deal.created", "deal.won", "deal.moved"])

        result = self.imported(WON, OPEN)
        self.dispatch()

        assert self.deliveries(wins) == []
        bodies = [delivery.body for delivery in self.deliveries(everything)]
        assert len(bodies) == 2
        assert all(f'"import":"{result["uuid"]}"' in body.replace(": ", ":") for body in bodies)

    def test_a_win_that_a_later_import_brings_is_news(self):
        self.imported(OPEN)
        webhook = self.webhook(events=["deal.won"])

        result = self.imported(("2", "Still open", "", "won", "", ""))
        self.dispatch()

        assert counts(result) == (0, 1, 0, 0)
        assert len(self.deliveries(webhook)) == 1
        assert [event["import"] for event in self.events_of("Still open")][-1] == result["uuid"]

    def test_an_undo_is_no_import(self):
        result = self.imported(OPEN)

        carried_out(self.as_bob, f"/api/imports/{result['uuid']}", "undo")

        created, trashed = Event.objects.filter(kind="deal").order_by("sequence")
        assert str(created.import_uuid) == result["uuid"]
        assert (trashed.action, trashed.import_uuid) == ("trashed", None)
