"""Asks Xalantis' `/api/v1` as Bob."""

from typing import Any

from tests.dialects.base import Call, DialectClient


class V1(DialectClient):
    system = "xalantis"

    def ask(self, method: str, path: str, body: Any = None, actor: Any = None, **query: str) -> Any:
        return self.as_actor(actor or self.bob, Call(method, f"/api/v1/{path}", body, query=query))

    def got(self, path: str, **query: str) -> Any:
        answer = self.ask("GET", path, **query)
        assert answer.status_code == 200, answer.content
        assert answer.json()["success"] is True
        return answer.json()
