"""Sign-in with a password: a throttle for each account, for each IP address and over all, in the database."""

import datetime
import hashlib
import ipaddress
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from django.http import HttpRequest
from django.utils import timezone

from crm_project.accounts.models import SignInAddress, SignInAttempt
from crm_project.errors import DomainError

WINDOW = datetime.timedelta(minutes=15)
KNOWN_FOR = datetime.timedelta(days=90)
LOOPBACK = ("127.0.0.1", "::1")

T = TypeVar("T")


@dataclass(frozen=True)
class Limit:
    """After `allowed` failures in the window each further attempt waits; every failure doubles the wait (seconds)."""

    allowed: int
    first_wait: int
    longest_wait: int

    def wait(self, key: str, now: datetime.datetime, own: frozenset[int] = frozenset()) -> float:
        """The seconds until the next attempt; `own` are the rows of the attempt itself."""
        failures = SignInAttempt.objects.filter(key=key, at__gt=now - WINDOW).exclude(pk__in=own)
        most = self.allowed + self.longest_wait.bit_length()
        newest = list(failures.order_by("-at").values_list("at", flat=True)[:most])
        if len(newest) < self.allowed:
            return 0
        pause = min(self.first_wait * 2 ** (len(newest) - self.allowed), self.longest_wait)
        return max(0, pause - (now - newest[0]).total_seconds())


# An account from an address that has signed in to it: strangers cannot make its owner wait.
KNOWN_PAIR = Limit(allowed=5, first_wait=30, longest_wait=900)
# The other limits apply together. That of an account is short, since strangers can reach it.
ACCOUNT = Limit(allowed=5, first_wait=15, longest_wait=120)
ADDRESS = Limit(allowed=10, first_wait=30, longest_wait=900)
EVERYBODY = Limit(allowed=100, first_wait=1, longest_wait=1)


class TooManyAttempts(DomainError):
    """Too many wrong passwords; `wait` is the number of seconds until the next attempt."""

    code = "too_many_attempts"
    template = "Too many wrong passwords. Wait %(seconds)s seconds and try again."

    def __init__(self, wait: float) -> None:
        self.wait = int(wait) + 1
        super().__init__(params={"seconds": self.wait})


class _Slots:
    """Bounds the passwords that a process hashes at once, and the threads that wait for their turn."""

    def __init__(self, *, at_once: int, queue: int) -> None:
        self._running = threading.Semaphore(at_once)
        self._present = threading.Semaphore(at_once + queue)

    @contextmanager
    def slot(self) -> Iterator[None]:
        if not self._present.acquire(blocking=False):
            raise TooManyAttempts(1)
        try:
            with self._running:
                yield
        finally:
            self._present.release()


# Strangers have a slot of their own, so that they do not delay those who have signed in before.
_strangers = _Slots(at_once=1, queue=3)
_known = _Slots(at_once=2, queue=8)


def throttled_login(email: str, address: str, check: Callable[[], T | None]) -> T | None:
    """Run `check`, which returns None for a wrong password; raises TooManyAttempts after too many of them.

    Call this outside of a transaction: a failed attempt that is rolled back would not count.
    """
    return _throttled(email, address, check, hashes=True)


def throttled_secret(name: str, address: str, check: Callable[[], T | None]) -> T | None:
    """Like `throttled_login`, for a secret of the account that is not hashed."""
    return _throttled(name, address, check, hashes=False)


def _throttled(email: str, address: str, check: Callable[[], T | None], *, hashes: bool) -> T | None:
    """The attempt is stored before the check, so that concurrent attempts are counted too.

    A refused attempt is not counted: it prolongs no wait.
    """
    now = timezone.now()
    pair = _digest("pair", email, address)
    is_known = SignInAddress.objects.filter(key=pair, at__gt=now - KNOWN_FOR).exists()
    limits = {pair: KNOWN_PAIR} if is_known else _strangers_limits(email, address)
    _refuse(limits, now)
    attempts = SignInAttempt.objects.bulk_create(SignInAttempt(key=key, at=now) for key in limits)
    own = frozenset(attempt.pk for attempt in attempts)
    try:
        _refuse(limits, now, own)
        if hashes:
            with (_known if is_known else _strangers).slot():
                result = check()
        else:
            result = check()
    except TooManyAttempts:
        SignInAttempt.objects.filter(pk__in=own).delete()
        raise
    SignInAttempt.objects.filter(at__lt=now - WINDOW).delete()
    if result:
        SignInAttempt.objects.filter(pk__in=own).delete()
        SignInAttempt.objects.filter(key=pair).delete()
        SignInAddress.objects.update_or_create(key=pair, defaults={"at": now})
        SignInAddress.objects.filter(at__lt=now - KNOWN_FOR).delete()
    return result


def _strangers_limits(email: str, address: str) -> Mapping[str, Limit]:
    return {
        _digest("account", email): ACCOUNT,
        _digest("address", address): ADDRESS,
        _digest("everybody"): EVERYBODY,
    }


def _refuse(limits: Mapping[str, Limit], now: datetime.datetime, own: frozenset[int] = frozenset()) -> None:
    wait = max(limit.wait(key, now, own) for key, limit in limits.items())
    if wait > 0:
        raise TooManyAttempts(wait)


def client_address(request: HttpRequest) -> str:
    """The IP address of the client. X-Forwarded-For is trusted only from a proxy on this machine.

    Of an IPv6 address the network of 64 bits, all of which one subscriber has.
    """
    peer = str(request.META.get("REMOTE_ADDR") or "")
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR") or "").rpartition(",")[2].strip()
    address = forwarded if forwarded and peer in LOOPBACK else peer
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((int(parsed), 64), strict=False))


def _digest(kind: str, *parts: str) -> str:
    """A hash, so that the tables do not reveal accounts and addresses."""
    text = " ".join((kind, *(part.strip().lower() for part in parts)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
