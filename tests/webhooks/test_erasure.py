"""What stays of a delivery: nothing of a redacted contact, and nothing after some weeks."""

import datetime

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.utils import timezone

from contacts.redaction import redact_contact
from contacts.services import update_contacts
from crm_project.encryption import decrypt, encrypt
from crm_project.operations.retention import expiries
from crm_project.webhooks import services
from crm_project.webhooks.models import Webhook, WebhookDelivery
from tests.webhooks.base import WebhookTestCase
from tests.webhooks.receiver import answering

CANARY = "Zyxcanary"


def everything_stored():
    """Every text of every table."""
    texts = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = connection.ops.quote_name(model._meta.db_table)
            columns = ", ".join(
                f"CAST({connection.ops.quote_name(field.column)} AS TEXT)"
                for field in model._meta.concrete_fields
                if field.get_internal_type() != "BinaryField"
            )
            cursor.execute(f"SELECT {columns} FROM {table}")
            texts += [(table, text) for row in cursor.fetchall() for text in row if text]
    return texts


class RedactionTests(WebhookTestCase):
    def test_no_table_has_the_name_of_a_redacted_contact_any_more(self):
        webhook = self.webhook(events=["*"])
        self.receiver.answer = lambda handler, request: answering(500, request.body)(handler, request)
        person = self.person(first_name=CANARY, email=f"{CANARY}@example.com")
        deal = self.deal(name="Roof", contact=person.pk)
        self.activity(subject=f"Ask {CANARY}", deal=deal.pk)
        self.activity(type="note", text=f"{CANARY} likes blue", contact=person.pk)
        update_contacts(actor=self.bob, changes=[(person, {"last_name": f"{CANARY}son"})])
        self.dispatch()
        assert [table for table, text in everything_stored() if CANARY in text and "webhook" in table]

        redact_contact(contact=person)

        assert [table for table, text in everything_stored() if CANARY.lower() in text.lower()] == []
        self.receiver.requests.clear()
        self.receiver.answer = answering(204)
        self.let_pass(webhook)
        self.dispatch()
        assert self.receiver.requests
        assert not any(CANARY.encode() in request.body for request in self.receiver.requests)


class RetentionTests(WebhookTestCase):
    def test_old_deliveries_are_deleted_but_for_those_still_tried(self):
        self.webhook(events=["deal.created"])
        self.deal()
        self.dispatch()
        self.receiver.answer = answering(500)
        self.deal()
        self.dispatch()
        old = timezone.now() - datetime.timedelta(days=31)
        WebhookDelivery.objects.update(created_at=old)

        [expiry] = [expiry for expiry in expiries(timezone.now()) if expiry.subject == "webhook deliveries"]
        assert expiry.delete() == 1

        assert [delivery.state for delivery in WebhookDelivery.objects.all()] == ["pending"]

    def test_a_webhook_is_purged_with_its_deliveries(self):
        webhook = self.webhook(events=["deal.created"])
        self.deal()
        self.dispatch()
        services.trash_webhook(actor=self.alice, webhook=webhook)
        Webhook.objects.update(deleted_at=timezone.now() - datetime.timedelta(days=31))

        for expiry in expiries(timezone.now()):
            expiry.delete()

        assert not Webhook.objects.exists()
        assert not WebhookDelivery.objects.exists()


class SecretTests(WebhookTestCase):
    def test_secrets_are_stored_encrypted_and_follow_a_new_key(self):
        webhook = self.webhook()
        assert not [text for _, text in everything_stored() if webhook.plain_secret in text]
        services.rotate_secret(actor=self.alice, webhook=webhook)

        with self.settings(SECRET_KEY="n" * 60, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
            assert services.reencrypt_secrets() == 1
        with self.settings(SECRET_KEY="n" * 60, SECRET_KEY_FALLBACKS=[]):
            assert decrypt(self.reread(webhook).previous_secret) == webhook.plain_secret

    def test_two_encryptions_differ(self):
        assert encrypt("a") != encrypt("a")
