"""Sign-in with a password: a throttle for each account and IP address, in the database."""

import datetime
import hashlib
from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest
from django.utils import timezone

from crm_project.accounts.models import SignInAttempt
from crm_project.emails import fold_email
from crm_project.errors import DomainError

ATTEMPTS = 5
WINDOW = datetime.timedelta(minutes=15)
LOOPBACK = ("127.0.0.1", "::1")

T = TypeVar("T")


class TooManyAttempts(DomainError):
    """Too many wrong passwords for this account from this address."""

    code = "too_many_attempts"
    template = "Too many wrong passwords. Wait 15 minutes and try again."


def throttled_login(email: str, address: str, check: Callable[[], T | None]) -> T | None:
    """Run `check`, which returns None for a wrong password; raises TooManyAttempts after five in fifteen minutes.

    The attempt is stored before the check, so that concurrent attempts are counted too. Call this outside of a
    transaction: a failed attempt that is rolled back would not count.
    """
    key, now = _key(email, address), timezone.now()
    SignInAttempt.objects.filter(at__lt=now - WINDOW).delete()
    own = SignInAttempt.objects.create(key=key, at=now)
    others = SignInAttempt.objects.filter(key=key).exclude(pk=own.pk)
    if others.count() >= ATTEMPTS:
        # A throttled attempt is not counted: the wait ends fifteen minutes after the fifth failure.
        own.delete()
        raise TooManyAttempts
    result = check()
    if result:
        SignInAttempt.objects.filter(key=key).delete()
    return result


def client_address(request: HttpRequest) -> str:
    """The IP address of the client. X-Forwarded-For is trusted only from a proxy on this machine."""
    peer = str(request.META.get("REMOTE_ADDR") or "")
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR") or "").rpartition(",")[2].strip()
    return forwarded if forwarded and peer in LOOPBACK else peer


def _key(email: str, address: str) -> str:
    """A hash, so that the table does not reveal accounts and addresses."""
    text = f"{fold_email(email)} {address}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
