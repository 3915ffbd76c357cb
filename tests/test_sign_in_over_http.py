"""A stranger guesses passwords at a running server, while everybody else signs in.

The slice of each run uses Django's live server; the long form gunicorn with the password hasher of production.
"""

import http.client
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from django.db import connection
from django.test import LiveServerTestCase

from tests.base import World
from tests.long.servers import Server, fresh_database

PASSWORD = "a rather long password"
STRANGER = "198.51.100.66"
GAUZY = "/dialects/gauzy/api/auth/login"
SECONDS = 2


def sign_in(port: int, email: str, address: str, password: str = PASSWORD) -> tuple[int, float]:
    """The status of a vendor's login from an address, and the seconds that it took."""
    body = json.dumps({"email": email, "password": password})
    headers = {"Content-Type": "application/json", "X-Forwarded-For": address}
    client, begun = http.client.HTTPConnection("127.0.0.1", port, timeout=20), time.monotonic()
    try:
        client.request("POST", GAUZY, body, headers)
        answer = client.getresponse()
        answer.read()
        return answer.status, time.monotonic() - begun
    finally:
        client.close()


def sign_in_to_the_admin(port: int, email: str, address: str, password: str = PASSWORD) -> tuple[int, float]:
    """The status of the admin's login form, and the seconds that sending it took."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        client.request("GET", "/admin/login/", headers={"X-Forwarded-For": address})
        page = client.getresponse()
        page.read()
        cookie = page.headers["Set-Cookie"].partition(";")[0]
        token = cookie.partition("=")[2]
        form = urlencode({"username": email, "password": password, "csrfmiddlewaretoken": token})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        begun = time.monotonic()
        client.request("POST", "/admin/login/", form, {**kind, "Cookie": cookie, "X-Forwarded-For": address})
        answer = client.getresponse()
        answer.read()
        return answer.status, time.monotonic() - begun
    finally:
        client.close()


@contextmanager
def guessing(port: int, *, each_second: int, threads: int) -> Iterator[list[int]]:
    """A stranger sends wrong passwords to many accounts from one address; yields the statuses of the answers."""
    over = threading.Event()
    statuses: list[int] = []

    def guess(number: int) -> None:
        while not over.is_set():
            begun = time.monotonic()
            number += threads
            statuses.append(sign_in(port, f"{number % 50}@example.com", STRANGER, "wrong")[0])
            over.wait(max(0, threads / each_second - (time.monotonic() - begun)))

    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(guess, number) for number in range(threads)]
        try:
            yield statuses
        finally:
            over.set()
    for future in futures:
        future.result()


def check_throttle(port: int, people: list[str], *, each_second: int, threads: int, seconds: float) -> None:
    """25 accounts from one address, 12 addresses at one account, and many guesses beside people who sign in."""
    accounts = [sign_in(port, f"{n}@example.net", "203.0.113.7", "wrong")[0] for n in range(25)]
    addresses = [sign_in(port, people[0], f"203.0.113.{n}", "wrong")[0] for n in range(20, 32)]
    page = sign_in_to_the_admin(port, people[0], "203.0.113.99")[0]

    assert accounts.count(401) <= 11, accounts
    assert accounts[-1] == 429
    assert addresses.count(401) <= 6, addresses
    assert addresses[-1] == page == 429

    doors: list[Callable[..., tuple[int, float]]] = [sign_in, sign_in_to_the_admin]
    quiet = [door(port, people[1], "192.0.2.251")[1] for door in doors * 2]
    with guessing(port, each_second=each_second, threads=threads) as statuses:
        time.sleep(1)
        until, number, waits = time.monotonic() + seconds, 0, []
        while time.monotonic() < until or number < 4:
            door = doors[number % 2]
            status, wait = door(port, people[1 + number % (len(people) - 1)], f"192.0.2.{number % 250}")
            assert status == (200 if door is sign_in else 302), (number, status)
            waits.append(wait)
            number += 1
    load = os.getloadavg()[0]
    print(f"{number} sign-ins: at most {max(waits):.2f} s, {max(quiet):.2f} s before; load {load:.1f}")
    assert max(waits) < SECONDS, (sorted(waits)[-3:], quiet)
    assert set(statuses) == {401, 429}
    assert statuses.count(401) <= 12 + seconds / 30


@pytest.mark.slow
class LiveThrottleTest(LiveServerTestCase):
    def test_a_stranger_is_slowed_down_and_nobody_else(self) -> None:
        world = World()
        people = [getattr(world, name).member.user for name in ("alice", "manager", "bob", "viewer")]
        for person in people:
            person.is_staff = True
            person.set_password(PASSWORD)
            person.save()
        port = urlsplit(self.live_server_url).port or 0

        check_throttle(port, [person.email for person in people], each_second=40, threads=4, seconds=1)


@pytest.mark.long
def test_two_hundred_guesses_a_second(tmp_path: Path) -> None:
    people = [f"{name}@example.com" for name in ("viewer", "admin", "manager", "rep")]
    with database(tmp_path) as url:
        server = Server(url, DEMO_PASSWORD=PASSWORD)
        try:
            server.call("GET", "/api/me")
            check_throttle(server.port, people, each_second=200, threads=4, seconds=10)
        finally:
            server.kill()


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """A database of the kind that the tests run on."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{folder}/crm.sqlite3"
    else:
        with fresh_database() as url:
            yield url
