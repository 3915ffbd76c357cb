"""The request that Xalantis' documentation prints, and the contract of every dialect."""

import re
from decimal import Decimal
from typing import Any

import pytest

from contacts.models import Contact
from deals.models import Deal
from pipelines.services import update_pipeline
from tests.dialects.base import (
    BaseTestCase,
    Call,
    DialectContract,
    RaceTestCase,
    Racing,
    load,
    replaced,
    secret_of,
)
from tests.factories import CustomFieldFactory

REQUEST = load(__file__, "create_deal.request.json")
ANSWER = load(__file__, "create_deal.answer.json")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CREATED_AT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


class Xalantis:
    system = "xalantis"
    reused_key_status = 409
    path = "/api/deals"

    def create_call(self, **body: Any) -> Call:
        return Call("POST", self.path, {**REQUEST, **body})


class TestSeed(Xalantis, DialectContract, BaseTestCase):
    def setUp(self) -> None:
        """The pipeline of the document."""
        first = {"id": self.new.pk, "name": "Nouveau lead", "color": "#3b82f6", "probability": 10}
        rest = [{"id": stage.pk} for stage in (self.offer, self.won, self.lost)]
        update_pipeline(
            actor=self.alice,
            pipeline=self.pipeline,
            change={"name": "Vente Standard", "stages": [first, *rest]},
        )

    def create(self, **body: Any) -> Any:
        answer = self.as_actor(self.bob, self.create_call(**body))
        assert answer.status_code == 201, answer.content
        return answer.json()["data"]

    def invalid_calls(self) -> dict[str, Call]:
        wrong = {
            "name": {"name": ""},
            "amount": {"amount": "a lot"},
            "0 to less": {"amount": -1},
            "currency": {"currency": "ABC"},
            "pipeline_id": {"pipeline_id": 10**9},
            "stage_id": {"stage_id": "seven"},
            "expected_close_date": {"expected_close_date": "31/12/2026"},
            "contact_email": {"contact_email": "no address"},
            "contact_first_name": {"contact_first_name": ""},
        }
        return {word: self.create_call(**body) for word, body in wrong.items()}

    def foreign_calls(self) -> list[Call]:
        stage = self.theirs.stages.first()
        return [self.create_call(pipeline_id=self.theirs.pk), self.create_call(stage_id=stage.pk)]

    def check_refusal(self, answer: Any, status: int) -> None:
        body = answer.json()
        assert body["message"]
        assert ("errors" in body) == (status == 422)

    def test_a_person_without_email_is_refused(self) -> None:
        """The vendor's document requires the address: nobody is thrown away."""
        for email in ({}, {"contact_email": ""}, {"contact_email": None}):
            call = self.create_call(contact_phone="+47 22 33 44 55", **email)
            body = {
                name: value for name, value in call.body.items() if name in email or name != "contact_email"
            }
            answer = self.as_actor(self.bob, Call("POST", self.path, body))
            assert answer.status_code == 422
            assert "contact_email" in answer.json()["errors"]
        assert not Contact.objects.exists()

    def test_the_documents_request_is_answered_as_printed(self) -> None:
        answer = self.as_actor(self.bob, self.create_call())

        body, expected = answer.json(), load(__file__, "create_deal.answer.json")
        assert answer.status_code == 201
        assert UUID.fullmatch(body["data"]["uuid"])
        assert UUID.fullmatch(body["data"]["contact"]["uuid"])
        assert CREATED_AT.fullmatch(body["data"]["created_at"])
        data = expected["data"]
        data["uuid"], data["created_at"] = body["data"]["uuid"], body["data"]["created_at"]
        data["contact"]["uuid"] = body["data"]["contact"]["uuid"]
        data["pipeline"]["id"], data["stage"]["id"] = self.pipeline.pk, self.new.pk
        assert body == expected
        assert list(body["data"]) == list(ANSWER["data"])
        assert b'"amount":15000,' in answer.content

    def test_an_existing_contact_is_associated_and_stays_as_it_is(self) -> None:
        person = self.person(first_name="Zoé", last_name="Durand", email="sophie.martin@example.com")

        shown = self.create(contact_email=" Sophie.MARTIN@example.com", contact_first_name="Other")

        assert shown["contact"] == {
            "uuid": str(person.uuid),
            "full_name": "Zoé Durand",
            "email": "sophie.martin@example.com",
        }
        assert Contact.objects.count() == 1

    def test_an_existing_contact_needs_no_name(self) -> None:
        self.person(email="sophie.martin@example.com")

        self.create(contact_first_name=None)

    def test_a_stage_implies_the_pipeline(self) -> None:
        stage = self.renewals.stages.in_order()[1]

        shown = self.create(stage_id=stage.pk)

        assert shown["pipeline"]["id"] == self.renewals.pk
        assert shown["stage"]["id"] == stage.pk
        assert shown["probability"] == 50

    def test_a_stage_of_another_pipeline_is_refused(self) -> None:
        stage = self.renewals.stages.first()

        answer = self.as_actor(self.bob, self.create_call(pipeline_id=self.pipeline.pk, stage_id=stage.pk))

        self.refused(answer, 422)
        assert list(answer.json()["errors"]) == ["stage_id"]

    def test_the_message_counts_the_errors_that_are_not_listed(self) -> None:
        for number in range(120):
            CustomFieldFactory(actor=self.alice, key=f"size_{number}", type="number")
        wrong = {f"size_{number}": "x" for number in range(120)}
        secret = secret_of(self.bob)
        call = Call("POST", "/api/v1/deals", {**self.create_call().body, "custom_fields": wrong})

        error = self.send(self.with_token(call, secret)).json()["error"]

        assert sum(map(len, error["details"].values())) == 100
        assert error["message"].endswith("(and 119 more errors)")

    def test_all_errors_are_named_in_one_answer(self) -> None:
        answer = self.as_actor(self.bob, replaced(self.create_call(), body={}))

        self.refused(answer, 422)
        assert answer.json() == {
            "message": "The name field is required. (and 1 more error)",
            "errors": {
                "name": ["The name field is required."],
                "contact_email": ["The contact email field is required."],
            },
        }

    def test_amounts_are_exact(self) -> None:
        answer = self.as_actor(self.bob, self.create_call(amount=999999999999.99))

        assert b'"amount":999999999999.99,' in answer.content
        assert Deal.objects.get().amount == Decimal("999999999999.99")

    def test_unknown_keys_are_ignored_and_named(self) -> None:
        answer = self.as_actor(self.bob, self.create_call(source="web", größe=1))

        assert answer.status_code == 201
        assert answer["X-Ignored-Fields"] == "gr%C3%B6%C3%9Fe, source"

    def test_the_same_deal_reads_alike_through_the_canonical_api(self) -> None:
        shown = self.create(expected_close_date="2026-12-31")

        deal = Deal.objects.get(uuid=shown["uuid"])
        assert str(deal.expected_close_date) == "2026-12-31"
        assert (deal.name, deal.amount, deal.currency) == ("Partenariat 2024", 15000, "EUR")


@pytest.mark.race
class TestRaces(Xalantis, Racing, RaceTestCase):
    def test_many_requests_at_once_make_one_contact(self) -> None:
        answers = self.race(self.create_call(), self.bob)

        assert {answer.status_code for answer in answers} == {201}
        assert Contact.objects.count() == 1
        assert Deal.objects.count() == self.callers
