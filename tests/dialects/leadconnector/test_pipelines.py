"""Pipelines as the third version writes them: each with all of its stages."""

from typing import Any

from deals.models import Deal
from pipelines.models import Pipeline
from pipelines.services import create_pipeline
from tests.dialects.base import BaseTestCase, Call, DialectContract
from tests.dialects.leadconnector.base import LOCATION, REQUEST, LeadConnector, record

PATH = "/opportunities/pipelines"


class TestPipelines(LeadConnector, DialectContract, BaseTestCase):
    scope_status = 401
    wrong_verb = "PATCH"

    def setUp(self) -> None:
        record(self)
        # Pipelines are a manager's to write.
        self.bob = self.manager

    def create_call(self, **body: Any) -> Call:
        stages = [
            {"name": "Second", "position": 1},
            {"name": "First", "position": 0, "stageWinProbability": 5},
        ]
        return Call("POST", PATH, {"name": "Partners", "locationId": LOCATION, "stages": stages, **body})

    def row_calls(self, row_id: str) -> list[Call]:
        path = f"{PATH}/{row_id}"
        return [Call("GET", path), Call("PUT", path, {"name": "Other"}), Call("DELETE", path)]

    def row_id(self, deal: Deal) -> str:
        return str(deal.stage.pipeline.uuid)

    def test_it_hides_a_private_deal(self) -> None:
        """No pipeline is private."""

    def invalid_calls(self) -> dict[str, Call]:
        wrong: dict[str, Any] = {
            "name": {"name": ""},
            '"stages: ': {"stages": []},
            "stages.0.name": {"stages": [{}]},
            "stages.0.stageWinProbability": {"stages": [{"name": "A", "stageWinProbability": 101}]},
            "showInFunnel": {"showInFunnel": False},
        }
        return {word: self.create_call(**body) for word, body in wrong.items()}

    def foreign_calls(self) -> list[Call]:
        return [self.create_call(stages=[{"id": str(self.theirs.stages.first().uuid), "name": "Theirs"}])]

    def test_a_pipeline_is_created_with_its_stages_in_order(self) -> None:
        call = self.create_call()

        shown = self.call(call.method, call.path, call.body)["pipeline"]

        assert [(stage["name"], stage["stageWinProbability"]) for stage in shown["stages"]] == [
            ("First", 5),
            ("Second", 10),
        ]
        assert self.call("GET", f"{PATH}/{shown['id']}") == {"pipeline": shown}

    def test_sending_back_what_was_read_changes_nothing(self) -> None:
        path = f"{PATH}/{REQUEST['pipelineId']}"
        before = self.call("GET", path)["pipeline"]

        assert self.call("PUT", path, before)["pipeline"] == before
        self.refused(self.as_actor(self.bob, Call("PUT", path, {"stages": []})), 422)

    def test_a_pipeline_without_stages_may_be_sent_back(self) -> None:
        bare = create_pipeline(actor=self.alice, change={"name": "Bare", "stages": []})
        path = f"{PATH}/{bare.uuid}"
        before = self.call("GET", path)["pipeline"]

        assert before["stages"] == []
        assert self.call("PUT", path, before)["pipeline"] == before

    def test_the_deals_of_a_stage_that_goes_move_to_the_first(self) -> None:
        deal = self.deal(stage=self.offer.pk)
        path = f"{PATH}/{REQUEST['pipelineId']}"
        stages = [stage for stage in self.call("GET", path)["pipeline"]["stages"] if stage["name"] != "Offer"]

        shown = self.call("PUT", path, {"stages": stages})["pipeline"]

        assert [stage["name"] for stage in shown["stages"]] == ["New", "Won", "Lost"]
        deal.refresh_from_db()
        assert deal.stage_id == self.new.pk

    def test_a_stage_of_lost_deals_stays(self) -> None:
        self.deal(stage=self.lost.pk)
        path = f"{PATH}/{REQUEST['pipelineId']}"
        stages = [stage for stage in self.call("GET", path)["pipeline"]["stages"] if stage["name"] != "Lost"]

        self.refused(self.as_actor(self.bob, Call("PUT", path, {"stages": stages})), 409)

    def test_a_pipeline_with_deals_is_not_deleted(self) -> None:
        self.deal(pipeline=self.renewals.pk)
        path = f"{PATH}/{self.renewals.uuid}"

        answer = self.refused(self.as_actor(self.bob, Call("DELETE", path)), 409)

        assert answer.json()["code"] == "IN_USE"
        Deal.objects.all().update(stage=self.new)
        assert self.call("DELETE", path) == {"succeded": True}
        assert not Pipeline.objects.live().filter(pk=self.renewals.pk).exists()
