"""Raw sockets against the server of production: hostile clients have no effect on others."""

import gzip
import http.client
import re
import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest
from django.db import connection
from django.test import TransactionTestCase

from crm_project.accounts.services import create_token
from tests.base import World
from tests.pgbouncer import url_of
from tests.server import gunicorn

PATIENCE = 5


def database_url():
    """The URL of the tests' database."""
    if connection.vendor == "postgresql":
        return url_of(connection.settings_dict)
    return f"sqlite:///{connection.settings_dict['NAME']}"


def ask(port, path, secret=""):
    """The status of a GET and the seconds that it took."""
    began = time.monotonic()
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        link.request("GET", path, headers={"Authorization": f"Bearer {secret}"})
        answer = link.getresponse()
        answer.read()
        return answer.status, time.monotonic() - began
    finally:
        link.close()


@pytest.mark.slow
@pytest.mark.race
@pytest.mark.once
class HostileSocketTests(TransactionTestCase):
    @pytest.mark.slow
    def test_hostile_clients_have_no_effect_on_others(self):
        world = World()
        for number in range(60):
            world.deal(name=f"Deal {number}", description="x" * 60_000)
        self.secret = create_token(actor=world.alice, name="sockets")[1]
        with gunicorn(database_url(), WEB_CONCURRENCY="2", TASK_WORKER="command") as server:
            self.port = server.port
            with self.holding() as held:
                self.send_nonsense()
                for _ in range(3):
                    for path in ("/api/me", "/healthz", "/api/deals?page_size=2"):
                        status, seconds = ask(self.port, path, self.secret)
                        assert status == 200, path
                        assert seconds < PATIENCE, (path, seconds)
                self.ends_of(held)
            assert ask(self.port, "/api/me", self.secret)[0] == 200

    @contextmanager
    def holding(self):
        """Clients that dribble heads and bodies, and that take nothing of their answer."""
        auth = f"Authorization: Bearer {self.secret}\r\n"
        head = f"POST /api/deals HTTP/1.1\r\nHost: 127.0.0.1\r\n{auth}Content-Type: application/json\r\n"
        begun = {
            "head": "GET /api/me HTTP/1.1\r\nHost: 127",
            "body": f"{head}Content-Length: 1000\r\n\r\n",
            "chunks": f"{head}Transfer-Encoding: chunked\r\n\r\n400\r\n",
            "reader": f"GET /api/deals/export HTTP/1.1\r\nHost: 127.0.0.1\r\n{auth}\r\n",
        }
        held = []
        for kind, text in begun.items():
            for _ in range(3):
                link = socket.socket()
                link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                link.settimeout(30)
                link.connect(("127.0.0.1", self.port))
                link.sendall(text.encode())
                held.append((kind, link))
        over = threading.Event()
        dribbling = threading.Thread(target=self.dribble, args=(held, over))
        dribbling.start()
        try:
            yield held
        finally:
            over.set()
            dribbling.join()
            for _, link in held:
                link.close()

    def dribble(self, held, over):
        while not over.wait(0.5):
            for kind, link in held:
                if kind != "reader":
                    with suppress(OSError):
                        link.sendall(b" ")

    def ends_of(self, held):
        """A client that dribbles is answered or cut off after its deadline, although it is never silent."""
        for kind, link in held:
            if kind == "reader":
                continue
            try:
                answer = link.recv(65536)
            except ConnectionError:
                answer = b""
            assert answer == b"" or b" 400 " in answer.partition(b"\r\n")[0], (kind, answer)

    def send_nonsense(self):
        auth = f"Authorization: Bearer {self.secret}\r\nContent-Type: application/json\r\n"
        post = f"POST /api/deals HTTP/1.1\r\nHost: 127.0.0.1\r\n{auth}"
        deep, bomb = b"[" * 100_000, gzip.compress(b"x" * 100_000_000)
        get = "GET /api/me HTTP/1.1\r\n"
        many = "".join(f"X{number}: y\r\n" for number in range(500))
        for head, body in (
            (f"{post}Content-Length: 2\r\nContent-Length: 5\r\n\r\n", b"{}"),
            (f"{post}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", b"0\r\n\r\n"),
            (f"{post}Content-Length: -1\r\n\r\n", b""),
            (f"{post}Content-Length: {len(deep)}\r\n\r\n", deep),
            (f"{post}Content-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n", bomb),
            (f"GET /api/deals?q={'x' * 60_000} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b""),
            (f"{get}Host: evil.example\r\n\r\n", b""),
            (f"{get}Host: 127.0.0.1\r\nX: {'y' * 60_000}\r\n\r\n", b""),
            (f"{get}Host: 127.0.0.1\r\n{many}\r\n", b""),
            ("GET / HTTP/9.9\r\n\r\n", b""),
            ("\x16\x03\x01 nonsense\r\n\r\n", b""),
        ):
            with socket.create_connection(("127.0.0.1", self.port), 20) as link:
                try:
                    link.sendall(head.encode("latin-1") + body)
                    line = link.recv(65536).partition(b"\r\n")[0]
                except ConnectionError:
                    # The server may close while the client still sends.
                    continue
            assert re.fullmatch(rb"(HTTP/1.[01] (4\d\d|501|505) .*)?", line), (head[:100], line)
