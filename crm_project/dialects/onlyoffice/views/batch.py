"""Several reads in one request."""

from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import resolve
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.rules import Permission
from crm_project.api.budget import Budget, give_budget
from crm_project.api.limits import bill_of
from crm_project.dialects.onlyoffice.serializers.batch import OnlyofficeBatchAnswerRead, OnlyofficeBatchWrite
from crm_project.dialects.onlyoffice.views.base import OnlyofficeView, described

ROUTES = "crm_project.dialects.onlyoffice.urls"
BASE = "/api/2.0/"
KEPT = ("HTTP_HOST", "REMOTE_ADDR", "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme")


class OnlyofficeBatchView(OnlyofficeView):
    edit_permission = Permission.VIEW

    def _write(self, handler: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Without a transaction, since all requests of a batch are reads."""
        return self._rendered(handler, *args, **kwargs)

    @described(
        "Read several things", OnlyofficeBatchAnswerRead, request=OnlyofficeBatchWrite, many=True, status=201
    )
    def create(self, request: Request) -> Response:
        """All reads together are one answer: they share a budget, beyond which the whole batch is refused."""
        asked = sorted(self.read(OnlyofficeBatchWrite)["batch"], key=lambda item: item["order"])
        shared, answers = Budget(), []
        for item in asked:
            answers.append(self._answer(item["name"], item["url"], shared))
            shared.check()
        return self.many(answers, status=201)

    def _answer(self, name: str, url: str, budget: Budget) -> dict[str, Any]:
        path, _, query = url.partition("?")
        inner = self._inner(f"{BASE}{unquote(path).rpartition(BASE)[2].lstrip('/')}", query)
        give_budget(inner, budget)
        match = resolve(inner.path_info, urlconf=ROUTES)
        response = match.func(inner, *match.args, **match.kwargs)
        # Each read counts; the headers show what is left after the last one.
        self.request._request.bill = bill_of(inner)  # type: ignore[attr-defined]
        if isinstance(response, Response):
            response.render()
        headers = {header: str(value) for header, value in response.items()}
        return {
            "name": name,
            "status": response.status_code,
            "headers": headers,
            "data": response.content.decode(),
        }

    def _inner(self, path: str, query: str) -> HttpRequest:
        outer, inner = self.request._request, HttpRequest()
        inner.method = "GET"
        inner.path = inner.path_info = path
        inner.META = {name: outer.META[name] for name in KEPT if name in outer.META}
        inner.META["QUERY_STRING"] = query
        inner.GET = QueryDict(query)
        # The user is authenticated already, and to verify a password again is slow.
        for name, value in (("user", self.request.user), ("token", self.actor)):
            setattr(inner, f"_force_auth_{name}", value)
        return inner
