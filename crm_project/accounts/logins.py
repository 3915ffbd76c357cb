"""Signing in with a password: a brake on guessing, per account and address, that is kept in the database."""

import datetime
import hashlib
from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest
from django.utils import timezone

from crm_project.accounts.models import SignInAttempt
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
    """Run `check`, which answers nothing for a wrong password, unless five have been wrong in fifteen minutes.

    The attempt is noted before the password is looked at, so that many at once get no more tries than one by one.
    Call it outside of any transaction: a failure that is rolled back would not count.
    """
    key, now = _key(email, address), timezone.now()
    SignInAttempt.objects.filter(at__lt=now - WINDOW).delete()
    own = SignInAttempt.objects.create(key=key, at=now)
    others = SignInAttempt.objects.filter(key=key).exclude(pk=own.pk)
    if others.count() >= ATTEMPTS:
        # Not counted itself: the wait ends fifteen minutes after the fifth failure, however often one tries.
        own.delete()
        raise TooManyAttempts
    found = check()
    if found:
        SignInAttempt.objects.filter(key=key).delete()
    return found


def client_address(request: HttpRequest) -> str:
    """Where the request comes from. A proxy on this machine is believed, others can write what they like."""
    peer = str(request.META.get("REMOTE_ADDR") or "")
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR") or "").rpartition(",")[2].strip()
    return forwarded if forwarded and peer in LOOPBACK else peer


def _key(email: str, address: str) -> str:
    """Hashed, so that the table is no list of accounts and addresses."""
    text = f"{email.strip().lower()} {address}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
