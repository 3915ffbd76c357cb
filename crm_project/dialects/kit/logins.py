"""Logins with e-mail address and password, which return a token for twelve hours. The admin's throttle applies.

Another password ends the token.

A refresh token is not stored: it is signed, contains the UUID of the login's token, and ends with that token, with a
change of the password, with the member, and a week after the login, however often it has been used.
"""

import datetime
from collections.abc import Callable
from typing import TypeVar

from django.contrib.auth import authenticate
from django.core import signing
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.exceptions import APIException, Throttled

from crm_project.accounts.actors import Actor
from crm_project.accounts.logins import (
    TooManyAttempts,
    client_address,
    throttled_login,
    throttled_secret,
)
from crm_project.accounts.models import ApiToken, Member, User
from crm_project.accounts.services import create_token, renew_token
from crm_project.accounts.sessions import session_member
from crm_project.api.fields import UUID
from crm_project.records.rules import text_error

TOKEN_LIFE = datetime.timedelta(hours=12)
REFRESH_LIFE = datetime.timedelta(days=7)
EMAIL_LIMIT = 254
PASSWORD_LIMIT = 4096

T = TypeVar("T")


class WrongPassword(APIException):
    """Not AuthenticationFailed, which DRF turns into a 403 in a view without authentication classes."""

    status_code = 401
    default_code = "wrong_password"
    default_detail = "The e-mail address or the password is wrong."


def sign_in(request: HttpRequest, email: str, password: str) -> Member:
    """The first member of the login, as in the admin. Call this outside a transaction, which would roll the count of
    failures back."""
    if text_error("", email, limit=EMAIL_LIMIT) or text_error("", password, limit=PASSWORD_LIMIT):
        raise WrongPassword

    def check() -> User | None:
        user: User | None = authenticate(request, username=email, password=password)
        return user

    user = _answered(lambda: throttled_login(email, client_address(request), check))
    member = session_member(user, {}) if user else None
    if member is None:
        raise WrongPassword
    return member


def _answered(attempt: Callable[[], T]) -> T:
    """Too many attempts as the 429 of DRF."""
    try:
        return attempt()
    except TooManyAttempts as refusal:
        raise _Throttled(refusal) from refusal


class _Throttled(Throttled):
    """Without the sentence on the wait that DRF adds, which the refusal has already."""

    def __init__(self, refusal: TooManyAttempts) -> None:
        super().__init__(detail=refusal.detail)
        self.wait = refusal.wait


def login_token(member: Member, name: str) -> tuple[ApiToken, str]:
    """Create the token of a login; returns the token and its secret."""
    ends = timezone.now() + TOKEN_LIFE
    return create_token(actor=Actor(member), name=name, expires_at=ends, ends_with_password=True)


def refresh_secret(token: ApiToken) -> str:
    """The refresh token: it renews the token of a login."""
    return _signer(token).sign(str(token.uuid))


def refreshing_member(request: HttpRequest, secret: str) -> Member:
    """The member of a refresh token; wrong ones count like wrong passwords. Call this outside a transaction."""
    token = _named_token(secret)
    name = token.member.user.email if token else secret[:64]

    def check() -> ApiToken | None:
        try:
            return token_of_refresh_secret(secret)
        except WrongPassword:
            return None

    found = _answered(lambda: throttled_secret(name, client_address(request), check))
    if found is None:
        raise WrongPassword
    return found.member


def token_of_refresh_secret(secret: str) -> ApiToken:
    """The login's token, expired or not, for a refresh token."""
    token = _named_token(secret)
    try:
        if token is None or _signer(token).unsign(secret, max_age=REFRESH_LIFE) != str(token.uuid):
            raise WrongPassword
    except signing.BadSignature:
        raise WrongPassword from None
    if timezone.now() >= _last_expiry(token):
        raise WrongPassword
    return token


def _named_token(secret: str) -> ApiToken | None:
    """The usable token that a refresh token names, whose signature is not checked."""
    named = secret.partition(":")[0]
    tokens = ApiToken.objects.filter(uuid=named) if UUID.fullmatch(named) else ApiToken.objects.none()
    alive = tokens.filter(revoked_at=None, member__is_active=True, member__user__is_active=True)
    token: ApiToken | None = alive.select_related("member__user", "member__organization").first()
    return token


def renew_login(token: ApiToken) -> tuple[ApiToken, str]:
    """Renew the token of a login; returns the token and its new secret."""
    ends = min(timezone.now() + TOKEN_LIFE, _last_expiry(token))
    return renew_token(actor=Actor(token.member), token=token, expires_at=ends)


def _last_expiry(token: ApiToken) -> datetime.datetime:
    """The end of a login, which no refresh extends."""
    return token.created_at + REFRESH_LIFE


def _signer(token: ApiToken) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"crm.refresh.{token.member.user.get_session_auth_hash()}")
