"""Authentication by a bearer token or, for the browsable API, by a session of the admin."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import User
from crm_project.accounts.services import authenticate_token
from crm_project.accounts.sessions import session_member
from crm_project.errors import Forbidden


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <secret>`; `request.auth` becomes the Actor."""

    def authenticate(self, request: Request) -> tuple[User, Actor] | None:
        secret = bearer_secret(request)
        if secret is None:
            return None
        actor = authenticate_token(secret)
        if actor is None:
            raise AuthenticationFailed("This token is unknown, expired or revoked.")
        return actor.member.user, actor

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class MemberSessionAuthentication(SessionAuthentication):
    """A session of the admin, with CSRF protection; the actor is the session's current member."""

    def authenticate(self, request: Request) -> tuple[Any, Actor] | None:
        signed_in = super().authenticate(request)
        member = session_member(signed_in[0], request.session) if signed_in else None
        return (signed_in[0], Actor(member)) if signed_in and member else None


def bearer_secret(request: Request | HttpRequest) -> str | None:
    """The secret in the Authorization header; None for a header of another scheme."""
    scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def require_tls(request: Request) -> None:
    """Refuse a request without TLS where browsers and clients are to use it: its token may have been read."""
    if not settings.BEHIND_TLS or request.is_secure():
        return
    # Nothing that runs later authenticates the request.
    request.auth = None
    error = Forbidden(
        "Use https: this request came without TLS. Replace its token or password, which may have been read.",
        code="insecure_transport",
    )
    raise PermissionDenied(error.detail) from error


def require_own_site(request: Request) -> None:
    """Refuse an unsafe request that a page of another site has sent; for authentication by a cookie alone."""
    if request.method in SAFE_METHODS:
        return
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site", "same-origin")
    own = {f"{request.scheme}://{request.get_host()}", *settings.CSRF_TRUSTED_ORIGINS}
    if site not in ("same-origin", "none") or (origin is not None and origin not in own):
        raise PermissionDenied("A page of another site has sent this request.")


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = BearerAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of a member, created with POST /api/tokens.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = MemberSessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "For the browsable API.",
        }
