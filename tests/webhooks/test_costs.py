"""What webhooks cost the writers: nothing that can be measured, since a dispatcher reads the feed by itself."""

import os
import statistics

import pytest
from django.db import connection

from crm_project.webhooks.models import Webhook
from crm_project.webhooks.services import create_webhook
from tests.api.client import ApiClient
from tests.base import World

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

BLOCKS, WRITES = 20, 25
TICK = os.sysconf("SC_CLK_TCK")


def seconds(pid):
    """The CPU time of a process."""
    with open(f"/proc/{pid}/stat") as file:
        parts = file.read().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / TICK


def processes():
    """This process, and that of its connection on PostgreSQL."""
    if connection.vendor != "postgresql":
        return [os.getpid()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return [os.getpid(), cursor.fetchone()[0]]


def cost(client):
    """The CPU seconds of some writes."""
    pids = processes()
    before = sum(map(seconds, pids))
    for number in range(WRITES):
        answer = client.post("/api/deals", {"name": f"Deal {number}", "amount": "10.00"})
        assert answer.status_code == 201
    return sum(map(seconds, pids)) - before


def test_a_write_takes_no_more_cpu_with_webhooks_than_without():
    world = World()
    for number in range(10):
        change = {"url": f"https://example.com/{number}", "events": ["*"]}
        create_webhook(actor=world.alice, change=change)
    client = ApiClient(world.bob)
    cost(client)
    costs = {True: [], False: []}
    for block in range(2 * BLOCKS):
        has_webhooks = block % 2 == 0
        # Ten of them or none, also for the queries that look for those that are not deleted.
        Webhook.objects.update(is_active=has_webhooks)
        costs[has_webhooks].append(cost(client))

    with_webhooks, without = (statistics.fmean(costs[which]) / WRITES * 1000 for which in (True, False))
    print(f"with webhooks {with_webhooks:.2f} ms, without {without:.2f} ms of CPU for each write")
    assert with_webhooks <= 1.05 * without
