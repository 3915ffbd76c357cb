"""Many callers at once, each over a connection of its own to a server that runs like the real one."""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import LiveServerTestCase

from crm_project.accounts.rules import ALL_SCOPES
from crm_project.accounts.services import create_token
from tests.base import World

CALLERS = 16


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@pytest.mark.race
class RaceTestCase(LiveServerTestCase):
    """The same world as in other tests, committed, and a real server in front of it."""

    deal = World.deal
    person = World.person

    def setUp(self) -> None:
        for name, value in vars(World()).items():
            setattr(self, name, value)
        _, self.secret = create_token(actor=self.bob, name="race", scopes=ALL_SCOPES)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request; `If_Match="…"` is a header."""
        connection = http.client.HTTPConnection(urlsplit(self.live_server_url).netloc, timeout=60)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= {"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, sent)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read())
        finally:
            connection.close()

    def patiently(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Retry as Retry-After says."""
        for _ in range(200):
            answer = self.call(method, path, body, **headers)
            if "Retry-After" not in answer.headers:
                return answer
            assert answer.status == 409, answer.body
            threading.Event().wait(0.02)
        raise AssertionError("never done")

    def at_once(self, call: Callable[[int], Answer], callers: int = CALLERS) -> list[Answer]:
        """Let all callers loose at the same moment; none of them may hear of a fault of the server."""
        gate = threading.Barrier(callers)

        def one(number: int) -> Answer:
            gate.wait()
            return call(number)

        with ThreadPoolExecutor(callers) as pool:
            answers = list(pool.map(one, range(callers)))
        assert all(answer.status < 500 for answer in answers), [a.body for a in answers if a.status >= 500]
        return answers


def statuses(answers: Sequence[Answer]) -> dict[int, int]:
    return dict(Counter(answer.status for answer in answers))
