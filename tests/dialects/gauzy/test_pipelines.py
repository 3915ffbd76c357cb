"""Gauzy's pipelines: the document's requests, the three query formats, tenants, the trash, one stage at a time."""

import json
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_project.journal.models import Event
from pipelines.models import Pipeline, Stage
from pipelines.services import update_pipeline
from tests.dialects.base import BaseTestCase, Call
from tests.dialects.gauzy.base import PIPELINE, Gauzy


class TestPipelines(Gauzy, BaseTestCase):
    def create(self, **changes: Any) -> Any:
        body = {**PIPELINE, "organizationId": str(self.organization.uuid), **changes}
        answer = self.ask("POST", "/api/pipelines", body)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def test_the_documents_pipeline_is_made_as_printed(self) -> None:
        shown = self.create()

        own = str(self.organization.uuid)
        assert (shown["name"], shown["description"]) == (PIPELINE["name"], PIPELINE["description"])
        assert [{"name": stage["name"], "index": stage["index"]} for stage in shown["stages"]] == PIPELINE[
            "stages"
        ]
        assert {stage["pipelineId"] for stage in shown["stages"]} == {shown["id"]}
        assert (shown["organizationId"], shown["tenantId"], shown["isActive"]) == (own, own, True)

    def test_a_new_name_leaves_the_stages(self) -> None:
        shown = self.create()

        answer = self.ask("PUT", f"/api/pipelines/{shown['id']}", {"name": "Updated Pipeline Name"})

        assert answer.status_code == 202
        assert answer.json()["name"] == "Updated Pipeline Name"
        assert answer.json()["stages"] == shown["stages"]

    def test_stages_are_replaced_by_the_list(self) -> None:
        shown = self.create()
        kept = shown["stages"][1]

        stages = [{"name": "First"}, {"id": kept["id"], "name": "Kept"}]
        answer = self.ask("PUT", f"/api/pipelines/{shown['id']}", {"stages": stages})

        assert [(stage["name"], stage["index"]) for stage in answer.json()["stages"]] == [
            ("First", 0),
            ("Kept", 1),
        ]
        assert answer.json()["stages"][1]["id"] == kept["id"]

    def test_sending_back_what_was_read_changes_nothing(self) -> None:
        shown = self.create()
        version, events = (
            Pipeline.objects.get(uuid=shown["id"]).version,
            Event.objects.exclude(kind="token").count(),
        )

        answer = self.ask("PUT", f"/api/pipelines/{shown['id']}", shown)

        assert answer.json() == shown
        assert Pipeline.objects.get(uuid=shown["id"]).version == version
        assert Event.objects.exclude(kind="token").count() == events

    def test_stages_come_when_they_are_asked_for(self) -> None:
        legacy = {"relations": ["stages"], "findInput": {"organizationId": str(self.organization.uuid)}}
        asked: tuple[dict[str, Any], ...] = (
            {"relations[0]": "stages"},
            {"relations[]": ["createdByUser", "stages"]},
            {"relations": ["organization", "stages"]},
            {"relations": "tenant,stages"},
            {"relations[stages]": "true"},
            {"data": json.dumps(legacy)},
            {"data": json.dumps({"relations": ["stages"], "filter": {}})},
        )
        for query in asked:
            assert len(self.got("/api/pipelines", **query)["items"][0]["stages"]) == 4
        assert "stages" not in self.got("/api/pipelines")["items"][0]

    def test_the_deals_of_stages_come_when_they_are_asked_for(self) -> None:
        shown = self.deal(name="Shown", client=self.client_row.pk)
        self.deal(self.alice, name="Hidden", is_private=True)
        path = f"/api/pipelines/{self.pipeline.uuid}"

        for found in (
            self.got(path, **{"relations[]": "stages.deals"}),
            self.got("/api/pipelines", **{"relations[]": "stages.deals"})["items"][0],
        ):
            deals = {stage["name"]: stage["deals"] for stage in found["stages"]}
            assert [deal["title"] for column in deals.values() for deal in column] == ["Shown"]
        deal = deals[self.new.name][0]
        assert deal == self.got(f"/api/deals/{shown.uuid}")
        counts = set()
        for _ in range(2):
            self.deal(client=self.person().pk, stage=self.offer.pk)
            with CaptureQueriesContext(connection) as queries:
                self.got("/api/pipelines", **{"relations[]": "stages.deals"})
            counts.add(len(queries))
        assert len(counts) == 1

    def test_a_name_of_a_closing_stage_is_its_kind(self) -> None:
        names = {
            "Closed Won": "won",
            " VERLOREN ": "lost",
            "Przegrane": "lost",
            "Ganado": "won",
            "Vinto": "won",
        }
        others = {"Gagné": "won", "Won back": "open", "Not lost": "open"}
        stages = [{"name": name} for name in (names | others)]

        made = self.create(name="Kinds", stages=stages)

        rows = {row.name: row for row in Stage.objects.filter(pipeline__uuid=made["id"])}
        assert {name: row.kind for name, row in rows.items()} == names | others
        assert {row.probability for row in rows.values() if row.kind == "won"} == {100}
        assert {row.probability for row in rows.values() if row.kind == "lost"} == {0}
        open_stage = next(stage for stage in made["stages"] if stage["name"] == "Won back")
        renamed = [{**stage, "name": "Won"} if stage == open_stage else stage for stage in made["stages"]]
        answer = self.ask("PUT", f"/api/pipelines/{made['id']}", {**made, "stages": renamed})
        assert answer.status_code == 202
        assert Stage.objects.get(uuid=open_stage["id"]).kind == "open"

    def test_lists_and_pages(self) -> None:
        self.create()

        whole, page = self.got("/api/pipelines"), self.got("/api/pipelines/pagination", take="2", skip="2")
        assert (len(whole["items"]), whole["total"]) == (3, 3)
        assert (len(page["items"]), page["total"]) == (1, 3)
        for name, total in ((PIPELINE["name"], 1), ("enterprise", 0)):
            assert self.got("/api/pipelines", **{"where[name]": name})["total"] == total
        assert self.got("/api/pipelines/count") == 3
        assert len(self.got("/api/pipelines", take="1", skip="1")["items"]) == 1
        newest = self.got("/api/pipelines", **{"order[createdAt]": "DESC"})["items"][0]
        assert newest["name"] == "Enterprise Sales"

    def test_another_tenant_is_forbidden_wherever_it_is_named(self) -> None:
        other = str(self.theirs.organization.uuid)
        calls = (
            Call("POST", "/api/pipelines", {**PIPELINE, "organizationId": other}),
            Call("GET", "/api/pipelines", query={"where[organizationId]": other}),
            Call("GET", "/api/pipelines", query={"tenantId": other}),
            Call("GET", "/api/pipelines", headers={"Tenant-Id": other}),
            Call("GET", "/api/pipelines", headers={"Organization-Id": other}),
        )
        for call in calls:
            self.refused(self.as_actor(self.manager, call), 403)

    def test_the_own_tenant_is_welcome(self) -> None:
        own = str(self.organization.uuid)

        answer = self.as_actor(
            self.manager, Call("GET", "/api/pipelines", headers={"Tenant-Id": own, "Organization-Id": own})
        )

        assert answer.status_code == 200

    def test_a_rep_may_not_edit_pipelines(self) -> None:
        self.refused(self.ask("POST", "/api/pipelines", PIPELINE | {"organizationId": None}, self.bob), 403)

    def test_the_trash(self) -> None:
        shown = self.create()
        path = f"/api/pipelines/{shown['id']}"

        assert self.ask("DELETE", f"{path}/soft").json()["deletedAt"]
        self.refused(self.ask("GET", path), 404)
        recovered = self.ask("PUT", f"{path}/recover")
        assert recovered.status_code == 202
        assert [stage["name"] for stage in recovered.json()["stages"]] == [
            stage["name"] for stage in PIPELINE["stages"]
        ]
        assert self.ask("DELETE", path).json() == {"raw": [], "affected": 1}

    def test_stages_that_are_none(self) -> None:
        path = f"/api/pipelines/{self.create()['id']}"

        for stages in ([None], ["x"], [5], {}, "x", [{"id": None}], [{"name": ""}]):
            self.refused(self.ask("PUT", path, {"stages": stages}), 400)
        assert len(self.ask("PUT", path, {"stages": None}).json()["stages"]) == 5

    def test_deals_are_not_taken_along(self) -> None:
        shown = self.create()
        stage = Stage.objects.get(uuid=shown["stages"][0]["id"])
        self.deal(stage=stage.pk)

        self.refused(self.ask("DELETE", f"/api/pipelines/{shown['id']}"), 409)
        self.refused(self.ask("PUT", f"/api/pipelines/{shown['id']}", {"stages": [{"name": "Only"}]}), 409)

    def test_its_deals_come_stage_by_stage(self) -> None:
        late, early = self.deal(stage=self.offer.pk), self.deal(stage=self.new.pk)
        self.deal(pipeline=self.renewals.pk)

        found = self.got(f"/api/pipelines/{self.pipeline.uuid}/deals")

        assert [deal["id"] for deal in found["items"]] == [str(early.uuid), str(late.uuid)]
        assert found["total"] == 2
        self.refused(self.ask("GET", f"/api/pipelines/{self.theirs.uuid}/deals"), 404)
        self.refused(self.ask("GET", "/api/pipelines/nonsense/deals"), 406)

    def test_pages_count_from_one_or_from_nought(self) -> None:
        """The vendor's web pages begin at 1; its documentation calls it an offset, which begins at 0."""
        self.create()

        first = self.got("/api/pipelines/pagination", take="2", skip="1")
        assert first == self.got("/api/pipelines/pagination", take="2", skip="0")
        assert first == self.got("/api/pipelines/pagination", take="2")
        assert first == self.got("/api/pipelines", limit="2", page="1")
        last = self.got("/api/pipelines", limit="2", page="2")
        assert last == self.got("/api/pipelines/pagination", limit="2", page="2")
        assert (len(last["items"]), last["total"]) == (1, 3)

    def test_filters_of_the_web_pages(self) -> None:
        self.create()
        update_pipeline(actor=self.alice, pipeline=self.renewals, change={"is_active": False})

        wanted = {
            "where[stages]": ("negot", ["Enterprise Sales"]),
            "where[description]": ("for enterprise", ["Enterprise Sales"]),
            "where[isActive]": ("false", [self.renewals.name]),
            "where[id]": (str(self.pipeline.uuid), [self.pipeline.name]),
            "name": ("enterprise", ["Enterprise Sales"]),
            "search": ("FOR ENTERPRISE", ["Enterprise Sales"]),
        }
        for name, (value, names) in wanted.items():
            found = self.got("/api/pipelines/pagination", **{name: value})
            assert [row["name"] for row in found["items"]] == names, name
        assert self.got("/api/pipelines/count", name="enterprise") == 1

    def test_select_names_the_fields_of_the_answer(self) -> None:
        shown = self.create()
        query = {"select[name]": "true", "select[stages][name]": "true", "relations[]": "stages"}

        found = self.got(f"/api/pipelines/{shown['id']}", **query)

        stages = [{"id": stage["id"], "name": stage["name"]} for stage in shown["stages"]]
        assert found == {"id": shown["id"], "name": shown["name"], "stages": stages}
        item = self.got("/api/pipelines", **{**query, "where[name]": shown["name"]})["items"][0]
        assert item == found
        answer = self.ask("GET", f"/api/pipelines/{shown['id']}", **{"select[color]": "true"})
        assert (answer.json(), answer["X-Ignored-Fields"]) == ({"id": shown["id"]}, "select.color")

    def test_trashed_rows_are_listed_on_demand(self) -> None:
        shown = self.create()
        path = f"/api/pipelines/{shown['id']}"
        self.ask("DELETE", path)

        assert self.got(path, withDeleted="true")["deletedAt"]
        assert self.got("/api/pipelines", withDeleted="true")["total"] == 3
        assert self.got("/api/pipelines/count", withDeleted="1") == 3
        assert self.got("/api/pipelines", withDeleted="false")["total"] == 2
        self.refused(self.ask("GET", path, actor=self.charlie, withDeleted="true"), 404)

    def test_the_switch_of_the_web_form(self) -> None:
        """It sends the archive's flag along with the active one, always the other way round."""
        shown = self.create()
        path = f"/api/pipelines/{shown['id']}"

        off = self.ask("PUT", path, {**shown, "isActive": False, "isArchived": True}).json()
        assert (off["isActive"], off["isArchived"]) == (False, True)
        assert self.ask("PUT", path, {"isArchived": False}).json()["isActive"] is True
        self.refused(self.ask("PUT", path, {"isActive": True, "isArchived": True}), 400)

    def test_one_stage_at_a_time(self) -> None:
        """What the vendor's assistant calls."""
        shown = self.create()
        path = f"/api/pipelines/{shown['id']}/stages"

        added = self.ask("POST", path, {"name": "Signed", "probability": 90})
        assert (added.status_code, added.json()["index"]) == (201, 5)
        stage = Stage.objects.get(uuid=added.json()["id"])
        assert stage.probability == 90
        changed = self.ask("PUT", f"{path}/{stage.uuid}", {**added.json(), "name": "Sealed"})
        assert (changed.status_code, changed.json()["name"]) == (202, "Sealed")
        self.refused(self.ask("PUT", f"{path}/{self.new.uuid}", {"name": "x"}), 404)
        self.refused(self.ask("POST", path, {"name": "x"}, self.bob), 403)
        assert self.ask("DELETE", f"{path}/{stage.uuid}").json() == {"raw": [], "affected": 1}
        self.refused(self.ask("DELETE", f"{path}/{stage.uuid}"), 404)

    def test_unknown_words_are_named(self) -> None:
        query = {"relations[]": "owner", "join[alias]": "pipeline", "withDeleted": "false"}

        answer = self.ask("GET", "/api/pipelines", **query)

        assert answer["X-Ignored-Fields"] == "join, relations.owner"
        stages = {"stages": [{"name": "One", "color": "red"}]}
        answer = self.ask("POST", "/api/pipelines", {"name": "x", "color": "red", **stages})
        assert answer["X-Ignored-Fields"] == "color, stages.color"

    def test_the_order_of_the_array_decides_and_another_index_is_named(self) -> None:
        stages = [{"name": "Last", "index": 5}, {"name": "First", "index": 0}]
        body = {**PIPELINE, "organizationId": str(self.organization.uuid), "stages": stages}
        created = self.ask("POST", "/api/pipelines", body)
        shown = created.json()

        assert [(stage["name"], stage["index"]) for stage in shown["stages"]] == [("Last", 0), ("First", 1)]
        assert created["X-Ignored-Fields"] == "stages.index"
        again = self.ask("PUT", f"/api/pipelines/{shown['id']}", shown)
        assert "X-Ignored-Fields" not in again
        swapped = [{"id": stage["id"], "index": 1 - stage["index"]} for stage in shown["stages"]]
        changed = self.ask("PUT", f"/api/pipelines/{shown['id']}", {"stages": swapped})
        assert changed["X-Ignored-Fields"] == "stages.index"
        assert [stage["name"] for stage in changed.json()["stages"]] == ["Last", "First"]

    def test_texts_that_no_database_takes(self) -> None:
        for text in ('"\\ud800"', '"\\u0000"', "5", '{"a": 1}'):
            for data in (f'{{"search": {text}}}', f'{{"findInput": {{"name": {text}}}}}'):
                self.refused(self.ask("GET", "/api/pipelines", data=data), 400)
        for where in ("where[name]", "search"):
            self.refused(self.ask("GET", "/api/pipelines", **{where: "\x00"}), 400)
        odd = '{"findInput": {"stageId": "\\ud800", "clientId": {"id": 1}}}'
        assert self.got("/api/deals", data=odd)["items"] == []

    def test_pipelines_and_stages_name_their_creator(self) -> None:
        made = self.create()
        manager = str(self.manager.member.uuid)

        shown = self.got(f"/api/pipelines/{made['id']}", relations="stages,createdByUser")
        listed = self.got("/api/pipelines", relations="createdByUser", **{"where[name]": made["name"]})[
            "items"
        ]

        for row in (made, shown, *made["stages"], *shown["stages"], *listed):
            assert row["createdByUserId"] == manager
        assert shown["createdByUser"]["id"] == listed[0]["createdByUser"]["id"] == manager
