"""Webhooks in LeadConnector's published form, as a receiver written for the vendor reads them."""

import datetime
import json
from decimal import Decimal

from django.utils import timezone

from contacts.services import trash_contacts, update_contacts
from crm_project.journal.models import Event
from crm_project.journal.purging import purge
from crm_project.records.kinds import kinds
from crm_project.webhooks.models import WebhookDelivery
from deals.services import create_lost_reason, restore_deals, trash_deals, update_deals
from tests.webhooks.base import WebhookTestCase
from tests.webhooks.receiver import answering

# The fields of the published schemas and their JSON types, none of which may be null.
COMMON = {"type": str, "locationId": str, "id": str, "timestamp": str, "webhookId": str}
OPPORTUNITY = {
    **COMMON,
    **dict.fromkeys(("assignedTo", "contactId", "name", "pipelineId", "pipelineStageId", "source"), str),
    **dict.fromkeys(("status", "dateAdded"), str),
    "monetaryValue": (int, float),
}
CONTACT = {
    **COMMON,
    **dict.fromkeys(
        ("address1", "city", "companyName", "country", "source", "dateAdded", "dateOfBirth"), str
    ),
    **dict.fromkeys(("email", "name", "firstName", "lastName", "phone", "postalCode", "state"), str),
    **dict.fromkeys(("website", "assignedTo"), str),
    **dict.fromkeys(("tags", "attachments", "customFields"), list),
    "dnd": bool,
}


class LeadConnectorWebhookTests(WebhookTestCase):
    def hook(self, *events, **change):
        return self.webhook(format="leadconnector", events=list(events) or ["*"], **change)

    def bodies(self, webhook):
        """What arrived, in the published schemas."""
        bodies = self.received(webhook)
        for body in bodies:
            fields = OPPORTUNITY if body["type"].startswith("Opportunity") else CONTACT
            if body["type"] == "ContactDndUpdate":
                fields = {**fields, "dndSettings": dict}
            assert body.keys() <= fields.keys()
            for name, value in body.items():
                assert isinstance(value, fields[name]), (name, value)
        return bodies

    def test_an_opportunity_has_the_published_fields(self):
        webhook = self.hook("deal.created")
        person = self.person()
        deal = self.deal(
            self.bob,
            name="Roof",
            amount=Decimal("1200.50"),
            origin="fair",
            contact=person.pk,
            owner=self.alice.member.pk,
        )

        self.dispatch()

        [body] = self.bodies(webhook)
        assert body == {
            "type": "OpportunityCreate",
            "timestamp": body["timestamp"],
            "webhookId": self.receiver.requests[0].id,
            "locationId": str(self.organization.uuid),
            "id": str(deal.uuid),
            "assignedTo": str(self.alice.member.uuid),
            "contactId": str(person.uuid),
            "monetaryValue": 1200.5,
            "name": "Roof",
            "pipelineId": str(deal.stage.pipeline.uuid),
            "pipelineStageId": str(deal.stage.uuid),
            "source": "fair",
            "status": "open",
            "dateAdded": body["dateAdded"],
        }
        assert body["dateAdded"].endswith("Z")
        assert len(body["dateAdded"]) == len("2021-11-26T12:41:02.193Z")

    def test_no_digit_of_an_amount_is_lost(self):
        self.hook("deal.created")
        self.deal(amount=Decimal("999999999999.99"), currency="EUR")
        self.dispatch()

        text = self.receiver.requests[0].body.decode()

        assert json.loads(text, parse_float=Decimal)["monetaryValue"] == Decimal("999999999999.99")

    def test_rows_have_the_ids_that_the_dialect_gives_them(self):
        webhook = self.hook("deal.created")
        self.deal(external_references=[("leadconnector", "yWQobCRIhRguQtD2llvk"), ("intum", "4")])
        self.dispatch()

        assert self.bodies(webhook)[0]["id"] == "yWQobCRIhRguQtD2llvk"

    def test_an_update_is_also_one_of_each_documented_field(self):
        webhook = self.hook()
        deal = self.deal(amount=Decimal(1))
        self.dispatch()
        self.receiver.requests.clear()
        won = {"stage": self.won.pk, "amount": Decimal(5), "owner": self.alice.member.pk}
        update_deals(actor=self.bob, changes=[(deal, won)])
        update_deals(actor=self.bob, changes=[(deal, {"name": "Other"})])

        self.dispatch()

        assert [body["type"] for body in self.bodies(webhook)] == [
            "OpportunityUpdate",
            "OpportunityStatusUpdate",
            "OpportunityStageUpdate",
            "OpportunityAssignedToUpdate",
            "OpportunityMonetaryValueUpdate",
            "OpportunityUpdate",
        ]
        assert {body["status"] for body in self.bodies(webhook)} == {"won"}
        assert len(set(self.receiver.ids)) == 6

    def test_an_endpoint_that_asks_for_moves_alone_gets_no_general_update(self):
        webhook = self.hook("deal.moved", "deal.won")
        deal = self.deal()
        update_deals(actor=self.bob, changes=[(deal, {"stage": self.won.pk, "amount": Decimal(5)})])

        self.dispatch()

        assert [body["type"] for body in self.bodies(webhook)] == [
            "OpportunityStatusUpdate",
            "OpportunityStageUpdate",
        ]

    def test_deleted_and_restored(self):
        webhook = self.hook("deal.deleted", "deal.restored")
        deal = self.deal(name="Roof")
        trash_deals(actor=self.bob, rows=[deal])
        self.dispatch()
        restore_deals(actor=self.bob, rows=[deal])
        self.dispatch()

        assert [(body["type"], body["name"]) for body in self.bodies(webhook)] == [
            ("OpportunityDelete", "Roof"),
            ("OpportunityCreate", "Roof"),
        ]

    def test_a_contact_has_the_published_fields(self):
        webhook = self.hook("contact.created", "contact.updated", "contact.deleted")
        person = self.person(
            email="john@example.com",
            first_name="John",
            last_name="Deo",
            custom_fields={"tags": ["a"], "date_of_birth": "2000-01-05", "size": "XL"},
            free_custom_fields={"tags", "date_of_birth", "size"},
        )
        self.dispatch()
        update_contacts(actor=self.bob, changes=[(person, {"city": "Bern"})])
        trash_contacts(actor=self.bob, rows=[person])
        self.dispatch()

        created, updated, deleted = self.bodies(webhook)
        assert (created["type"], created["name"], created["email"]) == (
            "ContactCreate",
            "John Deo",
            "john@example.com",
        )
        assert created["dateOfBirth"] == "2000-01-05T00:00:00.000Z"
        assert (created["tags"], created["attachments"], created["dnd"]) == (["a"], [], False)
        assert created["customFields"] == [{"id": "size", "value": "XL"}]
        assert (updated["type"], updated["city"], deleted["type"]) == (
            "ContactUpdate",
            "Bern",
            "ContactDelete",
        )

    def test_tags_and_do_not_disturb_have_messages_of_their_own(self):
        webhook = self.hook("contact.updated")
        person = self.person()
        fields = {"tags": ["a"], "dnd": True, "dnd_settings": {"SMS": {"status": "active"}}}
        change = {"custom_fields": fields, "free_custom_fields": fields.keys()}
        update_contacts(actor=self.bob, changes=[(person, change)])
        self.dispatch()

        general, tags, disturb = self.bodies(webhook)
        assert [body["type"] for body in (general, tags, disturb)] == [
            "ContactUpdate",
            "ContactTagUpdate",
            "ContactDndUpdate",
        ]
        assert disturb["dndSettings"] == {"SMS": {"status": "active"}}
        assert "dndSettings" not in general

    def test_other_kinds_of_row_have_no_message(self):
        webhook = self.hook()
        create_lost_reason(actor=self.alice, change={"name": "Price"})

        assert self.dispatch() == 0
        assert self.reread(webhook).state.position == Event.objects.latest("sequence").sequence

    def test_a_private_deal_of_others_is_not_sent(self):
        webhook = self.hook(member=self.bob.member.pk)
        self.deal(self.alice, name="Hidden", is_private=True)
        self.dispatch()

        assert self.received(webhook) == []

    def test_a_row_that_is_gone_for_good_has_no_message(self):
        webhook = self.hook("deal.created")
        deal = self.deal()
        trash_deals(actor=self.bob, rows=[deal])
        purge(kinds["deal"], timezone.now() + datetime.timedelta(days=31), limit=1)

        assert self.dispatch() == 0
        assert self.states(webhook) == []

    def test_a_failed_part_holds_the_next_ones_and_keeps_its_bytes(self):
        webhook = self.hook("deal.updated")
        deal = self.deal()
        update_deals(actor=self.bob, changes=[(deal, {"stage": self.won.pk, "amount": Decimal(5)})])
        self.receiver.answer = answering(500)
        self.dispatch()
        [failed] = self.receiver.requests
        self.receiver.answer = answering(204)
        update_deals(actor=self.bob, changes=[(deal, {"name": "Later"})])
        for _ in range(6):
            self.let_pass(webhook)
            self.dispatch()

        assert self.receiver.requests[1].body == failed.body
        assert self.receiver.requests[1].id == failed.id
        assert [body["type"] for body in self.bodies(webhook)] == [
            "OpportunityUpdate",
            "OpportunityUpdate",
            "OpportunityMonetaryValueUpdate",
            "OpportunityUpdate",
        ]
        assert not WebhookDelivery.objects.exclude(state="delivered").exists()
