"""A client of the API that sends a token, and checks in every response what all of them have in common."""

import json
import re
from collections.abc import Container
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from django.test import Client

from crm_project.accounts.rules import ALL_SCOPES
from crm_project.accounts.services import create_token
from crm_project.api.schema import CanonicalGenerator
from tests.base import BaseTestCase

PROBLEM = "application/problem+json"
PROBLEM_KEYS = {"type", "title", "status", "detail", "code", "errors", "request_id"}
NOTHING: Any = object()


class ApiClient:
    """Sends requests with a token of the actor with the given scopes; without an actor, no token."""

    def __init__(self, actor: Any = None, *scopes: str, secret: str = "") -> None:
        if actor is not None:
            _, secret = create_token(actor=actor, name="test", scopes=scopes or ALL_SCOPES)
        self.headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self.client = Client(raise_request_exception=False)

    def send(
        self,
        method: str,
        path: str,
        body: Any = NOTHING,
        *,
        content_type: str = "application/json",
        headers: Any = (),
        **parameters: Any,
    ) -> Any:
        """Bytes go as they are, everything else as JSON."""
        if parameters:
            path, _, query = path.partition("?")
            parameters = {**dict(parse_qsl(query)), **parameters}
        data = b"" if body is NOTHING else body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.client.generic(
            method,
            path,
            data,
            content_type=content_type if data else "",
            headers={**self.headers, **dict(headers)},
            query_params=parameters or None,
        )
        check_answer(answer)
        return answer

    def get(self, path: str, **parameters: Any) -> Any:
        return self.send("GET", path, **parameters)

    def post(self, path: str, body: Any = NOTHING, **headers: Any) -> Any:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: Any) -> Any:
        return self.send("PATCH", path, body, **headers)

    def put(self, path: str, body: Any = NOTHING) -> Any:
        return self.send("PUT", path, body)

    def delete(self, path: str, **parameters: Any) -> Any:
        return self.send("DELETE", path, **parameters)

    def rows(self, path: str, **parameters: Any) -> list[Any]:
        """The rows of a list's first page."""
        answer = self.get(path, **parameters)
        assert answer.status_code == 200, answer.content
        return answer.json()["results"]

    def names(self, path: str, **parameters: Any) -> list[str]:
        return [row["name"] for row in self.rows(path, **parameters)]


def check_answer(answer: Any) -> None:
    """What holds for every answer under /api: an id, no caching, and a problem instead of any other error."""
    assert answer.status_code < 500, answer.content
    assert not 300 <= answer.status_code < 304, f"redirected to {answer.get('Location')}"
    assert answer.status_code in documented_statuses(answer), answer.content
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Request-ID"]
    if answer.status_code < 400:
        return
    assert answer["Content-Type"] == PROBLEM, answer["Content-Type"]
    if answer.wsgi_request.method == "HEAD":
        return
    problem = answer.json()
    assert problem.keys() >= PROBLEM_KEYS
    assert problem["status"] == answer.status_code
    assert problem["request_id"] == answer["X-Request-ID"]
    assert problem["code"]
    assert problem["detail"]
    for error in problem["errors"]:
        assert error.keys() == {"in", "pointer", "code", "detail"}
        assert error["pointer"] == "" or error["pointer"].startswith("/")


def documented_statuses(answer: Any) -> Container[int]:
    """The statuses of the operation in the OpenAPI document; any for an unknown path or method."""
    match, method = answer.wsgi_request.resolver_match, answer.wsgi_request.method.lower()
    place = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", f"/{match.route}") if match else ""
    operation = document()["paths"].get(place, {}).get("get" if method == "head" else method)
    return [int(status) for status in operation["responses"]] if operation else range(200, 500)


@cache
def document() -> Any:
    """The OpenAPI document."""
    return CanonicalGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]


def problem(answer: Any, status: int, code: str, *pointers: str) -> Any:
    """Expect a problem of this status and code; `pointers` are all the fields or parameters that it names."""
    assert answer.status_code == status, answer.content
    body = answer.json()
    assert body["code"] == code, body
    if pointers:
        assert sorted(error["pointer"] for error in body["errors"]) == sorted(pointers), body
    return body


class ApiTestCase(BaseTestCase):
    """Alice (admin), Mary (manager), Bob (rep), Victor (viewer) and Charlie (outsider), each with a token."""

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.as_alice, cls.as_manager, cls.as_bob = map(ApiClient, (cls.alice, cls.manager, cls.bob))
        cls.as_viewer, cls.as_charlie, cls.as_nobody = map(ApiClient, (cls.viewer, cls.charlie, None))
