"""Intum's document: the deals, their filters, the ways to send a token, and the contract of every dialect."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_project.accounts.services import create_token
from crm_project.journal.models import Event
from crm_project.records.services import change_references
from deals.models import Deal, DealReference
from deals.services import update_deals
from tests.dialects.base import (
    BaseTestCase,
    Call,
    DialectContract,
    RaceTestCase,
    Racing,
    bearer,
    load,
    replaced,
)
from tests.factories import PersonFactory

REQUEST = load(__file__, "create_deal.request.json")
PRINTED = REQUEST["deal"]


def deal_events() -> int:
    return Event.objects.filter(kind="deal").count()


def in_query(call: Call, secret: str) -> Call:
    return replaced(call, query={**call.query, "api_token": secret})


def in_body(call: Call, secret: str) -> Call:
    return replaced(call, body={**call.body, "api_token": secret})


class Intum:
    system = "intum"
    client: Any

    def create_call(self, **deal: Any) -> Call:
        named = {"client_id": self.client.pk, "status_id": self.new.pk, **deal}
        return Call("POST", "/crm/deals.json", {"deal": {**PRINTED, **named}})

    def setUp(self) -> None:
        super().setUp()
        self.client = self.person(first_name="Anna", last_name="Nowak", email="anna@example.com")


class TestDeals(Intum, DialectContract, BaseTestCase):
    token_ways = {"bearer": bearer, "query": in_query, "body": in_body}
    wrong_verb = "DELETE"
    unknown_paths = ("/nothing/here", "/crm/nothing.json", "/crm/deals")

    def row_id(self, deal: Deal) -> str:
        return str(deal.pk)

    def unknown_id(self) -> str:
        return "999999999"

    def row_calls(self, row_id: str) -> list[Call]:
        path = f"/crm/deals/{row_id}.json"
        return [Call("GET", path), Call("PATCH", path, {"deal": {"name": "x"}}), Call("DELETE", path)]

    def foreign_calls(self) -> list[Call]:
        stranger = self.person(self.charlie)
        stage = self.theirs.stages.first()
        return [self.create_call(client_id=stranger.pk), self.create_call(status_id=stage.pk)]

    def invalid_calls(self) -> dict[str, Call]:
        wrong = {
            "total_amount_net": {"total_amount_net": None},
            "nie jest liczbą": {"total_amount_gross": "dużo"},
            "musi być większe lub równe kwocie netto": {"total_amount_gross": 9999},
            "mniejsze od 1000000000000": {"total_amount_net": 10**12, "total_amount_gross": 10**12},
            "tax": {"tax": ""},
            "na liście dopuszczalnych": {"closed": "maybe"},
            "currency": {"currency": "ABC"},
            "nie istnieje": {"responsible_id": 10**9},
        }
        return {word: self.create_call(**deal) for word, deal in wrong.items()}

    def check_refusal(self, answer: Any, status: int) -> None:
        body = answer.json()
        if status == 422:
            assert all(isinstance(messages, list) for messages in body.values())
        else:
            assert list(body) == ["error"]

    def create(self, **deal: Any) -> Any:
        answer = self.as_actor(self.bob, self.create_call(**deal))
        assert answer.status_code == 201, answer.content
        return answer.json()

    def get(self, path: str, actor: Any = None, **query: str) -> Any:
        answer = self.as_actor(actor or self.bob, Call("GET", path, query=query))
        assert answer.status_code == 200, answer.content
        return answer.json()

    def patch(self, row_id: Any, **deal: Any) -> Any:
        return self.as_actor(self.bob, Call("PATCH", f"/crm/deals/{row_id}.json", {"deal": deal}))

    def ids(self, **query: str) -> list[int]:
        return [deal["id"] for deal in self.get("/crm/deals.json", **query)]

    def test_the_documents_request_is_answered_as_printed(self) -> None:
        change_references(actor=self.alice, row=self.client, add=[("intum", "123")])
        change_references(actor=self.alice, row=self.new, add=[("intum", "1")])
        secret = create_token(actor=self.bob, name="test")[1]

        answer = self.send(Call("POST", "/crm/deals.json", {**REQUEST, "api_token": secret}))

        body = answer.json()
        assert answer.status_code == 201
        assert {name: body[name] for name in PRINTED} == PRINTED
        said = {"id", *PRINTED, "fields", "created_at", "updated_at"}
        assert {body[name] for name in body.keys() - said} == {None}
        assert (list(body)[-3:], body["fields"]) == (["fields", "created_at", "updated_at"], {})
        assert b'"total_amount_gross":12300' in answer.content
        assert answer.get("X-Ignored-Fields") is None

    def test_net_gross_and_tax_survive(self) -> None:
        shown = self.create(
            total_amount_net="999999999999.98", total_amount_gross="999999999999.99", tax="zw"
        )

        deal = Deal.objects.get(pk=shown["id"])
        assert (deal.amount, deal.amount_gross) == (Decimal("999999999999.98"), Decimal("999999999999.99"))
        assert deal.tax_rate == "zw"

    def test_a_body_without_its_object_is_refused(self) -> None:
        self.refused(self.as_actor(self.bob, Call("POST", "/crm/deals.json", PRINTED)), 400)

    def test_the_three_figures_are_asked_for(self) -> None:
        answer = self.as_actor(self.bob, Call("POST", "/crm/deals.json", {"deal": {}}))

        self.refused(answer, 422)
        blank = ["nie może być puste"]
        assert answer.json() == {"total_amount_net": blank, "total_amount_gross": blank, "tax": blank}

    def test_an_empty_text_is_nothing(self) -> None:
        shown = self.create(client_id="", status_id="", currency="", date="", task_id="", closed="")

        assert [shown[name] for name in ("client_id", "status_id", "date", "task_id", "closed")] == [
            None,
            self.new.pk,
            None,
            None,
            None,
        ]
        assert shown["currency"] == self.organization.currency
        changed = self.patch(shown["id"], status_id="", currency=None, responsible_id="").json()
        assert changed["status_id"] == self.new.pk
        answer = self.refused(self.as_actor(self.bob, self.create_call(total_amount_net="")), 422)
        assert answer.json() == {"total_amount_net": ["nie może być puste"]}

    def test_numbers_and_texts_stand_for_each_other(self) -> None:
        client = str(self.client.pk)

        shown = self.create(
            tax=23, number=7, external_id=17, task_id="5", client_id=client, total_amount_net="1"
        )

        assert [shown[name] for name in ("tax", "number", "external_id", "task_id", "total_amount_net")] == [
            "23",
            "7",
            "17",
            5,
            1,
        ]

    def test_refusals_are_polish(self) -> None:
        for field, value, sentence in (
            ("date", "2026-02-30", "jest nieprawidłowe: oczekiwano daty RRRR-MM-DD"),
            ("task_id", "x", "jest nieprawidłowe: oczekiwano liczby całkowitej"),
            ("name", True, "jest nieprawidłowe: oczekiwano tekstu"),
            ("fields", [], "jest nieprawidłowe: oczekiwano obiektu"),
            ("name", "x" * 256, "jest za długie"),
            ("total_amount_net", "1.234", "ma zbyt wiele miejsc po przecinku"),
            ("total_amount_net", -1, "musi być większe lub równe 0 i mniejsze od 1000000000000"),
        ):
            answer = self.as_actor(self.bob, self.create_call(**{field: value}))
            assert (answer.status_code, answer.json()) == (422, {field: [sentence]})
        answer = self.as_actor(self.bob, Call("GET", "/crm/deals.json", query={"per_page": "201"}))
        assert answer.json() == {"per_page": ["musi być mniejsze lub równe 200"]}
        answer = self.as_actor(self.bob, replaced(self.create_call(), body=b"{"))
        assert answer.json() == {"error": "Treść żądania nie jest poprawnym JSON-em"}
        answer = self.as_actor(self.bob, replaced(self.create_call(), headers={"Idempotency-Key": "k" * 256}))
        assert answer.json() == {"error": "Nagłówek żądania jest nieprawidłowy"}

    def test_closed_is_the_status(self) -> None:
        shown = self.create(closed="win")
        assert Deal.objects.get(pk=shown["id"]).status == "won"

        assert self.patch(shown["id"], closed="lost").json()["closed"] == "lost"
        assert self.patch(shown["id"], closed="").json()["closed"] is None
        assert Deal.objects.get(pk=shown["id"]).status == "open"

    def test_a_blank_closed_is_ignored_beside_a_status(self) -> None:
        shown = self.create()

        answer = self.patch(shown["id"], closed="", status_id=self.won.pk)

        assert answer.json()["closed"] == "win"

    def test_abandoned_shows_as_lost_and_stays_abandoned(self) -> None:
        deal = self.deal(status="abandoned")

        shown = self.get(f"/crm/deals/{deal.pk}.json")
        self.patch(deal.pk, closed=shown["closed"])

        assert shown["closed"] == "lost"
        assert Deal.objects.get(pk=deal.pk).status == "abandoned"

    def test_sending_back_what_was_read_changes_nothing(self) -> None:
        lost = self.deal(status="abandoned", amount=Decimal(5))
        kinds = [
            self.deal(),
            lost,
            self.deal(bid_type="month", bid_value=Decimal(1000), bid_periods=12, probability=33),
            self.deal(amount=Decimal("10.50"), amount_gross=Decimal(13), is_private=True, next_deal=lost.pk),
            self.deal(
                stage=self.won.pk,
                custom_fields={"free": [1]},
                free_custom_fields=True,
                owner=self.bob.member.pk,
            ),
        ]
        for deal in kinds:
            before, events = Deal.objects.get(pk=deal.pk).version, deal_events()
            shown = self.get(f"/crm/deals/{deal.pk}.json")

            answer = self.as_actor(self.bob, Call("PATCH", f"/crm/deals/{deal.pk}.json", {"deal": shown}))

            assert answer.status_code == 200, answer.content
            assert answer.json() == shown
            assert (Deal.objects.get(pk=deal.pk).version, deal_events()) == (before, events)

    def test_delete_answers_the_deal(self) -> None:
        shown = self.create()

        answer = self.as_actor(self.bob, Call("DELETE", f"/crm/deals/{shown['id']}.json"))

        assert (answer.status_code, answer.json()) == (200, shown)
        self.refused(self.as_actor(self.bob, Call("GET", f"/crm/deals/{shown['id']}.json")), 404)

    def test_an_external_id_belongs_to_the_tokens_application(self) -> None:
        secret = create_token(actor=self.bob, name="shop", app_code="shop")[1]
        answer = self.send(bearer(self.create_call(external_id="A.7"), secret))
        plain = self.create(external_id="B")

        assert answer.json()["external_id"] == "A.7"
        assert list(DealReference.objects.values_list("system", "external_id")) == [
            ("shop", "A.7"),
            ("default", "B"),
        ]
        assert self.get("/crm/deals/e/shop/A.7.json")["id"] == answer.json()["id"]
        assert self.get("/crm/deals/e/shop/B.json")["id"] == plain["id"]
        self.refused(self.as_actor(self.bob, Call("GET", "/crm/deals/e/other/A.7.json")), 404)

    def test_an_external_id_is_given_once(self) -> None:
        self.create(external_id="A")

        answer = self.refused(self.as_actor(self.bob, self.create_call(external_id="A")), 422)

        assert answer.json() == {"external_id": ["zostało już zajęte"]}

    def test_fields_are_free(self) -> None:
        shown = self.create(fields={"kolor": "zielony", "lista": [1, {"a": None}]})

        merged = self.patch(shown["id"], fields={"kolor": None, "nowe": 1.5}).json()["fields"]

        assert shown["fields"] == {"kolor": "zielony", "lista": [1, {"a": None}]}
        assert merged == {"lista": [1, {"a": None}], "nowe": 1.5}

    def test_it_filters(self) -> None:
        first = self.create(name="Żółta łódź", responsible_id=self.bob.member.pk, department_id=7)["id"]
        second = self.create(status_id=self.offer.pk, date=None, total_amount_gross=20000, project_id=8)["id"]
        Deal.objects.filter(pk=second).update(
            created_at=datetime.datetime(2026, 1, 10, 12, tzinfo=datetime.UTC)
        )

        assert self.ids(q="żółta ŁÓDŹ") == [first]
        assert self.ids(q="anna@example.com") == [first, second]
        assert self.ids(client_id=str(self.client.pk)) == [first, second]
        assert self.ids(client_id="1000000") == []
        assert self.ids(status_id=str(self.offer.pk)) == [second]
        assert self.ids(responsible_id=str(self.bob.member.pk)) == [first]
        assert self.ids(department_id="7") == [first]
        assert self.ids(project_id="8") == [second]
        assert self.ids(main_date_from="2026-03-15", main_date_to="2026-03-15") == [first]
        assert self.ids(main_date_from="2026-01-10", main_date_to="2026-01-10") == [second]
        assert self.ids(total_amount_gross_from="12300.01") == [second]
        assert self.ids(total_amount_gross_to="12300") == [first]
        assert self.ids(total_amount_gross_to="1e71") == [first, second]
        assert self.ids(total_amount_gross_to="-3.9461426749994e+71") == []
        assert self.ids(per_page="1", page="2") == [second]
        assert self.ids(client_id="", q="", main_date_to="", total_amount_gross_to="") == [first, second]

    def test_it_refuses_a_filter_that_is_none(self) -> None:
        for query in ({"main_date_from": "wczoraj"}, {"department_id": "x"}, {"per_page": "0"}):
            self.refused(self.as_actor(self.bob, Call("GET", "/crm/deals.json", query=query)), 422)

    def test_an_outsider_s_list_is_empty(self) -> None:
        self.create()

        assert self.get("/crm/deals.json", self.charlie) == []

    def test_a_list_costs_the_same_for_many_rows(self) -> None:
        secret = create_token(actor=self.bob, name="test")[1]
        call = bearer(Call("GET", "/crm/deals.json", query={"per_page": "200"}), secret)
        counts = set()
        for total in (3, 20):
            while (made := Deal.objects.count()) < total:
                keys = [("intum", f"x{made}")]
                self.deal(client=self.client.pk, owner=self.bob.member.pk, external_references=keys)
            self.send(call)
            with CaptureQueriesContext(connection) as queries:
                assert len(self.send(call).json()) == total
            counts.add(len(queries))
        assert len(counts) == 1

    def test_a_periodic_bid_is_one_figure(self) -> None:
        deal = self.deal(bid_type="month", bid_value=Decimal(1000), bid_periods=12)

        assert self.get(f"/crm/deals/{deal.pk}.json")["total_amount_net"] == 12000

    def test_a_net_amount_alone_keeps_the_gross_amount(self) -> None:
        row_id = self.create(total_amount_net=100, total_amount_gross=115, tax="8/23")["id"]

        assert self.patch(row_id, total_amount_net=101).json()["total_amount_gross"] == 115
        answer = self.refused(self.patch(row_id, total_amount_net=116), 422)
        assert answer.json() == {"total_amount_gross": ["musi być większe lub równe kwocie netto"]}
        assert self.patch(row_id, total_amount_net=115).json()["total_amount_net"] == 115

    def test_a_net_amount_alone_keeps_an_unknown_gross_amount(self) -> None:
        deal = self.deal(amount=Decimal(100), tax_rate="23")
        update_deals(actor=self.alice, changes=[(deal, {"amount_gross": None})])

        self.patch(deal.pk, total_amount_net=101)

        deal.refresh_from_db()
        assert (deal.amount, deal.amount_gross) == (101, None)

    def test_a_status_leaves_a_closing_stage_that_cannot_have_it(self) -> None:
        row_id = self.create(status_id=self.won.pk)["id"]

        for closed, stage in (("lost", self.lost), ("win", self.won), ("", self.new)):
            shown = self.patch(row_id, closed=closed).json()

            assert (shown["closed"] or "", shown["status_id"]) == (closed, stage.pk)
        shown = self.patch(row_id, closed="lost").json()
        assert shown["status_id"] == self.new.pk

    def test_refusals_have_no_english_half(self) -> None:
        row_id = self.create()["id"]

        answer = self.refused(self.patch(row_id, next_deal_id=row_id), 422)

        assert answer.json() == {"next_deal_id": ["nie może wskazywać na ten sam interes"]}

    def test_a_deal_without_figures_takes_another_name(self) -> None:
        deal = self.deal()
        update_deals(actor=self.alice, changes=[(deal, {"amount": None})])

        assert self.patch(deal.pk, name="Nowa").json()["name"] == "Nowa"


@pytest.mark.race
class TestRaces(Intum, Racing, RaceTestCase):
    def person(self, **change: Any) -> Any:
        return PersonFactory(actor=self.bob, **change)

    def test_many_requests_at_once_give_an_external_id_once(self) -> None:
        answers = self.race(self.create_call(external_id="A"), self.bob)

        assert sorted(answer.status_code for answer in answers) == [201] + [422] * (self.callers - 1)
        assert Deal.objects.count() == 1

    def test_many_upserts_at_once_make_one_client(self) -> None:
        body = {"app_code": "shop", "external_id": "c", "client": {"name": "ABC"}}

        answers = self.race(Call("POST", "/crm/clients/upsert.json", body), self.bob)

        assert sorted(answer.status_code for answer in answers) == [200] * (self.callers - 1) + [201]
        assert len({answer.json()["id"] for answer in answers}) == 1
