"""Login, refresh, logout, and the current user."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.accounts.services import revoke_token
from crm_project.api.authentication import BearerAuthentication
from crm_project.dialects.gauzy.serializers import people as serializers
from crm_project.dialects.gauzy.views.base import GauzyView
from crm_project.dialects.kit.logins import (
    login_token,
    refresh_secret,
    refreshing_member,
    renew_login,
    sign_in,
    token_of_refresh_secret,
)

CREDENTIALS = ("email", "password")


def texts(request: Request, names: tuple[str, ...]) -> list[str]:
    """The values of these fields of the body, which must be non-empty strings."""
    body: Any = request.data if isinstance(request.data, dict) else {}
    missing = [name for name in names if not isinstance(body.get(name), str) or not body[name]]
    if missing:
        raise ValidationError({name: [ErrorDetail("", "required")] for name in missing})
    return [body[name] for name in names]


class PasswordAuthentication(BaseAuthentication):
    """E-mail address and password of the body. The action's transaction would roll the count of failures back."""

    def authenticate(self, request: Request) -> tuple[Any, Actor]:
        email, password = texts(request, CREDENTIALS)
        member = sign_in(request._request, email, password)
        return member.user, Actor(member)


class RefreshAuthentication(BaseAuthentication):
    """The refresh token of the body."""

    def authenticate(self, request: Request) -> tuple[Any, Actor]:
        member = refreshing_member(request._request, texts(request, ("refresh_token",))[0])
        return member.user, Actor(member)


class OptionalAuthentication(BearerAuthentication):
    """A missing or invalid token is not an error: the request is anonymous."""

    def authenticate(self, request: Request) -> Any:
        try:
            return super().authenticate(request)
        except AuthenticationFailed:
            return None


class GauzyLoginView(GauzyView):
    authentication_classes = [PasswordAuthentication]
    permission_classes: Any = []
    secret_actions = frozenset({"login"})

    @extend_schema(
        auth=[],
        request=serializers.Login,
        responses={200: serializers.Tokens},
        summary="Get a token of twelve hours",
    )
    def login(self, request: Request) -> Response:
        token, secret = login_token(self.actor.member, "Gauzy login")
        user = self.serialize(serializers.GauzyCurrentUserRead, self.actor.member)
        return Response({"user": user, "token": secret, "refresh_token": refresh_secret(token)})


class GauzyRefreshView(GauzyView):
    authentication_classes = [RefreshAuthentication]
    permission_classes: Any = []
    secret_actions = frozenset({"refresh"})
    secret_parameters = frozenset({"refresh_token"})

    @extend_schema(
        auth=[],
        request=serializers.Refresh,
        responses={200: serializers.Tokens},
        summary="Get another token of twelve hours",
    )
    def refresh(self, request: Request) -> Response:
        token, secret = renew_login(token_of_refresh_secret(texts(request, ("refresh_token",))[0]))
        return Response({"token": secret, "refresh_token": refresh_secret(token)})


class GauzyLogoutView(GauzyView):
    """A read-only token may also end its own login."""

    edit_permission = Permission.VIEW
    secret_parameters = frozenset({"refresh_token"})

    @extend_schema(request=serializers.Refresh, responses={200: None}, summary="End the login")
    def logout(self, request: Request) -> Response:
        """End the token of the request, and the login of the refresh token, which may have a newer token."""
        tokens = [self.actor.token] if self.actor.token else []
        if self.body.get("refresh_token"):
            tokens.append(token_of_refresh_secret(texts(request, ("refresh_token",))[0]))
        for token in tokens:
            if token.member_id == self.actor.member.pk:
                revoke_token(actor=self.actor, token=token)
        return Response()


class GauzyAuthenticatedView(GauzyView):
    authentication_classes = [OptionalAuthentication]
    permission_classes: Any = []

    @extend_schema(auth=[], responses=OpenApiTypes.BOOL, summary="Whether the token is valid")
    def authenticated(self, request: Request) -> Response:
        return Response(isinstance(request.auth, Actor))


class GauzyUserView(GauzyView):
    parameters = frozenset({"relations", "includeEmployee", "includeOrganization", "permissions", "roles"})
    relates = frozenset({"employee", "tenant", "role", "organizations"})

    @extend_schema(responses=serializers.GauzyCurrentUserRead, summary="The user of the token")
    def me(self, request: Request) -> Response:
        return Response(self.serialize(serializers.GauzyCurrentUserRead, self.actor.member))

    @extend_schema(responses=OpenApiTypes.BOOL, summary="Whether the user has any of these permissions")
    def permissions(self, request: Request) -> Response:
        asked = [
            serializers.PERMISSIONS[name]
            for name in self.asked("permissions")
            if name in serializers.PERMISSIONS
        ]
        return Response(any(self.actor.may(permission) for permission in asked))

    @extend_schema(responses=OpenApiTypes.BOOL, summary="Whether the user has any of these roles")
    def role(self, request: Request) -> Response:
        return Response(serializers.ROLES[self.actor.member.role] in self.asked("roles"))

    def asked(self, name: str) -> list[str]:
        value = self.query.get(name, [])
        return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]
