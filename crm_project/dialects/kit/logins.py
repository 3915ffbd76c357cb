"""Logins with e-mail address and password, which return a token for twelve hours. The admin's throttle applies.

A refresh token is not stored: it is signed, contains the UUID of the login's token, and ends with that token, with a
change of the password, with the member, and after a week.
"""

import datetime

from django.contrib.auth import authenticate
from django.core import signing
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.exceptions import APIException, Throttled

from crm_project.accounts.actors import Actor
from crm_project.accounts.logins import WINDOW, TooManyAttempts, client_address, throttled_login
from crm_project.accounts.models import ApiToken, Member
from crm_project.accounts.services import create_token, renew_token
from crm_project.accounts.sessions import session_member
from crm_project.api.fields import UUID
from crm_project.records.rules import text_error

TOKEN_LIFE = datetime.timedelta(hours=12)
REFRESH_LIFE = datetime.timedelta(days=7)
EMAIL_LIMIT = 254
PASSWORD_LIMIT = 4096


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
    try:
        user = throttled_login(
            email,
            client_address(request),
            lambda: authenticate(request, username=email, password=password),
        )
    except TooManyAttempts as refusal:
        raise Throttled(wait=WINDOW.total_seconds(), detail=refusal.detail) from refusal
    member = session_member(user, {}) if user else None
    if member is None:
        raise WrongPassword
    return member


def login_token(member: Member, name: str) -> tuple[ApiToken, str]:
    """Create the token of a login; returns the token and its secret."""
    return create_token(actor=Actor(member), name=name, expires_at=timezone.now() + TOKEN_LIFE)


def refresh_secret(token: ApiToken) -> str:
    """The refresh token: it renews the token of a login."""
    return _signer(token).sign(str(token.uuid))


def token_of_refresh_secret(secret: str) -> ApiToken:
    """The login's token, expired or not, for a refresh token."""
    named = secret.partition(":")[0]
    tokens = ApiToken.objects.filter(uuid=named) if UUID.fullmatch(named) else ApiToken.objects.none()
    alive = tokens.filter(revoked_at=None, member__is_active=True, member__user__is_active=True)
    token: ApiToken | None = alive.select_related("member__user", "member__organization").first()
    try:
        if token is None or _signer(token).unsign(secret, max_age=REFRESH_LIFE) != named:
            raise WrongPassword
    except signing.BadSignature:
        raise WrongPassword from None
    return token


def renew_login(token: ApiToken) -> tuple[ApiToken, str]:
    """Renew the token of a login; returns the token and its new secret."""
    ends = timezone.now() + TOKEN_LIFE
    return renew_token(actor=Actor(token.member), token=token, expires_at=ends)


def _signer(token: ApiToken) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"crm.refresh.{token.member.user.get_session_auth_hash()}")
