"""Vendors' logins: an e-mail address and a password become a token of twelve hours, under the admin's own brake.

What refreshes a login is no row of its own: it is signed, names the login's token, and ends with it, with the password,
with the member, and by itself after a week.
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
    """Not DRF's own refusal of strangers, which a view without authentication answers with 403."""

    status_code = 401
    default_code = "wrong_password"
    default_detail = "The e-mail address or the password is wrong."


def signed_in(request: HttpRequest, email: str, password: str) -> Member:
    """The first place of the login, as in the admin. Call it before the transaction: a failure that is rolled back
    would not count."""
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
    """The token of a login, and its secret."""
    return create_token(actor=Actor(member), name=name, expires_at=timezone.now() + TOKEN_LIFE)


def refresh_secret(token: ApiToken) -> str:
    """What renews the token of a login."""
    return _signer(token).sign(str(token.uuid))


def login_of(secret: str) -> ApiToken:
    """The token that the secret renews, whether it has ended meanwhile or not."""
    named = secret.partition(":")[0]
    tokens = ApiToken.objects.filter(uuid=named) if UUID.fullmatch(named) else ApiToken.objects.none()
    alive = tokens.filter(revoked_at=None, member__is_active=True, member__user__is_active=True)
    token = alive.select_related("member__user", "member__organization").first()
    try:
        if token is None or _signer(token).unsign(secret, max_age=REFRESH_LIFE) != named:
            raise WrongPassword
    except signing.BadSignature:
        raise WrongPassword from None
    return token


def refreshed(token: ApiToken) -> tuple[ApiToken, str]:
    """The token of a login with twelve more hours, and its new secret."""
    ends = timezone.now() + TOKEN_LIFE
    return renew_token(actor=Actor(token.member), token=token, expires_at=ends)


def _signer(token: ApiToken) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"crm.refresh.{token.member.user.get_session_auth_hash()}")
