"""Ten times the limit from 32 callers and two server processes: the quota is kept, within the documented overshoot."""

import math
import threading
import time
from collections import Counter as Tally
from dataclasses import dataclass

import pytest

from crm_project.accounts.services import create_token
from crm_project.api.counters import Limit, Policy
from crm_project.api.models import RateWindow
from tests.base import World
from tests.server import Answer, Server, gunicorn, until
from tests.test_server import own_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

CALLERS = 32
PROCESSES = 2


@dataclass
class Call:
    """One request, and the instants between which the server answered it."""

    began: float
    ended: float
    answer: Answer


def call(server: Server, secret: str) -> Call:
    began = time.time()
    answer = server.ask("GET", "/api/me", Authorization=f"Bearer {secret}")
    return Call(began, time.time(), answer)


def calls_of(server: Server, secret: str, count: int) -> list[Call]:
    """So many requests by CALLERS callers, each as fast as it is answered."""
    found: list[Call] = []

    def ask() -> None:
        found.extend(call(server, secret) for _ in range(count // CALLERS))

    threads = [threading.Thread(target=ask) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def token_with_time(world: World, policy: Policy, seconds: float) -> tuple[Limit, str]:
    """A token whose present window lasts for so many seconds."""
    while True:
        token, secret = create_token(actor=world.bob, name="hasty")
        limit = Limit(policy, str(token.pk))
        if limit.end(time.time()) - time.time() > seconds:
            return limit, secret


@pytest.mark.parametrize(
    ("quota", "window", "time_needed"),
    [(50, 10, 8), pytest.param(1000, 60, 55, marks=pytest.mark.long)],
)
def test_ten_times_the_limit(quota: int, window: int, time_needed: float) -> None:
    world = World()
    _, patient = create_token(actor=world.charlie, name="patient")
    rates = {"RATE_LIMIT_TOKEN": f"{quota}/{window}", "WEB_CONCURRENCY": str(PROCESSES)}
    with gunicorn(own_url(), **rates) as server:
        for _ in range(4 * PROCESSES):
            call(server, patient)
        limit, secret = token_with_time(world, Policy("token", quota, window), time_needed)
        end = limit.end(time.time())
        over, others = threading.Event(), []

        def ask_patiently() -> None:
            while not over.wait(0.3):
                others.append(call(server, patient))

        other = threading.Thread(target=ask_patiently)
        other.start()
        began = time.time()
        calls = calls_of(server, secret, 10 * quota + CALLERS)
        seconds = time.time() - began
        over.set()
        other.join()
        assert time.time() < end, f"the window was over: {seconds} s"

        statuses = Tally(each.answer.status for each in calls)
        print(f"{len(calls)} requests in {seconds:.1f} s: {dict(statuses)}")
        assert statuses.keys() == {200, 429}
        # What one process accepts in two seconds is at most what all of them answer.
        overshoot = (PROCESSES - 1) * min(quota, math.ceil(2 * len(calls) / seconds))
        assert quota <= statuses[200] <= quota + overshoot
        assert {each.answer.status for each in others} == {200}
        assert max(each.answer.seconds for each in others) < 5
        for each in calls:
            assert announced(each, end), each
        # The counts of both processes add up in the database.
        until(lambda: RateWindow.objects.filter(key=limit.key, units=statuses[200]).exists(), 5)

        refused = call(server, secret)
        wait = int(refused.answer.headers["Retry-After"])
        assert math.ceil(end - refused.ended) <= wait <= math.ceil(end - refused.began)
        time.sleep(max(0.0, refused.ended + wait - time.time()))
        assert call(server, secret).answer.status == 200


def announced(each: Call, end: int) -> bool:
    """Whether the seconds in the headers are those until the end of the window, when the server answered."""
    headers = each.answer.headers
    [(_, seconds)] = [part.rsplit(";t=", 1) for part in headers["RateLimit"].split(", ") if "token" in part]
    if each.answer.status == 429 and headers["Retry-After"] != seconds:
        return False
    return math.ceil(end - each.ended) <= int(seconds) <= math.ceil(end - each.began)
