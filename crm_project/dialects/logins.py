"""Vendors' logins: an e-mail address and a password become a token of twelve hours, under the admin's own brake."""

import datetime

from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.exceptions import APIException, Throttled

from crm_project.accounts.actors import Actor
from crm_project.accounts.logins import WINDOW, TooManyAttempts, braked, client_address
from crm_project.accounts.models import ApiToken, Member
from crm_project.accounts.services import create_token
from crm_project.accounts.sessions import session_member
from crm_project.records.rules import text_error

TOKEN_LIFE = datetime.timedelta(hours=12)
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
        user = braked(
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
