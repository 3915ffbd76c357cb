"""Doubles in the dialects with amounts: a number that is off by its imprecision is the amount that it stands for."""

import importlib
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from crm_project.dialects.kit.money import MoneyField, exact_amount
from crm_project.dialects.kit.serializers import DialectSerializer
from deals.models import Deal
from deals.services import update_deals
from tests.base import BaseTestCase
from tests.dialects.base import Call
from tests.dialects.test_pairs import APIS, CANONICAL, Facts, SystemClient

# What clients compute, and the amount that it stands for.
DOUBLES = {1.1 * 3: "3.3", 0.1 + 0.2: "0.3", 8.2 * 3: "24.6", 1.15 * 100: "115", 4.35 * 100: "435"}
# The amounts of the dialects, each with its column. Gauzy's deals have none.
FIELDS = {
    ("xalantis", "amount"): "amount",
    ("onlyoffice", "bidValue"): "amount",
    ("intum", "total_amount_net"): "amount",
    ("intum", "total_amount_gross"): "amount_gross",
    ("leadconnector", "monetaryValue"): "amount",
}
UPDATES = {
    "xalantis": ("PATCH", "/api/v1/deals/{uuid}"),
    "onlyoffice": ("PUT", "/api/2.0/crm/opportunity/{pk}"),
    "intum": ("PATCH", "/crm/deals/{pk}.json"),
    "leadconnector": ("PUT", "/opportunities/{uuid}"),
}


def subclasses(serializer: Any) -> Iterator[Any]:
    for one in serializer.__subclasses__():
        yield one
        yield from subclasses(one)


@pytest.mark.parametrize(
    ("number", "decimals", "expected"),
    [
        ("3.3000000000000003", 2, "3.30"),
        ("3.3000000000000003", 3, "3.300"),
        ("1000.0000000000001", 0, "1000"),
        ("15000.5", 0, "15000.5"),
        ("0.005", 2, "0.005"),
        ("3.30000000001", 2, "3.30000000001"),
        ("122.9877", 2, "122.9877"),
        ("999999999999.9901", 2, "999999999999.99"),
        ("999999999999.991", 2, "999999999999.991"),
        ("0.0000000000000001", 2, "0.0000000000000001"),
        ("1e30", 2, "1e30"),
    ],
)
def test_the_amount_of_a_double(number: str, decimals: int, expected: str) -> None:
    assert exact_amount(Decimal(number), decimals) == Decimal(expected)


class TestDoubles(BaseTestCase):
    def setUp(self) -> None:
        self.ann = self.person(email="ann@example.com")

    def call(self, api: Any, **values: Any) -> Call:
        call = api.create(self, Facts("Deal", Decimal(1), self.new, self.ann))
        body = call.body.get("deal", call.body)
        body.update(values)
        return Call(call.method, call.path, call.body)

    def calls(self, system: str, name: str, value: Any) -> Iterator[tuple[Any, Call]]:
        """A creation and an update with this value, each with its API; other amounts fit it."""
        api = next(api for api in APIS if api.system == system)
        rest = {"total_amount_net": 0, "total_amount_gross": 1000, "tax": "zw"} if system == "intum" else {}
        yield api, self.call(api, **{**rest, name: value})
        deal = self.deal(contact=self.ann.pk, amount=Decimal(0), amount_gross=Decimal(1000))
        method, path = UPDATES[system]
        body: dict[str, Any] = {name: value}
        if system == "onlyoffice":
            body = {**self.call(api).body, **body}
        body = {"deal": body} if system == "intum" else body
        yield api, Call(method, path.format(uuid=deal.uuid, pk=deal.pk), body)

    def test_the_table_has_every_amount_of_the_dialects(self) -> None:
        importlib.import_module("crm_project.urls")
        found = {
            (serializer.__module__.split(".")[2], name)
            for serializer in subclasses(DialectSerializer)
            for name, field in serializer._declared_fields.items()
            if isinstance(field, MoneyField)
        }

        assert found == set(FIELDS)

    def test_a_double_is_its_amount(self) -> None:
        for (system, name), column in FIELDS.items():
            for number, amount in DOUBLES.items():
                for api, call in self.calls(system, name, number):
                    answer = SystemClient(api).as_actor(self.bob, call)

                    assert answer.status_code in (200, 201), (system, name, number, answer.content)
                    assert getattr(Deal.objects.latest("id"), column) == Decimal(amount), (system, name)

    def test_texts_and_real_decimals_stay_refused(self) -> None:
        for system, name in FIELDS:
            for value in (3.301, "3.3000000000000003", 99.99 * 1.23):
                for api, call in self.calls(system, name, value):
                    answer = SystemClient(api).as_actor(self.bob, call)

                    assert answer.status_code in (400, 422), (system, name, value, answer.content)

    def test_the_canonical_api_stays_strict(self) -> None:
        answer = SystemClient(CANONICAL).as_actor(self.bob, self.call(CANONICAL, amount=1.1 * 3))

        assert answer.status_code == 400

    def test_the_deals_own_currency_counts(self) -> None:
        deal = self.deal(contact=self.ann.pk)
        update_deals(actor=self.bob, changes=[(deal, {"amount": Decimal(1000), "currency": "JPY"})])
        paths = {"xalantis": ("PATCH", f"/api/v1/deals/{deal.uuid}", "amount")}
        paths["leadconnector"] = ("PUT", f"/opportunities/{deal.uuid}", "monetaryValue")
        for api in APIS:
            if api.system in paths:
                method, path, name = paths[api.system]
                for number, status in ((1000.0000000000001, 200), (1000.5, 422)):
                    answer = SystemClient(api).as_actor(self.bob, Call(method, path, {name: number}))

                    assert answer.status_code == status, answer.content
        deal.refresh_from_db()
        assert (deal.amount, deal.version) == (1000, 2)

    def test_an_upsert_without_an_id_reads_the_currency_of_the_deal(self) -> None:
        deal = self.deal(contact=self.ann.pk, amount=Decimal(5), currency="JPY")
        api = next(api for api in APIS if api.system == "leadconnector")
        body = {
            "locationId": str(self.organization.uuid),
            "pipelineId": str(self.pipeline.uuid),
            "contactId": str(self.ann.uuid),
            "monetaryValue": json.loads("7.0000000000000009"),
        }

        answer = SystemClient(api).as_actor(self.bob, Call("POST", "/opportunities/upsert", body))

        assert answer.json()["opportunity"]["monetaryValue"] == 7
        assert answer.json()["opportunity"]["id"] == str(deal.uuid)
