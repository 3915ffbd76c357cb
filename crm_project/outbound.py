"""The client for URLs that members give. It reaches public addresses alone, and the hosts that the operator names.

The name is resolved once, its address is checked, and the connection goes to that address: a second answer of the name
server (DNS rebinding) is never asked for. Redirects are not followed, environment proxies are ignored, the body of the
answer is bounded, and a deadline covers everything from the connection to the last byte.

What the operator configures (the database, the mail server) does not pass here.
"""

import ipaddress
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import requests
from django.conf import settings
from django.utils.translation import gettext_noop
from requests.adapters import HTTPAdapter
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import parse_url

from crm_project.errors import FieldError

MAX_URL = 2000
# Of an answer, this many bytes are read and kept.
MAX_ANSWER = 2048
CONNECT_SECONDS = 5.0
# Below these ports are services that answer no HTTP.
UNPRIVILEGED = 1024
PORTS = (80, 443)
URL_CHARACTERS = re.compile(r"[!#-;=?-\[\]_a-z~%]+", re.IGNORECASE)
NAME = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
# Names of the own machine and of networks without a public name server (RFC 6761, RFC 6762, RFC 8375).
INTERNAL_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "home.arpa", "onion")
# Beside those that `ipaddress` calls not global: forms that contain an IPv4 address, and deprecated local ones.
REFUSED = [
    ipaddress.ip_network(network)
    for network in (
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/23",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
    )
]


# What `post` raises.
Failed = requests.RequestException


class Refused(requests.RequestException):
    """The URL leads into the network, or has a form that is not allowed. Nothing was sent."""


@dataclass(frozen=True)
class Answer:
    """The status, the beginning of the body, and the seconds that it took. `retry_after` is in seconds."""

    status: int
    excerpt: str
    seconds: float
    retry_after: int | None = None


def url_error(url: str) -> FieldError | None:
    """What is wrong with a URL that a member gives, without a look-up of its name."""
    if len(url) > MAX_URL or not URL_CHARACTERS.fullmatch(url):
        template = gettext_noop("A URL has at most %(limit)s characters, all of them ASCII.")
        return FieldError("url", "invalid", template, {"limit": MAX_URL})
    try:
        parts = parse_url(url)
    except LocationParseError:
        return FieldError("url", "invalid", "This is not a URL.")
    host = (parts.host or "").lower()
    if parts.scheme not in ("http", "https") or not host:
        return FieldError("url", "scheme", "The URL must begin with https:// and name a host.")
    if parts.auth is not None or "@" in (parts.netloc or ""):
        return FieldError("url", "user_info", "The URL may not contain a user name or a password.")
    if is_allowed(host, parts.port):
        return None
    if parts.scheme == "http" and not settings.OUTBOUND_ALLOW_HTTP:
        return FieldError("url", "scheme", "The URL must begin with https://.")
    if parts.port is not None and parts.port not in PORTS and not UNPRIVILEGED <= parts.port < 2**16:
        return FieldError(
            "url", "port", "The port must be 80, 443 or at least %(least)s.", {"least": UNPRIVILEGED}
        )
    return _host_error(host)


def _host_error(host: str) -> FieldError | None:
    address = _literal(host)
    if address is not None:
        return None if is_public(address) else _internal(host)
    if host in INTERNAL_NAMES or host.endswith(tuple(f".{name}" for name in INTERNAL_NAMES)):
        return _internal(host)
    # A last label that is a number is an IPv4 address in decimal, octal or hexadecimal.
    if not NAME.fullmatch(host):
        return FieldError("url", "host", "%(host)s is not the full name of a public host.", {"host": host})
    return None


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _internal(host: str) -> FieldError:
    template = gettext_noop("%(host)s is inside the network. The operator can allow it by name.")
    return FieldError("url", "internal_host", template, {"host": host})


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether packets to the address leave the network."""
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return is_public(mapped)
    refused = any(address in network for network in REFUSED if network.version == address.version)
    return address.is_global and not address.is_multicast and not address.is_reserved and not refused


def is_allowed(host: str, port: int | None) -> bool:
    """Whether OUTBOUND_ALLOWED_HOSTS names the host, alone or with this port."""
    return host in settings.OUTBOUND_ALLOWED_HOSTS or f"{host}:{port}" in settings.OUTBOUND_ALLOWED_HOSTS


def post(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Answer:
    """Send one POST request. Raises Failed; of these Refused before anything is sent."""
    began = time.monotonic()
    wrong = url_error(url)
    if wrong is not None:
        raise Refused(wrong.detail)
    with _session(url) as session, _deadline(seconds) as deadline:
        try:
            response = session.post(
                url,
                data=body,
                headers={"Connection": "close", **headers},
                timeout=(min(CONNECT_SECONDS, seconds), seconds),
                stream=True,
            )
            with response:
                excerpt = response.raw.read(MAX_ANSWER, decode_content=False) or b""
        except (OSError, HTTPError, ValueError) as error:
            if deadline.has_passed:
                raise _too_late(seconds) from error
            if isinstance(error, requests.RequestException):
                raise
            raise requests.ConnectionError(error) from error
    if deadline.has_passed:
        raise _too_late(seconds)
    wait = response.headers.get("Retry-After", "")
    return Answer(
        response.status_code,
        excerpt.decode("utf-8", "replace"),
        time.monotonic() - began,
        int(wait) if wait.isascii() and wait.isdigit() and len(wait) < 9 else None,
    )


def _too_late(seconds: float) -> requests.Timeout:
    return requests.Timeout(f"No complete answer within {seconds:g} seconds.")


@contextmanager
def _session(url: str) -> Iterator[HTTPSession]:
    parts = parse_url(url)
    config = Config(
        ip_filter_enable=True,
        ip_filter_allow_loopback_ips=False,
        never_redirect=True,
        default_timeout=(CONNECT_SECONDS, CONNECT_SECONDS),
    )
    with HTTPSession(config) as session:
        # Without the proxies and the .netrc of the environment.
        session.trust_env = False
        guarded: Any = _GuardedAdapter
        if is_allowed((parts.host or "").lower(), parts.port):
            adapter = _TrustedAdapter()
        else:
            adapter = guarded(is_https_proto=parts.scheme == "https")
        session.mount(f"{parts.scheme}://", adapter)
        yield session


class _Deadline:
    """Cuts the connections that were opened during a request when its time is over.

    Time-outs of sockets are for one read each: a server that sends a byte now and then would be read for hours.
    """

    def __init__(self, seconds: float) -> None:
        self.has_passed = False
        self._sockets: list[socket.socket] = []
        self._guard = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> "_Deadline":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._guard:
            for own in self._sockets:
                own.close()
            self._sockets.clear()

    def cover(self, connected: socket.socket) -> None:
        """A duplicate: TLS takes the socket itself over, and the handshake has to be cut, too."""
        with self._guard:
            if self.has_passed:
                raise requests.Timeout
            self._sockets.append(connected.dup())

    def _cut(self) -> None:
        with self._guard:
            self.has_passed = True
            for own in self._sockets:
                try:
                    own.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue


_current: ContextVar[_Deadline | None] = ContextVar("outbound_deadline", default=None)


@contextmanager
def _deadline(seconds: float) -> Iterator[_Deadline]:
    with _Deadline(seconds) as deadline:
        token = _current.set(deadline)
        try:
            yield deadline
        finally:
            _current.reset(token)


class _Covered:
    """Connections that the deadline cuts."""

    def _new_conn(self) -> socket.socket:
        connected: socket.socket = super()._new_conn()  # type: ignore[misc]
        deadline = _current.get()
        if deadline is not None:
            deadline.cover(connected)
        return connected


class _PlainConnection(_Covered, HTTPConnection):
    """HTTP."""


class _TLSConnection(_Covered, HTTPSConnection):
    """HTTPS."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _CoveredAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TLSPool}


class _TrustedAdapter(_CoveredAdapter):
    """For hosts that the operator has named."""


class _GuardedAdapter(_CoveredAdapter, IPFilterAdapter):  # type: ignore[misc]
    """Connects to the address that was checked. The library's list of ranges is completed by `is_public`."""

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> Any:
        host_params, pool_kwargs = super().build_connection_pool_key_attributes(*args, **kwargs)
        address = _literal(str(host_params["host"]))
        if address is None or not is_public(address):
            raise Refused(f"The host leads to {address}, which is inside the network.")
        return host_params, pool_kwargs
