"""URLs that members give: nothing inside the network is reached, and nothing hangs. Real sockets, real resolver."""

import ipaddress
import socket
import threading
import time

import pytest
import requests
from django.test import override_settings

from crm_project import outbound
from crm_project.outbound import Refused, is_public, post, url_error
from tests.webhooks.receiver import answering, receiving

HOSTILE = [
    ("http://example.com/", "scheme"),
    ("ftp://example.com/", "scheme"),
    ("file:///etc/passwd", "scheme"),
    ("gopher://example.com:70/", "scheme"),
    ("//example.com/", "scheme"),
    ("https://", "scheme"),
    ("https://user@example.com/", "user_info"),
    ("https://user:password@example.com/", "user_info"),
    ("https://example.com@127.0.0.1/", "user_info"),
    ("https://127.0.0.1/", "internal_host"),
    ("https://127.1/", "host"),
    ("https://2130706433/", "host"),
    ("https://0x7f000001/", "host"),
    ("https://0x7f.0.0.1/", "host"),
    ("https://0177.0.0.1/", "host"),
    ("https://0.0.0.0/", "internal_host"),
    ("https://10.0.0.1/", "internal_host"),
    ("https://172.16.0.1/", "internal_host"),
    ("https://192.168.1.1/", "internal_host"),
    ("https://169.254.169.254/latest/meta-data/", "internal_host"),
    ("https://100.64.0.1/", "internal_host"),
    ("https://224.0.0.1/", "internal_host"),
    ("https://240.0.0.1/", "internal_host"),
    ("https://255.255.255.255/", "internal_host"),
    ("https://192.88.99.1/", "internal_host"),
    ("https://[::1]/", "internal_host"),
    ("https://[::]/", "internal_host"),
    ("https://[::ffff:127.0.0.1]/", "internal_host"),
    ("https://[::ffff:7f00:1]/", "internal_host"),
    ("https://[::7f00:1]/", "internal_host"),
    ("https://[64:ff9b::7f00:1]/", "internal_host"),
    ("https://[2002:7f00:1::]/", "internal_host"),
    ("https://[2001:0:7f00:1::]/", "internal_host"),
    ("https://[fd00::1]/", "internal_host"),
    ("https://[fe80::1]/", "internal_host"),
    ("https://[fec0::1]/", "internal_host"),
    ("https://[ff02::1]/", "internal_host"),
    ("https://localhost/", "internal_host"),
    ("https://LOCALHOST/", "internal_host"),
    ("https://app.localhost/", "internal_host"),
    ("https://printer.local/", "internal_host"),
    ("https://metadata.google.internal/", "internal_host"),
    ("https://database/", "host"),
    ("https://example.com:22/", "port"),
    ("https://example.com:25/", "port"),
    ("https://example.com:99999/", "invalid"),
    ("https://example.com\\@127.0.0.1/", "invalid"),
    ("https://example.com/\r\nX-A: b", "invalid"),
    ("https://ex ample.com/", "invalid"),
    ("https://ⓔxample.com/", "invalid"),
    ("https://127。0。0。1/", "invalid"),
    ("https://example.com./", "host"),
]
FINE = [
    "https://example.com/",
    "https://hooks.example.com:8443/a/b?c=d%20e#f",
    "https://xn--mller-kva.example/",
    "https://8.8.8.8/",
    "https://[2606:4700::1111]/",
]


class TestUrls:
    @pytest.mark.parametrize(("url", "code"), HOSTILE)
    def test_a_hostile_one_is_refused_when_it_is_saved_and_when_it_is_used(self, url, code, monkeypatch):
        def connect(*_):
            raise AssertionError("a connection was opened")

        monkeypatch.setattr(socket.socket, "connect", connect)
        wrong = url_error(url)

        assert wrong is not None
        assert wrong.code == code
        assert wrong.field == "url"
        with pytest.raises(Refused):
            post(url, b"{}", {}, seconds=1)

    @pytest.mark.parametrize("url", FINE)
    def test_a_public_one_is_fine(self, url):
        assert url_error(url) is None

    def test_a_long_one_is_refused(self):
        assert url_error("https://example.com/" + "a" * 2_000).code == "invalid"

    @override_settings(OUTBOUND_ALLOW_HTTP=True)
    def test_http_is_a_setting(self):
        assert url_error("http://example.com/") is None
        assert url_error("http://127.0.0.1/").code == "internal_host"

    @override_settings(OUTBOUND_ALLOWED_HOSTS=frozenset({"127.0.0.1:8000", "crm"}))
    def test_the_operator_names_hosts_inside(self):
        assert url_error("http://127.0.0.1:8000/") is None
        assert url_error("http://crm:81/") is None
        assert url_error("http://127.0.0.1:8001/") is not None
        assert url_error("http://user@127.0.0.1:8000/").code == "user_info"


def resolving(monkeypatch, *answers):
    """Replace the resolver: each look-up of a name gets the next answer, and the last one for ever."""
    asked = []

    def getaddrinfo(host, port, *_, **__):
        address = host
        if host.endswith(".example.com"):
            asked.append(host)
            address = answers[min(len(asked), len(answers)) - 1]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        end = (address, port, 0, 0) if ":" in address else (address, port)
        return [(family, socket.SOCK_STREAM, 6, "", end)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.fixture
def listener():
    """A socket that counts connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server


def connections(server):
    found = 0
    while True:
        try:
            server.accept()[0].close()
            found += 1
        except TimeoutError:
            return found


class TestRebinding:
    @override_settings(OUTBOUND_ALLOW_HTTP=True)
    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "::1",
            "::ffff:127.0.0.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
        ],
    )
    def test_a_public_name_of_an_internal_address_is_refused_before_a_connection(
        self, monkeypatch, listener, address
    ):
        resolving(monkeypatch, address)
        port = listener.getsockname()[1]

        with pytest.raises(requests.RequestException):
            post(f"http://rebind.example.com:{port}/", b"{}", {}, seconds=1)

        assert connections(listener) == 0

    @override_settings(OUTBOUND_ALLOW_HTTP=True)
    def test_a_name_that_changes_its_address_is_connected_to_the_checked_one(self, monkeypatch, listener):
        asked = resolving(monkeypatch, "93.184.215.14", "127.0.0.1")
        opened = []

        def connect(_, address):
            opened.append(address[0])
            raise OSError("no network in this test")

        monkeypatch.setattr(socket.socket, "connect", connect)
        port = listener.getsockname()[1]

        with pytest.raises(requests.RequestException):
            post(f"http://rebind.example.com:{port}/", b"{}", {}, seconds=1)

        assert opened == ["93.184.215.14"]
        assert asked == ["rebind.example.com"]
        assert connections(listener) == 0

    @override_settings(OUTBOUND_ALLOWED_HOSTS=frozenset({"127.0.0.1"}))
    def test_a_redirect_into_the_network_is_not_followed(self, listener):
        inside = f"http://127.0.0.1:{listener.getsockname()[1]}/latest/meta-data"
        with receiving() as receiver:
            receiver.answer = answering(307, Location=inside)
            answer = post(receiver.url, b"{}", {}, seconds=2)

        assert answer.status == 307
        assert connections(listener) == 0

    @override_settings(OUTBOUND_ALLOWED_HOSTS=frozenset({"127.0.0.1"}))
    def test_the_proxies_of_the_environment_are_ignored(self, monkeypatch, listener):
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{listener.getsockname()[1]}")
        with receiving() as receiver:
            assert post(receiver.url, b"{}", {}, seconds=2).status == 204

        assert connections(listener) == 0


class TestBounds:
    @pytest.fixture(autouse=True)
    def allowed(self, settings):
        settings.OUTBOUND_ALLOWED_HOSTS = frozenset({"127.0.0.1"})

    def test_a_large_answer_is_read_in_part(self):
        with receiving() as receiver:
            receiver.answer = answering(200, b"x" * 10_000_000)
            answer = post(receiver.url, b"{}", {}, seconds=5)

        assert len(answer.excerpt) == outbound.MAX_ANSWER

    def test_the_deadline_covers_a_body_that_never_ends(self):
        def endless(handler, _):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while True:
                try:
                    handler.wfile.write(b"x")
                except OSError:
                    return
                time.sleep(0.05)

        began = time.monotonic()
        with receiving() as receiver:
            receiver.answer = endless
            with pytest.raises(requests.Timeout):
                post(receiver.url, b"{}", {}, seconds=0.5)
        assert time.monotonic() - began < 2

    def test_and_a_tls_handshake_that_never_ends(self, listener):
        def hold():
            with listener.accept()[0] as connection:
                connection.recv(10_000)
                time.sleep(2)

        listener.settimeout(5)
        thread = threading.Thread(target=hold)
        thread.start()
        began = time.monotonic()
        with pytest.raises(requests.RequestException):
            post(f"https://127.0.0.1:{listener.getsockname()[1]}/", b"{}", {}, seconds=0.5)
        assert time.monotonic() - began < 1.5
        thread.join()

    def test_a_certificate_is_verified(self):
        with receiving() as receiver, pytest.raises(requests.exceptions.RequestException):
            post(receiver.url.replace("http:", "https:"), b"{}", {}, seconds=2)


def test_what_is_public():
    assert is_public(ipaddress.ip_address("1.1.1.1"))
    assert not is_public(ipaddress.ip_address("::ffff:10.0.0.1"))
