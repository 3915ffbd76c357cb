"""The product's own gunicorn in a process of the test, and a TCP link that can be frozen or cut."""

import contextlib
import http.client
import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crm_project.environment import BASE_DIR
from tests.pgbouncer import free_port

SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
START_SECONDS = 60
# A test is not one client of many.
UNLIMITED = {f"RATE_LIMIT_{name}": "off" for name in ("TOKEN", "USER", "ORGANIZATION", "ADDRESS")}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    port: int
    pid: int
    log: Path
    secret: str = ""

    def ask(self, method: str, path: str, body: Any = None, *, timeout: float = 30, **headers: str) -> Answer:
        """One request on a connection of its own; with the token, if the server was given one."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.secret:
            sent.setdefault("Authorization", f"Bearer {self.secret}")
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        began = time.monotonic()
        try:
            link.request(method, path, None if body is None else json.dumps(body), sent)
            answer = link.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read(), time.monotonic() - began)
        finally:
            link.close()

    def raw(self, request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), 10) as link:
            link.sendall(request)
            return b"".join(iter(lambda: link.recv(65536), b""))

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()


@contextmanager
def gunicorn(database_url: str, *, secret: str = "", **variables: str) -> Iterator[Server]:
    """Run the server of production on a free port of loopback; it ends with the block."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "ENV_FILE": "",
        "SECRET_KEY": SECRET,
        "ALLOWED_HOSTS": "127.0.0.1",
        "BEHIND_TLS": "off",
        "PORT": str(port),
        "DATABASE_URL": database_url,
        "WEB_CONCURRENCY": "1",
        **UNLIMITED,
        **variables,
    }
    line = [sys.executable, "-m", "gunicorn", "-c", "python:crm_project.server", "crm_project.wsgi"]
    with tempfile.TemporaryDirectory(prefix="crm-server-") as home:
        log = Path(home) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(line, cwd=BASE_DIR, env=environment, stdout=output, stderr=output)
        server = Server(port, process.pid, log, secret)
        try:
            until(lambda: process.poll() is not None or is_alive(server), START_SECONDS)
            assert process.poll() is None, log.read_text()
            yield server
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def is_alive(server: Server) -> bool:
    try:
        return server.ask("GET", "/livez", timeout=5).status == 200
    except OSError:
        return False


def until(condition: Any, seconds: float) -> float:
    """Wait for the condition; answers the seconds it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it did not come"
        time.sleep(0.05)
    return time.monotonic() - began


@dataclass
class Link:
    """A TCP link on loopback to a server's socket. A frozen one stays open and carries nothing."""

    target: tuple[str, int] | str
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    flowing: threading.Event = field(default_factory=threading.Event)
    refusing: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    pairs: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def freeze(self) -> None:
        self.flowing.clear()

    def refuse(self) -> None:
        """Break all connections, and close new ones at once, until `thaw`."""
        self.refusing.set()
        self.cut()

    def thaw(self) -> None:
        self.refusing.clear()
        self.flowing.set()

    def cut(self) -> None:
        """Break all connections; new ones are taken as before."""
        for pair in self.pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        self.pairs.clear()

    def accept(self) -> None:
        while not self.ended.is_set():
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.refusing.is_set():
                near.close()
                continue
            family = socket.AF_UNIX if isinstance(self.target, str) else socket.AF_INET
            far = socket.socket(family)
            try:
                far.connect(self.target)
            except OSError:
                near.close()
                continue
            self.pairs.append((near, far))
            threading.Thread(target=self.carry, args=(near, far), daemon=True).start()

    def carry(self, near: socket.socket, far: socket.socket) -> None:
        with selectors.DefaultSelector() as selector, near, far:
            selector.register(near, selectors.EVENT_READ, far)
            selector.register(far, selectors.EVENT_READ, near)
            while not self.ended.is_set():
                # Nothing is read while it is frozen, not even the end of a connection.
                if not self.flowing.wait(0.1):
                    continue
                for key, _ in selector.select(0.05):
                    if not self.flowing.is_set():
                        break
                    try:
                        data = key.fileobj.recv(65536)  # type: ignore[union-attr]
                        if not data:
                            return
                        key.data.sendall(data)
                    except OSError:
                        return


@contextmanager
def link_to(target: tuple[str, int] | str) -> Iterator[Link]:
    link = Link(target)
    link.thaw()
    threading.Thread(target=link.accept, daemon=True).start()
    try:
        yield link
    finally:
        link.ended.set()
        link.listener.close()
        link.cut()


def target_of(settings: dict[str, Any]) -> tuple[str, int] | str:
    """Where Django's settings find the server: a host and port, or the path of a socket."""
    host = settings["HOST"] or settings["OPTIONS"].get("host") or "127.0.0.1"
    port = int(settings["PORT"] or settings["OPTIONS"].get("port") or 5432)
    return f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)
