"""The webhooks of the OpenAPI document, against messages that were really delivered."""

from decimal import Decimal

from jsonschema import Draft202012Validator, FormatChecker

from contacts.services import update_contacts
from crm_project.journal.event_types import known_types
from crm_project.webhooks import services
from crm_project.webhooks.formats import TEST_TYPE
from deals.services import create_lost_reason, restore_deals, trash_deals, update_deals
from tests.api.client import document
from tests.webhooks.base import WebhookTestCase


def validator(name):
    """Of the body of this type of message."""
    schema = document()["webhooks"][name]["post"]["requestBody"]["content"]["application/json"]["schema"]
    whole = {**schema, "components": document()["components"]}
    return Draft202012Validator(whole, format_checker=FormatChecker())


class DocumentTests(WebhookTestCase):
    def test_the_document_has_each_type_of_message(self):
        assert set(document()["webhooks"]) == {*known_types(), TEST_TYPE}

    def test_what_is_delivered_is_as_documented(self):
        webhook = self.webhook()
        person = self.person()
        deal = self.deal(contact=person.pk, amount=Decimal("9.50"))
        update_contacts(actor=self.bob, changes=[(person, {"city": "Bern"})])
        update_deals(actor=self.bob, changes=[(deal, {"stage": self.won.pk, "owner": self.alice.member.pk})])
        trash_deals(actor=self.bob, rows=[deal])
        restore_deals(actor=self.bob, rows=[deal])
        create_lost_reason(actor=self.alice, change={"name": "Price"})
        services.send_test(actor=self.alice, webhook=webhook)
        self.dispatch()
        self.dispatch()

        bodies = self.received(webhook)

        assert {body["type"] for body in bodies} >= {
            "contact.created",
            "contact.updated",
            "deal.created",
            "deal.won",
            "deal.deleted",
            "deal.restored",
            "lost_reason.created",
            TEST_TYPE,
        }
        for body in bodies:
            validator(body["type"]).validate(body)

    def test_a_body_of_another_type_is_refused(self):
        webhook = self.webhook(events=["deal.created"])
        self.deal()
        self.dispatch()
        [body] = self.received(webhook)

        assert not validator("deal.won").is_valid(body)
        assert not validator("deal.created").is_valid({**body, "data": {**body["data"], "sequence": "4711"}})

    def test_each_message_has_the_documented_headers(self):
        self.webhook(events=["deal.created"])
        self.deal()
        self.dispatch()
        documented = document()["webhooks"]["deal.created"]["post"]["parameters"]

        headers = self.receiver.requests[0].headers

        assert {header["name"] for header in documented} <= headers.keys()
