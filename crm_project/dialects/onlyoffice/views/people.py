"""Authentication and people."""

from typing import Any
from zoneinfo import ZoneInfo

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.models import Member
from crm_project.dialects.kit.logins import login_token, sign_in
from crm_project.dialects.onlyoffice.serializers.people import (
    EVERYBODY,
    STATUSES,
    OnlyofficeLoginWrite,
    OnlyofficePeopleFilter,
    OnlyofficePersonEmailQuery,
    OnlyofficePersonNested,
    OnlyofficePersonRead,
    OnlyofficeTokenRead,
)
from crm_project.dialects.onlyoffice.views.base import OnlyofficeView, described


class OnlyofficeAuthenticationView(OnlyofficeView):
    """Login: returns a token that is valid for twelve hours."""

    authentication_classes: Any = ()
    permission_classes: Any = ()
    secret_actions = frozenset({"create"})

    def _in_transaction(self, handler: Any, *args: Any, **kwargs: Any) -> Any:
        """Check the password before the transaction, which would roll the count of failures back."""
        login = self.read(OnlyofficeLoginWrite)
        self.member = sign_in(self.request._request, login["userName"], login["password"])
        return super()._in_transaction(handler, *args, **kwargs)

    @described("Sign in", OnlyofficeTokenRead, request=OnlyofficeLoginWrite, status=201)
    def create(self, request: Request) -> Response:
        token, secret = login_token(self.member, "ONLYOFFICE login")
        self.zone = ZoneInfo(self.member.organization.time_zone)
        data = OnlyofficeTokenRead(
            {"token": secret, "expires": token.expires_at}, context=self.get_serializer_context()
        )
        return self.one(data.data, self.create_status)


class OnlyofficePeopleView(OnlyofficeView):
    queries = {
        "list": OnlyofficePeopleFilter,
        "list_simply": OnlyofficePeopleFilter,
        "by_email": OnlyofficePersonEmailQuery,
    }

    @described("The members of the organization", OnlyofficePersonRead, many=True)
    def list(self, request: Request, status: str = "", text: str = "") -> Response:
        """The search text and the status are in the path or in the query."""
        return self._listed(OnlyofficePersonRead, status, text)

    @described("The members of the organization, in short", OnlyofficePersonNested, many=True)
    def list_simply(self, request: Request) -> Response:
        return self._listed(OnlyofficePersonNested)

    @described("A member of the organization, by e-mail address", OnlyofficePersonRead)
    def by_email(self, request: Request) -> Response:
        rows = Member.objects.visible_to(self.actor.member).select_related("user")
        found = rows.filter(user__email__iexact=self.query["email"]).first()
        if found is None:
            raise NotFound
        return self.one(self.serialize(OnlyofficePersonRead, found))

    @described("The current user", OnlyofficePersonRead)
    def oneself(self, request: Request) -> Response:
        return self.one(self.serialize(OnlyofficePersonRead, self.actor.member))

    @described("A member of the organization", OnlyofficePersonRead)
    def retrieve(self, request: Request, pk: str) -> Response:
        return self.one(self.serialize(OnlyofficePersonRead, self.find("user", pk)))

    def _listed(self, part: Any, status: str = "", text: str = "") -> Response:
        sought = text or self.query.get("query") or self.query.get("filterValue") or ""
        status = (status or self.query.get("employeeStatus") or "").lower()
        rows = Member.objects.visible_to(self.actor.member).named_like(sought)
        if status in STATUSES:
            rows = rows.filter(is_active=STATUSES[status])
        elif status not in EVERYBODY:
            raise ValidationError({"employeeStatus": ["Active, Terminated or All."]})
        found, paging = self.page(rows.select_related("user").order_by("id"))
        return self.many(self.serialize(part, found, many=True), **paging)
