"""Xalantis' `/api/v1`: deals, pipelines, custom fields, both ways to page, and the common contract."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

from crm_project.records.models import CustomField
from deals.models import Deal
from tests.dialects.base import BaseTestCase, Call, DialectContract
from tests.dialects.xalantis.base import V1
from tests.factories import CustomFieldFactory

CODES = {400: "BAD_REQUEST", 401: "UNAUTHORIZED", 403: "FORBIDDEN", 404: "NOT_FOUND", 409: "CONFLICT"}


class TestDeals(V1, DialectContract, BaseTestCase):
    reused_key_status = 409
    unknown_paths = ("/api/v1/tickets", "/api/v1")

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
        body = answer.json()
        assert body.keys() == {"success", "error"}
        assert body["success"] is False
        assert body["error"]["code"] == {**CODES, 422: "VALIDATION_ERROR"}.get(status, "BAD_REQUEST")
        assert body["error"]["message"]
        assert ("details" in body["error"]) == (status == 422)

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

    def test_a_message_may_have_braces(self) -> None:
        CustomFieldFactory(actor=self.alice, key="size", type="select", options=["{name}", "{0}"])

        refused = self.as_actor(self.bob, self.create_call(custom_fields={"size": "XL"}))

        assert refused.status_code == 422, refused.content
        assert "{name}, {0}" in refused.content.decode()

    def test_a_deal_is_printed_as_the_vendor_declares_it(self) -> None:
        """Numbers and instants in the declared types; each row also by its uuid."""
        person = self.person(phone="+33 1")
        deal = self.deal(amount=None, expected_close_date="2026-12-31", contact=person.pk)

        shown = self.got(f"deals/{deal.uuid}")["data"]

        assert (shown["amount"], shown["expected_close_date"]) == (0, "2026-12-31T00:00:00.000000Z")
        stage, pipeline = deal.stage, deal.stage.pipeline
        assert shown["stage"].items() >= {"uuid": str(stage.uuid), "id": stage.pk}.items()
        assert shown["pipeline"].items() >= {"uuid": str(pipeline.uuid), "is_default": True}.items()
        assert shown["contact"].keys() == {"uuid", "full_name", "email", "phone"}
        assert self.got(f"deals/{self.deal().uuid}")["data"]["contact"] is None

    def test_a_day_may_come_as_its_midnight(self) -> None:
        path = f"deals/{self.deal().uuid}"

        for day in ("2027-01-31", "2027-01-31T00:00:00.000000Z", "2027-01-31T00:00:00Z"):
            shown = self.ask("PATCH", path, {"expected_close_date": day}).json()["data"]
            assert shown["expected_close_date"] == "2027-01-31T00:00:00.000000Z"
        for wrong in ("2027-01-31T10:00:00Z", "31/01/2027", 5):
            self.refused(self.ask("PATCH", path, {"expected_close_date": wrong}), 422)

    def test_the_uuid_of_a_pipeline_wins_over_its_number(self) -> None:
        path = f"deals/{self.deal().uuid}"
        both = {"pipeline_uuid": str(self.renewals.uuid), "pipeline_id": self.pipeline.pk}

        assert self.ask("PATCH", path, both).json()["data"]["pipeline"]["id"] == self.renewals.pk

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
        pages = {name: parse_qs(urlsplit(link).query)["page"] for name, link in page["links"].items()}
        assert pages == {"first": ["1"], "last": ["3"], "prev": ["1"], "next": ["3"]}
        assert self.got("deals", search="deal 3")["meta"]["total"] == 1

    def test_a_page_has_at_most_a_hundred_rows(self) -> None:
        assert self.got("deals", per_page="500")["meta"]["per_page"] == 100
        assert self.ask("GET", "deals", per_page="0").status_code == 422

    def test_pages_by_cursor(self) -> None:
        """By the cursor of `meta`, and by what `links` hold, whole or followed."""
        deals = {str(self.deal().uuid) for _ in range(5)}
        place: dict[str, Callable[[Any], str | None]] = {
            "cursor": lambda page: page["meta"]["next_cursor"],
            "link": lambda page: page["links"]["next"],
        }
        for next_of in place.values():
            page = self.got("deals", paginate="cursor", per_page="2")
            seen = [deal["uuid"] for deal in page["data"]]
            while cursor := next_of(page):
                page = self.got("deals", cursor=cursor, per_page="2")
                seen += [deal["uuid"] for deal in page["data"]]
            assert (len(seen), set(seen)) == (5, deals)
            assert page["meta"].keys() == {"per_page", "next_cursor", "prev_cursor"}
            assert page["links"]["prev"].startswith("http://testserver/dialects/xalantis/api/v1/deals?")
        assert self.ask("GET", "deals", paginate="cursor", cursor="forged").status_code == 422

    def test_pipelines_and_fields(self) -> None:
        pipelines = self.got("pipelines")["data"]

        assert pipelines[0]["id"] == self.pipeline.pk
        assert pipelines[0].keys() == {"uuid", "id", "name", "is_default", "stages"}
        assert pipelines[0]["stages"][0] == {
            "uuid": str(self.new.uuid),
            "id": self.new.pk,
            "name": self.new.name,
            "color": self.new.color,
            "probability": self.new.probability,
            "position": 0,
        }

    def test_declared_fields_come_in_pages(self) -> None:
        for kind, key in (("deal", "size"), ("deal", "shape"), ("contact", "taste")):
            CustomField.objects.create(
                organization=self.organization, kind=kind, key=key, label=key.title(), type="text"
            )

        page = self.got("deals/custom-fields", per_page="1")

        assert page["data"] == [
            {"key": "size", "label": "Size", "type": "text", "options": [], "required": False}
        ]
        assert page["meta"]["total"] == 2
        cursor = self.got("deals/custom-fields", per_page="1", paginate="cursor")["meta"]["next_cursor"]
        assert len(self.got("deals/custom-fields", paginate="cursor", cursor=cursor)["data"]) == 1
        assert [row["key"] for row in self.got("clients/custom-fields")["data"]] == ["taste"]

    def test_a_list_is_no_deal(self) -> None:
        path = f"deals/{self.deal().uuid}"

        for body in ([], "x", 1, None):
            assert self.ask("PATCH", path, body).status_code in (200, 400)
            assert self.ask("POST", "deals", body).status_code in (400, 422)

    def test_an_undeclared_custom_field_is_refused(self) -> None:
        self.refused(self.as_actor(self.bob, self.create_call(custom_fields={"nothing": 1})), 422)
