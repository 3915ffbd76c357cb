"""Clients write while one part after another fails: `python -m tests.long.faults --seed 1`; `--long` for 20,000 writes.

On PostgreSQL two servers on two ports, one of them behind PgBouncer: workers are killed, the database is restarted at
once, its link is frozen and cut, its processes are stopped and ended, PgBouncer is restarted. On SQLite the server is
killed and its disk is full. Each write has an Idempotency-Key and is repeated until it is answered. At the end every
acknowledged write is there exactly once, no outcome is unknown, and no answer but 503 was an error.

It stops by itself. What a machine lacks is left out and named.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.long.servers import PostgreSQL, Server, postgresql
from tests.long.writers import CLIENTS, Record, Writer
from tests.pgbouncer import Bouncer, binary, pgbouncer
from tests.server import Link, link_to

# What the product promises, in seconds: until the first byte of an answer, and until a write succeeds again.
FIRST_BYTE = 15
RECOVERY = 2


@dataclass(frozen=True)
class Form:
    """The short or the long form. `statement` is STATEMENT_TIMEOUT, `outage` the seconds that a fault lasts.

    `disk` is the size of the file system of SQLite, which has to hold the writes until it is filled.
    """

    writes: int
    between: float
    outage: float
    statement: int
    disk: str


SHORT = Form(writes=0, between=0.7, outage=3, statement=1, disk="24m")
LONG = Form(writes=20_000, between=3, outage=20, statement=12, disk="192m")

Fault = Callable[[], AbstractContextManager[None]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--long", action="store_true", help="outages of 20 seconds, 20,000 writes")
    parser.add_argument("--writes", type=int, help="repeat the faults until so many are acknowledged")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    options = parser.parse_args()
    # Without this a SIGTERM would leave the servers behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    form = LONG if options.long else SHORT
    if options.writes is not None:
        form = replace(form, writes=options.writes)
    if options.database != "sqlite":
        on_postgresql(form, options.seed)
    if options.database != "postgresql":
        on_sqlite(form, options.seed)


# The databases


def on_postgresql(form: Form, seed: int) -> None:
    variables = {"STATEMENT_TIMEOUT": str(form.statement)}
    with ExitStack() as stack:
        database = stack.enter_context(postgresql())
        if database is None:
            print("postgresql: left out, the system has no PostgreSQL")
            return
        link = stack.enter_context(link_to(database.socket))
        url = f"postgresql://postgres@127.0.0.1:{link.port}/postgres"
        servers = [stopping(stack, Server(url, **variables))]
        bouncer = None
        if binary() is None:
            print("postgresql: without a pooler, PgBouncer is not installed")
        else:
            target = {"HOST": "127.0.0.1", "PORT": str(link.port), "USER": "postgres", "PASSWORD": ""}
            bouncer = stack.enter_context(pgbouncer(target, server_login_retry=1))
            url = f"postgresql://postgres@127.0.0.1:{bouncer.port}/postgres"
            servers.append(stopping(stack, Server(url, fill=False, **variables)))
            servers[1].manage("migrate", "--verbosity", "0")
            bouncer.console("RECONNECT")
        run("postgresql", form, seed, servers, faults_of_postgresql(form, servers, database, link, bouncer))


def faults_of_postgresql(
    form: Form, servers: Sequence[Server], database: PostgreSQL, link: Link, bouncer: Bouncer | None
) -> dict[str, Fault]:
    faults: dict[str, Fault] = {
        "workers killed": at_once(lambda: [server.kill_workers() for server in servers]),
        "database restarted at once": at_once(database.restart),
        "link frozen": lasting(form.outage, link.freeze, link.thaw),
        "link cut": lasting(form.outage / 4, link.refuse, link.thaw),
        "database processes stopped": lambda: stopped(database, form.outage),
        "connections ended": at_once(
            lambda: database.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
        ),
    }
    if bouncer is not None:
        faults["PgBouncer restarted"] = at_once(bouncer.restart)
    return faults


def on_sqlite(form: Form, seed: int) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crm-faults-")))
        is_small = stack.enter_context(small_disk(folder, form.disk))
        server = stopping(stack, Server(f"sqlite:///{folder}/crm.sqlite3"))
        faults: dict[str, Fault] = {"server killed": at_once(lambda: killed_and_started(server))}
        if is_small:
            filler = folder / "filler"
            faults["disk full"] = lasting(form.outage, lambda: fill(filler), filler.unlink)
        else:
            print("sqlite: without the full disk, no file system can be mounted")
        run("sqlite", form, seed, [server], faults)


def stopping(stack: ExitStack, server: Server) -> Server:
    stack.callback(server.kill)
    return server


# Faults: a block that begins one, and ends when the part is back.


def at_once(action: Callable[[], Any]) -> Fault:
    @contextmanager
    def fault() -> Iterator[None]:
        action()
        yield

    return fault


def lasting(seconds: float, begin: Callable[[], Any], end: Callable[[], Any]) -> Fault:
    @contextmanager
    def fault() -> Iterator[None]:
        begin()
        try:
            time.sleep(seconds)
        finally:
            end()
        yield

    return fault


@contextmanager
def stopped(database: PostgreSQL, seconds: float) -> Iterator[None]:
    pids = database.backends()
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    yield


def killed_and_started(server: Server) -> None:
    """It is back when it listens: before, it is a process that imports its code."""
    server.kill()
    server.wait_until_it_listens(False)
    server.process = server.start()
    server.wait_until_it_listens()


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[bool]:
    """Mount a small file system on the folder; whether that is allowed here."""
    line = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(line, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)


def fill(path: Path) -> None:
    """Write until there is no space, with blocks that become smaller."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with contextlib.suppress(OSError):
                while file.write(b"\0" * size) == size:
                    pass


# The run


def run(name: str, form: Form, seed: int, servers: Sequence[Server], faults: dict[str, Fault]) -> None:
    with tempfile.TemporaryDirectory() as folder, logs_on_failure(servers):
        record = Record(Path(folder) / "acknowledged")
        for server in servers:
            server.call("GET", "/api/me")
        ports = [server.port for server in servers]
        writers = [Writer(record, ports, number, seed) for number in range(CLIENTS)]
        for writer in writers:
            writer.start()
        print(
            f"{name}: {'fault':28} {'writes':>7} {'503':>5} {'broken off':>10}  longest  first success after"
        )
        slow = []
        while True:
            for title, fault in faults.items():
                slow += carry_out(name, title, fault, form, record, writers, ports)
            if record.acknowledged >= form.writes:
                break
        for writer in writers:
            writer.ended.set()
        for writer in writers:
            writer.join()
        check(name, servers[0], record, writers)
        assert not slow, slow


@contextmanager
def logs_on_failure(servers: Sequence[Server]) -> Iterator[None]:
    try:
        yield
    except AssertionError:
        for server in servers:
            print(f"port {server.port} logged:\n{server.logged()}", file=sys.stderr)
        raise


def carry_out(
    name: str,
    title: str,
    fault: Fault,
    form: Form,
    record: Record,
    writers: Sequence[Writer],
    ports: Sequence[int],
) -> list[str]:
    """Let the fault happen, print a line about it, and return what took too long."""
    errors = [writer.error for writer in writers if writer.error]
    assert not errors, errors
    acknowledged, statuses = record.acknowledged, Counter(record.statuses)
    record.longest = 0.0
    time.sleep(form.between)
    with fault():
        back = time.monotonic()
    seconds = max(first_success(record, port, back) for port in ports)
    time.sleep(form.between)
    passed = Counter(record.statuses)
    passed.subtract(statuses)
    print(
        f"{name}: {title:28} {record.acknowledged - acknowledged:7} {passed[503]:5} {passed[0]:10}"
        f" {record.longest:6.1f} s {seconds:6.1f} s",
        flush=True,
    )
    slow = (
        [f"{title}: first byte after {record.longest:.1f} s"] if record.longest > allowed(FIRST_BYTE) else []
    )
    return slow + ([f"{title}: first success after {seconds:.1f} s"] if seconds > allowed(RECOVERY) else [])


def first_success(record: Record, port: int, since: float) -> float:
    """Wait for the first answer of a server after the part is back; answers the seconds until it came."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with record.lock:
            later = [at for at in record.successes[port] if at > since]
        if later:
            return later[0] - since
        time.sleep(0.02)
    raise AssertionError(f"port {port} did not recover within a minute")


def allowed(seconds: float) -> float:
    """The promise holds for a machine that is not overloaded; else it is longer by the load."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def check(name: str, server: Server, record: Record, writers: Sequence[Writer]) -> None:
    errors = [writer.error for writer in writers if writer.error]
    assert not errors, errors
    acknowledged = record.acknowledgements()
    latest = dict(acknowledged)
    stored, events = stored_deals(server), read_feed(server)
    lost = {uuid for uuid, text in latest.items() if stored.get(uuid) != text}
    extra = stored.keys() - latest.keys()
    written = Counter(event["row"] for event in events if event["kind"] == "deal")
    doubled = {
        uuid for uuid, count in Counter(uuid for uuid, _ in acknowledged).items() if written[uuid] != count
    }
    contacts = [page["email"] for page in pages(server, "/api/contacts?page_size=200")]
    numbers = [event["sequence"] for event in events]
    found = {
        "lost": len(lost),
        "doubled": len(doubled | extra),
        "unknown": record.unknown,
        "errors other than 503": sum(
            count for status, count in record.statuses.items() if status >= 500 and status != 503
        ),
        "contacts doubled": len(contacts) - len(set(contacts)),
    }
    figures = ", ".join(f"{count} {word}" for word, count in found.items())
    print(f"{name}: {len(acknowledged)} writes acknowledged, {figures}", flush=True)
    assert acknowledged
    assert not any(found.values()), figures
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "the feed has a gap"


def read_feed(server: Server) -> list[dict[str, Any]]:
    """All events. The feed leaves out what the member may not see: here nothing."""
    events: list[dict[str, Any]] = []
    after = 0
    while True:
        _, page = server.call("GET", f"/api/events?after={after}&limit=200")
        events += page["results"]
        after = page["last"]
        if not page["more"]:
            return events


def stored_deals(server: Server) -> dict[str, str]:
    """All deals of the clients by their uuid; one that comes twice in the list fails."""
    found: dict[str, str] = {}
    for deal in pages(server, "/api/deals?q=long&page_size=200"):
        assert deal["uuid"] not in found, f"{deal['uuid']} comes twice"
        found[deal["uuid"]] = deal["name"]
    return found


def pages(server: Server, path: str) -> Iterator[dict[str, Any]]:
    while path:
        _, page = server.call("GET", path)
        yield from page["results"]
        path = (page["next"] or "").partition(f":{server.port}")[2]


if __name__ == "__main__":
    main()
