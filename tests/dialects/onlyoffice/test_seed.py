"""The request that ONLYOFFICE's documentation prints, and the contract of every dialect."""

import base64
import re
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import encode_multipart

from tests.dialects.base import BaseTestCase, Call, DialectContract, bearer, load, replaced
from tests.dialects.onlyoffice.base import CRM, REQUEST, Onlyoffice

CREATED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{7}Z")


def raw(call: Call, secret: str) -> Call:
    return replaced(call, headers={**call.headers, "Authorization": secret})


def cookie(call: Call, secret: str) -> Call:
    return replaced(call, headers={**call.headers, "Cookie": f"asc_auth_key={secret}"})


class TestSeed(Onlyoffice, DialectContract, BaseTestCase):
    token_ways = {"raw": raw, "bearer": bearer, "cookie": cookie}
    wrong_verb = "PATCH"
    invalid_status = malformed_status = 400

    def row_id(self, deal: Any) -> str:
        return str(deal.pk)

    def unknown_id(self) -> str:
        return "999999"

    def row_calls(self, row_id: str) -> list[Call]:
        one = f"{self.path}/{row_id}"
        return [
            Call("GET", one),
            Call("GET", f"{one}.json"),
            Call("PUT", one, self.body()),
            Call("DELETE", one),
            Call("PUT", f"{one}/stage/{self.offer.pk}", {"stageid": self.offer.pk}),
            Call("PUT", f"{one}/access", {"isPrivate": False}),
            Call("GET", f"{one}/contact"),
            Call("POST", f"{one}/contact/{self.ann.pk}"),
            Call("DELETE", f"{one}/contact/{self.ann.pk}"),
            Call("GET", f"{one}/customfield"),
            Call("POST", f"{one}/customfield/{self.city.pk}", {"fieldValue": "Riga"}),
            Call("GET", f"{self.path}/tag/{row_id}"),
            Call("POST", f"{one}/tag", {"tagName": "vip"}),
            Call("PUT", f"{one}/creationdate", {"creationDate": "2026-01-01"}),
            Call("POST", f"{CRM}/contact/{self.ann.pk}/opportunity/{row_id}"),
        ]

    def invalid_calls(self) -> dict[str, Call]:
        wrong = {
            "title": {"title": ""},
            "bidValue": {"bidValue": "a lot"},
            "0 to less": {"bidValue": -1},
            "bidCurrencyAbbr": {"bidCurrencyAbbr": "ABC"},
            "Deal milestone is not found": {"stageid": 0},
            "stageid": {"stageid": 10**9},
            "contactid": {"contactid": 10**9},
            "members": {"members": [10**9]},
            "responsibleid": {"responsibleid": "00000000-0000-0000-0000-000000000000"},
            "bidType": {"bidType": 6},
            "expectedCloseDate": {"expectedCloseDate": "31/12/2026"},
            "actualCloseDate": {"actualCloseDate": "2025-01-01"},
            "accessList": {"accessList": ["00000000-0000-0000-0000-000000000009"]},
            "There is no user field": {"customFieldList": [{"key": 10**9, "value": "x"}]},
        }
        return {word: self.create_call(**body) for word, body in wrong.items()}

    def foreign_calls(self) -> list[Call]:
        stage, person = self.theirs.stages.first(), self.person(self.charlie)
        outsider = str(self.charlie.member.uuid)
        wrong: list[dict[str, Any]] = [
            {"stageid": stage.pk},
            {"contactid": person.pk},
            {"members": [person.pk]},
            {"responsibleid": outsider},
            {"accessList": [outsider]},
        ]
        return [self.create_call(**body) for body in wrong]

    def test_the_documents_request_is_answered_as_printed(self) -> None:
        answer = self.as_actor(self.bob, self.create_call())

        body, expected = answer.json(), load(__file__, "create_opportunity.answer.json")
        assert answer.status_code == 201
        shown, printed = body["response"], expected["response"]
        assert CREATED.fullmatch(shown["created"])
        printed["created"] = shown["created"]
        for person in (printed["createBy"], printed["responsible"], printed["accessList"][0]):
            member = self.bob.member
            person |= {
                "id": str(member.uuid),
                "profileUrl": f"/admin/accounts/member/{member.pk}/change/",
            }
        printed["members"][0]["id"] = printed["contact"]["id"] = self.ann.pk
        printed["stage"]["id"] = self.new.pk
        printed["customFields"][0] |= {"id": self.city.pk, "entityId": shown["id"]}
        printed["id"] = shown["id"]
        assert body == expected
        assert list(shown) == list(printed)
        assert b'"bidValue":1000,' in answer.content

    def test_it_takes_a_password_after_basic(self) -> None:
        self.bob.member.user.set_password("a good password")
        self.bob.member.user.save()
        for password, status in (("a good password", 201), ("another", 401)):
            text = base64.b64encode(f"bob@example.com:{password}".encode()).decode()
            call = replaced(self.create_call(), headers={"Authorization": f"Basic {text}"})

            assert self.send(call).status_code == status

    def test_the_same_with_json_at_the_end(self) -> None:
        answer = self.as_actor(self.bob, replaced(self.create_call(), path=f"{self.path}.json"))

        assert answer.status_code == 201

    def test_names_count_in_any_case_and_the_query_is_read_too(self) -> None:
        body = {name.upper(): value for name, value in self.body().items() if name != "title"}

        answer = self.as_actor(self.bob, Call("POST", self.path, body, query={"Title": "In the query"}))

        assert answer.status_code == 201, answer.content
        assert answer.json()["response"]["title"] == "In the query"
        assert "X-Ignored-Fields" not in answer

    def test_a_form_equals_json(self) -> None:
        bob = str(self.bob.member.uuid)
        form = (
            f"title=From+a+form&stageId={self.new.pk}&responsibleId={bob}&bidCurrencyAbbr=usd&bidType=PerMonth"
            f"&bidValue=10.5&perPeriodValue=2&members[]={self.ann.pk}&isPrivate=True&accessList[]={bob}"
            f"&customFieldList[0][key]={self.city.pk}&customFieldList[0][value]=Riga"
        )
        call = Call("POST", self.path, form.encode(), content_type="application/x-www-form-urlencoded")

        shown = self.as_actor(self.bob, call).json()["response"]

        assert (shown["bidType"], shown["bidValue"], shown["perPeriodValue"]) == (4, 10.5, 2)
        assert shown["bidCurrency"]["abbreviation"] == "USD"
        assert [row["id"] for row in shown["members"]] == [self.ann.pk]
        assert [row["id"] for row in shown["accessList"]] == [bob]
        assert [row["fieldValue"] for row in shown["customFields"]] == ["Riga"]

    def test_a_multipart_form_equals_json(self) -> None:
        fields = {"title": "In parts", "stageid": str(self.new.pk), "members[]": str(self.ann.pk)}
        fields["responsibleid"] = str(self.bob.member.uuid)
        body = encode_multipart("boundary", {**fields, "photo": SimpleUploadedFile("a.png", b"png")})
        call = Call("POST", self.path, body, content_type="multipart/form-data; boundary=boundary")

        answer = self.as_actor(self.bob, call)

        shown = answer.json()["response"]
        assert (shown["title"], [row["id"] for row in shown["members"]]) == ("In parts", [self.ann.pk])
        assert answer["X-Ignored-Fields"] == "photo"
        for wrong, status in ((b"--boundary\r\nbroken", 400), (b"", 400), (b"x" * 1_100_000, 413)):
            self.refused(self.as_actor(self.bob, replaced(call, body=wrong)), status)
        no_boundary = replaced(call, content_type="multipart/form-data")
        self.refused(self.as_actor(self.bob, no_boundary), 400)

    def test_its_openapi_document_shows_the_request_and_the_filters(self) -> None:
        paths = self.send(Call("GET", "/schema")).json()["paths"]

        create = paths[f"/dialects/onlyoffice{self.path}"]["post"]["requestBody"]["content"]
        filters = paths[f"/dialects/onlyoffice{self.path}/filter"]["get"]["parameters"]
        assert create["application/json"]["examples"]["Request"]["value"] == REQUEST
        assert {"stageType", "startIndex", "filterValue"} <= {parameter["name"] for parameter in filters}

    def test_an_id_of_zero_or_less_is_no_argument(self) -> None:
        for number in ("0", "-1", "-0.json"):
            answer = self.as_actor(self.bob, Call("GET", f"{CRM}/opportunity/{number}"))

            self.refused(answer, 400)
