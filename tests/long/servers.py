"""Servers of the long runs: the product's gunicorn in a process group of its own, and the databases below it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.pgbouncer import free_port
from tests.postgres import as_postgres, cluster, database_url, system_binaries
from tests.server import UNLIMITED

TOKEN = "a-token-for-the-clients-of-the-long-run"
PATIENCE = 60
# What acknowledges a write only when it is on the disk, as in production.
DURABLE = {"listen_addresses": "", "max_connections": "100"}


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


class PostgreSQL:
    """A durable server of the system's binaries, which a fault may restart."""

    def __init__(self, binaries: Path, home: Path) -> None:
        self.binaries, self.home = binaries, home

    @property
    def socket(self) -> str:
        return f"{self.home}/.s.PGSQL.5432"

    def restart(self) -> None:
        """End at once without a checkpoint, as in a crash, and recover."""
        control = (self.binaries / "pg_ctl", "-D", self.home / "data", "-m", "immediate", "-w")
        as_postgres(self.home, *control, "-l", self.home / "log", "restart")

    def query(self, sql: str) -> list[Any]:
        with psycopg.connect(f"postgresql://postgres@/postgres?host={self.home}", autocommit=True) as link:
            return link.execute(sql).fetchall()  # type: ignore[call-overload,no-any-return]

    def backends(self) -> list[int]:
        """The processes that serve clients, without the one that is asked."""
        sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        return [pid for (pid,) in self.query(sql)]


@contextmanager
def postgresql() -> Iterator[PostgreSQL | None]:
    """None where the system has no PostgreSQL of its own, or its processes belong to somebody else."""
    binaries = system_binaries()
    if binaries is None:
        yield None
        return
    with cluster(binaries, DURABLE) as url:
        yield PostgreSQL(binaries, Path(url.rpartition("host=")[2]))


class Server:
    """Gunicorn on a database that holds the demo without deals. It can be killed and started again."""

    def __init__(self, url: str, *, fill: bool = True, **variables: str) -> None:
        self.port = free_port()
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the server
        self.environment = {
            **os.environ,
            "ENV_FILE": "",
            "SECRET_KEY": "".join(map(chr, range(48, 98))),
            "ALLOWED_HOSTS": "127.0.0.1",
            "BEHIND_TLS": "off",
            "LOG_LEVEL": "ERROR",
            "DATABASE_URL": url,
            "PORT": str(self.port),
            "DEMO_TOKEN": TOKEN,
            **UNLIMITED,
            **variables,
        }
        if fill:
            self.manage("migrate", "--verbosity", "0")
            self.manage("demo", "--deals", "0")
        self.process = self.start()

    def manage(self, *arguments: str) -> None:
        line = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(line, env=self.environment, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def start(self) -> "subprocess.Popen[bytes]":
        line = ["-m", "gunicorn", "-c", "python:crm_project.server", "crm_project.wsgi"]
        return subprocess.Popen(
            [sys.executable, *line],
            env=self.environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=self.log,
        )

    def logged(self, most: int = 20_000) -> str:
        """The end of what the server logged as an error."""
        self.log.seek(max(0, self.log.seek(0, os.SEEK_END) - most))
        return self.log.read().decode(errors="replace")

    def wait_until_it_listens(self, listens: bool = True) -> None:
        """Or, after it was killed, until the last of its processes is gone."""
        deadline = time.monotonic() + PATIENCE
        while listens != self._is_listening():
            assert time.monotonic() < deadline, f"no change within {PATIENCE} seconds"
            time.sleep(0.02)

    def _is_listening(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill_workers(self) -> None:
        for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def call(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        """The answer to one request, repeated until there is one that is not 503 or a key in use."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with suppress(OSError, http.client.HTTPException):
                status, answer, _ = ask(self.port, method, path, body, key)
                if not is_to_be_repeated(status, answer):
                    return status, answer
            assert time.monotonic() < deadline, f"{method} {path}: no answer for {PATIENCE} seconds"
            time.sleep(0.1)


def is_to_be_repeated(status: int, answer: Any) -> bool:
    return status == 503 or answer.get("code") == "idempotency_key_in_use"


def ask(port: int, method: str, path: str, body: Any, key: str) -> tuple[int, Any, float]:
    """One request: status, body, and the seconds until the first byte of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    headers |= {"Idempotency-Key": key} if key else {}
    began = time.monotonic()
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        seconds = time.monotonic() - began
        return response.status, json.loads(response.read()), seconds
    finally:
        connection.close()
