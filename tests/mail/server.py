"""A mail server on loopback that behaves as a test wants it to, and one that accepts connections and never speaks."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any

from django.test import override_settings

BACKEND = "crm_project.mail.smtp.EmailBackend"


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks SMTP. `answers` maps a recipient to the answer to its RCPT, "hang up" or "wait", which gives none."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.connections = 0
        self.accepted: list[tuple[str, Message]] = []
        self.answers: dict[str, str] = {}
        self.waiting = False

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self.accepted]


class Session(socketserver.StreamRequestHandler):
    server: MailServer

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        self.server.connections += 1
        self.say("220 test")
        recipient = ""
        while line := self.rfile.readline().decode().strip():
            verb = line[:4].upper()
            if verb == "RCPT":
                recipient = line.partition("<")[2].partition(">")[0]
                answer = self.server.answers.get(recipient, "250 ok")
                if answer == "hang up":
                    return
                if answer == "wait":
                    self.server.waiting = True
                    self.rfile.read(1)  # until the other side is gone
                    return
                self.say(answer)
            elif verb == "DATA":
                self.say("354 go on")
                self.server.accepted.append((recipient, message_from_bytes(self.data(), policy=default)))
                self.say("250 accepted")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def data(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        return b"".join(lines)


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """The server, to which the settings lead."""
    with MailServer() as server, running(server), leading_to(server.port):
        yield server


class Silent(socketserver.ThreadingTCPServer):
    """Accepts connections; says nothing, or with `dribbles` a byte now and then."""

    daemon_threads = True
    dribbles = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Mute)
        self.connections = 0
        self.over = threading.Event()


class Mute(socketserver.BaseRequestHandler):
    server: Silent

    def handle(self) -> None:
        self.server.connections += 1
        while not self.server.over.wait(0.05):
            if self.server.dribbles:
                try:
                    self.request.sendall(b"2")
                except OSError:
                    return


@contextmanager
def silent_server(*, dribbles: bool = False) -> Iterator[Silent]:
    with Silent() as server, running(server), leading_to(int(server.server_address[1])):
        server.dribbles = dribbles
        try:
            yield server
        finally:
            server.over.set()


@contextmanager
def running(server: socketserver.TCPServer) -> Iterator[None]:
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def leading_to(port: int) -> Any:
    return override_settings(EMAIL_BACKEND=BACKEND, EMAIL_HOST="127.0.0.1", EMAIL_PORT=port)


@contextmanager
def no_server() -> Iterator[int]:
    """The settings lead to a port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with leading_to(probe.getsockname()[1]):
            yield probe.getsockname()[1]
