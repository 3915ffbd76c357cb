"""Writers, bad receivers and dispatchers that are killed: every event arrives, in the order of its row."""

import datetime
import json
import os
import random
import subprocess
import sys
import threading
import time

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from standardwebhooks import Webhook as Verifier

from crm_project.journal.event_types import types_of
from crm_project.journal.models import Event
from crm_project.webhooks.models import WebhookState
from crm_project.webhooks.services import create_webhook
from deals.services import update_deals
from tests.base import World
from tests.tasks import database_url
from tests.webhooks.receiver import answering, receiving

pytestmark = [pytest.mark.race, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SECONDS = 90
WRITERS = 3
# Of each message, the first tries may fail; the retries follow at once.
RETRIES = ",".join(["0.1"] * 40)


def answer_of(fault, chance):
    """An endpoint that behaves badly now and then."""

    def answer(handler, request):
        bad = chance.random() < 0.2
        if fault == "slow":
            time.sleep(0.02)
        if bad and fault == "closes":
            handler.connection.close()
            return
        if bad and fault == "dies":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
            handler.connection.close()
            return
        status = {"500": 500, "redirects": 302}.get(fault, 204) if bad else 204
        answering(status, Location="http://127.0.0.1:9/")(handler, request)

    return answer


def dispatching():
    environment = {
        **os.environ,
        "ENV_FILE": "",
        "DEBUG": "on",
        "DATABASE_URL": database_url(),
        "OUTBOUND_ALLOWED_HOSTS": "127.0.0.1",
        "WEBHOOK_RETRIES": RETRIES,
        "WEBHOOK_THREADS": "6",
        "WEBHOOK_TIMEOUT": "2",
    }
    return subprocess.Popen([sys.executable, "-m", "tests.webhooks.dispatching"], env=environment)


def write(world, count, failures):
    """Deals of Bob, some private to Alice; every fifth write is rolled back."""
    try:
        for number in range(count):
            actor = world.alice if number % 4 == 0 else world.bob
            deal = world.deal(actor, name="d0", is_private=number % 4 == 0)
            for step in range(1, 4):
                with transaction.atomic():
                    update_deals(actor=actor, changes=[(deal, {"name": f"d{step}"})])
                    if (number + step) % 5 == 0:
                        transaction.set_rollback(True)
    except Exception as error:
        failures.append(error)
    finally:
        connection.close()


def kill(processes):
    for process in processes:
        process.kill()
        process.wait(10)
    # As if the time of their leases had passed.
    past = timezone.now() - datetime.timedelta(seconds=1)
    WebhookState.objects.update(leased_until=past, not_before=None)


def expected(webhook):
    events = Event.objects.visible_to(webhook.member).filter(kind="deal").order_by("sequence")
    return [event.sequence for event in events if set(types_of(event)) & set(webhook.events)]


def check(webhook, secret, receiver):
    seen, by_row, bodies = {}, {}, {}
    for request in receiver.requests:
        body = json.loads(request.body)
        sequence = body["data"]["sequence"]
        assert bodies.setdefault(request.id, request.body) == request.body, "every try has the same bytes"
        if abs(time.time() - int(request.headers["webhook-timestamp"])) < 240:
            Verifier(secret).verify(request.body, request.headers)
        if sequence not in seen:
            seen[sequence] = True
            by_row.setdefault(body["data"]["row"], []).append(sequence)
    assert sorted(seen) == expected(webhook), "all that the member may see, and nothing else"
    for sequences in by_row.values():
        assert sequences == sorted(sequences), "a row's events arrive in order"


@pytest.mark.parametrize(
    "count", [pytest.param(15, id="hundreds"), pytest.param(700, id="ten thousand", marks=pytest.mark.long)]
)
def test_every_event_arrives_in_order_whoever_dies(count):
    world, failures = World(), []
    faults = ["none", "slow", "500", "closes", "redirects", "dies"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "OUTBOUND_ALLOWED_HOSTS", frozenset({"127.0.0.1"}))
        opened = [receiving() for _ in faults]
        receivers = [one.__enter__() for one in opened]
        hooks = []
        for fault, receiver in zip(faults, receivers, strict=True):
            receiver.answer = answer_of(fault, random.Random(fault))
            member = world.bob if fault in ("none", "500") else world.alice
            change = {
                "url": receiver.url,
                "events": ["deal.created", "deal.updated"],
                "member": member.member.pk,
            }
            hooks.append(create_webhook(actor=world.alice, change=change))
        writers = [
            threading.Thread(target=write, args=(world, count, failures), daemon=True) for _ in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        processes = [dispatching() for _ in range(2)]
        try:
            for _ in range(2):
                time.sleep(3)
                kill(processes)
                processes = [dispatching() for _ in range(2)]
            for writer in writers:
                writer.join(SECONDS * (1 + count // 50))
            assert not failures
            wait_until_all_arrived(hooks, receivers, SECONDS * (1 + count // 50))
        finally:
            kill(processes)
            for one in opened:
                one.__exit__(None, None, None)
        for (webhook, secret), receiver in zip(hooks, receivers, strict=True):
            check(webhook, secret, receiver)


def wait_until_all_arrived(hooks, receivers, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        missing = [
            set(expected(webhook))
            - {json.loads(request.body)["data"]["sequence"] for request in receiver.requests}
            for (webhook, _), receiver in zip(hooks, receivers, strict=True)
        ]
        if not any(missing):
            return
        time.sleep(0.3)
    raise AssertionError(f"not arrived: {[len(one) for one in missing]}")
