"""Client programs write while the server is killed: `python -m tests.postgres python -m tests.long.faults --seed 1`.

Several clients create and change deals, each request with an Idempotency-Key, and repeat a request until it is
answered. Now and then the server process is killed with SIGKILL and started again. At the end each acknowledged write
is there exactly once, and the feed has no gap. It stops by itself after `--seconds` on each database.
"""

import argparse
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.postgres import database_url

CLIENTS = 6
TOKEN = "a-token-for-the-clients-of-the-long-run"
PATIENCE = 60


@contextmanager
def fresh_database() -> Iterator[str]:
    """A database of its own on the server of the tests, removed at the end."""
    name = f"crm_long_{os.getpid()}"
    with database_url() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Server:
    """Gunicorn in a process group of its own, on a database that holds the demo."""

    def __init__(self, url: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.environment = {
            **os.environ,
            "ENV_FILE": "",
            "SECRET_KEY": "x" * 50,
            "ALLOWED_HOSTS": "127.0.0.1",
            "BEHIND_TLS": "off",
            "LOG_LEVEL": "CRITICAL",
            "DATABASE_URL": url,
            "PORT": str(self.port),
            "DEMO_TOKEN": TOKEN,
        }
        self.manage("migrate", "--verbosity", "0")
        self.manage("demo", "--deals", "0")
        self.process = self.start()

    def manage(self, *arguments: str) -> None:
        line = [sys.executable, "manage.py", *arguments]
        subprocess.run(line, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def start(self) -> "subprocess.Popen[bytes]":
        line = ["-m", "gunicorn", "-c", "python:crm_project.server", "crm_project.wsgi"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen(
            [sys.executable, *line], env=self.environment, start_new_session=True, **quiet
        )

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def call(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        """The answer to one request, repeated until there is one that is not 503 or a key in use."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with suppress(OSError, http.client.HTTPException):
                status, answer = self.call_once(method, path, body, key)
                if status != 503 and answer.get("code") != "idempotency_key_in_use":
                    return status, answer
            assert time.monotonic() < deadline, f"{method} {path}: no answer for {PATIENCE} seconds"
            time.sleep(0.1)

    def call_once(self, method: str, path: str, body: Any, key: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        headers |= {"Idempotency-Key": key} if key else {}
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


class Writer(threading.Thread):
    """Creates deals and changes them; `acknowledged` maps the uuid of each to its last answered name."""

    def __init__(self, server: Server, number: int, seed: int, end: threading.Event) -> None:
        super().__init__()
        self.server, self.number, self.end = server, number, end
        self.chance = random.Random(seed * 1000 + number)
        self.acknowledged: dict[str, str] = {}
        self.error: BaseException | None = None

    def run(self) -> None:
        count = 0
        try:
            while not self.end.is_set():
                count += 1
                self.write(f"long {self.number}-{count}")
        except BaseException as error:
            self.error = error

    def write(self, name: str) -> None:
        known = list(self.acknowledged)
        if known and self.chance.random() < 0.5:
            status, deal = self.server.call(
                "PATCH", f"/api/deals/{self.chance.choice(known)}", {"name": name}, key=name
            )
            assert status == 200, deal
        else:
            status, deal = self.server.call("POST", "/api/deals", {"name": name}, key=name)
            assert status == 201, deal
        self.acknowledged[deal["uuid"]] = name


def read_feed(server: Server, after: int = 0) -> list[int]:
    """The sequence numbers of all events. The feed leaves out what the member may not see: here nothing."""
    numbers: list[int] = []
    while True:
        _, page = server.call("GET", f"/api/events?after={after}&limit=200")
        numbers += [event["sequence"] for event in page["results"]]
        after = page["last"]
        if not page["more"]:
            return numbers


def stored_deals(server: Server) -> dict[str, str]:
    """All deals of the clients by their uuid; one that comes twice in the list fails."""
    found: dict[str, str] = {}
    path = "/api/deals?q=long&page_size=200"
    while path:
        _, page = server.call("GET", path)
        for deal in page["results"]:
            assert deal["uuid"] not in found, f"{deal['uuid']} comes twice"
            found[deal["uuid"]] = deal["name"]
        path = (page["next"] or "").partition(f":{server.port}")[2]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    options = parser.parse_args()
    # Without this a SIGTERM would leave the server behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.database != "postgresql":
        with tempfile.TemporaryDirectory() as folder:
            run(f"sqlite:///{folder}/crm.sqlite3", options.seed, options.seconds)
    if options.database != "sqlite":
        with fresh_database() as url:
            run(url, options.seed, options.seconds)


def run(url: str, seed: int, seconds: int) -> None:
    server, end, chance = Server(url), threading.Event(), random.Random(seed)
    writers = [Writer(server, number, seed, end) for number in range(CLIENTS)]
    kills, stop = 0, time.monotonic() + seconds
    try:
        server.call("GET", "/api/me")
        for writer in writers:
            writer.start()
        while time.monotonic() < stop and not any(writer.error for writer in writers):
            time.sleep(chance.uniform(1, 5))
            server.kill()
            server.process = server.start()
            server.call("GET", "/healthz")
            kills += 1
        end.set()
        for writer in writers:
            writer.join()
        report(server, writers, kills, url)
    finally:
        end.set()
        server.kill()


def report(server: Server, writers: list[Writer], kills: int, url: str) -> None:
    errors = [writer.error for writer in writers if writer.error]
    assert not errors, errors
    acknowledged = {uuid: name for writer in writers for uuid, name in writer.acknowledged.items()}
    stored, feed = stored_deals(server), read_feed(server)
    assert stored == acknowledged, f"{len(stored)} deals are stored, {len(acknowledged)} were acknowledged"
    assert feed == list(range(feed[0], feed[0] + len(feed))), "the feed has a gap"
    assert acknowledged
    database = url.partition(":")[0]
    print(f"{database}: {kills} kills, {len(stored)} deals, {len(feed)} events: nothing lost, nothing twice")


if __name__ == "__main__":
    main()
