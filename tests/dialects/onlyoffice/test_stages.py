"""ONLYOFFICE's stages: one list over all pipelines."""

from crm_project.records.services import change_references
from pipelines.models import Stage
from tests.dialects.base import BaseTestCase
from tests.dialects.onlyoffice.base import Onlyoffice

BODY = {
    "title": "Suspect",
    "color": "#F48454",
    "description": "Perhaps",
    "successProbability": 3,
    "stageType": 0,
}


class TestStages(Onlyoffice, BaseTestCase):
    def titles(self) -> list[str]:
        return [row["title"] for row in self.call("GET", "/opportunity/stage")["response"]]

    def test_the_default_pipelines_come_first(self) -> None:
        self.deal()

        said = self.call("GET", "/opportunity/stage.json")

        assert said["response"][0] == {
            "id": self.new.pk,
            "title": "New",
            "description": "",
            "color": "#64748b",
            "successProbability": 10,
            "stageType": 0,
            "sortOrder": 0,
            "relativeItemsCount": 1,
        }
        assert [row["stageType"] for row in said["response"][:4]] == [0, 0, 1, 2]
        assert self.titles()[3:6] == ["Lost", "Renewals: New", "Renewals: Offer"]

    def test_one_is_created_last_in_the_default_pipeline(self) -> None:
        said = self.call_as(self.manager, "POST", "/opportunity/stage", BODY)

        assert said["statusCode"] == 201
        shown = {**BODY, "color": "#f48454", "sortOrder": 4, "relativeItemsCount": 0}
        assert said["response"] == {"id": said["response"]["id"], **shown}
        assert Stage.objects.get(pk=said["response"]["id"]).pipeline == self.pipeline

    def test_title_and_colour_are_needed(self) -> None:
        for name in ("title", "color"):
            body = {**BODY, name: ""}

            said = self.call_as(self.manager, "POST", "/opportunity/stage", body)

            assert said["statusCode"] == 400
            assert name in said["error"]["message"]

    def test_a_colour_may_be_short_or_a_name(self) -> None:
        for text, color in (("#AbC", "#aabbcc"), ("Red", "#ff0000"), (" #ABCDEF ", "#abcdef")):
            said = self.call_as(self.manager, "POST", "/opportunity/stage", {**BODY, "color": text})
            assert said["response"]["color"] == color
        for text in ("reddish", "#ab", "#xyz"):
            said = self.call_as(self.manager, "POST", "/opportunity/stage", {**BODY, "color": text})
            assert said["statusCode"] == 400

    def test_a_rep_may_read_only(self) -> None:
        path = f"/opportunity/stage/{self.offer.pk}"

        assert self.call("GET", path)["response"]["title"] == "Offer"
        for method, where, body in (
            ("POST", "/opportunity/stage", BODY),
            ("PUT", path, BODY),
            ("DELETE", path, None),
            ("PUT", f"{path}/color", {"color": "#ffffff"}),
            ("PUT", "/opportunity/stage/reorder", {"ids": []}),
        ):
            assert self.call(method, where, body)["statusCode"] == 403

    def test_one_is_replaced(self) -> None:
        body = {**BODY, "stageType": "ClosedAndWon"}

        said = self.call_as(self.manager, "PUT", f"/opportunity/stage/{self.offer.pk}", body)

        assert said["response"]["stageType"] == 1
        assert Stage.objects.get(pk=self.offer.pk).name == "Suspect"

    def test_sending_back_what_was_read_changes_nothing(self) -> None:
        for row in self.call("GET", "/opportunity/stage")["response"]:
            before = Stage.objects.get(pk=row["id"]).version

            said = self.call_as(self.manager, "PUT", f"/opportunity/stage/{row['id']}", row)

            assert said["response"] == row
            assert Stage.objects.get(pk=row["id"]).version == before

    def test_a_stage_in_use_stays_as_it_is(self) -> None:
        self.deal(self.alice, is_private=True, stage=self.offer.pk)
        path = f"/opportunity/stage/{self.offer.pk}"

        said = self.call_as(self.manager, "PUT", path, BODY)
        assert said["statusCode"] == 400
        refusal = "Can't be edited. There are some opportunities at this stage."
        assert said["error"]["message"] == refusal
        said = self.call_as(self.manager, "DELETE", path)
        assert said["statusCode"] == 400
        assert "Can't be deleted." in said["error"]["message"]
        said = self.call_as(self.manager, "PUT", f"{path}/color", {"color": "#FFFFFF"})
        assert said["response"]["color"] == "#ffffff"

    def test_one_is_deleted(self) -> None:
        said = self.call_as(self.manager, "DELETE", f"/opportunity/stage/{self.offer.pk}")

        assert said["response"]["title"] == "Offer"
        assert self.titles()[:3] == ["New", "Won", "Lost"]

    def test_they_are_put_in_another_order(self) -> None:
        ids = [self.offer.pk, self.new.pk, *(stage.pk for stage in self.renewals.stages.in_order()[2:])]

        said = self.call_as(self.manager, "PUT", "/opportunity/stage/reorder", {"ids": ids})

        assert [row["title"] for row in said["response"]] == [
            *("Offer", "New", "Won", "Lost"),
            *("Renewals: Won", "Renewals: Lost", "Renewals: New", "Renewals: Offer"),
        ]

    def test_a_stored_id_of_the_old_portal_names_it(self) -> None:
        change_references(actor=self.alice, row=self.offer, add=[("onlyoffice", "77")])

        shown = self.create(stageid=77)

        assert shown["stage"] | {"title": "", "color": ""} == {
            "id": 77,
            "title": "",
            "description": "",
            "color": "",
            "successProbability": 50,
            "stageType": 0,
            "sortOrder": 1,
        }

    def test_other_organizations_are_hidden(self) -> None:
        stage = self.theirs.stages.first()

        for method in ("GET", "PUT", "DELETE"):
            body = BODY if method == "PUT" else None
            said = self.call_as(self.manager, method, f"/opportunity/stage/{stage.pk}", body)
            assert said["statusCode"] == 404
