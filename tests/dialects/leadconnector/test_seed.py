"""The request that LeadConnector's documentation prints, sent twice, and what its fields mean."""

import re
from typing import Any

import pytest

from crm_project.records.services import change_references
from deals.models import Deal
from deals.services import trash_deals
from tests.dialects.base import BaseTestCase, Call, DialectContract, RaceTestCase, Racing, replaced
from tests.dialects.leadconnector.base import LOCATION, REQUEST, VERSIONS, LeadConnector, record
from tests.factories import PersonFactory

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
UPSERT = "/opportunities/upsert"


class Upserting(LeadConnector):
    def create_call(self, **body: Any) -> Call:
        return Call("POST", UPSERT, {**REQUEST, **body})

    def upsert(self, **body: Any) -> Any:
        return self.call("POST", UPSERT, {**REQUEST, **body})

    def without(self, *names: str, **body: Any) -> Any:
        rest = {name: value for name, value in REQUEST.items() if name not in names}
        return self.call("POST", UPSERT, {**rest, **body})


class TestSeed(Upserting, DialectContract, BaseTestCase):
    create_status = 200
    scope_status = 401
    wrong_verb = "PATCH"

    def setUp(self) -> None:
        record(self)

    def row_calls(self, row_id: str) -> list[Call]:
        path = f"/opportunities/{row_id}"
        followers = {"followers": [REQUEST["followers"]]}
        return [
            Call("GET", path),
            Call("PUT", path, {"name": "Other"}),
            Call("DELETE", path),
            Call("PUT", f"{path}/status", {"status": "won"}),
            Call("POST", f"{path}/followers", followers),
            Call("DELETE", f"{path}/followers", followers),
        ]

    def invalid_calls(self) -> dict[str, Call]:
        wrong: dict[str, Any] = {
            "pipelineId": {"pipelineId": "nothing"},
            "pipelineStageId": {"pipelineStageId": "nothing"},
            "followers": {"followers": ["nobody"]},
            "followersActionType": {"followersActionType": "replace"},
            "isRemoveAllFollowers": {"isRemoveAllFollowers": "perhaps"},
            "status": {"status": "closed"},
            "status: ": {"status": [[]]},
            "monetaryValue": {"monetaryValue": {"amount": 220}},
            "0 to less": {"monetaryValue": -1},
            "assignedTo": {"assignedTo": "nobody"},
            "lostReasonId": {"status": "lost", "lostReasonId": "nothing"},
            "id": {"id": "x" * 300},
            "customFields": {"customFields": [{"id": "nothing", "field_value": "1"}]},
            "pipelineStageId: This stage": {"pipelineStageId": str(self.renewals.stages.first().uuid)},
        }
        return {word: self.create_call(**body) for word, body in wrong.items()}

    def foreign_calls(self) -> list[Call]:
        member, stage = self.charlie.member.uuid, self.theirs.stages.first().uuid
        return [
            self.create_call(pipelineId=str(self.theirs.uuid)),
            self.create_call(pipelineStageId=str(stage)),
            self.create_call(assignedTo=str(member)),
            self.create_call(followers=[str(member)]),
            self.create_call(followers=[str(self.person(self.charlie).uuid)]),
        ]

    def test_the_documents_request_makes_one_deal_and_then_finds_it(self) -> None:
        for is_new in (True, False):
            answer = self.as_actor(self.bob, self.create_call())

            body = answer.json()
            assert answer.status_code == 200
            assert body["new"] is is_new
            shown = body["opportunity"]
            assert {name: shown[name] for name in REQUEST.keys() & shown.keys()} == {
                "id": "yWQobCRIhRguQtD2llvk",
                "pipelineId": "bCkKGpDsyPP4peuKowkG",
                "locationId": "CLu7BaljjqrEjBGKTNNe",
                "followers": ["LiKJ2vnRg5ETM8Z19K7"],
                "name": "opportunity name",
                "status": "open",
                "pipelineStageId": "7915dedc-8f18-44d5-8bc3-77c04e994a10",
                "monetaryValue": 220,
                "assignedTo": "082goXVW3lIExEQPOnd3",
                "lostReasonId": None,
            }
            assert (shown["contactId"], shown["contact"]) == ("", {})
            for name in (
                "createdAt",
                "updatedAt",
                "lastStatusChangeAt",
                "lastStageChangeAt",
                "lastActionDate",
            ):
                assert INSTANT.fullmatch(shown[name])
            assert b'"monetaryValue":220,' in answer.content
            assert answer["X-Ignored-Fields"] == "lostReasonId"
        deal = Deal.objects.get()
        assert deal.version == 1
        assert [row.external_id for row in deal.references.all()] == ["yWQobCRIhRguQtD2llvk"]
        assert [member.pk for member in deal.followers.all()] == [self.manager.member.pk]

    def test_every_version_means_the_same(self) -> None:
        for version in VERSIONS:
            call = replaced(self.create_call(), headers={"Version": version})

            assert self.as_actor(self.bob, call).status_code == 200
        assert Deal.objects.count() == 1

    def test_a_request_without_a_known_version_is_refused(self) -> None:
        for version, message in (
            ("2020-01-01", "version header is invalid"),
            ("", "version header is invalid"),
        ):
            call = replaced(self.create_call(), headers={"Version": version})

            assert self.refused(self.as_actor(self.bob, call), 401).json()["message"] == message

    def test_a_request_without_any_version_is_refused(self) -> None:
        self.headers = {}

        answer = self.refused(self.as_actor(self.bob, self.create_call()), 401)

        assert answer.json()["message"] == "version header was not found."
        assert Deal.objects.count() == 0

    def test_an_invalid_token_is_refused_as_the_vendor_does(self) -> None:
        body = self.send(self.with_token(self.create_call(), "pit-nobody")).json()

        assert body["message"] == "Invalid token: access token is invalid"
        assert body["error"] == "Unauthorized"

    def test_another_location_is_out_of_reach(self) -> None:
        for location in ("nowhere", str(self.charlie.organization.uuid)):
            answer = self.refused(self.as_actor(self.bob, self.create_call(locationId=location)), 403)

            assert answer.json()["message"] == "The token does not have access to this location."
        assert Deal.objects.count() == 0

    def test_our_own_ids_are_as_good(self) -> None:
        shown = self.upsert(
            id=None,
            locationId=str(self.organization.uuid),
            pipelineId=str(self.pipeline.uuid),
            pipelineStageId=str(self.new.uuid),
            assignedTo=str(self.bob.member.uuid),
            followers=[str(self.manager.member.uuid)],
        )["opportunity"]

        deal = Deal.objects.get()
        assert shown["id"] == str(deal.uuid)
        assert self.upsert(id=shown["id"], name="Renamed")["new"] is False
        deal.refresh_from_db()
        assert deal.name == "Renamed"
        assert not deal.references.exists()

    def test_all_missing_fields_are_named_in_one_answer(self) -> None:
        answer = self.refused(self.as_actor(self.bob, Call("POST", UPSERT, {})), 422)

        assert answer.json()["message"] == [
            "pipelineId should not be empty",
            "locationId should not be empty",
        ]
        assert answer.json()["error"] == "Unprocessable Entity"

    def test_it_needs_an_id_a_contact_or_followers(self) -> None:
        body = {"pipelineId": REQUEST["pipelineId"], "locationId": LOCATION, "name": "Nobody's"}

        self.refused(self.as_actor(self.bob, Call("POST", UPSERT, body)), 422)

        assert Deal.objects.count() == 0

    def test_followers_may_be_a_text_or_a_list(self) -> None:
        both = [REQUEST["followers"], REQUEST["assignedTo"]]

        assert self.upsert(followers=REQUEST["followers"])["opportunity"]["followers"] == both[:1]
        assert self.upsert(followers=both)["opportunity"]["followers"] == both

    def test_followers_are_cleared_then_added_or_removed(self) -> None:
        mary, bob = REQUEST["followers"], REQUEST["assignedTo"]
        self.upsert(followers=[mary])

        for clears, action, sent, expected in (
            (False, "add", [bob], [mary, bob]),
            (False, "remove", [mary], [bob]),
            (True, "add", [mary], [mary]),
            (True, "remove", [bob], []),
            (None, None, [bob], [bob]),
        ):
            how = {"isRemoveAllFollowers": clears, "followersActionType": action}
            left_out = [name for name, value in how.items() if value is None]
            said = {name: value for name, value in how.items() if value is not None}

            shown = self.without(*left_out, followers=sent, **said)["opportunity"]

            assert shown["followers"] == expected, how

    def test_a_contact_among_the_followers_is_the_contact(self) -> None:
        person = self.person(first_name="Ann", last_name="Lee", email="a@x.io")

        shown = self.upsert(followers=[str(person.uuid), REQUEST["followers"]])["opportunity"]

        assert shown["followers"] == [REQUEST["followers"]]
        assert shown["contactId"] == str(person.uuid)
        assert shown["contact"] == {
            "id": str(person.uuid),
            "name": "Ann Lee",
            "companyName": None,
            "email": "a@x.io",
            "phone": None,
            "tags": [],
        }

    def test_a_contact_does_not_follow_beside_another_one(self) -> None:
        one, other = str(self.person().uuid), str(self.person().uuid)

        call = self.create_call(contactId=one, followers=[other])
        self.refused(self.as_actor(self.bob, call), 422)
        self.refused(self.as_actor(self.bob, self.create_call(followers=[one, other])), 422)

        assert self.upsert(contactId=one, followers=[one])["opportunity"]["contactId"] == one

    def test_an_unknown_contact_is_an_error_of_its_id(self) -> None:
        for contact in ("nobody", str(self.person(self.charlie).uuid)):
            answer = self.refused(self.as_actor(self.bob, self.create_call(contactId=contact)), 400)

            assert answer.json()["message"] == f"Contact with id {contact} not found"
        for nonsense in ("\ud800", True, []):
            self.refused(self.as_actor(self.bob, self.create_call(contactId=nonsense)), 422)

    def test_the_older_form_finds_by_contact_and_pipeline(self) -> None:
        body = {
            "pipelineId": REQUEST["pipelineId"],
            "locationId": LOCATION,
            "contactId": str(self.person().uuid),
        }

        first = self.call("POST", UPSERT, {**body, "name": "One", "status": "open"})
        second = self.call("POST", UPSERT, {**body, "monetaryValue": "99.50"})
        third = self.call("POST", UPSERT, {**body, "pipelineId": str(self.renewals.uuid)})

        assert [answer["new"] for answer in (first, second, third)] == [True, False, True]
        assert second["opportunity"]["name"] == "One"
        assert second["opportunity"]["monetaryValue"] == 99.5

    def test_the_id_comes_before_the_contact(self) -> None:
        person = self.person()
        by_contact = self.deal(contact=person.pk)
        self.upsert()

        shown = self.upsert(name="By id", contactId=str(person.uuid))

        assert shown["new"] is False
        by_contact.refresh_from_db()
        assert by_contact.version == 1

    def test_several_open_deals_of_a_contact_are_ambiguous(self) -> None:
        person = self.person()
        self.deal(contact=person.pk), self.deal(contact=person.pk)

        answer = self.as_actor(self.bob, self.create_call(id=None, contactId=str(person.uuid)))

        assert self.refused(answer, 409).json()["code"] == "AMBIGUOUS_MATCH"

    def test_the_status_all_leaves_the_status(self) -> None:
        assert self.upsert(status="all")["opportunity"]["status"] == "open"
        self.upsert(status="lost")
        assert self.upsert(status="all")["opportunity"]["status"] == "lost"

    def test_a_lost_reason_belongs_to_what_is_lost(self) -> None:
        reason = REQUEST["lostReasonId"]

        assert self.upsert(status="open", lostReasonId="unknown")["opportunity"]["lostReasonId"] is None
        assert self.upsert(status="lost")["opportunity"]["lostReasonId"] == reason
        assert self.upsert(status="abandoned")["opportunity"]["lostReasonId"] == reason
        assert self.without("status")["opportunity"]["lostReasonId"] == reason
        assert self.upsert(status="won")["opportunity"]["lostReasonId"] is None

    def test_an_unsent_status_follows_the_stage(self) -> None:
        shown = self.without("status", pipelineStageId=str(self.lost.uuid))["opportunity"]

        assert shown["status"] == "lost"
        assert shown["lostReasonId"] == REQUEST["lostReasonId"]

    def test_the_id_of_a_hidden_deal_is_taken(self) -> None:
        private, trashed = self.deal(self.alice, is_private=True), self.deal()
        named = self.deal(self.alice, is_private=True)
        change_references(actor=self.alice, row=named, add=[("leadconnector", "hidden")])
        trash_deals(actor=self.bob, rows=[trashed])

        for taken in (str(private.uuid), str(trashed.uuid), "hidden"):
            answer = self.as_actor(self.bob, self.create_call(id=taken))

            assert self.refused(answer, 409).json()["code"] == "REFERENCE_TAKEN"

    def test_a_trashed_deals_id_is_free_again(self) -> None:
        self.upsert()
        self.call("DELETE", f"/opportunities/{REQUEST['id']}")

        assert self.upsert()["new"] is True

    def test_unknown_keys_are_ignored_and_named(self) -> None:
        answer = self.as_actor(self.bob, self.create_call(companyName="Acme", tags=["vip"]))

        assert answer.status_code == 200
        assert answer["X-Ignored-Fields"] == "lostReasonId, companyName, tags"


@pytest.mark.race
class TestRaces(Upserting, Racing, RaceTestCase):
    def setUp(self) -> None:
        super().setUp()
        record(self)

    def test_many_requests_at_once_make_one_deal(self) -> None:
        answers = self.race(self.create_call(), self.bob)

        assert sorted(answer.json()["new"] for answer in answers) == [False] * (self.callers - 1) + [True]
        assert Deal.objects.get().followers.count() == 1

    def test_many_of_one_contact_make_one_deal(self) -> None:
        contact = str(PersonFactory(actor=self.bob).uuid)

        answers = self.race(self.create_call(id=None, contactId=contact, followers=[]), self.bob)

        assert sorted(answer.json()["new"] for answer in answers) == [False] * (self.callers - 1) + [True]
        assert Deal.objects.count() == 1
