"""Gauzy's document: pipelines with their stages, deals, the three query formats, login, and the common contract."""

import json
from decimal import Decimal
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_project.accounts.models import ApiToken
from crm_project.accounts.services import create_token
from crm_project.journal.models import Event
from crm_project.records.services import change_references
from deals.models import Deal
from pipelines.models import Pipeline, Stage
from tests.dialects.base import BaseTestCase, Call, DialectClient, DialectContract, bearer, load

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


class TestPipelines(Gauzy, BaseTestCase):
    def create(self) -> Any:
        body = {**PIPELINE, "organizationId": str(self.organization.uuid)}
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
        asked = (
            {"relations[0]": "stages"},
            {"relations[]": "stages"},
            {"data": json.dumps(legacy)},
        )
        for query in asked:
            assert len(self.got("/api/pipelines", **query)["items"][0]["stages"]) == 4
        assert "stages" not in self.got("/api/pipelines")["items"][0]

    def test_lists_and_pages(self) -> None:
        self.create()

        whole, page = self.got("/api/pipelines"), self.got("/api/pipelines/pagination", take="2", skip="2")
        assert (len(whole["items"]), whole["total"]) == (3, 3)
        assert (len(page["items"]), page["total"]) == (1, 3)
        assert self.got("/api/pipelines", **{"where[name]": "enterprise"})["total"] == 1
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


class TestDeals(Gauzy, DialectContract, BaseTestCase):
    def create(self, **deal: Any) -> Any:
        answer = self.as_actor(self.bob, self.create_call(**deal))
        assert answer.status_code == 201, answer.content
        return answer.json()

    def test_the_documents_deal_is_made_as_printed(self) -> None:
        shown = self.create()

        assert (shown["title"], shown["probability"]) == (DEAL["title"], DEAL["probability"])
        assert shown["stageId"] == str(self.new.uuid)
        assert shown["clientId"] == str(self.client_row.uuid)
        assert shown["createdByUserId"] == str(self.bob.member.uuid)

    def test_a_put_changes_what_it_names(self) -> None:
        shown = self.create()

        body = {"stageId": str(self.offer.uuid), "probability": 90}
        answer = self.ask("PUT", f"/api/deals/{shown['id']}", body, self.bob)

        assert (answer.status_code, answer.json()) == (202, {"generatedMaps": [], "raw": [], "affected": 1})
        again = self.got(f"/api/deals/{shown['id']}")
        assert (again["stageId"], again["probability"], again["title"]) == (*body.values(), DEAL["title"])

    def test_sending_back_what_was_read_changes_nothing(self) -> None:
        kinds = [
            self.deal(),
            self.deal(contact=self.person().pk),
            self.deal(status="abandoned", amount=Decimal(5)),
            self.deal(bid_type="month", bid_value=Decimal(1000), bid_periods=12, probability=33),
            self.deal(amount=Decimal("10.50"), amount_gross=Decimal(13), is_private=True),
            self.deal(stage=self.won.pk, client=self.client_row.pk),
        ]
        for deal in kinds:
            version = Deal.objects.get(pk=deal.pk).version
            shown = self.as_actor(self.bob, Call("GET", f"/api/deals/{deal.uuid}")).json()

            answer = self.as_actor(self.bob, Call("PUT", f"/api/deals/{deal.uuid}", shown))

            assert answer.status_code == 202, answer.content
            assert Deal.objects.get(pk=deal.pk).version == version

    def test_relations_are_embedded_on_request(self) -> None:
        shown = self.create()

        query = {"relations[0]": "stage", "relations[1]": "client", "relations[2]": "createdByUser"}
        full = self.got(f"/api/deals/{shown['id']}", **query)

        assert full["stage"]["name"] == self.new.name
        assert full["client"]["name"] == "Acme Corp"
        assert full["createdByUser"]["email"] == "bob@example.com"
        assert "stage" not in shown

    def test_lists_filter_and_count(self) -> None:
        self.create()
        other = self.deal(stage=self.offer.pk)

        found = self.got("/api/deals", **{"where[stageId]": str(self.offer.uuid)})
        assert [deal["id"] for deal in found["items"]] == [str(other.uuid)]
        assert self.got("/api/deals/count") == 2
        assert self.got("/api/deals/pagination", take="1")["total"] == 2
        assert self.got("/api/deals", **{"where[clientId]": str(other.uuid)})["items"] == []
        self.refused(self.ask("GET", "/api/deals", **{"where[nonsense]": "1"}), 400)
        self.refused(self.ask("GET", "/api/deals", data="{"), 400)
        self.refused(self.ask("GET", "/api/deals/pagination", take="101"), 400)

    def test_the_trash(self) -> None:
        path = f"/api/deals/{self.create()['id']}"

        assert self.ask("DELETE", path).json() == {"raw": [], "affected": 1}
        self.refused(self.ask("GET", path), 404)
        assert self.ask("PUT", f"{path}/recover").json()["deletedAt"] is None
        assert self.got(path)["title"] == DEAL["title"]

    def test_an_id_of_the_old_system_names_its_row(self) -> None:
        old = "11111111-2222-4333-8444-555555555555"
        change_references(actor=self.alice, row=self.new, add=[("gauzy", old)])

        assert self.create(stageId=old)["stageId"] == old

    def test_a_list_costs_the_same_for_many_rows(self) -> None:
        secret = create_token(actor=self.bob, name="test")[1]
        call = bearer(Call("GET", "/api/deals", query={"relations[]": "stage"}), secret)
        counts = set()
        for total in (3, 20):
            while Deal.objects.count() < total:
                self.deal(client=self.client_row.pk)
            self.send(call)
            with CaptureQueriesContext(connection) as queries:
                assert len(self.send(call).json()["items"]) == total
            counts.add(len(queries))
        assert len(counts) == 1


class TestNeighbours(Gauzy, BaseTestCase):
    def test_contacts(self) -> None:
        body = {"name": "Globex", "primaryEmail": "Hi@Globex.example", "contactType": "CLIENT"}
        made = self.ask("POST", "/api/organization-contact", body)

        assert (made.status_code, made.json()["primaryEmail"]) == (201, "hi@globex.example")
        path = f"/api/organization-contact/{made.json()['id']}"
        changed = self.ask("PUT", path, {**made.json(), "primaryPhone": "1"})
        assert (changed.status_code, changed.json()["primaryPhone"]) == (202, "1")
        assert self.got(path) == changed.json()
        assert self.got("/api/organization-contact/count") == 2

    def test_a_login_gets_a_token_of_twelve_hours(self) -> None:
        user = self.bob.member.user
        user.set_password("correct horse battery")
        user.save()

        answer = self.send(
            Call("POST", "/api/auth/login", {"email": user.email, "password": "correct horse battery"})
        )

        assert answer.status_code == 201, answer.content
        me = self.send(bearer(Call("GET", "/api/user/me"), answer.json()["token"])).json()
        assert me == answer.json()["user"]
        assert me["id"] == str(self.bob.member.uuid)
        token = ApiToken.objects.latest("id")
        assert 11 < (token.expires_at - token.created_at).total_seconds() / 3600 <= 12

    def test_a_login_that_is_only_tried_makes_no_token(self) -> None:
        user = self.bob.member.user
        user.set_password("correct horse battery")
        user.save()
        body = {"email": user.email, "password": "correct horse battery"}

        answer = self.send(Call("POST", "/api/auth/login", body, query={"dry_run": "true"}))

        assert (answer.status_code, answer["Dry-Run"]) == (201, "true")
        assert self.send(bearer(Call("GET", "/api/user/me"), answer.json()["token"])).status_code == 401

    def test_a_wrong_password_is_refused_and_braked(self) -> None:
        call = Call("POST", "/api/auth/login", {"email": "bob@example.com", "password": "wrong"})

        for _ in range(5):
            self.refused(self.send(call), 401)
        self.refused(self.send(call), 429)
