"""The same deal, written through any dialect or the canonical API, reads alike through every other one.

A voice says what it has words for: Gauzy has none for amounts and status, and nobody but the canonical API tells lost
from abandoned everywhere. What both voices of a pair can say must agree.
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
class Voice:
    """One way to speak: how it creates a deal, and what it says of one (fact → value)."""

    system: str
    create: Callable[[Any, Facts], Call]
    show: Callable[[Deal], Call]
    said: Callable[[Any], dict[str, Any]]
    headers: tuple[tuple[str, str], ...] = ()


class Speaker(DialectClient):
    """Speaks with one voice; the canonical one lives beside the dialects."""

    def __init__(self, voice: Voice) -> None:
        self.system, self.headers = voice.system, dict(voice.headers)

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


def xalantis_said(body: Any) -> dict[str, Any]:
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


def onlyoffice_said(body: Any) -> dict[str, Any]:
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


def intum_said(deal: Any) -> dict[str, Any]:
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


def leadconnector_said(body: Any) -> dict[str, Any]:
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


def gauzy_said(deal: Any) -> dict[str, Any]:
    return {"name": deal["title"], "stage": deal["stageId"], "person": deal["clientId"]}


def canonical(case: Any, facts: Facts) -> Call:
    body = {
        "name": facts.name,
        "amount": str(facts.amount),
        "stage_id": facts.stage.pk,
        "contact_uuid": str(facts.person.uuid),
    }
    return Call("POST", "/deals", body)


def canonical_said(deal: Any) -> dict[str, Any]:
    return {
        "name": deal["name"],
        "amount": number(deal["amount"] or 0),
        "stage": deal["stage"]["id"],
        "status": deal["status"],
        "person": (deal["contact"] or deal["client"])["uuid"],
    }


VERSION = (("Version", "2021-07-28"),)
VOICES = (
    Voice("xalantis", xalantis, lambda deal: Call("GET", f"/api/v1/deals/{deal.uuid}"), xalantis_said),
    Voice(
        "onlyoffice",
        onlyoffice,
        lambda deal: Call("GET", f"/api/2.0/crm/opportunity/{deal.pk}"),
        onlyoffice_said,
    ),
    Voice("intum", intum, lambda deal: Call("GET", f"/crm/deals/{deal.pk}.json"), intum_said),
    Voice(
        "leadconnector",
        leadconnector,
        lambda deal: Call("GET", f"/opportunities/{deal.uuid}"),
        leadconnector_said,
        VERSION,
    ),
    Voice("gauzy", gauzy, lambda deal: Call("GET", f"/api/deals/{deal.uuid}"), gauzy_said),
)
CANONICAL = Voice("canonical", canonical, lambda deal: Call("GET", f"/deals/{deal.uuid}"), canonical_said)


class PairTests(BaseTestCase):
    def expected(self, facts: Facts, writer: Voice) -> dict[str, set[Any]]:
        """Each fact in any of the words that stand for it: rows by number or uuid."""
        return {
            "name": {facts.name},
            "amount": {number(0 if writer.system == "gauzy" else facts.amount)},
            "stage": {facts.stage.pk, str(facts.stage.uuid)},
            "status": {facts.stage.kind},
            "person": {facts.person.pk, str(facts.person.uuid)},
        }

    def pass_on(self, writer: Voice, facts: Facts) -> None:
        made = Speaker(writer).as_actor(self.bob, writer.create(self, facts))
        assert made.status_code == 201, made.content
        deal, expected = Deal.objects.latest("id"), self.expected(facts, writer)
        for reader in (*VOICES, CANONICAL):
            answer = Speaker(reader).as_actor(self.bob, reader.show(deal))
            assert answer.status_code == 200, answer.content
            said = reader.said(answer.json())
            wrong = {fact: value for fact, value in said.items() if value not in expected[fact]}
            assert wrong == {}, f"{writer.system} → {reader.system}"

    def test_whatever_is_written_reads_alike_everywhere(self) -> None:
        person = self.person(email="ann@example.com")
        stages = st.sampled_from([self.new, self.offer, self.won, self.lost])
        facts = st.builds(Facts, name=NAMES, amount=AMOUNTS, stage=stages, person=st.just(person))

        @settings(max_examples=examples(18), deadline=None, phases=[Phase.generate])
        @given(st.sampled_from([*VOICES, CANONICAL]), facts)
        def hold(writer: Voice, drawn: Facts) -> None:
            self.pass_on(writer, drawn)

        hold()

    def test_a_bid_per_month_is_one_figure_for_everybody(self) -> None:
        person = self.person(email="ann@example.com")
        call = onlyoffice(self, Facts("Retainer", Decimal(1000), self.new, person))
        body = {**call.body, "bidType": 4, "perPeriodValue": 12}

        made = Speaker(VOICES[1]).as_actor(self.bob, Call("POST", call.path, body))

        deal = Deal.objects.latest("id")
        assert (made.status_code, deal.amount) == (201, 12000)
        for reader in (VOICES[0], VOICES[2], VOICES[3], CANONICAL):
            said = reader.said(Speaker(reader).as_actor(self.bob, reader.show(deal)).json())
            assert said["amount"] == number(12000), reader.system
        found = (
            Speaker(CANONICAL).as_actor(self.bob, Call("GET", "/deals", query={"amount_min": "12000"})).json()
        )
        totals = Speaker(CANONICAL).as_actor(self.bob, Call("GET", "/deals/summary")).json()["totals"]
        assert [row["uuid"] for row in found["results"]] == [str(deal.uuid)]
        assert totals[0]["amount"] == "12000.00"
