"""Speaks as Gauzy's clients do: the document's own requests, and what every refusal looks like."""

from typing import Any

from tests.dialects.base import Call, DialectClient, load

PIPELINE = load(__file__, "create_pipeline.request.json")
DEAL = load(__file__, "create_deal.request.json")


class Gauzy(DialectClient):
    system = "gauzy"
    invalid_status = 400
    malformed_status = 406
    wrong_verb = "PATCH"

    def setUp(self) -> None:
        self.client_row = self.person(kind="company", name="Acme Corp", first_name="", last_name="")

    def create_call(self, **deal: Any) -> Call:
        named = {"stageId": str(self.new.uuid), "clientId": str(self.client_row.uuid)}
        return Call("POST", "/api/deals", {**DEAL, **named, **deal})

    def row_calls(self, row_id: str) -> list[Call]:
        path = f"/api/deals/{row_id}"
        return [
            Call("GET", path),
            Call("PUT", path, {"probability": 5}),
            Call("DELETE", path),
            Call("DELETE", f"{path}/soft"),
            Call("PUT", f"{path}/recover"),
        ]

    def foreign_calls(self) -> list[Call]:
        stage, stranger = self.theirs.stages.first(), self.person(self.charlie)
        return [self.create_call(stageId=str(stage.uuid)), self.create_call(clientId=str(stranger.uuid))]

    def invalid_calls(self) -> dict[str, Call]:
        wrong = {
            "title should not be empty": {"title": ""},
            "probability": {"probability": 101},
            "stageId": {"stageId": "no uuid"},
            "clientId must be the id": {"clientId": "3f2504e0-4f89-41d3-9a0c-0305e82c3301"},
        }
        return {word: self.create_call(**deal) for word, deal in wrong.items()}

    def check_refusal(self, answer: Any, status: int) -> None:
        body = answer.json()
        assert body["statusCode"] == status
        assert body["message"]

    def refused(self, answer: Any, status: int) -> Any:
        assert answer.status_code == status, (answer.status_code, answer.content)
        self.check_refusal(answer, status)
        return answer

    def ask(self, method: str, path: str, body: Any = None, actor: Any = None, **query: str) -> Any:
        return self.as_actor(actor or self.manager, Call(method, path, body, query=query))

    def got(self, path: str, **query: str) -> Any:
        answer = self.ask("GET", path, **query)
        assert answer.status_code == 200, answer.content
        return answer.json()
