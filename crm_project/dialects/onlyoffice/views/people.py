"""Authentication, and the people of the portal."""

from typing import Any
from zoneinfo import ZoneInfo

from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.models import Member
from crm_project.dialects.logins import login_token, signed_in
from crm_project.dialects.onlyoffice.views.base import OnlyofficeView, described
from crm_project.dialects.onlyoffice.wire.people import (
    STATUSES,
    Login,
    PeopleFilter,
    ShownPerson,
    ShownToken,
)


class AuthenticationView(OnlyofficeView):
    """A password becomes a token of twelve hours."""

    authentication_classes: Any = ()
    permission_classes: Any = ()

    def _in_transaction(self, handler: Any, *args: Any, **kwargs: Any) -> Any:
        """The password is looked at before the transaction, which a wrong one would undo together with its count."""
        login = self.read(Login)
        self.member = signed_in(self.request._request, login["userName"], login["password"])
        return super()._in_transaction(handler, *args, **kwargs)

    @described("Sign in", ShownToken, request=Login, status=201)
    def create(self, request: Request) -> Response:
        token, secret = login_token(self.member, "ONLYOFFICE login")
        self.zone = ZoneInfo(self.member.organization.time_zone)
        shown = ShownToken(
            {"token": secret, "expires": token.expires_at}, context=self.get_serializer_context()
        )
        return self.one(shown.data, self.create_status)


class PeopleView(OnlyofficeView):
    queries = {"list": PeopleFilter}

    @described("The members of the organization", ShownPerson, many=True)
    def list(self, request: Request) -> Response:
        rows = Member.objects.visible_to(self.actor.member).named_like(self.query.get("filterValue") or "")
        is_active = STATUSES.get((self.query.get("employeeStatus") or "").lower())
        if is_active is not None:
            rows = rows.active() if is_active else rows.filter(is_active=False)
        rows = rows.select_related("user").order_by("id")
        found, paging = self.page(rows)
        return self.many(self.show(ShownPerson, found, many=True), **paging)

    @described("Oneself", ShownPerson)
    def oneself(self, request: Request) -> Response:
        return self.one(self.show(ShownPerson, self.actor.member))

    @described("A member of the organization", ShownPerson)
    def retrieve(self, request: Request, pk: str) -> Response:
        return self.one(self.show(ShownPerson, self.find("user", pk)))
