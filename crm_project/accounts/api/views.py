"""`/api/users`, `/api/tokens`, `/api/organization` and `/api/me`."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts import services
from crm_project.accounts.api.filters import UserFilter
from crm_project.accounts.api.serializers import (
    MeSerializer,
    NewTokenSerializer,
    OrganizationSerializer,
    PreferencesSerializer,
    RenameTokenSerializer,
    TokenSerializer,
    UserSerializer,
    with_secret,
)
from crm_project.accounts.models import ApiToken, Member, Organization
from crm_project.accounts.rules import Permission
from crm_project.api.views import ScopedView
from crm_project.errors import FieldError, Invalid
from crm_project.records.paging import Key

EXAMPLE = {"name": "Shop", "scopes": ["read"], "expires_at": "2100-01-01T00:00:00Z"}
COUNTRY = {"country": "FR", "language": "fr"}


class UserViewSet(ScopedView):
    """The members of the organization, by the member's uuid; read only."""

    http_method_names = ["get", "head", "options"]
    queryset = Member.objects.none()
    serializer_class = UserSerializer
    filterset_class = UserFilter
    default_ordering = "created_at"

    def get_queryset(self) -> Any:
        return Member.objects.visible_to(self.actor.member)

    def for_reading(self, rows: Any) -> Any:
        return rows.select_related("user")


class TokenViewSet(ScopedView):
    """Your own tokens; for an admin, those of all members. DELETE revokes a token."""

    queryset = ApiToken.objects.none()
    serializer_class = TokenSerializer
    # A viewer may create a read-only token for another program.
    edit_permission = Permission.VIEW
    secret_actions = frozenset({"create"})
    orderings = {"created_at": Key("created_at")}

    def get_queryset(self) -> Any:
        return ApiToken.objects.visible_to(self.actor.member)

    def for_reading(self, rows: Any) -> Any:
        return rows.select_related("member__user")

    def get_serializer_class(self) -> Any:
        return RenameTokenSerializer if self.action == "partial_update" else TokenSerializer

    @extend_schema(
        responses={201: NewTokenSerializer},
        examples=[OpenApiExample("Read only", EXAMPLE, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        """Only this response contains the secret."""
        change = self.validated(request)
        member = self._member(change.pop("member", None))
        token, secret = services.create_token(actor=self.actor, member=member, **change)
        headers = {"Location": self.location(token)}
        self.etag_body = JSONRenderer().render(self.represent(token))
        return Response(with_secret(self.reread(token), secret), status=201, headers=headers)

    def _member(self, uuid: Any) -> Member | None:
        if uuid is None:
            return None
        member = Member.objects.visible_to(self.actor.member).filter(uuid=uuid).first()
        if member is None:
            raise Invalid(fields=[FieldError("member", "does_not_exist", "There is no such row.")])
        return member

    def perform_update(self, row: ApiToken, change: dict[str, Any]) -> ApiToken:
        name = change.get("name", row.name)
        return services.rename_token(actor=self.actor, token=row, name=name, if_match=self.if_match)

    def perform_destroy(self, row: ApiToken) -> None:
        services.revoke_token(actor=self.actor, token=row, if_match=self.if_match)


class MeView(ScopedView):
    """The current member, organization and token, and their permissions."""

    serializer_class = MeSerializer

    @extend_schema(responses=MeSerializer, summary="Show the current member")
    def retrieve(self, request: Request, **_: Any) -> Response:
        return Response(MeSerializer(self.actor).data)


class OrganizationView(ScopedView):
    """The organization of the token: name, currency, time zone, country and language."""

    http_method_names = ["get", "patch", "head", "options"]
    queryset = Organization.objects.none()
    serializer_class = OrganizationSerializer
    edit_permission = Permission.ADMINISTER
    conditional_actions = frozenset({"partial_update"})

    def get_object(self) -> Organization:
        return Organization.objects.get(pk=self.actor.organization_id)

    read_object = get_object

    def perform_update(self, row: Organization, change: dict[str, Any]) -> Organization:
        return services.update_organization(actor=self.actor, organization=row, **change)

    @extend_schema(summary="Show the organization")
    def retrieve(self, request: Request, **path: Any) -> Response:
        return super().retrieve(request, **path)

    @extend_schema(
        summary="Change the organization",
        examples=[OpenApiExample("Country and language", COUNTRY, request_only=True)],
    )
    def partial_update(self, request: Request, **path: Any) -> Response:
        """Another country normalizes all phone numbers again; another currency converts all amounts again."""
        return super().partial_update(request, **path)


class PreferencesView(ScopedView):
    """How the member reads the pages and mails."""

    http_method_names = ["get", "patch", "head", "options"]
    serializer_class = PreferencesSerializer
    edit_permission = Permission.VIEW
    conditional_actions = frozenset()

    @extend_schema(responses=PreferencesSerializer, summary="Show the language and the time zone")
    def retrieve(self, request: Request, **_: Any) -> Response:
        return Response(PreferencesSerializer(self.actor.member).data)

    @extend_schema(responses=PreferencesSerializer, summary="Change the language and the time zone")
    def partial_update(self, request: Request, **_: Any) -> Response:
        """What is not named stays."""
        body = PreferencesSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        changed = services.change_preferences(actor=self.actor, change=body.validated_data)
        return Response(PreferencesSerializer(changed).data)
