"""A throw-away PgBouncer on loopback: its defaults, but in transaction mode. It ends with the block."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from crm_project import database

SECONDS = 10


def binary() -> str | None:
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Bouncer:
    """A running PgBouncer: its port, and the command line that starts it."""

    port: int
    line: list[str]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.line, stdout=log, stderr=log)
        wait_for(self.port)

    def stop(self) -> None:
        """End it with all of its connections."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(SECONDS)

    def restart(self) -> None:
        self.stop()
        self.start()

    def console(self, command: str) -> list[tuple[Any, ...]]:
        """Run a command of PgBouncer's own; `RECONNECT` makes its next connections new ones."""
        return console(self.port, command)


@contextmanager
def pgbouncer(settings: dict[str, Any], **more: Any) -> Iterator[Bouncer]:
    """Run a PgBouncer before the database of Django's `settings` (HOST, PORT, USER, PASSWORD); `more` are its own."""
    found = binary()
    if found is None:
        pytest.skip("pgbouncer is not installed")
    port, home = free_port(), Path(tempfile.mkdtemp(prefix="crm-bouncer-"))
    options = settings.get("OPTIONS", {})
    target = {
        "host": settings["HOST"] or options.get("host") or "127.0.0.1",
        "port": settings["PORT"] or options.get("port") or "5432",
        "user": settings["USER"],
        "password": settings["PASSWORD"],
    }
    line = " ".join(f"{name}={value}" for name, value in target.items() if value)
    (home / "pgbouncer.ini").write_text(
        f"[databases]\n* = {line}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
        f"unix_socket_dir =\nauth_type = any\nadmin_users = console\npool_mode = transaction\n"
        + "".join(f"{name} = {value}\n" for name, value in more.items())
    )
    user = ["-u", "postgres"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(home, "postgres", "postgres")
        shutil.chown(home / "pgbouncer.ini", "postgres", "postgres")
    bouncer = Bouncer(port, [found, *user, str(home / "pgbouncer.ini")], home / "log")
    try:
        bouncer.start()
        yield bouncer
    finally:
        bouncer.stop()
        shutil.rmtree(home, ignore_errors=True)


def console(port: int, command: str) -> list[tuple[Any, ...]]:
    """Run a command of PgBouncer's own; `RECONNECT` makes its next connections new ones."""
    with psycopg.connect(f"postgresql://console@127.0.0.1:{port}/pgbouncer", autocommit=True) as link:
        cursor = psycopg.ClientCursor(link)
        cursor.execute(command)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


def wait_for(port: int) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@contextmanager
def behind_pgbouncer(connection: Any) -> Iterator[int]:
    """Lead all threads' Django connections through a PgBouncer for the block."""
    settings = connection.settings_dict
    with pgbouncer(settings) as bouncer:
        before = dict(settings)
        options = {name: value for name, value in settings["OPTIONS"].items() if name not in ("host", "port")}
        connection.close()
        try:
            settings.update(HOST="127.0.0.1", PORT=str(bouncer.port), OPTIONS=options)
            yield bouncer.port
        finally:
            connection.close()
            settings.update(before)


def store_limits(connection: Any, port: int) -> None:
    """Give the role the limits, as `manage.py migrate` does; the pooler's connections are newer than that."""
    database.store_limits()
    connection.close()
    console(port, "RECONNECT")


def url_of(settings: dict[str, Any], *, port: int | None = None) -> str:
    """The DATABASE_URL of Django's settings, or of a port on loopback before it."""
    login = quote(settings["USER"]) + (f":{quote(settings['PASSWORD'])}" if settings["PASSWORD"] else "")
    if port is not None:
        return f"postgresql://{login}@127.0.0.1:{port}/{settings['NAME']}"
    host = settings["HOST"] or settings["OPTIONS"].get("host", "")
    at = f"/{settings['NAME']}?host={quote(host, safe='')}"
    own_port = settings["PORT"] or settings["OPTIONS"].get("port")
    return f"postgresql://{login}@{at}" + (f"&port={own_port}" if own_port else "")


def administer(settings: dict[str, Any], *statements: str) -> None:
    """Run statements on a connection of their own, past every pooler and proxy."""
    with psycopg.connect(url_of(settings), autocommit=True) as link:
        link.execute("SET default_transaction_read_only = off")
        for statement in statements:
            link.execute(statement)  # type: ignore[call-overload]
