"""`/api/pipelines`, `/api/stages` and `/api/lost-reasons` over HTTP: nested create and replace, order, trash."""

from pipelines.models import Pipeline, Stage
from tests.api.client import ApiTestCase, problem
from tests.factories import LostReasonFactory

NESTED = {
    "name": "Vente Standard",
    "description": "Ventes",
    "stages": [
        {"name": "Nouveau lead", "color": "#3B82F6", "probability": 10},
        {"name": "Proposition", "probability": 50},
        {"name": "Gagné", "kind": "won"},
        {"name": "Perdu", "kind": "lost"},
    ],
}


def names(pipeline):
    return [stage["name"] for stage in pipeline["stages"]]


class PipelineTests(ApiTestCase):
    def test_it_works(self):
        answer = self.as_manager.post("/api/pipelines", NESTED)

        pipeline = answer.json()
        assert answer.status_code == 201
        assert list(pipeline) == ["id", "uuid", "name", "description", "is_default", "is_active", "stages"]
        assert (pipeline["is_default"], pipeline["is_active"]) == (False, True)
        first = pipeline["stages"][0]
        assert first == {
            "id": first["id"],
            "uuid": first["uuid"],
            "pipeline_id": pipeline["id"],
            "name": "Nouveau lead",
            "description": "",
            "position": 0,
            "color": "#3b82f6",
            "probability": 10,
            "kind": "open",
            "forecast_category": "pipeline",
            "stale_after_days": None,
        }
        assert [stage["probability"] for stage in pipeline["stages"]] == [10, 50, 100, 0]
        assert answer["Location"].endswith(f"/api/pipelines/{pipeline['id']}")
        assert self.as_bob.get(answer["Location"]).json() == pipeline

    def test_without_stages_it_takes_no_deals(self):
        pipeline = self.as_manager.post("/api/pipelines", {"name": "Empty"}).json()

        answer = self.as_bob.post("/api/deals", {"name": "Deal", "pipeline_id": pipeline["id"]})

        problem(answer, 400, "pipeline_has_no_stage", "/pipeline_id")

    def test_stages_are_replaced_as_a_whole(self):
        pipeline = self.as_manager.post("/api/pipelines", NESTED).json()
        new, offer, won, lost = (stage["id"] for stage in pipeline["stages"])

        stages = [{"id": offer}, {"name": "Demo"}, {"id": new, "name": "Lead"}, {"id": won}]
        answer = self.as_manager.patch(f"/api/pipelines/{pipeline['id']}", {"stages": stages})

        after = answer.json()
        assert answer.status_code == 200
        assert names(after) == ["Proposition", "Demo", "Lead", "Gagné"]
        assert [stage["position"] for stage in after["stages"]] == [0, 1, 2, 3]
        assert after["stages"][0]["id"] == offer
        problem(self.as_bob.get(f"/api/stages/{lost}"), 404, "not_found")

    def test_a_wrong_stage_is_named_by_its_place(self):
        pipeline = self.as_manager.post("/api/pipelines", NESTED).json()
        path = f"/api/pipelines/{pipeline['id']}"
        for stage, code, pointer in (
            ({"name": "x", "color": "red"}, "invalid", "/stages/1/color"),
            ({"name": ""}, "blank", "/stages/1/name"),
            ({}, "required", "/stages/1/name"),
            ({"id": self.theirs.stages.first().pk}, "does_not_exist", "/stages/1/id"),
            ({"id": self.new.pk}, "does_not_exist", "/stages/1/id"),
            ({"name": "x", "colour": "red"}, "unknown_field", "/stages/1/colour"),
            ({"name": "x", "position": 7}, "invalid", "/stages/1/position"),
        ):
            answer = self.as_manager.patch(path, {"stages": [{"id": pipeline["stages"][0]["id"]}, stage]})
            problem(answer, 400, code, pointer)
        assert self.as_bob.get(path).json() == pipeline

    def test_a_stage_twice_is_refused(self):
        stage = {"id": self.new.pk}

        answer = self.as_manager.patch(f"/api/pipelines/{self.pipeline.pk}", {"stages": [stage, stage]})

        problem(answer, 400, "does_not_exist", "/stages/1/id")

    def test_deals_keep_their_stage(self):
        deal = self.deal(stage=self.offer.pk)
        path = f"/api/pipelines/{self.pipeline.pk}"

        body = problem(self.as_manager.patch(path, {"stages": [{"id": self.new.pk}]}), 409, "in_use")
        assert body["count"] == 1
        body = problem(self.as_manager.delete(f"/api/stages/{self.offer.pk}"), 409, "in_use")
        assert body["count"] == 1
        deleted = self.as_manager.delete(f"/api/stages/{self.offer.pk}", move_deals_to=self.new.pk)

        assert deleted.status_code == 204
        assert self.as_bob.get(f"/api/deals/{deal.uuid}").json()["stage"]["id"] == self.new.pk

    def test_deals_of_a_pipeline_move_along_too(self):
        deal = self.deal(pipeline=self.renewals.pk)
        path = f"/api/pipelines/{self.renewals.pk}"

        problem(self.as_manager.delete(path), 409, "in_use")
        for wrong in (
            self.theirs.stages.first().pk,
            self.renewals.stages.first().pk,
            2**80,
            "x",
            "1_0",
            "-1",
        ):
            assert self.as_manager.delete(path, move_deals_to=wrong).status_code == 400
        assert self.as_manager.delete(path, move_deals_to=self.new.pk).status_code == 204

        assert self.as_bob.get(f"/api/deals/{deal.uuid}").json()["pipeline"]["id"] == self.pipeline.pk
        assert not Stage.objects.live().filter(pipeline=self.renewals).exists()

    def test_there_is_always_one_default(self):
        problem(self.as_manager.delete(f"/api/pipelines/{self.pipeline.pk}"), 409, "is_default")
        answer = self.as_manager.patch(f"/api/pipelines/{self.pipeline.pk}", {"is_default": False})
        problem(answer, 400, "invalid", "/is_default")

        answer = self.as_manager.patch(f"/api/pipelines/{self.renewals.pk}", {"is_default": True})

        assert answer.json()["is_default"] is True
        assert Pipeline.objects.default().filter(organization=self.organization).get() == self.renewals

    def test_an_inactive_one_takes_no_new_deals(self):
        self.as_manager.patch(f"/api/pipelines/{self.renewals.pk}", {"is_active": False})

        answer = self.as_bob.post("/api/deals", {"name": "Deal", "pipeline_id": self.renewals.pk})

        problem(answer, 400, "pipeline_inactive", "/pipeline_id")

    def test_lists_are_in_the_order_of_creation(self):
        assert self.as_bob.names("/api/pipelines") == ["Sales", "Renewals"]
        assert self.as_bob.names("/api/pipelines", ordering="name") == ["Renewals", "Sales"]


class StageTests(ApiTestCase):
    def test_a_new_stage_goes_last_and_is_open(self):
        answer = self.as_manager.post("/api/stages", {"name": "Demo", "pipeline_id": self.pipeline.pk})

        stage = answer.json()
        assert answer.status_code == 201
        assert (stage["position"], stage["kind"], stage["probability"]) == (4, "open", 10)
        assert self.as_bob.get(answer["Location"]).json() == stage

    def test_it_needs_a_name_and_a_pipeline_of_ours(self):
        problem(self.as_manager.post("/api/stages", {}), 400, "required", "/name", "/pipeline_id")
        for pipeline in (self.theirs.pk, 2**62, 2**70):
            answer = self.as_manager.post("/api/stages", {"name": "Demo", "pipeline_id": pipeline})
            problem(answer, 400, "does_not_exist", "/pipeline_id")

    def test_the_list_is_in_order_and_can_be_narrowed_to_a_pipeline(self):
        sales = ["New", "Offer", "Won", "Lost"]

        assert self.as_bob.names("/api/stages") == sales * 2
        assert self.as_bob.names("/api/stages", pipeline=self.pipeline.pk) == sales
        assert self.as_bob.names("/api/stages", pipeline=self.theirs.pk) == []

    def test_a_position_moves_it(self):
        answer = self.as_manager.patch(f"/api/stages/{self.lost.pk}", {"position": 1})

        assert answer.json()["position"] == 1
        order = self.as_bob.names("/api/stages", pipeline=self.pipeline.pk)
        assert order == ["New", "Lost", "Offer", "Won"]

    def test_it_stays_in_its_pipeline(self):
        answer = self.as_manager.patch(f"/api/stages/{self.new.pk}", {"pipeline_id": self.renewals.pk})

        problem(answer, 400, "read_only", "/pipeline_id")

    def test_its_kind_stays_while_deals_stand_in_it(self):
        deal = self.deal()

        problem(self.as_manager.patch(f"/api/stages/{self.new.pk}", {"kind": "won"}), 409, "in_use")
        self.as_bob.delete(f"/api/deals/{deal.uuid}")

        answer = self.as_manager.patch(f"/api/stages/{self.new.pk}", {"kind": "won"})
        assert answer.json()["kind"] == "won"

    def test_the_trash_is_listed_page_by_page(self):
        for stage in (self.offer, self.lost):
            self.as_manager.delete(f"/api/stages/{stage.pk}")

        first = self.as_bob.get("/api/stages", deleted="only", page_size=1).json()
        second = self.as_bob.get(first["next"]).json()

        assert self.as_bob.names("/api/stages", pipeline=self.pipeline.pk) == ["New", "Won"]
        assert [row["name"] for row in first["results"] + second["results"]] == ["Offer", "Lost"]
        assert second["next"] is None


class LostReasonTests(ApiTestCase):
    def test_it_works(self):
        answer = self.as_manager.post("/api/lost-reasons", {"name": "Price"})

        reason = answer.json()
        assert answer.status_code == 201
        assert list(reason) == ["id", "uuid", "name", "created_at", "updated_at"]
        assert self.as_bob.get(answer["Location"]).json() == reason

    def test_a_name_comes_once(self):
        LostReasonFactory(actor=self.charlie, name="Price")
        LostReasonFactory(actor=self.alice, name="Price")

        problem(self.as_manager.post("/api/lost-reasons", {"name": "Price"}), 409, "name_taken", "/name")
        problem(self.as_manager.post("/api/lost-reasons", {"name": " "}), 400, "blank", "/name")

    def test_deals_keep_a_reason_that_is_gone(self):
        reason = LostReasonFactory(actor=self.alice, name="Price")
        deal = self.deal(status="lost", lost_reason=reason.pk)

        assert self.as_manager.delete(f"/api/lost-reasons/{reason.pk}").status_code == 204

        body = self.as_bob.get(f"/api/deals/{deal.uuid}").json()
        assert body["lost_reason"] == {"id": reason.pk, "name": "Price"}
        assert self.as_bob.patch(f"/api/deals/{deal.uuid}", body).status_code == 200
        lost = {"status": "lost", "lost_reason_id": reason.pk}
        answer = self.as_bob.patch(f"/api/deals/{self.deal().uuid}", lost)
        problem(answer, 400, "does_not_exist", "/lost_reason_id")
