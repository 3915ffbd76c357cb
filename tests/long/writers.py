"""Client programs that write, repeat a request until it is answered, and note each acknowledged write in a file."""

import http.client
import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.long.servers import ask, is_to_be_repeated

CLIENTS = 6
# Seconds for which a client repeats a request; after that the outcome of its write is unknown to it.
PATIENCE = 90
PAUSE = 0.1


@dataclass
class Record:
    """What the clients saw. `answered` has the time of the last success of each port."""

    journal: Path
    attempts: int = 0
    acknowledged: int = 0
    unknown: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    longest: float = 0.0
    successes: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def attempt(self, port: int, status: int, seconds: float) -> None:
        """Status 0 stands for a connection that broke off or was refused."""
        with self.lock:
            self.attempts += 1
            self.statuses[status] += 1
            self.longest = max(self.longest, seconds)
            if 200 <= status < 300:
                self.successes[port].append(time.monotonic())

    def acknowledge(self, uuid: str, name: str) -> None:
        with self.lock:
            self.acknowledged += 1
            with self.journal.open("a") as file:
                file.write(json.dumps([uuid, name]) + "\n")

    def acknowledgements(self) -> list[tuple[str, str]]:
        """(uuid, name) of each acknowledged write, in the order of the answers."""
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return [tuple(json.loads(line)) for line in lines]


class Writer(threading.Thread):
    """Creates deals and changes its own ones, on any of the servers; each write has a name of its own."""

    def __init__(self, record: Record, ports: Sequence[int], number: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.record, self.ports, self.number = record, ports, number
        self.chance = random.Random(seed * 1000 + number)
        self.ended = threading.Event()
        self.own: list[str] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        count = 0
        try:
            while not self.ended.is_set():
                count += 1
                self.write(f"long {self.number}-{count}")
                if self.chance.random() < 0.2:
                    self.send("GET", "/api/deals?page_size=1")
        except BaseException as error:
            self.error = error

    def write(self, name: str) -> None:
        if self.own and self.chance.random() < 0.5:
            path = f"/api/deals/{self.chance.choice(self.own)}"
            status, deal = self.send("PATCH", path, {"name": name}, key=name)
            expected = 200
        else:
            email = f"person{self.chance.randrange(40)}@example.com"
            body = {"name": name, "contact_email": email, "contact_first_name": "Sam"}
            status, deal = self.send("POST", "/api/deals", body, key=name)
            expected = 201
        if status == 0:
            self.record.unknown += 1
            return
        assert status == expected, deal
        if expected == 201:
            self.own.append(deal["uuid"])
        self.record.acknowledge(deal["uuid"], name)

    def send(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        """The final answer; the status is 0 if there was none for PATIENCE seconds."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            port, began = self.chance.choice(self.ports), time.monotonic()
            try:
                status, answer, seconds = ask(port, method, path, body, key)
            except (OSError, http.client.HTTPException):
                status, answer, seconds = 0, {}, time.monotonic() - began
            self.record.attempt(port, status, seconds)
            if status and not is_to_be_repeated(status, answer):
                return status, answer
            time.sleep(PAUSE)
        return 0, {}
