"""Rows that have an integer id answer by their uuid, too, which is what events and other systems name them by."""

from uuid import UUID, uuid4

from crm_project.records.models import CustomField
from deals.models import LostReason
from pipelines.models import Pipeline, Stage
from tests.api.client import ApiTestCase, problem
from tests.api.routes import make_rows, served

KINDS = {
    "custom-fields": ("custom_field", "trashed_field", CustomField, "label"),
    "lost-reasons": ("lost_reason", "trashed_reason", LostReason, "name"),
    "stages": ("stage", "trashed_stage", Stage, "name"),
    # Last: its deletion moves its stages to the trash, too.
    "pipelines": ("pipeline", "trashed_pipeline", Pipeline, "name"),
}


class UUIDPathTests(ApiTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.rows = make_rows(cls)

    def test_every_route_of_a_row_takes_both(self):
        for prefix, (live, trashed, model, field) in KINDS.items():
            row, gone = model.objects.get(pk=self.rows[live]), model.objects.get(pk=self.rows[trashed])
            path = f"/api/{prefix}/{row.uuid}"

            by_id = self.as_alice.get(f"/api/{prefix}/{row.pk}")
            by_uuid = self.as_alice.get(path)
            assert (by_uuid.status_code, by_uuid.content) == (200, by_id.content), prefix
            assert by_uuid["ETag"] == by_id["ETag"]
            assert self.as_alice.get(f"/api/{prefix}/{str(row.uuid).upper()}").status_code == 200

            changed = self.as_alice.patch(path, {field: "Other"}, headers={"If-Match": by_uuid["ETag"]})
            assert (changed.status_code, changed.json()[field]) == (200, "Other"), prefix
            assert self.as_alice.post(f"/api/{prefix}/{gone.uuid}/restore").status_code == 200, prefix
            if prefix == "pipelines":
                for below in ("history", "deals"):
                    same = [
                        self.as_alice.get(f"/api/{prefix}/{key}/{below}").json() for key in (row.pk, row.uuid)
                    ]
                    assert same[0]["results"] == same[1]["results"]
            problem(self.as_charlie.get(path), 404, "not_found")
            problem(self.as_alice.get(f"/api/{prefix}/{uuid4()}"), 404, "not_found")
            problem(self.as_alice.get(f"/api/{prefix}/{path[-8:]}x"), 404, "not_found")
            assert self.as_alice.delete(path).status_code == 204, prefix

    def test_no_route_of_a_row_takes_the_id_alone(self):
        assert [path for path in served() if "<int:id>" in path] == [], "lookup_value_converter is id_or_uuid"

    def test_the_row_of_every_event_can_be_read(self):
        prefixes = {"stage": "stages", "pipeline": "pipelines", "lost_reason": "lost-reasons"}
        events = self.as_alice.get("/api/events", limit=200).json()["results"]
        seen = set()
        for event in events:
            row, prefix = UUID(event["row"]), prefixes.get(event["kind"])
            if prefix and event["action"] == "created":
                found = self.as_alice.get(f"/api/{prefix}/{row}", deleted="only")
                shown = found if found.status_code == 200 else self.as_alice.get(f"/api/{prefix}/{row}")
                assert shown.json()["uuid"] == str(row)
                seen.add(event["kind"])
        assert seen == set(prefixes)
