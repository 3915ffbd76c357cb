"""The base view and the fields of the kit, in a small vendor of the test."""

import json
from decimal import Decimal
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from crm_project.api.fields import StrictInteger
from crm_project.dialects.kit.fields import NumberField, UnsupportedField
from crm_project.dialects.kit.rows import NumberedRowField, RowField, RowListField
from crm_project.dialects.kit.serializers import DialectSerializer
from crm_project.dialects.kit.views import DialectView
from crm_project.records.services import change_references
from deals.models import Deal
from tests.base import BaseTestCase
from tests.dialects.base import secret_of


class NestedBody(DialectSerializer):
    amount = NumberField()


class Body(DialectSerializer):
    stage = NumberedRowField("stage", required=False)
    people = RowListField("user", source="followers", required=False)
    color = UnsupportedField()
    price = NestedBody(required=False)


class Query(DialectSerializer):
    limit = StrictInteger(required=False)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value({**data, "limit": int(data.get("limit", 20))})


class Shown(serializers.Serializer[Any]):
    id = RowField("deal", source="*")
    stage = NumberedRowField("stage")
    contact = RowField("contact")
    followers = RowListField("user", through="follower_links.member")


class View(DialectView):
    system = "xalantis"
    answer = staticmethod(lambda problem, request: Response(problem.body(request), problem.status))
    queries = {"index": Query}

    def create(self, request: Request) -> Response:
        change = self.read(Body)
        return Response({"change": change, "names": self.wire_names})

    def index(self, request: Request) -> Response:
        deals = Deal.objects.visible_to(self.actor.member).for_reading(self.actor.member)
        return Response(self.serialize(Shown, deals.order_by("id")[: self.query["limit"]], many=True))


class TestKit(BaseTestCase):
    def ask(self, method: str, body: Any = None, **query: str) -> Any:
        request = APIRequestFactory().generic(
            method,
            "/",
            b"" if body is None else json.dumps(body),
            content_type="application/json",
            QUERY_STRING="&".join(f"{name}={value}" for name, value in query.items()),
            HTTP_AUTHORIZATION=f"Bearer {secret_of(self.bob)}",
        )
        return View.as_view({"get": "index", "post": "create"})(request).render()

    def test_ids_become_ours(self) -> None:
        change_references(actor=self.manager, row=self.new, add=[("xalantis", "their-stage")])

        answer = self.ask("POST", {"stage": "their-stage", "people": str(self.bob.member.uuid)})

        assert answer.data["change"] == {"stage": self.new.pk, "followers": [self.bob.member.pk]}

    def test_all_unknown_ids_are_named(self) -> None:
        answer = self.ask("POST", {"stage": self.theirs.stages.first().pk, "people": ["nobody"]})

        assert answer.status_code == 400
        assert [error["pointer"] for error in answer.data["errors"]] == ["/stage", "/people"]

    def test_unsupported_values_are_refused_unless_they_are_empty(self) -> None:
        assert self.ask("POST", {"color": "red"}).data["errors"][0]["code"] == "not_supported"
        for nothing in (None, "", [], {}, False):
            assert self.ask("POST", {"color": nothing}).data["change"] == {}

    def test_a_text_may_be_a_number(self) -> None:
        for text, number in (
            ("12.50", "12.50"),
            (" 7 ", "7"),
            ("1.2345675e+06", "1234567.5"),
            ("5E-1", "0.5"),
        ):
            answer = self.ask("POST", {"price": {"amount": text}})
            assert answer.data["change"]["price"]["amount"] == Decimal(number)
        for text in ("", "1e", "e5", "1e999", "0x10", "1_000", "1 000", "nan", "\u0661"):
            answer = self.ask("POST", {"price": {"amount": text}})
            assert answer.data["errors"][0]["pointer"] == "/price/amount"

    def test_nested_names_that_are_ignored_have_their_path(self) -> None:
        answer = self.ask("POST", {"price": {"amount": "12.50", "vat": 1}, "shape": 2}, debug="1")

        assert answer["X-Ignored-Fields"] == "debug, shape, price.vat"
        assert b'"amount":12.5' in answer.content

    def test_a_list_looks_up_its_ids_at_once(self) -> None:
        def queries(deals: int) -> int:
            for _ in range(deals):
                self.deal(contact=self.person().pk, followers=[self.bob.member.pk, self.alice.member.pk])
            with CaptureQueriesContext(connection) as counted:
                assert len(self.ask("GET").data) == Deal.objects.count()
            return len(counted)

        queries(1)  # reads the stages, which are kept
        assert queries(1) == queries(3)

    def test_the_query_is_read_and_the_rest_of_it_named(self) -> None:
        for _ in range(2):
            self.deal(followers=[self.bob.member.pk])

        answer = self.ask("GET", limit="1", nonsense="2")

        assert len(answer.data) == 1
        assert answer.data[0]["followers"] == [str(self.bob.member.uuid)]
        assert answer["X-Ignored-Fields"] == "nonsense"
