"""ONLYOFFICE's authentication, people, currencies and user fields."""

import datetime
import json
from typing import Any
from urllib.parse import urlencode

from django.test import Client
from django.utils import timezone

from crm_project.accounts.models import ApiToken
from tests.dialects.base import BaseTestCase, Call, replaced
from tests.dialects.onlyoffice.base import CRM, Onlyoffice
from tests.dialects.onlyoffice.test_seed import raw
from tests.factories import CustomFieldFactory

LOGIN = "/api/2.0/authentication"
FORM = "application/x-www-form-urlencoded"


class TestAuthentication(Onlyoffice, BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.bob.member.user.set_password("a good password")
        self.bob.member.user.save()

    def sign_in(self, password: str = "a good password", path: str = LOGIN) -> Any:
        return self.send(Call("POST", path, {"userName": "Bob@example.com", "password": password}))

    def test_a_password_becomes_a_token_of_twelve_hours(self) -> None:
        for path in (LOGIN, f"{LOGIN}.json"):
            answer = self.sign_in(path=path)

            said = answer.json()
            assert (answer.status_code, said["count"], said["status"], said["statusCode"]) == (201, 1, 0, 201)
            expires = datetime.datetime.fromisoformat(said["response"]["expires"][:26] + "+00:00")
            assert abs(expires - timezone.now() - datetime.timedelta(hours=12)) < datetime.timedelta(
                minutes=1
            )
            me = self.send(raw(Call("GET", "/api/2.0/people/@self"), said["response"]["token"]))
            assert me.json()["response"]["email"] == "bob@example.com"

    def test_a_form_will_do(self) -> None:
        body = b"username=bob%40example.com&password=a+good+password"

        answer = self.send(Call("POST", LOGIN, body, content_type=FORM))

        assert answer.status_code == 201

    def test_a_wrong_password_makes_no_token(self) -> None:
        answer = self.sign_in("another")

        assert answer.status_code == 401
        assert answer.json()["error"]["message"]
        assert not ApiToken.objects.exists()

    def test_five_wrong_ones_close_the_door(self) -> None:
        for _ in range(5):
            assert self.sign_in("another").status_code == 401

        answer = Client().post(
            f"/dialects/onlyoffice{LOGIN}",
            {"userName": "bob@example.com", "password": "a good password"},
            "application/json",
        )

        assert answer.status_code == 429
        assert answer.json()["statusCode"] == 429
        assert int(answer["Retry-After"]) > 0

    def test_what_is_no_login_is_refused(self) -> None:
        for body in ({}, {"userName": "bob@example.com"}, {"userName": "", "password": ""}, []):
            assert self.send(Call("POST", LOGIN, body)).status_code == 400
        for name in ("bob\x00@example.com", "\ud800", "nobody@example.com"):
            answer = self.send(Call("POST", LOGIN, {"userName": name, "password": "x\ud800"}))
            assert answer.status_code in (400, 401)

    def test_the_token_may_what_its_member_may(self) -> None:
        secret = self.sign_in().json()["response"]["token"]

        assert self.send(raw(self.create_call(), secret)).status_code == 201


class TestPortal(Onlyoffice, BaseTestCase):
    def get(self, path: str) -> Any:
        return self.as_actor(self.bob, Call("GET", f"/api/2.0{path}")).json()

    def test_people(self) -> None:
        bob = str(self.bob.member.uuid)

        said = self.get("/people.json")

        assert [row["displayName"] for row in said["response"]] == ["Alice", "Mary", "Bob", "Victor"]
        assert self.get(f"/people/{bob}")["response"] == self.get("/people/@self")["response"]
        assert self.get(f"/people/{self.charlie.member.uuid}")["statusCode"] == 404

    def test_currencies(self) -> None:
        rows = {row["abbreviation"]: row for row in self.get("/crm/settings/currency")["response"]}

        assert len(rows) > 100
        assert rows["USD"] == {
            "title": "US Dollar",
            "symbol": "$",
            "abbreviation": "USD",
            "cultureName": "US",
            "isConvertable": False,
            "isBasic": True,
        }

    def test_currencies_in_the_organizations_language(self) -> None:
        for language, title in (("de", "US-Dollar"), ("xx-nonsense", "US Dollar")):
            self.organization.language = language
            self.organization.save()

            rows = self.get("/crm/settings/currency")["response"]

            assert title in {row["title"] for row in rows}

    def test_the_organizations_currency_is_set_by_its_admins(self) -> None:
        path = "/settings/currency"

        said = self.call_as(self.alice, "PUT", path, {"currency": "usd"})

        assert (said["statusCode"], said["response"]["abbreviation"]) == (200, "USD")
        self.organization.refresh_from_db()
        assert self.organization.currency == "USD"
        assert self.create(bidCurrencyAbbr="")["bidCurrency"]["abbreviation"] == "USD"
        for code in ("ABC", "", None):
            assert self.call_as(self.alice, "PUT", path, {"currency": code})["statusCode"] == 400
        assert self.call_as(self.manager, "PUT", path, {"currency": "EUR"})["statusCode"] == 403

    def test_no_rates_are_known(self) -> None:
        said = self.call(
            "GET", "/settings/currency/convert", amount="12.5", fromcurrency="EUR", tocurrency="eur"
        )
        assert (said["count"], said["response"]) == (1, 12.5)
        for wrong in ({"tocurrency": "USD"}, {"tocurrency": "ABC"}, {"tocurrency": "EUR", "amount": "x"}):
            query = {"amount": "1", "fromcurrency": "EUR", **wrong}
            assert self.call("GET", "/settings/currency/convert", **query)["statusCode"] == 400
        [own] = self.call("GET", "/settings/currency/summarytable.json", currency="usd")["response"]
        assert (own["abbreviation"], own["rate"]) == ("USD", 1)
        assert self.call("GET", "/settings/currency/summarytable")["statusCode"] == 400
        assert self.call("GET", "/currency/rates")["response"] == []
        for path in ("/currency/rates/1", "/currency/rates/EUR/USD"):
            assert self.call("GET", path)["statusCode"] == 404
        body = {"fromCurrency": "EUR", "toCurrency": "USD", "rate": "1.1"}
        assert self.call_as(self.alice, "POST", "/currency/rates", body)["statusCode"] == 400

    def test_people_are_filtered(self) -> None:
        self.manager.member.is_active = False
        self.manager.member.save()

        for query, names in (
            ({"employeeStatus": "Active"}, ["Alice", "Bob", "Victor"]),
            ({"employeeStatus": "2"}, ["Mary"]),
            ({"filterValue": "BOB@"}, ["Bob"]),
        ):
            for path in ("/api/2.0/people/filter.json", "/api/2.0/people/simple/filter"):
                rows = self.as_actor(self.bob, Call("GET", path, query=query)).json()
                assert [row["displayName"] for row in rows["response"]] == names
        for path, names in (
            ("/people/status/active.json", ["Alice", "Bob", "Victor"]),
            ("/people/status/Terminated", ["Mary"]),
            ("/people/status/All", ["Alice", "Mary", "Bob", "Victor"]),
            ("/people/status/active/search?query=bo", ["Bob"]),
            ("/people/search?query=vic", ["Victor"]),
            ("/people/@search/ali.json", ["Alice"]),
        ):
            assert [row["displayName"] for row in self.get(path)["response"]] == names, path
        assert self.get("/people/status/asleep")["statusCode"] == 400

    def test_a_person_is_found_by_the_address(self) -> None:
        me = self.get("/people/@self")["response"]

        assert self.get("/people/email?email=BOB@example.com")["response"] == me
        assert self.get("/people/email?email=charlie@example.org")["statusCode"] == 404
        assert self.get("/people/email")["statusCode"] == 400

    def test_user_fields(self) -> None:
        CustomFieldFactory(actor=self.alice, key="size", label="Size", type="select", options=["S", "M"])
        CustomFieldFactory(actor=self.alice, kind="contact", key="shoe", label="Shoe", type="date")
        deal = self.deal(custom_fields={"size": "M"})

        rows = self.get("/crm/opportunity/customfield/definitions")["response"]
        assert [(row["label"], row["fieldType"], row["mask"]) for row in rows] == [
            ("City", 0, ""),
            ("Size", 2, '["S", "M"]'),
        ]
        for entity in ("contact", "person", "company"):
            rows = self.get(f"/crm/{entity}/customfield/definitions.json")["response"]
            assert [(row["label"], row["fieldType"]) for row in rows] == [("Shoe", 5)]
        rows = self.get(f"/crm/opportunity/{deal.pk}/customfield")["response"]
        assert [(row["entityId"], row["fieldValue"]) for row in rows] == [(deal.pk, "M")]

    def test_a_user_field_is_set_by_itself(self) -> None:
        CustomFieldFactory(actor=self.alice, kind="contact", key="shoe", label="Shoe", type="number")
        shoe = self.get("/crm/person/customfield/definitions")["response"][0]["id"]
        deal = self.deal()

        for path, field, text in (
            (f"/opportunity/{deal.pk}", self.city.pk, "Riga"),
            (f"/person/{self.ann.pk}", shoe, "42"),
        ):
            said = self.call("POST", f"{path}/customfield/{field}.json", fieldValue=text)
            assert (said["statusCode"], said["response"]["fieldValue"]) == (201, text), said
            assert self.call("GET", f"{path}/customfield")["count"] == 1
            assert self.call("POST", f"{path}/customfield/{field}", {"fieldValue": ""})["statusCode"] == 201
            assert self.call("GET", f"{path}/customfield")["response"] == []
        assert self.call("POST", f"/opportunity/{deal.pk}/customfield/{shoe}")["statusCode"] == 404
        assert (
            self.call("POST", f"/contact/{self.ann.pk}/customfield/{shoe}", {"fieldValue": "x"})["statusCode"]
            == 400
        )


class TestBatch(Onlyoffice, BaseTestCase):
    """Several reads in one request, as the vendor's own pages send them."""

    def batch(self, items: Any, actor: Any = None) -> Any:
        body = urlencode({"batch": json.dumps(items)}).encode()
        call = Call("POST", "/api/2.0/batch.json", body, content_type=FORM)
        return self.as_actor(actor or self.bob, call)

    def test_reads_are_answered_by_their_names(self) -> None:
        self.deal(name="Mine")
        self.deal(self.alice, name="Hidden", is_private=True)
        items = [
            {"Name": "2", "Order": 2, "RelativeUrl": f"{CRM}/opportunity/filter.json?fields=title&__=17"},
            {"Name": "1", "Order": 1, "RelativeUrl": f"http://host/dialects/onlyoffice{CRM}/contact/filter"},
            {"Name": "3", "Order": 3, "RelativeUrl": f"{CRM}/opportunity/999999.json"},
            {"Name": "4", "Order": 4, "RelativeUrl": "nonsense%00"},
        ]

        answer = self.batch(items)

        said = answer.json()
        assert (answer.status_code, said["statusCode"], said["count"]) == (201, 201, 4)
        assert "X-Ignored-Fields" not in answer
        assert [(row["name"], row["status"]) for row in said["response"]] == [
            ("1", 200),
            ("2", 200),
            ("3", 404),
            ("4", 404),
        ]
        found = json.loads(said["response"][1]["data"])
        assert found["response"] == [{"title": "Mine"}]
        assert json.loads(said["response"][2]["data"])["error"]["message"] == "Not found"

    def test_every_role_reads_and_none_writes(self) -> None:
        items = [{"RelativeUrl": f"{CRM}/opportunity/stage"}]

        assert self.batch(items, self.viewer).status_code == 201
        assert self.batch([{"RelativeUrl": "line%0Afeed"}]).status_code in (201, 404)
        for wrong in (
            [{**items[0], "Method": "DELETE"}],
            [{**items[0], "Body": "title=x"}],
            items * 101,
            [{}],
            [{"RelativeUrl": "x%0Ay"}, {}],
            "no list",
        ):
            assert self.batch(wrong).status_code == 400, wrong
        assert self.send(Call("POST", "/api/2.0/batch", b"batch=[", content_type=FORM)).status_code == 401


class TestErrors(Onlyoffice, BaseTestCase):
    def test_every_refusal_has_the_vendors_shape(self) -> None:
        big = b"title=" + b"x" * 1_100_000
        for call, status in (
            (Call("POST", self.path, big, content_type=FORM), 413),
            (Call("POST", self.path, b'{"title": "' + b"x" * 1_100_000), 413),
            (Call("POST", self.path, b"title", content_type="text/plain"), 415),
            (Call("POST", self.path, b"<title/>", content_type="text/xml"), 415),
            (Call("POST", self.path, b"title=%ff", content_type=FORM), 400),
            (Call("POST", self.path, b"a=1&a[b]=2", content_type=FORM), 400),
            (Call("POST", self.path, b"a[b][c][d][e]=2", content_type=FORM), 400),
            (Call("POST", self.path, b'{"title": '), 400),
            (Call("POST", self.path, b"[]"), 400),
            (Call("PATCH", self.path, {}), 405),
            (Call("OPTIONS", self.path), 405),
            (Call("GET", f"{CRM}/nothing"), 404),
            (Call("GET", f"{CRM}/opportunity/filter", query={"count": "many"}), 400),
        ):
            for suffix in ("", ".json"):
                answer = self.as_actor(self.bob, replaced(call, path=f"{call.path}{suffix}"))

                said = answer.json()
                assert (answer.status_code, said["statusCode"], said["status"]) == (status, status, 1), call
                assert said["error"]["message"], call

    def test_a_parameter_repeated_with_the_same_value_counts_once(self) -> None:
        """The vendor's own client puts what it reads by into the URL, and once more behind it."""
        query = "currency=EUR&__=1&__=1&currency=EUR"

        answer = self.as_actor(self.bob, Call("GET", f"{CRM}/settings/currency/summarytable?{query}"))

        assert answer.status_code == 200
