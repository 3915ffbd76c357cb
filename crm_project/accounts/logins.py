"""Sign-in with a password: a throttle for each account, for each IP address and over all, in the database."""

import datetime
import hashlib
import ipaddress
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings
from django.db.models import Count, Max, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_noop

from crm_project.accounts.models import SignInAddress, SignInAttempt
from crm_project.emails import fold_email
from crm_project.errors import DomainError
from crm_project.write_queue import write_transaction

WINDOW = datetime.timedelta(minutes=15)
KNOWN_FOR = datetime.timedelta(days=90)
# An attempt that another process was checking may make an account known at a refused address.
LONGEST_REFUSAL = datetime.timedelta(seconds=30)

T = TypeVar("T")


@dataclass(frozen=True)
class Limit:
    """After `allowed` failures in the window each further attempt waits; every failure doubles the wait (seconds)."""

    allowed: int
    first_wait: int
    longest_wait: int

    def wait(self, failures: int, since: float) -> float:
        """The seconds until the next attempt, after so many failures, `since` seconds after the last one."""
        if failures < self.allowed:
            return 0
        doublings = min(failures - self.allowed, self.longest_wait.bit_length())
        pause: int = min(self.first_wait * 2**doublings, self.longest_wait)
        return max(0, pause - since)


# An account from an address that has signed in to it: strangers cannot make its owner wait.
KNOWN_PAIR = Limit(allowed=5, first_wait=30, longest_wait=900)
# The other limits apply together. That of an account is short, since strangers can reach it.
ACCOUNT = Limit(allowed=5, first_wait=15, longest_wait=120)
ADDRESS = Limit(allowed=10, first_wait=30, longest_wait=900)
EVERYBODY = Limit(allowed=100, first_wait=1, longest_wait=1)


class TooManyAttempts(DomainError):
    """Too many wrong passwords; `wait` is the number of seconds until the next attempt."""

    code = "too_many_attempts"
    template = gettext_noop("Too many wrong passwords. Wait %(seconds)s seconds and try again.")

    def __init__(self, wait: float) -> None:
        self.wait = int(wait) + 1
        super().__init__(params={"seconds": self.wait})


class _Slots:
    """Bounds the passwords that a process hashes at once, and the threads that wait for their turn."""

    def __init__(self, *, at_once: int, queue: int) -> None:
        self._running = threading.Semaphore(at_once)
        self._present = threading.Semaphore(at_once + queue)
        self._guard = threading.Lock()
        self._addresses: set[str] = set()

    @contextmanager
    def slot(self, address: str = "") -> Iterator[None]:
        """A turn; of an address that is given only one at a time. Raises TooManyAttempts without waiting."""
        with self._guard:
            if address in self._addresses or not self._present.acquire(blocking=False):
                raise TooManyAttempts(1)
            self._addresses |= {address} - {""}
        try:
            with self._running:
                yield
        finally:
            with self._guard:
                self._addresses.discard(address)
            self._present.release()


# Strangers have slots of their own, so that they do not delay those who have signed in before, and one stranger at a
# single address does not delay others.
_strangers = _Slots(at_once=1, queue=6)
_known = _Slots(at_once=2, queue=8)


class _Refusals:
    """The addresses that a process refuses for a while, and their accounts: a flood of attempts costs no queries.

    The attempts in the database decide; a refusal is repeated from here for `LONGEST_REFUSAL` at most.
    """

    def __init__(self, *, size: int) -> None:
        self._size = size
        self._guard = threading.Lock()
        self._until: dict[str, datetime.datetime] = {}

    def check(self, key: str, now: datetime.datetime) -> None:
        """Raise TooManyAttempts if the key is still refused."""
        until = self._until.get(key)
        if until is not None and until > now:
            raise TooManyAttempts((until - now).total_seconds())

    def add(self, key: str, now: datetime.datetime, wait: float) -> None:
        if wait <= 0:
            return
        with self._guard:
            if len(self._until) >= self._size:
                self._until = {key: end for key, end in self._until.items() if end > now}
            if len(self._until) >= self._size:
                self._until = {}
            self._until[key] = now + min(datetime.timedelta(seconds=wait), LONGEST_REFUSAL)

    def remove(self, key: str) -> None:
        with self._guard:
            self._until.pop(key, None)

    def clear(self) -> None:
        with self._guard:
            self._until = {}


refusals = _Refusals(size=20_000)


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
    email = fold_email(email)
    pair, place = _digest("pair", email, address), _digest("address", address)
    refusals.check(pair, now)
    is_known = SignInAddress.objects.filter(key=pair, at__gt=now - KNOWN_FOR).exists()
    if not is_known:
        refusals.check(place, now)
    limits = {pair: KNOWN_PAIR} if is_known else _strangers_limits(email, address)
    waits = _waits(limits, now)
    if wait := max(waits.values(), default=0):
        refusals.add(pair, now, wait)
        refusals.add(place, now, waits.get(place, 0))
        raise TooManyAttempts(wait)
    turn = _known.slot() if is_known else _strangers.slot(address)
    with turn if hashes else nullcontext():
        own = _store(limits)
        result = check()
    if result:
        with write_transaction():
            SignInAttempt.objects.filter(Q(pk__in=own) | Q(key=pair)).delete()
            SignInAddress.objects.update_or_create(key=pair, defaults={"at": now})
            SignInAddress.objects.filter(at__lt=now - KNOWN_FOR).delete()
        refusals.remove(pair)
    return result


def _store(limits: Mapping[str, Limit]) -> frozenset[int]:
    """Store the attempt, and refuse it after all if others have been stored since; returns the ids of its rows."""
    now = timezone.now()
    with write_transaction():
        SignInAttempt.objects.filter(at__lt=now - WINDOW).delete()
        attempts = SignInAttempt.objects.bulk_create(SignInAttempt(key=key, at=now) for key in limits)
    own = frozenset(attempt.pk for attempt in attempts)
    if wait := max(_waits(limits, now, own).values(), default=0):
        SignInAttempt.objects.filter(pk__in=own).delete()
        raise TooManyAttempts(wait)
    return own


def _strangers_limits(email: str, address: str) -> Mapping[str, Limit]:
    return {
        _digest("account", email): ACCOUNT,
        _digest("address", address): ADDRESS,
        _digest("everybody"): EVERYBODY,
    }


def _waits(
    limits: Mapping[str, Limit], now: datetime.datetime, own: frozenset[int] = frozenset()
) -> dict[str, float]:
    """The seconds to wait by the key of each limit; `own` are the rows of the attempt itself. One query."""
    failures = SignInAttempt.objects.filter(key__in=limits, at__gt=now - WINDOW).exclude(pk__in=own)
    counts = failures.order_by().values_list("key").annotate(Count("pk"), Max("at"))
    return {key: limits[key].wait(count, (now - last).total_seconds()) for key, count, last in counts}


def client_address(request: HttpRequest) -> str:
    """The IP address of the client: the last one that no trusted proxy has.

    Of an IPv6 address the network of 64 bits, all of which one subscriber has.
    """
    address = str(request.META.get("REMOTE_ADDR") or "")
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR") or "").split(",")
    hops = [hop.strip() for hop in forwarded if hop.strip()]
    if "*" in settings.TRUSTED_PROXIES:
        # The nearest proxy has added the last one; those before it may be made up.
        address = hops[-1] if hops else address
    while hops and _is_proxy(address):
        address = hops.pop()
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((int(parsed), 64), strict=False))


def _is_proxy(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
        return any(
            parsed in ipaddress.ip_network(proxy) for proxy in settings.TRUSTED_PROXIES if proxy != "*"
        )
    except ValueError:
        return False


def _digest(kind: str, *parts: str) -> str:
    """A hash, so that the tables do not reveal accounts and addresses."""
    text = " ".join((kind, *parts))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
