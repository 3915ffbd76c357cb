"""What webhooks cost the writers: nothing that can be measured, since a dispatcher reads the feed by itself.

Blocks of writes with ten webhooks and without any alternate, so that what else the machine does meets both. Each two
neighbours are compared, and the median of their ratios does not follow the blocks that were disturbed.
"""

import gc
import os
import random
import statistics
import time

import pytest
from django.db import connection

from crm_project.webhooks.models import Webhook
from crm_project.webhooks.services import create_webhook
from tests.api.client import ApiClient
from tests.base import World

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

PAIRS = int(os.environ.get("TEST_PAIRS", "40"))
WRITES = 25
RESAMPLES = 2000


def backend():
    """The process of the connection on PostgreSQL."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def seconds(pid):
    """The CPU time of this process and of its connection's."""
    own = time.process_time()
    if pid is None:
        return own
    with open(f"/proc/{pid}/schedstat") as file:
        return own + int(file.read().split()[0]) / 1e9


def cost(client, *, with_webhooks):
    """The CPU seconds of some writes, with ten webhooks or none; also of their look-ups, if there are any."""
    Webhook.objects.update(is_active=with_webhooks)
    gc.collect()
    pid = backend()
    before = seconds(pid)
    for number in range(WRITES):
        answer = client.post("/api/deals", {"name": f"Deal {number}", "amount": "10.00"})
        assert answer.status_code == 201
    return seconds(pid) - before


def interval(ratios):
    """Where 95 of 100 medians lie if the pairs are drawn again."""
    chance = random.Random(1)
    medians = sorted(statistics.median(chance.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    return medians[RESAMPLES // 40], medians[-RESAMPLES // 40]


def test_a_write_takes_no_more_cpu_with_webhooks_than_without():
    world = World()
    for number in range(10):
        change = {"url": f"https://example.com/{number}", "events": ["*"]}
        create_webhook(actor=world.alice, change=change)
    client = ApiClient(world.bob)
    cost(client, with_webhooks=True)
    pairs = []
    for number in range(PAIRS):
        # Which of the two is first alternates, too: the table grows.
        order = (True, False) if number % 2 else (False, True)
        found = {which: cost(client, with_webhooks=which) for which in order}
        pairs.append((found[True], found[False]))

    ratios = [with_webhooks / without for with_webhooks, without in pairs]
    ratio, (low, high) = statistics.median(ratios), interval(ratios)
    each = [statistics.median(costs) / WRITES * 1000 for costs in zip(*pairs, strict=True)]
    print(
        f"with webhooks {each[0]:.2f} ms, without {each[1]:.2f} ms of CPU for each write;"
        f" ratio {ratio:.3f}, 95 of 100 between {low:.3f} and {high:.3f}"
    )
    assert ratio <= 1.05
