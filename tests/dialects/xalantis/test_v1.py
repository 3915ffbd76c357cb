"""Xalantis' `/api/v1`: deals, pipelines, contacts, clients, both ways to page, and the common contract."""

from decimal import Decimal
from typing import Any

from deals.models import Deal
from tests.dialects.base import BaseTestCase, Call, DialectClient, DialectContract

PERSON = {"first_name": "Sophie", "last_name": "Martin", "email": "sophie.martin@example.com"}


class V1(DialectClient):
    system = "xalantis"

    def ask(self, method: str, path: str, body: Any = None, actor: Any = None, **query: str) -> Any:
        return self.as_actor(actor or self.bob, Call(method, f"/api/v1/{path}", body, query=query))

    def got(self, path: str, **query: str) -> Any:
        answer = self.ask("GET", path, **query)
        assert answer.status_code == 200, answer.content
        assert answer.json()["success"] is True
        return answer.json()


class TestDeals(V1, DialectContract, BaseTestCase):
    def create_call(self, **deal: Any) -> Call:
        body = {
            "name": "Contrat",
            "amount": 10.5,
            "contact_email": "a@example.com",
            "contact_first_name": "A",
            **deal,
        }
        return Call("POST", "/api/v1/deals", body)

    def row_calls(self, row_id: str) -> list[Call]:
        path = f"/api/v1/deals/{row_id}"
        return [Call("GET", path), Call("PATCH", path, {"name": "x"}), Call("DELETE", path)]

    def foreign_calls(self) -> list[Call]:
        return [self.create_call(pipeline_uuid=str(self.theirs.uuid))]

    def invalid_calls(self) -> dict[str, Call]:
        wrong = {"name": {"name": ""}, "probability": {"probability": 101}, "stage_uuid": {"stage_uuid": "x"}}
        return {word: self.create_call(**deal) for word, deal in wrong.items()}

    def check_refusal(self, answer: Any, status: int) -> None:
        assert answer.json()["message"]

    def test_a_deal_is_made_read_changed_and_deleted(self) -> None:
        made = self.as_actor(self.bob, self.create_call(stage_uuid=str(self.offer.uuid), probability=33))

        shown = made.json()["data"]
        assert (made.status_code, shown["stage"]["id"], shown["probability"]) == (201, self.offer.pk, 33)
        path = f"deals/{shown['uuid']}"
        changed = self.ask("PATCH", path, {"status": "won", "pipeline_id": self.pipeline.pk}).json()["data"]
        assert (changed["status"], changed["probability"]) == ("won", 100)
        assert self.got(path)["data"] == changed
        assert self.ask("DELETE", path).json() == {"success": True, "data": changed}
        assert self.ask("GET", path).status_code == 404

    def test_sending_back_what_was_read_changes_nothing(self) -> None:
        kinds = [
            self.deal(),
            self.deal(status="abandoned", amount=Decimal(5)),
            self.deal(bid_type="month", bid_value=Decimal(1000), bid_periods=12, probability=33),
            self.deal(amount=Decimal("10.50"), amount_gross=Decimal(13), is_private=True),
            self.deal(custom_fields={"free": [1.5]}, free_custom_fields=True),
        ]
        for deal in kinds:
            version, shown = Deal.objects.get(pk=deal.pk).version, self.got(f"deals/{deal.uuid}")["data"]

            answer = self.ask("PATCH", f"deals/{deal.uuid}", shown)

            assert answer.json()["data"] == shown
            assert Deal.objects.get(pk=deal.pk).version == version

    def test_pages_with_totals(self) -> None:
        deals = [self.deal(name=f"Deal {number}") for number in range(5)]

        page = self.got("deals", per_page="2", page="2")

        assert [deal["uuid"] for deal in page["data"]] == [str(deals[2].uuid), str(deals[1].uuid)]
        assert page["meta"] == {"current_page": 2, "per_page": 2, "total": 5, "last_page": 3}
        assert self.got("deals", search="deal 3")["meta"]["total"] == 1

    def test_pages_by_cursor(self) -> None:
        deals = {str(self.deal().uuid) for _ in range(5)}
        seen, cursor = [], ""
        while cursor is not None:
            page = self.got(
                "deals", paginate="cursor", per_page="2", **({"cursor": cursor} if cursor else {})
            )
            seen += [deal["uuid"] for deal in page["data"]]
            cursor = page["meta"]["next_cursor"]

        assert (len(seen), set(seen)) == (5, deals)
        assert self.ask("GET", "deals", paginate="cursor", cursor="forged").status_code == 422

    def test_pipelines_and_fields(self) -> None:
        pipelines = self.got("pipelines")["data"]

        assert pipelines[0]["id"] == self.pipeline.pk
        assert pipelines[0]["stages"][0]["id"] == self.new.pk
        assert self.got("deals/custom-fields")["data"] == []

    def test_a_list_is_no_deal(self) -> None:
        path = f"deals/{self.deal().uuid}"

        for body in ([], "x", 1, None):
            assert self.ask("PATCH", path, body).status_code in (200, 400)
            assert self.ask("POST", "deals", body).status_code in (400, 422)

    def test_an_undeclared_custom_field_is_refused(self) -> None:
        self.refused(self.as_actor(self.bob, self.create_call(custom_fields={"nothing": 1})), 422)


class TestPeople(V1, BaseTestCase):
    def test_a_client_and_its_people(self) -> None:
        client = self.ask("POST", "clients", {"name": "Acme", "city": "Lyon"}).json()["data"]
        added = self.ask("POST", f"clients/{client['uuid']}/representatives", PERSON)

        shown = added.json()["data"]
        assert (added.status_code, shown["client"]) == (201, {"uuid": client["uuid"], "name": "Acme"})
        assert self.got(f"clients/{client['uuid']}/representatives")["data"] == [shown]
        assert self.got("clients")["data"] == [client]
        assert self.got("contacts", search="martin")["data"] == [shown]
        assert self.ask("GET", f"contacts/{client['uuid']}").status_code == 404

    def test_a_contact_is_changed_and_deleted(self) -> None:
        shown = self.ask("POST", "contacts", PERSON).json()["data"]
        path = f"contacts/{shown['uuid']}"

        assert self.ask("PATCH", path, shown).json()["data"] == shown
        changed = self.ask("PATCH", path, {"job_title": "CEO"}).json()["data"]
        assert changed["job_title"] == "CEO"
        assert self.ask("DELETE", path).json()["data"] == changed
        assert self.ask("GET", path).status_code == 404

    def test_an_address_is_given_once(self) -> None:
        self.ask("POST", "contacts", PERSON)

        answer = self.ask("POST", "contacts", PERSON)

        assert (answer.status_code, answer.json()["code"]) == (409, "EMAIL_TAKEN")

    def test_what_cannot_be_kept_is_refused(self) -> None:
        answer = self.ask("POST", "contacts", {**PERSON, "linkedin_url": "https://example.com/x"})

        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["linkedin_url"])

    def test_an_outsider_sees_none(self) -> None:
        person = self.person()

        assert self.ask("GET", f"contacts/{person.uuid}", actor=self.charlie).status_code == 404
        assert self.ask("GET", "contacts", actor=self.charlie).json()["data"] == []
