"""Gauzy's organization contacts, its login and its users."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from contacts.services import create_contacts, update_contacts
from crm_project.accounts.actors import Actor
from crm_project.dialects.gauzy import wire
from crm_project.dialects.gauzy.views.base import Found, GauzyView
from crm_project.dialects.logins import WrongPassword, login_token, signed_in


class ContactView(GauzyView):
    """Organization contacts: what a deal's `clientId` names."""

    model, kind = Contact, "contact"
    columns = {"name": "full_name__icontains", "primaryEmail": "email__iexact"}
    sortable = {**GauzyView.sortable, "name": "full_name"}

    def serializer(self) -> Any:
        return wire.ShownContact

    @extend_schema(operation_id="contacts_find_all", responses=Found, summary="List contacts")
    def index(self, request: Request) -> Response:
        return super().index(request)

    @extend_schema(responses=Found, summary="List contacts by pages")
    def pagination(self, request: Request) -> Response:
        return super().pagination(request)

    @extend_schema(responses=OpenApiTypes.INT, summary="Count contacts")
    def count(self, request: Request) -> Response:
        return super().count(request)

    @extend_schema(responses=wire.ShownContact, summary="Get a contact")
    def retrieve(self, request: Request, row: str) -> Response:
        return Response(self.entity(self.one(row)))

    @extend_schema(request=wire.ContactWords, responses={201: wire.ShownContact}, summary="Create a company")
    def create(self, request: Request) -> Response:
        change = self.worded(self.read(wire.ContactWords, self.sent()))
        contact = create_contacts(actor=self.actor, changes=[{**change, "kind": Contact.Kinds.COMPANY}])[0]
        return Response(self.entity(contact), self.create_status)

    @extend_schema(request=wire.ContactWords, responses={202: wire.ShownContact}, summary="Change a contact")
    def update(self, request: Request, row: str) -> Response:
        contact = self.one(row)
        change = self.worded(self.changed(wire.ContactWords, self.entity(contact)))
        return Response(
            self.entity(update_contacts(actor=self.actor, changes=[(contact, change)])[0].row),
            self.update_status,
        )

    def worded(self, change: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in change.items() if name != "contactType"}


class PasswordAuthentication(BaseAuthentication):
    """E-mail address and password of the body. Here and not in the action: a failure must not be rolled back."""

    def authenticate(self, request: Request) -> tuple[Any, Actor] | None:
        body = request.data if isinstance(request.data, Mapping) else {}
        email, password = body.get("email"), body.get("password")
        if not isinstance(email, str) or not isinstance(password, str):
            raise WrongPassword
        member = signed_in(request._request, email, password)
        return member.user, Actor(member)


class LoginView(GauzyView):
    authentication_classes = [PasswordAuthentication]
    permission_classes: Any = []
    secret_actions = frozenset({"login"})

    @extend_schema(
        auth=[],
        request=inline_serializer(
            "Login", {"email": serializers.EmailField(), "password": serializers.CharField()}
        ),
        responses={201: OpenApiTypes.OBJECT},
        summary="Get a token of twelve hours",
    )
    def login(self, request: Request) -> Response:
        secret = login_token(self.actor.member, "Gauzy login")[1]
        user = self.show(wire.ShownUser, self.actor.member)
        return Response({"token": secret, "refresh_token": None, "user": user}, self.create_status)


class UserView(GauzyView):
    @extend_schema(responses=wire.ShownUser, summary="Who the token belongs to")
    def me(self, request: Request) -> Response:
        return Response(self.show(wire.ShownUser, self.actor.member))
