"""Writers, bad receivers and dispatchers that are killed: every event arrives, in the order of its row."""

import datetime
import os
import random
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from crm_project.journal.event_types import types_of
from crm_project.journal.models import Event
from crm_project.webhooks.models import WebhookDelivery, WebhookState
from crm_project.webhooks.services import create_webhook
from deals.services import update_deals
from tests.base import World
from tests.tasks import database_url
from tests.webhooks.receiver import answering, receiving

pytestmark = [pytest.mark.race, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

# For the writers of fifty deals each; and for the next arrival, which a lease of a dead dispatcher may delay.
SECONDS, STALLED = 90, 180
WRITERS = 3
# Deals of each writer in the long form, with 3.4 events each.
DEALS = int(os.environ.get("TEST_DEALS", "1000"))
TIMEOUT = 1
# Of each message, the first tries may fail; the retries follow at once.
RETRIES = ",".join(["0.1"] * 40)
FAULTS = ("none", "slow", "500", "closes", "redirects", "dies", "hangs")
# How many answers are bad: one that hangs costs the time-out.
SHARE = {"hangs": 0.02}


class Endpoint:
    """A webhook and its receiver, which behaves badly now and then and remembers what arrived."""

    def __init__(self, world, fault, receiver):
        self.fault, self.receiver = fault, receiver
        self.chance = random.Random(fault)
        member = world.bob if fault in ("none", "500") else world.alice
        events = ["deal.created", "deal.updated"]
        change = {"url": receiver.url, "events": events, "member": member.member.pk}
        self.webhook, self.secret = create_webhook(actor=world.alice, change=change)
        self.guard = threading.Lock()
        self.bodies, self.by_row, self.seen, self.expected = {}, {}, set(), set()
        self.wrong = []
        receiver.answer = self.answer

    def answer(self, handler, request):
        self.remember(request)
        bad = self.chance.random() < SHARE.get(self.fault, 0.2)
        if self.fault == "slow":
            time.sleep(0.02)
        if bad and self.fault == "hangs":
            time.sleep(TIMEOUT + 1)
        if bad and self.fault in ("closes", "hangs"):
            handler.connection.close()
            return
        if bad and self.fault == "dies":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
            handler.connection.close()
            return
        status = {"500": 500, "redirects": 302}.get(self.fault, 204) if bad else 204
        answering(status, Location="http://127.0.0.1:9/")(handler, request)

    def remember(self, request):
        try:
            body = request.verified(self.secret)
        except Exception as error:
            self.wrong.append(error)
            return
        with self.guard:
            self.receiver.requests.clear()
            if self.bodies.setdefault(request.id, request.body) != request.body:
                self.wrong.append(f"{request.id} has other bytes than before")
            sequence = body["data"]["sequence"]
            if sequence not in self.seen:
                self.seen.add(sequence)
                self.by_row.setdefault(body["data"]["row"], []).append(sequence)

    def expect(self):
        """All that the member may see once everything is written, and nothing else."""
        webhook = self.webhook
        events = Event.objects.visible_to(webhook.member).filter(kind="deal").order_by("sequence")
        self.expected = {event.sequence for event in events if set(types_of(event)) & set(webhook.events)}

    def missing(self):
        return self.expected - self.seen

    def check(self):
        assert not self.wrong, self.wrong[:3]
        assert self.seen == self.expected
        for sequences in self.by_row.values():
            assert sequences == sorted(sequences), "a row's events arrive in order"


def dispatching(log):
    """A dispatcher; `log` is the file of its warnings and errors."""
    environment = {
        **os.environ,
        "ENV_FILE": "",
        "DEBUG": "on",
        "DATABASE_URL": database_url(),
        "OUTBOUND_ALLOWED_HOSTS": "127.0.0.1",
        "WEBHOOK_RETRIES": RETRIES,
        "WEBHOOK_THREADS": "6",
        "WEBHOOK_TIMEOUT": str(TIMEOUT),
    }
    return subprocess.Popen([sys.executable, "-m", "tests.webhooks.dispatching"], env=environment, stderr=log)


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


def kill(processes, *, at_once):
    for process in processes:
        process.kill()
        process.wait(10)
    if at_once:
        # As if the time of their leases had passed.
        past = timezone.now() - datetime.timedelta(seconds=1)
        WebhookState.objects.update(leased_until=past, not_before=None)


@pytest.mark.parametrize(
    ("count", "kills", "pause"),
    [
        pytest.param(15, 2, 3, id="hundreds"),
        pytest.param(DEALS, 2 + DEALS // 160, 15, id="ten thousand", marks=pytest.mark.long),
    ],
)
def test_every_event_arrives_in_order_whoever_dies(count, kills, pause, tmp_path):
    world, failures = World(), []
    is_long = count > 100
    with ExitStack() as stack:
        log = stack.enter_context(open(tmp_path / "log", "w+"))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(settings, "OUTBOUND_ALLOWED_HOSTS", frozenset({"127.0.0.1"}))
        endpoints = [Endpoint(world, fault, stack.enter_context(receiving())) for fault in FAULTS]
        began = time.monotonic()
        writers = [
            threading.Thread(target=write, args=(world, count, failures), daemon=True) for _ in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        processes = [dispatching(log) for _ in range(2)]
        try:
            for _ in range(kills):
                time.sleep(pause)
                # In the long form only the leases that end by themselves free what the dead one had.
                killed = processes[:1] if is_long else processes
                kill(killed, at_once=not is_long)
                processes = [*processes[len(killed) :], *(dispatching(log) for _ in killed)]
            for writer in writers:
                writer.join(SECONDS * (1 + count // 50))
            assert not failures
            for one in endpoints:
                one.expect()
            written = time.monotonic() - began
            wait_until_all_arrived(endpoints, pause=5 if is_long else 0.3)
        finally:
            kill(processes, at_once=False)
        for endpoint in endpoints:
            endpoint.check()
        log.seek(0)
        wrong = [line for line in log if " ERROR " in line or "database" in line]
        assert not wrong, wrong[:3]
    tries = WebhookDelivery.objects.aggregate(Sum("attempts"))["attempts__sum"]
    events = Event.objects.filter(kind="deal").count()
    print(
        f"{events} events, {tries} tries, written in {written:.0f} s, {time.monotonic() - began:.0f} s in all"
    )


def wait_until_all_arrived(endpoints, *, pause):
    """However long it takes, as long as something new arrives."""
    arrived, deadline = 0, time.monotonic() + STALLED
    while time.monotonic() < deadline:
        assert not any(endpoint.wrong for endpoint in endpoints), [one.wrong[:3] for one in endpoints]
        if not any(endpoint.missing() for endpoint in endpoints):
            return
        so_far = sum(len(endpoint.seen) for endpoint in endpoints)
        if so_far > arrived:
            arrived, deadline = so_far, time.monotonic() + STALLED
        time.sleep(pause)
    raise AssertionError(f"not arrived: { {one.fault: len(one.missing()) for one in endpoints} }")
