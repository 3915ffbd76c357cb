"""The history of a row in the API's words, and in a salesperson's."""

import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.services import update_contacts
from crm_project.accounts.services import update_member
from crm_project.journal.models import Event
from crm_project.journal.sentences import lines
from crm_project.journal.undo import undo
from deals.services import restore_deals, trash_deals, update_deals
from pipelines.services import create_stage, trash_stage, update_pipeline, update_stage
from tests.api.client import ApiClient
from tests.base import BaseTestCase
from tests.factories import CustomFieldFactory, LostReasonFactory


class HistoryTests(BaseTestCase):
    def setUp(self):
        self.client = ApiClient(self.bob)

    def history(self, deal: Any, **asked: Any) -> Any:
        return self.client.get(f"/api/deals/{deal.uuid}/history", **asked).json()

    def changes(self, deal: Any) -> dict[str, Any]:
        """The last event's changes, as field → (from, to)."""
        event = self.history(deal)["results"][0]
        return {change["field"]: (change["from"], change["to"]) for change in event["changes"]}

    def test_it_works(self):
        deal = self.deal(amount="100")
        update_deals(actor=self.alice, changes=[(deal, {"stage": self.won.pk, "amount": Decimal(250)})])

        page = self.history(deal)

        newest, oldest = page["results"]
        assert (newest["action"], oldest["action"]) == ("updated", "created")
        assert newest["actor"] == {"uuid": str(self.alice.member.uuid), "full_name": "Alice"}
        assert newest["sequence"] > oldest["sequence"]
        assert self.changes(deal)["amount"] == ("100.00", "250.00")
        assert self.changes(deal)["stage"] == (
            {"id": self.new.pk, "name": "New"},
            {"id": self.won.pk, "name": "Won"},
        )

    def test_it_names_rows_of_every_kind(self):
        contact, member = self.person(first_name="Sophie", last_name="Martin"), self.bob.member
        reason, deal, following = (
            LostReasonFactory(actor=self.manager, name="Price"),
            self.deal(),
            self.deal(),
        )
        CustomFieldFactory(actor=self.manager, key="colour")
        change = {
            "owner": member.pk,
            "contact": contact.pk,
            "members": [contact.pk],
            "status": "lost",
            "lost_reason": reason.pk,
            "next_deal": following.pk,
            "external_references": [("erp", "7")],
            "custom_fields": {"colour": "red"},
        }
        update_deals(actor=self.bob, changes=[(deal, change)])

        changes = self.changes(deal)

        sophie = {"uuid": str(contact.uuid), "full_name": "Sophie Martin"}
        assert changes["owner"] == (None, {"uuid": str(member.uuid), "full_name": "Bob"})
        assert changes["contact"] == (None, sophie)
        assert changes["participants"] == ([], [sophie])
        assert changes["lost_reason"] == (None, {"id": reason.pk, "name": "Price"})
        assert changes["next_deal"][1]["uuid"] == str(following.uuid)
        assert changes["external_references"] == ([], [{"system": "erp", "external_id": "7"}])
        assert changes["custom_fields.colour"] == (None, "red")
        assert changes["closed_at"][1].endswith("Z")

    def test_a_row_that_is_not_for_everybody_is_hidden(self):
        secret = self.deal(actor=self.alice, name="Takeover", is_private=True)
        deal = self.deal()
        update_deals(actor=self.alice, changes=[(deal, {"next_deal": secret.pk})])

        assert self.changes(deal)["next_deal"] == (None, {"hidden": True})
        assert "Takeover" not in str(self.history(deal))
        assert str(secret.uuid) not in str(self.history(deal))

    def test_an_amount_has_the_currency_of_its_time(self):
        deal = self.deal(amount="100")
        update_deals(actor=self.bob, changes=[(deal, {"amount": Decimal("200.5")})])
        update_deals(actor=self.bob, changes=[(deal, {"currency": "JPY", "amount": Decimal(7)})])

        amounts = [
            (change["from"], change["to"])
            for event in self.history(deal)["results"]
            for change in event["changes"]
            if change["field"] == "amount"
        ]
        assert amounts == [("200.50", "7"), ("100.00", "200.50"), (None, "100.00")]

    def test_pages_have_each_event_once(self):
        deal = self.deal()
        for n in range(6):
            update_deals(actor=self.bob, changes=[(deal, {"name": f"Name {n}"})])
        url, seen = f"/api/deals/{deal.uuid}/history?page_size=3", []
        while url:
            page = self.client.client.get(url, headers=self.client.headers).json()
            seen += [event["sequence"] for event in page["results"]]
            url = page["next"]

        assert seen == sorted(seen, reverse=True)
        assert len(seen) == len(set(seen)) == 7

    def test_the_trash_keeps_its_history(self):
        deal = self.deal()
        trash_deals(actor=self.bob, rows=[deal])

        assert self.history(deal)["results"][0]["action"] == "trashed"

    def test_it_hides_other_organizations_and_private_deals(self):
        private = self.deal(actor=self.alice, is_private=True)

        assert self.client.get(f"/api/deals/{private.uuid}/history").status_code == 404
        assert ApiClient(self.charlie).get(f"/api/deals/{self.deal().uuid}/history").status_code == 404

    def test_contacts_and_pipelines_have_one_too(self):
        contact = self.person(first_name="Sophie")
        update_contacts(actor=self.bob, changes=[(contact, {"first_name": "Sofia"})])
        stage = create_stage(actor=self.manager, change={"name": "Third", "pipeline": self.pipeline.pk})
        update_stage(actor=self.manager, stage=stage, change={"name": "Fourth"})
        trash_stage(actor=self.manager, stage=stage)
        update_pipeline(actor=self.manager, pipeline=self.pipeline, change={"name": "Selling"})

        of_contact = self.client.get(f"/api/contacts/{contact.uuid}/history").json()["results"]
        of_pipeline = self.client.get(f"/api/pipelines/{self.pipeline.pk}/history").json()["results"]

        assert of_contact[0]["changes"] == [{"field": "first_name", "from": "Sophie", "to": "Sofia"}]
        assert [(event["kind"], event["action"]) for event in of_pipeline[:4]] == [
            ("pipeline", "updated"),
            ("stage", "trashed"),
            ("stage", "updated"),
            ("stage", "created"),
        ]

    def test_its_queries_do_not_depend_on_how_much_happened(self):
        deal, counts = self.deal(amount="1"), []
        self.history(deal)
        for _ in range(2):
            for n in range(5):
                stage, owner = (self.new, self.offer)[n % 2], (self.alice, self.bob)[n % 2]
                change = {"stage": stage.pk, "owner": owner.member.pk, "amount": Decimal(n)}
                update_deals(actor=owner, changes=[(deal, change)])
            with CaptureQueriesContext(connection) as queries:
                self.history(deal)
            counts.append(len(queries))

        assert counts[0] == counts[1] <= 8


class SentenceTests(BaseTestCase):
    def said(self, row: Any) -> str:
        """The last thing that happened to the row."""
        events = Event.objects.history_of(row).with_actor().order_by("-sequence")[:1]
        return str(lines(events, self.bob.member)[0])

    def test_moves_and_closings(self):
        deal = self.deal()
        reason = LostReasonFactory(actor=self.manager, name="Price")
        for change, sentence in (
            ({"stage": self.won.pk}, "Bob: Won"),
            ({"stage": self.offer.pk}, "Bob: Reopened in Offer"),
            ({"status": "lost", "lost_reason": reason.pk}, "Bob: Lost: Price"),
            ({"status": "open"}, "Bob: Reopened in Offer"),
            ({"stage": self.new.pk}, "Bob: Moved from Offer to New"),
            ({"status": "abandoned"}, "Bob: Abandoned, moved from New to Lost"),
        ):
            update_deals(actor=self.bob, changes=[(deal, change)])
            assert self.said(deal) == sentence

    def test_fields(self):
        deal, contact = self.deal(amount="100"), self.person(first_name="Sophie", last_name="Martin")
        CustomFieldFactory(actor=self.manager, key="shoe_size", type="number")
        for change, sentence in (
            ({"amount": Decimal(200)}, "Amount 100.00 EUR → 200.00 EUR"),
            ({"amount": Decimal("12345.5")}, "Amount 200.00 EUR → 12,345.50 EUR"),
            ({"expected_close_date": datetime.date(2030, 5, 1)}, "Expected close date set to 1 May 2030"),
            ({"name": "Other", "owner": self.bob.member.pk}, "→ Other"),
            ({"owner": self.alice.member.pk}, "Handed from Bob to Alice"),
            ({"owner": None}, "Owner removed"),
            ({"members": [contact.pk]}, "Participants: added Sophie Martin"),
            ({"members": []}, "Participants: removed Sophie Martin"),
            ({"is_private": True}, "Is private: yes"),
            ({"description": "x" * 200}, "Description changed"),
            ({"custom_fields": {"shoe_size": 42}}, "Shoe size set to 42"),
            ({"custom_fields": {"shoe_size": 0}}, "Shoe size 42 → 0"),
            ({"external_references": [("erp", "7")]}, "External references: added erp 7"),
        ):
            update_deals(actor=self.bob, changes=[(deal, change)])
            assert self.said(deal).endswith(sentence), self.said(deal)

    def test_the_trash_and_undoing(self):
        deal = self.deal()
        assert self.said(deal) == "Bob: Created"
        trash_deals(actor=self.bob, rows=[deal])
        assert self.said(deal) == "Bob: Moved to the trash"
        restore_deals(actor=self.bob, rows=[deal])
        assert self.said(deal) == "Bob: Restored from the trash"
        update_deals(actor=self.bob, changes=[(deal, {"stage": self.offer.pk})])
        undo(actor=self.alice, sequence=Event.objects.history_of(deal).order_by("-sequence")[0].sequence)
        assert self.said(deal) == "Alice: Undid a change: Moved from Offer to New"

    def test_what_no_member_did(self):
        assert self.said(self.bob.member) == "The system: Created"
        update_member(actor=self.alice, member=self.bob.member, role="manager")
        assert self.said(self.bob.member) == "Alice: Role rep → manager"
