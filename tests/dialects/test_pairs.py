"""A deal that is written through one API, a dialect or the canonical one, has the same facts in all others.

An API has the facts that its format can express: Gauzy has no amounts and no status, and not every dialect
distinguishes lost from abandoned. The facts that both APIs of a pair can express must agree.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.test import Client
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from deals.models import Deal
from tests.dialects.base import BaseTestCase, Call, DialectClient
from tests.examples import examples

KINDS = {"open": "open", "won": "won", "lost": "lost"}
LETTERS = st.text(alphabet="abcdefghijklmnopqrstuvwxyzäößéłż ABC&'\"<>123", min_size=1, max_size=40)
NAMES = LETTERS.filter(lambda name: name.strip() == name != "")
AMOUNTS = st.integers(0, 10**11 - 1).map(lambda cents: Decimal(cents) / 100)


@dataclass(frozen=True)
class Facts:
    """What a deal is, as far as anybody can say it."""

    name: str
    amount: Decimal
    stage: Any
    person: Any


@dataclass(frozen=True)
class Api:
    """One API: how it creates a deal, and its representation of a deal (fact → value)."""

    system: str
    create: Callable[[Any, Facts], Call]
    show: Callable[[Deal], Call]
    facts_in: Callable[[Any], dict[str, Any]]
    headers: tuple[tuple[str, str], ...] = ()


class SystemClient(DialectClient):
    """A client of one API, dialect or canonical."""

    def __init__(self, api: Api) -> None:
        self.system, self.headers = api.system, dict(api.headers)

    def send(self, call: Call) -> Any:
        if self.system != CANONICAL.system:
            return super().send(call)
        body = b"" if call.body is None else json.dumps(call.body).encode()
        query, headers = dict(call.query) or None, dict(call.headers)
        return Client().generic(
            call.method, f"/api{call.path}", body, "application/json", headers=headers, query_params=query
        )


def number(value: Any) -> Decimal:
    return Decimal(str(value)).normalize()


def xalantis(case: Any, facts: Facts) -> Call:
    person = {"contact_email": facts.person.email, "contact_first_name": "Ann"}
    body = {"name": facts.name, "amount": float(facts.amount), "stage_id": facts.stage.pk, **person}
    return Call("POST", "/api/v1/deals", body)


def facts_of_xalantis(body: Any) -> dict[str, Any]:
    deal = body["data"]
    person = deal["contact"] and deal["contact"]["uuid"]
    return {
        "name": deal["name"],
        "amount": number(deal["amount"] or 0),
        "stage": deal["stage"]["id"],
        "status": deal["status"],
        "person": person,
    }


def onlyoffice(case: Any, facts: Facts) -> Call:
    body = {
        "title": facts.name,
        "bidValue": float(facts.amount),
        "bidCurrencyAbbr": "EUR",
        "stageid": facts.stage.pk,
        "contactid": facts.person.pk,
        "responsibleid": str(case.bob.member.uuid),
    }
    return Call("POST", "/api/2.0/crm/opportunity", body)


def facts_of_onlyoffice(body: Any) -> dict[str, Any]:
    deal = body["response"]
    return {
        "name": deal["title"],
        "amount": number(deal.get("bidValue", 0)),
        "stage": deal["stage"]["id"],
        "status": ("open", "won", "lost")[deal["stage"]["stageType"]],
        "person": deal["contact"]["id"],
    }


def intum(case: Any, facts: Facts) -> Call:
    amount = float(facts.amount)
    deal = {"name": facts.name, "total_amount_net": amount, "total_amount_gross": amount, "tax": "zw"}
    deal |= {"status_id": facts.stage.pk, "contact_id": facts.person.pk}
    return Call("POST", "/crm/deals.json", {"deal": deal})


def facts_of_intum(deal: Any) -> dict[str, Any]:
    return {
        "name": deal["name"],
        "amount": number(deal["total_amount_net"] or 0),
        "stage": deal["status_id"],
        "status": {None: "open", "win": "won", "lost": "lost"}[deal["closed"]],
        "person": deal["contact_id"] or deal["client_id"],
    }


def leadconnector(case: Any, facts: Facts) -> Call:
    body = {
        "locationId": str(case.organization.uuid),
        "pipelineId": str(case.pipeline.uuid),
        "pipelineStageId": str(facts.stage.uuid),
        "name": facts.name,
        "status": KINDS[facts.stage.kind],
        "contactId": str(facts.person.uuid),
        "monetaryValue": float(facts.amount),
    }
    return Call("POST", "/opportunities/", body)


def facts_of_leadconnector(body: Any) -> dict[str, Any]:
    deal = body["opportunity"]
    return {
        "name": deal["name"],
        "amount": number(deal["monetaryValue"] or 0),
        "stage": deal["pipelineStageId"],
        "status": deal["status"],
        "person": deal["contactId"],
    }


def gauzy(case: Any, facts: Facts) -> Call:
    body = {"title": facts.name, "stageId": str(facts.stage.uuid), "clientId": str(facts.person.uuid)}
    return Call("POST", "/api/deals", body)


def facts_of_gauzy(deal: Any) -> dict[str, Any]:
    return {"name": deal["title"], "stage": deal["stageId"], "person": deal["clientId"]}


def canonical(case: Any, facts: Facts) -> Call:
    body = {
        "name": facts.name,
        "amount": str(facts.amount),
        "stage_id": facts.stage.pk,
        "contact_uuid": str(facts.person.uuid),
    }
    return Call("POST", "/deals", body)


def facts_of_canonical(deal: Any) -> dict[str, Any]:
    return {
        "name": deal["name"],
        "amount": number(deal["amount"] or 0),
        "stage": deal["stage"]["id"],
        "status": deal["status"],
        "person": (deal["contact"] or deal["client"])["uuid"],
    }


VERSION = (("Version", "2021-07-28"),)
APIS = (
    Api("xalantis", xalantis, lambda deal: Call("GET", f"/api/v1/deals/{deal.uuid}"), facts_of_xalantis),
    Api(
        "onlyoffice",
        onlyoffice,
        lambda deal: Call("GET", f"/api/2.0/crm/opportunity/{deal.pk}"),
        facts_of_onlyoffice,
    ),
    Api("intum", intum, lambda deal: Call("GET", f"/crm/deals/{deal.pk}.json"), facts_of_intum),
    Api(
        "leadconnector",
        leadconnector,
        lambda deal: Call("GET", f"/opportunities/{deal.uuid}"),
        facts_of_leadconnector,
        VERSION,
    ),
    Api("gauzy", gauzy, lambda deal: Call("GET", f"/api/deals/{deal.uuid}"), facts_of_gauzy),
)
CANONICAL = Api("canonical", canonical, lambda deal: Call("GET", f"/deals/{deal.uuid}"), facts_of_canonical)


class PairTests(BaseTestCase):
    def expected(self, facts: Facts, writer: Api) -> dict[str, set[Any]]:
        """Each fact in any of the words that stand for it: rows by number or uuid."""
        return {
            "name": {facts.name},
            "amount": {number(0 if writer.system == "gauzy" else facts.amount)},
            "stage": {facts.stage.pk, str(facts.stage.uuid)},
            "status": {facts.stage.kind},
            "person": {facts.person.pk, str(facts.person.uuid)},
        }

    def pass_on(self, writer: Api, facts: Facts) -> None:
        made = SystemClient(writer).as_actor(self.bob, writer.create(self, facts))
        assert made.status_code == 201, made.content
        deal, expected = Deal.objects.latest("id"), self.expected(facts, writer)
        for reader in (*APIS, CANONICAL):
            answer = SystemClient(reader).as_actor(self.bob, reader.show(deal))
            assert answer.status_code == 200, answer.content
            read = reader.facts_in(answer.json())
            wrong = {fact: value for fact, value in read.items() if value not in expected[fact]}
            assert wrong == {}, f"{writer.system} → {reader.system}"

    def test_every_write_reads_alike_in_all_dialects(self) -> None:
        person = self.person(email="ann@example.com")
        stages = st.sampled_from([self.new, self.offer, self.won, self.lost])
        facts = st.builds(Facts, name=NAMES, amount=AMOUNTS, stage=stages, person=st.just(person))

        @settings(max_examples=examples(18), deadline=None, phases=[Phase.generate])
        @given(st.sampled_from([*APIS, CANONICAL]), facts)
        def hold(writer: Api, drawn: Facts) -> None:
            self.pass_on(writer, drawn)

        hold()

    def test_a_bid_per_month_is_one_figure_for_everybody(self) -> None:
        person = self.person(email="ann@example.com")
        call = onlyoffice(self, Facts("Retainer", Decimal(1000), self.new, person))
        body = {**call.body, "bidType": 4, "perPeriodValue": 12}

        made = SystemClient(APIS[1]).as_actor(self.bob, Call("POST", call.path, body))

        deal = Deal.objects.latest("id")
        assert (made.status_code, deal.amount) == (201, 12000)
        for reader in (APIS[0], APIS[2], APIS[3], CANONICAL):
            read = reader.facts_in(SystemClient(reader).as_actor(self.bob, reader.show(deal)).json())
            assert read["amount"] == number(12000), reader.system
        found = (
            SystemClient(CANONICAL)
            .as_actor(self.bob, Call("GET", "/deals", query={"amount_min": "12000"}))
            .json()
        )
        totals = SystemClient(CANONICAL).as_actor(self.bob, Call("GET", "/deals/summary")).json()["totals"]
        assert [row["uuid"] for row in found["results"]] == [str(deal.uuid)]
        assert totals[0]["amount"] == "12000.00"
