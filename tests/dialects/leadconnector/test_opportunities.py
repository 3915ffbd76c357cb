"""Opportunities one at a time: created, read, changed, sent back, followed, deleted."""

import datetime
from decimal import Decimal
from typing import Any

from crm_project.records.services import create_custom_field
from deals.models import Deal
from tests.dialects.base import BaseTestCase, Call, DialectContract
from tests.dialects.leadconnector.base import LOCATION, REQUEST, LeadConnector, record


class TestOpportunities(LeadConnector, DialectContract, BaseTestCase):
    scope_status = 401
    wrong_verb = "PUT"

    def setUp(self) -> None:
        record(self)
        self.ann = self.person(first_name="Ann", last_name="Lee")

    def create_call(self, **body: Any) -> Call:
        complete = {
            "pipelineId": REQUEST["pipelineId"],
            "locationId": LOCATION,
            "name": "First",
            "status": "open",
            "contactId": str(self.ann.uuid),
            "monetaryValue": 220,
        }
        return Call("POST", "/opportunities/", {**complete, **body})

    def invalid_calls(self) -> dict[str, Call]:
        wrong: dict[str, Any] = {
            "name should not be empty": {"name": ""},
            "status": {"status": None},
            "pipelineId": {"pipelineId": None},
            "contactId": {"contactId": None},
            "forecastExpectedCloseDate": {"forecastExpectedCloseDate": "31/31/2026"},
            "forecastProbability": {"forecastProbability": 101},
        }
        return {word: self.create_call(**body) for word, body in wrong.items()}

    def create(self, **body: Any) -> Any:
        call = self.create_call(**body)
        return self.call(call.method, call.path, call.body)["opportunity"]

    def change(self, row_id: str, **body: Any) -> Any:
        return self.call("PUT", f"/opportunities/{row_id}", body)["opportunity"]

    def test_it_creates(self) -> None:
        shown = self.create()

        assert self.call("GET", f"/opportunities/{shown['id']}") == {"opportunity": shown}
        assert shown["contact"]["name"] == "Ann Lee"
        assert shown["pipelineStageId"] == shown["pipelineStageUId"] == REQUEST["pipelineStageId"]
        assert shown["effectiveProbability"] == 10
        # The vendor's setting that allows several opportunities of one contact.
        assert self.create()["id"] != shown["id"]

    def test_an_unknown_contact(self) -> None:
        answer = self.refused(self.as_actor(self.bob, self.create_call(contactId="nobody")), 400)

        assert answer.json()["message"] == "Contact with id nobody not found"

    def test_the_status_all_means_open(self) -> None:
        assert self.create(status="all", lostReasonId=REQUEST["lostReasonId"])["status"] == "open"

    def test_a_change_leaves_the_rest(self) -> None:
        row_id = self.create()["id"]

        shown = self.change(row_id, monetaryValue=99.99, assignedTo=REQUEST["assignedTo"])

        assert (shown["monetaryValue"], shown["assignedTo"], shown["name"]) == (
            99.99,
            REQUEST["assignedTo"],
            "First",
        )

    def test_a_change_may_name_another_contact_and_no_other_location(self) -> None:
        row_id, person = self.create()["id"], self.person()
        path = f"/opportunities/{row_id}"

        shown = self.change(row_id, contactId=str(person.uuid), locationId=LOCATION)

        assert shown["contactId"] == str(person.uuid)
        self.refused(self.as_actor(self.bob, Call("PUT", path, {"contactId": "nobody"})), 400)
        self.refused(self.as_actor(self.bob, Call("PUT", path, {"locationId": "another"})), 403)

    def test_an_empty_choice_changes_nothing(self) -> None:
        row_id = self.create(assignedTo=REQUEST["assignedTo"], pipelineStageId=str(self.offer.uuid))["id"]

        shown = self.change(row_id, assignedTo="", pipelineStageId="", lostReasonId="")

        assert (shown["assignedTo"], shown["pipelineStageId"]) == (
            REQUEST["assignedTo"],
            str(self.offer.uuid),
        )
        alone = {"id": "theirs", "pipelineId": REQUEST["pipelineId"], "locationId": LOCATION, "contactId": ""}
        assert self.call("POST", "/opportunities/upsert", alone)["opportunity"]["contactId"] == ""
        self.refused(self.as_actor(self.bob, self.create_call(contactId="")), 422)

    def test_days_may_be_written_in_every_way_of_the_vendor(self) -> None:
        row_id = self.create()["id"]

        for day in (
            "2026/12/31",
            "12/31/2026",
            "2026-12-31",
            "12-31-2026",
            "2026.12.31",
            "12.31.2026",
            "2026-12-31T10:00:00.000Z",
        ):
            self.change(row_id, forecastExpectedCloseDate="2027-01-01")
            shown = self.change(row_id, forecastExpectedCloseDate=day)

            assert shown["forecastExpectedCloseDate"] == "2026-12-31"

    def test_custom_fields_are_named_by_id_or_key(self) -> None:
        size = create_custom_field(
            actor=self.manager, change={"kind": "deal", "key": "size", "label": "Size", "type": "number"}
        )
        field_id = str(size.uuid)

        for value, entry in enumerate(
            (
                {"id": field_id},
                {"key": "size"},
                {"key": "opportunity.size"},
                {"key": "{{ opportunity.size }}"},
                {"id": field_id, "key": "default_key"},
            )
        ):
            shown = self.create(customFields=[{**entry, "field_value": value}])
            assert shown["customFields"] == [{"id": field_id, "fieldValue": value}]
        assert (
            self.change(shown["id"], customFields=[{"id": field_id, "fieldValue": None}])["customFields"]
            == []
        )

    def test_a_form_s_texts_are_read_as_the_field_has_them(self) -> None:
        """n8n sends a text for every field."""
        kinds = {"count": "number", "yes": "checkbox", "day": "date", "note": "text"}
        options = {"several": ["a", "b", "c, d"]}
        for key, kind in (kinds | {"several": "multiselect"}).items():
            change = {"kind": "deal", "key": key, "label": key, "type": kind, "options": options.get(key, [])}
            create_custom_field(actor=self.manager, change=change)
        row_id = self.create()["id"]

        def values(**sent: Any) -> dict[str, Any]:
            self.change(row_id, customFields=[{"key": key, "field_value": sent[key]} for key in sent])
            return dict(Deal.objects.get().custom_fields)

        first = values(count=" 12.5", yes="True", day="01/31/2027", note=7, several="a,b")
        assert first == {"count": 12.5, "yes": True, "day": "2027-01-31", "note": "7", "several": ["a", "b"]}
        assert values(count="", yes="", day="", several="c, d") == {"note": "7", "several": ["c, d"]}
        for key, wrong in (("count", "many"), ("yes", "maybe"), ("day", "soon"), ("several", "a,z")):
            body = {"customFields": [{"key": key, "field_value": wrong}]}
            answer = self.as_actor(self.bob, Call("PUT", f"/opportunities/{row_id}", body))
            assert f"customFields.{key}" in self.refused(answer, 422).json()["message"][0]

    def test_sending_back_what_was_read_changes_nothing(self) -> None:
        create_custom_field(
            actor=self.manager, change={"kind": "deal", "key": "size", "label": "Size", "type": "text"}
        )
        day, client = datetime.date(2026, 12, 31), self.person().pk
        for change in (
            {"bid_type": "month", "bid_value": Decimal(1000), "bid_periods": 12},
            {"amount": Decimal(100), "tax_rate": "23", "currency": "PLN"},
            {"amount": Decimal(100), "amount_gross": Decimal(150)},
            {"is_private": True, "access_list": [self.manager.member.pk]},
            {"status": "abandoned", "lost_reason": self.reason.pk},
            {"status": "won"},
            {"stage": self.lost.pk},
            {"probability": 30, "expected_close_date": day},
            {"name": "", "client": client},
            {"contact": self.ann.pk, "client": client, "members": [client]},
            {"custom_fields": {"size": "L", "free": [1, {"a": None}]}, "free_custom_fields": True},
            {
                "followers": [self.manager.member.pk],
                "owner": self.bob.member.pk,
                "date_from": day,
                "url": "x:y",
            },
        ):
            deal = self.deal(**change)
            path, before = f"/opportunities/{deal.uuid}", self.version(deal)
            shown = self.call("GET", path)["opportunity"]

            assert self.call("PUT", path, shown)["opportunity"] == shown, change
            assert self.call("POST", "/opportunities/upsert", shown)["opportunity"] == shown, change
            self.call("PUT", f"{path}/status", {name: shown[name] for name in ("status", "lostReasonId")})
            assert self.version(deal) == before, change

    def version(self, deal: Deal) -> int:
        return Deal.objects.values_list("version", flat=True).get(pk=deal.pk)

    def test_a_status_is_set_by_itself(self) -> None:
        path, reason = f"/opportunities/{self.create()['id']}", REQUEST["lostReasonId"]

        assert self.call("PUT", f"{path}/status", {"status": "lost", "lostReasonId": reason}) == {
            "succeded": True
        }

        shown = self.call("GET", path)["opportunity"]
        assert (shown["status"], shown["lostReasonId"]) == ("lost", reason)
        assert shown["lastStatusChangeAt"] > shown["createdAt"] or shown["lastStageChangeAt"]
        self.call("PUT", f"{path}/status", {"status": "all"})
        assert self.call("GET", path)["opportunity"] == shown
        self.refused(self.as_actor(self.bob, Call("PUT", f"{path}/status", {})), 422)

    def test_the_third_version_has_success_too(self) -> None:
        path = f"/opportunities/{self.create()['id']}"

        answer = self.as_actor(self.bob, Call("DELETE", path, headers={"Version": "v3"}))

        assert answer.json() == {"succeded": True, "success": True, "succeeded": True}
        self.refused(self.as_actor(self.bob, Call("GET", path)), 404)

    def test_followers_come_and_go(self) -> None:
        path = f"/opportunities/{self.create()['id']}/followers"
        mary, bob = REQUEST["followers"], REQUEST["assignedTo"]

        answer = self.as_actor(self.bob, Call("POST", path, {"followers": [mary]}))
        assert answer.status_code == 201
        assert answer.json() == {"followers": [mary], "followersAdded": [mary]}
        both = self.call("POST", path, {"followers": [mary, bob]})
        assert both == {"followers": [mary, bob], "followersAdded": [bob]}
        gone = self.call("DELETE", path, {"followers": [mary]})
        assert gone == {"followers": [bob], "followersRemoved": [mary]}
        gone = self.call("DELETE", path, {"followers": [mary]}, isRemoveAllFollowers="true")
        assert gone == {"followers": [], "followersRemoved": [bob]}
        self.refused(self.as_actor(self.bob, Call("POST", path, {"followers": ["nobody"]})), 422)
        assert self.call("DELETE", path)["followers"] == []

    def test_a_move_to_another_pipeline_goes_to_its_first_stage(self) -> None:
        shown = self.change(self.create()["id"], pipelineId=str(self.renewals.uuid))

        assert shown["pipelineId"] == str(self.renewals.uuid)
        assert shown["pipelineStageId"] == str(self.renewals.stages.in_order()[0].uuid)

    def test_a_closing_stage_sets_the_status(self) -> None:
        assert self.change(self.create()["id"], pipelineStageId=str(self.won.uuid))["status"] == "won"
