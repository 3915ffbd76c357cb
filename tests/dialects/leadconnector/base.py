"""The world of LeadConnector's tests: the ids of its document, recorded as references as the demo records them."""

from typing import Any

from crm_project.records.services import change_references
from deals.services import create_lost_reason
from tests.dialects.base import Call, DialectClient, load

REQUEST = load(__file__, "upsert_opportunity.request.json")
LOCATION = REQUEST["locationId"]
VERSIONS = ("2021-04-15", "2021-07-28", "2023-02-21", "v3")


def record(world: Any) -> None:
    """Give the rows of the tests the ids of the document."""
    world.reason = create_lost_reason(actor=world.alice, change={"name": "Price"})
    for row, external_id in (
        (world.organization, LOCATION),
        (world.pipeline, REQUEST["pipelineId"]),
        (world.new, REQUEST["pipelineStageId"]),
        (world.manager.member, REQUEST["followers"]),
        (world.bob.member, REQUEST["assignedTo"]),
        (world.reason, REQUEST["lostReasonId"]),
    ):
        change_references(actor=world.alice, row=row, add=[("leadconnector", external_id)])


class LeadConnector(DialectClient):
    system = "leadconnector"
    headers = {"Version": "2021-07-28"}
    unknown_paths = ("/nothing/here", "/opportunities/a/b/c", "/api/deals")

    def check_refusal(self, answer: Any, status: int) -> None:
        body = answer.json()
        assert body["statusCode"] == status
        assert isinstance(body["message"], list if status == 422 else str)
        assert body["message"]

    def call(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """Bob's call, which must be carried out."""
        answer = self.as_actor(self.bob, Call(method, path, body, query=query))  # type: ignore[attr-defined]
        assert answer.status_code in (200, 201), answer.content
        return answer.json()
