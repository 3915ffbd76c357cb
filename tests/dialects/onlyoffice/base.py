"""What the tests of ONLYOFFICE share: calls in its words, and the deal of its document."""

from typing import Any

from crm_project.records.models import CustomField
from tests.dialects.base import Call, DialectClient, load
from tests.factories import CustomFieldFactory

REQUEST = load(__file__, "create_opportunity.request.json")
CRM = "/api/2.0/crm"


class Onlyoffice(DialectClient):
    system = "onlyoffice"
    path = f"{CRM}/opportunity"

    def setUp(self) -> None:
        super().setUp()  # type: ignore[misc]
        self.ann = self.person(first_name="Ann", last_name="Lee")  # type: ignore[attr-defined]
        self.city: CustomField = CustomFieldFactory(actor=self.alice, key="city", label="City")  # type: ignore[attr-defined]

    def body(self, **changes: Any) -> dict[str, Any]:
        """The document's request, about the rows that are here."""
        bob = str(self.bob.member.uuid)  # type: ignore[attr-defined]
        own = {
            "contactid": self.ann.pk,
            "members": [self.ann.pk],
            "responsibleid": bob,
            "stageid": self.new.pk,  # type: ignore[attr-defined]
            "customFieldList": [{"key": self.city.pk, "value": "Riga"}],
            "accessList": [bob],
        }
        return {**REQUEST, **own, **changes}

    def check_refusal(self, answer: Any, status: int) -> None:
        if status == 401:
            assert answer.content == b"Unauthorized"
            return
        body = answer.json()
        assert (body["status"], body["statusCode"]) == (1, status)
        assert body["error"]["message"]
        assert body["error"]["data"] == {}

    def create_call(self, **body: Any) -> Call:
        return Call("POST", self.path, self.body(**body))

    def call(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """Bob's call below `/api/2.0/crm`: the status and the content of the answer."""
        return self.call_as(self.bob, method, path, body, **query)  # type: ignore[attr-defined]

    def call_as(self, actor: Any, method: str, path: str, body: Any = None, **query: str) -> Any:
        answer = self.as_actor(actor, Call(method, f"{CRM}{path}", body, query=query))
        said = answer.json()
        assert said["statusCode"] == answer.status_code
        assert said["status"] == (1 if answer.status_code >= 400 else 0)
        return said

    def create(self, **body: Any) -> Any:
        said = self.call("POST", "/opportunity", self.body(**body))
        assert said["statusCode"] == 201, said
        return said["response"]
