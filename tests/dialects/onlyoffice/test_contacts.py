"""ONLYOFFICE's contacts."""

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact
from tests.dialects.base import BaseTestCase
from tests.dialects.onlyoffice.base import Onlyoffice
from tests.factories import CompanyFactory, CustomFieldFactory

PERSON = {"firstName": "Tadjeddine", "lastName": "Bachir", "jobTitle": "Programmer", "about": "A friend"}


class TestContacts(Onlyoffice, BaseTestCase):
    def person_of(self, **body: Any) -> Any:
        said = self.call("POST", "/contact/person", {**PERSON, **body})
        assert said["statusCode"] == 201, said
        return said["response"]

    def test_a_person(self) -> None:
        company = CompanyFactory(actor=self.bob, name="ACME")
        field = CustomFieldFactory(actor=self.alice, kind="contact", key="shoe", label="Shoe", type="number")
        sent = {
            "companyId": company.pk,
            "managerList": [str(self.bob.member.uuid)],
            "customFieldList": [{"Key": field.pk, "Value": "42"}],
            "shareType": 1,
        }

        shown = self.person_of(**sent)

        assert {name: shown[name] for name in ("firstName", "lastName", "title", "about", "isCompany")} == {
            "firstName": "Tadjeddine",
            "lastName": "Bachir",
            "title": "Programmer",
            "about": "A friend",
            "isCompany": False,
        }
        assert (shown["displayName"], shown["company"]["displayName"]) == ("Tadjeddine Bachir", "ACME")
        assert [(row["label"], row["fieldValue"]) for row in shown["customFields"]] == [("Shoe", "42")]
        assert "companyName" not in shown
        person = Contact.objects.get(pk=shown["id"])
        assert (person.owner, person.custom_fields) == (self.bob.member, {"shoe": 42})
        assert self.call("GET", f"/contact/{shown['id']}.json")["response"] == shown

    def test_a_company_and_its_people(self) -> None:
        body = {"companyName": "ACME", "about": "Wile", "personList": [self.ann.pk]}

        shown = self.call("POST", "/contact/company", body)["response"]

        assert (shown["companyName"], shown["displayName"], shown["isCompany"]) == ("ACME", "ACME", True)
        assert "firstName" not in shown
        people = self.call("GET", f"/contact/company/{shown['id']}/person")["response"]
        assert [row["id"] for row in people] == [self.ann.pk]

    def test_what_cannot_be_kept_is_refused(self) -> None:
        two = [str(self.bob.member.uuid), str(self.alice.member.uuid)]
        for name, value in (
            ("firstName", ""),
            ("lastName", ""),
            ("companyId", 999999),
            ("companyId", self.ann.pk),
            ("managerList", two),
            ("shareType", 2),
            ("photo", ["a picture"]),
        ):
            said = self.call("POST", "/contact/person", {**PERSON, name: value})

            assert said["statusCode"] == 400, name
            assert name in said["error"]["message"]
        assert self.call("POST", "/contact/company", {"companyName": ""})["statusCode"] == 400

    def test_a_person_is_replaced(self) -> None:
        shown = self.person_of(companyId=CompanyFactory(actor=self.bob).pk)

        said = self.call("PUT", f"/contact/person/{shown['id']}", {"firstName": "T", "lastName": "B"})

        assert (said["response"]["displayName"], said["response"]["title"]) == ("T B", "")
        assert "company" not in said["response"]

    def test_a_company_is_replaced(self) -> None:
        company = CompanyFactory(actor=self.bob)

        said = self.call("PUT", f"/contact/company/{company.pk}", {"companyName": "Other"})

        assert said["response"]["companyName"] == "Other"
        assert self.call("PUT", f"/contact/person/{company.pk}", PERSON)["statusCode"] == 404

    def test_sending_back_what_was_read_changes_nothing(self) -> None:
        company = CompanyFactory(
            actor=self.bob, email="a@example.com", street="Main", owner=self.bob.member.pk
        )
        nameless = self.person(first_name="", last_name="", email="b@example.com")
        CustomFieldFactory(actor=self.alice, kind="contact", key="vip", type="checkbox")
        person = self.person(company=company.pk, custom_fields={"vip": True})
        for row in (company, nameless, person):
            shown = self.call("GET", f"/contact/{row.pk}")["response"]
            body = {
                **{
                    name: shown.get(name)
                    for name in ("firstName", "lastName", "about", "companyName", "shareType")
                },
                "jobTitle": shown.get("title"),
                "companyId": shown.get("company", {}).get("id", 0),
                "customFieldList": [
                    {"key": v["id"], "value": v["fieldValue"]} for v in shown["customFields"]
                ],
            }

            said = self.call("PUT", f"/contact/{row.kind}/{row.pk}", body)

            assert said["response"] == shown
            assert Contact.objects.get(pk=row.pk).version == row.version

    def test_the_list(self) -> None:
        company = CompanyFactory(actor=self.bob, name="Zulu", owner=self.bob.member.pk)
        self.deal(client=company.pk)
        self.person(self.charlie, last_name="Elsewhere")

        def ids(**query: str) -> list[int]:
            return [row["id"] for row in self.call("GET", "/contact/filter", **query)["response"]]

        assert ids() == [company.pk, self.ann.pk]
        assert ids(sortBy="displayname") == [self.ann.pk, company.pk]
        assert ids(count="1", startIndex="1") == [self.ann.pk]
        for query in (
            {"contactListView": "Company"},
            {"contactListView": "withopportunity"},
            {"filterValue": "zul"},
            {"responsibleid": str(self.bob.member.uuid)},
        ):
            assert ids(**query) == [company.pk], query
        assert ids(tags="vip") == []
        assert self.call("GET", "/contact/filter", contactListView="x")["statusCode"] == 400

    def test_they_are_found_by_e_mail(self) -> None:
        hit = self.person(first_name="Zoé", email="zoe@example.net")
        self.person(first_name="Zoe", email="")

        for term in ("zoe", "EXAMPLE.NET"):
            rows = self.call("GET", "/contact/simple/byEmail.json", term=term, maxCount="5")["response"]
            assert [row["contact"]["id"] for row in rows] == [hit.pk]
            assert rows[0]["contact"]["commonData"][0]["data"] == "zoe@example.net"

    def test_the_lists_queries_are_a_fixed_number(self) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                self.call("GET", "/contact/filter")
            return len(captured)

        CustomFieldFactory(actor=self.alice, kind="contact", key="vip", type="checkbox")
        self.person(company=CompanyFactory(actor=self.bob).pk, custom_fields={"vip": True})
        few = queries()
        for _ in range(3):
            self.person(company=CompanyFactory(actor=self.bob).pk, custom_fields={"vip": True})

        assert queries() == few

    def test_one_is_deleted_unless_a_deal_needs_it(self) -> None:
        used = self.person()
        self.deal(contact=used.pk)

        assert self.call("DELETE", f"/contact/{self.ann.pk}")["response"]["displayName"] == "Ann Lee"
        assert self.call("GET", f"/contact/{self.ann.pk}")["statusCode"] == 404
        assert self.call("DELETE", f"/contact/{used.pk}")["statusCode"] == 400

    def test_what_it_can_be_reached_by(self) -> None:
        path = f"/contact/{self.person(email='').pk}/data"

        for body, kind in (
            ({"infoType": "Email", "data": "a@example.com", "category": "Work", "isPrimary": True}, 1),
            ({"infoType": 0, "data": "+371 1", "category": "Work"}, 0),
            ({"infoType": "Phone", "data": "+371 2", "category": 2}, 0),
            ({"infoType": "Website", "data": "example.com"}, 2),
        ):
            said = self.call("POST", path, body)
            assert (said["statusCode"], said["response"]["infoType"]) == (201, kind), said
            assert said["response"]["data"] == body["data"]
        assert self.call("GET", path)["count"] == 4
        assert self.call("POST", path, {"infoType": "Email", "data": "b@example.com"})["statusCode"] == 400
        assert self.call("POST", path, {"infoType": "Skype", "data": "b"})["statusCode"] == 400
        assert self.call("DELETE", f"{path}/1")["response"]["data"] == "a@example.com"
        assert self.call("DELETE", f"{path}/1")["statusCode"] == 404

    def test_other_organizations_are_hidden(self) -> None:
        theirs = self.person(self.charlie)

        for method, path in (
            ("GET", f"/contact/{theirs.pk}"),
            ("DELETE", f"/contact/{theirs.pk}"),
            ("PUT", f"/contact/person/{theirs.pk}"),
            ("GET", f"/contact/{theirs.pk}/data"),
        ):
            assert self.call(method, path, PERSON if method == "PUT" else None)["statusCode"] == 404
