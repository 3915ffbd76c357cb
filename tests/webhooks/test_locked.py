"""A database that is locked for longer than a dispatcher waits: nothing is lost, and nothing is sent twice."""

import threading
import time
from unittest import mock

import pytest
from django.conf import settings
from django.db import connection

from crm_project.webhooks.dispatcher import dispatch_here
from crm_project.webhooks.models import WebhookDelivery
from crm_project.webhooks.services import create_webhook
from crm_project.write_queue import queue_of
from tests.base import World
from tests.webhooks.receiver import answering, receiving

pytestmark = [
    pytest.mark.race,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has no lock of all writers"),
]
PATIENCE, LOCKED = 1.0, 1.5


def test_what_was_sent_is_recorded_once_the_lock_is_gone(monkeypatch):
    monkeypatch.setattr(settings, "OUTBOUND_ALLOWED_HOSTS", frozenset({"127.0.0.1"}))
    world, held = World(), threading.Event()

    def hold():
        with queue_of(str(connection.settings_dict["NAME"])).turn(5):
            held.set()
            time.sleep(LOCKED)

    holder = threading.Thread(target=hold)

    def answer(handler, request):
        holder.start()
        held.wait(5)
        answering(204)(handler, request)

    with receiving() as receiver:
        receiver.answer = answer
        create_webhook(actor=world.alice, change={"url": receiver.url, "events": ["deal.created"]})
        world.deal()
        with mock.patch.dict(connection.settings_dict["OPTIONS"], timeout=PATIENCE):
            assert dispatch_here() == 1
            holder.join()
            assert dispatch_here() == 0

        [delivery] = WebhookDelivery.objects.all()
        assert (delivery.state, delivery.attempts, len(receiver.requests)) == ("delivered", 1, 1)
        receiver.answer = answering(204)
        world.deal()
        assert dispatch_here() == 1, "the lease was given back"
