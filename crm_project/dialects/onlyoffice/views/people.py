"""Authentication, and the people of the portal."""

from typing import Any
from zoneinfo import ZoneInfo

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.models import Member
from crm_project.dialects.kit.logins import login_token, signed_in
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
    """A password becomes a token of twelve hours."""

    authentication_classes: Any = ()
    permission_classes: Any = ()

    def _in_transaction(self, handler: Any, *args: Any, **kwargs: Any) -> Any:
        """The password is looked at before the transaction, which a wrong one would undo together with its count."""
        login = self.read(OnlyofficeLoginWrite)
        self.member = signed_in(self.request._request, login["userName"], login["password"])
        return super()._in_transaction(handler, *args, **kwargs)

    @described("Sign in", OnlyofficeTokenRead, request=OnlyofficeLoginWrite, status=201)
    def create(self, request: Request) -> Response:
        token, secret = login_token(self.member, "ONLYOFFICE login")
        self.zone = ZoneInfo(self.member.organization.time_zone)
        shown = OnlyofficeTokenRead(
            {"token": secret, "expires": token.expires_at}, context=self.get_serializer_context()
        )
        return self.one(shown.data, self.create_status)


class OnlyofficePeopleView(OnlyofficeView):
    queries = {
        "list": OnlyofficePeopleFilter,
        "list_simply": OnlyofficePeopleFilter,
        "by_email": OnlyofficePersonEmailQuery,
    }

    @described("The members of the organization", OnlyofficePersonRead, many=True)
    def list(self, request: Request, status: str = "", text: str = "") -> Response:
        """What is looked for stands in the path or in the query."""
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

    @described("Oneself", OnlyofficePersonRead)
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
