"""What ONLYOFFICE's contacts can be reached by."""

import json
from typing import Any

from contacts.models import Contact
from tests.dialects.base import BaseTestCase, Call
from tests.dialects.onlyoffice.base import CRM, Onlyoffice

ADDRESS = {"street": "1 Main St", "city": "Boston", "state": "MA", "zip": "02101", "country": "USA"}


class TestContactInfos(Onlyoffice, BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.bare = self.person(email="")
        self.infos = f"/contact/{self.bare.pk}/data"

    def contact(self) -> Contact:
        return Contact.objects.get(pk=self.bare.pk)

    def ok(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        said = self.call(method, path, body, **query)
        assert said["statusCode"] == (201 if method == "POST" else 200), said
        return said["response"]

    def add(self, kind: Any, data: str, **rest: Any) -> Any:
        return self.ok("POST", self.infos, {"infoType": kind, "data": data, **rest})

    def test_they_come_change_and_go(self) -> None:
        self.add("Email", "Ann@Example.com", category="Work", isPrimary=True)
        self.add(0, "+371 1", category=2)
        shown = self.add("Website", "example.com")
        assert shown == {
            "id": 4,
            "infoType": 2,
            "category": 1,
            "data": "example.com",
            "categoryName": "Work",
            "isPrimary": True,
        }
        assert (self.contact().email, self.contact().mobile) == ("ann@example.com", "+371 1")
        assert [row["data"] for row in self.ok("GET", self.infos)] == [
            "ann@example.com",
            "+371 1",
            "example.com",
        ]
        assert self.ok("GET", f"{self.infos}/4.json") == shown
        assert self.ok("GET", f"{self.infos}/Phone") == ["+371 1"]

        self.ok("PUT", f"{self.infos}/3", {"data": "+371 2"})
        assert self.contact().mobile == "+371 2"
        moved = self.ok("PUT", f"{self.infos}/3", {"infoType": "Phone", "category": "Work", "data": "+371 3"})
        assert (moved["id"], self.contact().mobile, self.contact().phone) == (2, "", "+371 3")

        assert self.ok("DELETE", f"{self.infos}/4")["data"] == "example.com"
        for method in ("GET", "DELETE", "PUT"):
            assert self.call(method, f"{self.infos}/4", {"data": "x"})["statusCode"] == 404

    def test_what_has_no_place_is_refused_or_named(self) -> None:
        self.add("Email", "a@example.com")

        for body in (
            {"infoType": "Email", "data": "b@example.com"},
            {"infoType": "Skype", "data": "ann"},
            {"infoType": "Email", "data": ""},
            {"data": "x"},
            {"infoType": 99, "data": "x"},
        ):
            assert self.call("POST", self.infos, body)["statusCode"] == 400, body
        call = Call("POST", f"{CRM}{self.infos}", {"infoType": "Phone", "data": "1", "category": "Home"})
        answer = self.as_actor(self.bob, call)
        assert (answer.status_code, answer["X-Ignored-Fields"]) == (201, "category")

    def test_the_address(self) -> None:
        path = f"/contact/{self.bare.pk}/addressdata"

        shown = self.ok("POST", path, {"address": {**ADDRESS, "category": 5, "isPrimary": True}})

        assert (shown["id"], shown["infoType"], json.loads(shown["data"])) == (5, 7, ADDRESS)
        assert self.contact().custom_fields == {"state": "MA"}
        [address] = self.ok("GET", f"/contact/{self.bare.pk}")["addresses"]
        assert address == {**ADDRESS, "category": 5, "categoryName": "Work", "isPrimary": True}
        assert self.call("POST", path, {"address": {"city": "Riga"}})["statusCode"] == 400

        self.ok("PUT", f"{path}/5", {"address": {**ADDRESS, "state": "", "city": "Riga"}})
        assert (self.contact().city, self.contact().custom_fields) == ("Riga", {})
        self.ok("PUT", f"{self.infos}/5", {"data": json.dumps(ADDRESS)})
        assert (self.contact().city, self.contact().custom_fields) == ("Boston", {"state": "MA"})
        self.ok("DELETE", f"{self.infos}/5")
        assert self.ok("GET", f"/contact/{self.bare.pk}")["addresses"] == []
        for wrong in ("no json", '["x"]', "[" * 10_000):
            body = {"infoType": "Address", "data": wrong}
            assert self.call("POST", self.infos, body)["statusCode"] == 400

    def test_all_at_once(self) -> None:
        path = f"/contact/{self.bare.pk}/batch"
        items = [
            {"infoType": 1, "category": 1, "data": "a@example.com", "isPrimary": True},
            {"InfoType": "Phone", "Category": "Mobile", "Data": "1"},
            {"infoType": "Address", "category": 5, "data": json.dumps(ADDRESS)},
        ]

        rows = self.ok("POST", path, {"items": items})
        assert [(row["id"], row["infoType"]) for row in rows] == [(1, 1), (3, 0), (5, 7)]
        assert (self.contact().email, self.contact().mobile, self.contact().city) == (
            "a@example.com",
            "1",
            "Boston",
        )
        taken = [{"infoType": "Email", "data": "b@example.com"}]
        assert self.call("POST", path, {"items": taken})["statusCode"] == 400

        self.ok("PUT", path, {"items": taken})
        contact = self.contact()
        assert (contact.email, contact.mobile, contact.city, contact.custom_fields) == (
            "b@example.com",
            "",
            "",
            {},
        )
        assert self.ok("POST", path, {"items": [None]}) == self.ok("POST", path, {"items": None}) == []
        two = [*taken, {"infoType": "Email", "data": "c@example.com"}]
        assert self.call("PUT", path, {"items": two})["statusCode"] == 400

    def test_the_types_that_are_stored(self) -> None:
        for path in ("/contact/data/infoType", "/contact/data/infotype.json"):
            assert self.ok("GET", path) == ["Phone", "Email", "Website", "Address"]
        assert self.ok("GET", "/contact/data/phone/category") == ["Work", "Mobile"]
        assert self.ok("GET", "/contact/data/Skype/category") == []
        assert self.call("GET", "/contact/data/nonsense/category")["statusCode"] == 404
