"""ONLYOFFICE's contacts."""

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact
from tests.dialects.base import BaseTestCase, Call
from tests.dialects.onlyoffice.base import CRM, Onlyoffice
from tests.factories import CompanyFactory, CustomFieldFactory

FORM = "application/x-www-form-urlencoded"
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

    def test_values_that_cannot_be_stored_are_refused(self) -> None:
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


class TestSeveralContacts(Onlyoffice, BaseTestCase):
    def ok(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        said = self.call(method, path, body, **query)
        assert said["statusCode"] == (201 if method == "POST" else 200), said
        return said["response"]

    def ids(self, path: str, **query: str) -> list[int]:
        return [row["id"] for row in self.ok("GET", path, **query)]

    def test_two_become_one(self) -> None:
        other = self.person(phone="2")
        deal = self.deal(contact=other.pk)

        shown = self.ok(
            "PUT", "/contact/merge.json", {"fromContactId": str(other.pk), "toContactId": self.ann.pk}
        )

        assert shown["id"] == self.ann.pk
        assert "2" in [info["data"] for info in shown["commonData"]]
        assert self.ok("GET", f"/opportunity/{deal.pk}")["contact"]["id"] == self.ann.pk
        assert self.call("GET", f"/contact/{other.pk}")["statusCode"] == 404
        company = CompanyFactory(actor=self.bob)
        for source in (self.ann.pk, company.pk, other.pk, 0, None):
            body = {"fromcontactid": source, "tocontactid": self.ann.pk}
            assert self.call("PUT", "/contact/merge", body)["statusCode"] == 400, source

    def test_several_are_deleted(self) -> None:
        people = [self.person(last_name="Hotel") for _ in range(4)]
        ids = [row.pk for row in people]
        self.deal(contact=ids[3])

        assert [row["id"] for row in self.ok("PUT", "/contact", {"contactids": ids[:2]})] == ids[:2]
        assert self.call("PUT", "/contact", {"contactids": ids[2:]})["statusCode"] == 400
        assert self.call("PUT", "/contact", {"contactids": []})["statusCode"] == 400
        for query in ({}, {"filter": "x"}, {"count": "5"}):
            assert self.call("DELETE", "/contact/filter", **query)["statusCode"] == 400
        assert self.call("DELETE", "/contact/filter", filterValue="hotel")["statusCode"] == 400
        assert self.ids("/contact/filter", filterValue="hotel", sortBy="id") == ids[2:]
        gone = self.ok("DELETE", "/contact/filter", filterValue="lee", contactListView="Person")
        assert [row["id"] for row in gone] == [self.ann.pk]

    def test_many_are_created_quickly(self) -> None:
        companies = self.ok("POST", "/contact/company/quick", {"companyName": ["ACME", "Zulu"]})
        assert [(row["displayName"], row["isCompany"]) for row in companies] == [
            ("ACME", True),
            ("Zulu", True),
        ]
        assert self.ok("POST", "/contact/company/quick", {"companyName": ["", None]}) == []
        for nobody in (None, {"a": 1}):
            assert self.call("POST", "/contact/company/quick", {"companyName": nobody})["statusCode"] == 400
        people = [{"key": "Ann", "value": "Lee"}, {"Key": "", "Value": "x"}, {"Key": "Bo", "Value": "Ek"}]
        assert [row["displayName"] for row in self.ok("POST", "/contact/person/quick", {"data": people})] == [
            "Ann Lee",
            "Bo Ek",
        ]
        form = b"data[0][key]=Cy&data[0][value]=Oh"
        call = Call("POST", f"{CRM}/contact/person/quick.json", form, content_type=FORM)
        assert self.as_actor(self.bob, call).json()["response"][0]["displayName"] == "Cy Oh"

    def test_people_of_a_company_come_and_go(self) -> None:
        company, other = CompanyFactory(actor=self.bob), CompanyFactory(actor=self.bob)
        path, body = f"/contact/company/{company.pk}/person", {"personid": self.ann.pk}

        assert self.ok("POST", path, body)["company"]["id"] == company.pk
        assert self.ids(path) == [self.ann.pk]
        assert self.call("DELETE", f"/contact/company/{other.pk}/person", body)["statusCode"] == 404
        assert "company" not in self.ok("DELETE", path, body)
        assert self.ids(path) == []
        assert self.call("POST", path, {"personid": other.pk})["statusCode"] == 404

    def test_managers_own_contacts_and_nothing_is_hidden(self) -> None:
        bob, path = str(self.bob.member.uuid), f"/contact/{self.ann.pk}/access"

        self.ok("PUT", path, {"isShared": True, "managerList": [bob]})
        assert [row["displayName"] for row in self.ok("GET", path)] == ["Bob"]
        self.ok("PUT", path, {"isShared": True})
        assert Contact.objects.get(pk=self.ann.pk).owner == self.bob.member
        self.ok("PUT", path, {"isShared": True, "managerList": []})
        assert self.ok("GET", path) == []
        self.ok("PUT", "/contact/access", {"contactid": [self.ann.pk], "isShared": True, "managerList": bob})
        matching = {"filterValue": "lee", "isPrivate": False, "managerList": []}
        assert [row["id"] for row in self.ok("PUT", "/contact/filter/access", matching)] == [self.ann.pk]
        assert Contact.objects.get(pk=self.ann.pk).owner is None
        for wrong in (
            {"isShared": False, "managerList": [bob]},
            {"isShared": True, "isPrivate": True},
            {"isShared": True, "managerList": [bob, str(self.alice.member.uuid)]},
        ):
            assert self.call("PUT", path, wrong)["statusCode"] == 400, wrong

    def test_an_empty_list_of_managers_removes_the_owner_and_an_absent_one_keeps_it(self) -> None:
        bob, path = str(self.bob.member.uuid), f"/contact/person/{self.ann.pk}"
        names = {"firstName": "Ann", "lastName": "Lee"}

        for sent, owner in (([bob], self.bob.member), (None, self.bob.member), ([], None)):
            self.ok("PUT", path, {**names, "managerList": sent})
            assert Contact.objects.get(pk=self.ann.pk).owner == owner, sent
        self.ok("PUT", path, {**names, "managerList": [bob]})
        self.ok("PUT", path, names)
        assert Contact.objects.get(pk=self.ann.pk).owner == self.bob.member

    def test_they_are_looked_for(self) -> None:
        company = CompanyFactory(actor=self.bob, name="Hotel Lee", phone="17", email="desk@example.com")
        employee = self.person(first_name="Zoe", last_name="Lee", company=company.pk)
        deal = self.deal(members=[self.ann.pk])
        prefix = {"prefix": "lee"}

        assert self.ids("/contact/byprefix", **prefix) == [self.ann.pk, company.pk, employee.pk]
        assert self.ok("GET", "/contact/byprefix", prefix="hot le")[0]["phone"]["data"] == "17"
        for number, found in (
            ("0", [company.pk]),
            ("1", [self.ann.pk, employee.pk]),
            ("2", [self.ann.pk]),
            ("3", [self.ann.pk, company.pk]),
        ):
            assert self.ids("/contact/byprefix", searchType=number, **prefix) == found, number
        of_deal = {"entityType": "1", "entityID": str(deal.pk), **prefix}
        assert self.ids("/contact/byprefix", **of_deal) == [self.ann.pk]
        assert self.ids("/contact/byprefix", **{**of_deal, "entityID": "999999"}) == []
        assert self.call("GET", "/contact/byprefix", searchType="4")["statusCode"] == 400

        assert self.ids("/contact/bycontactinfo", infoType="Email", data="DESK@") == [company.pk]
        assert self.ids("/contact/bycontactinfo", infoType="0", data="17", category="1") == [company.pk]
        assert self.ids("/contact/bycontactinfo", infoType="0", data="17", category="2") == []
        [mail] = self.ok("GET", "/contact/mail", **{"contactids[]": str(company.pk)})
        assert mail["email"]["data"] == "desk@example.com"
        assert self.ids("/contact/mail", contactids="999999") == []
        simple = self.ok("GET", "/contact/simple/filter", filterValue="zoe")
        assert [row["contact"]["id"] for row in simple] == [employee.pk]
        assert set(self.ids("/contact/filter", contactListView="All")) == {
            self.ann.pk,
            company.pk,
            employee.pk,
        }
        assert self.ids("/contact/filter", isShared="false") == []

    def test_a_contact_is_linked_with_an_opportunity(self) -> None:
        deal = self.deal()
        path = f"/contact/{self.ann.pk}/opportunity/{deal.pk}"

        assert [row["id"] for row in self.ok("POST", path)["members"]] == [self.ann.pk]
        assert self.ok("DELETE", path)["members"] == []

    def test_values_that_are_not_stored(self) -> None:
        for name in ("status", "type"):
            assert self.ok("GET", f"/contact/{name}") == []
            assert self.call("POST", f"/contact/{name}", {"title": "Hot"})["statusCode"] == 400
            assert self.call("DELETE", f"/contact/{name}/1")["statusCode"] == 400
        deal = self.deal()
        created = self.ok("GET", f"/opportunity/{deal.pk}")["created"]
        for entity, row in (("opportunity", deal), ("contact", self.ann)):
            said = self.call("PUT", f"/{entity}/{row.pk}/creationdate", {"creationDate": "2007-01-01"})
            assert (said["statusCode"], "cannot be changed" in said["error"]["message"]) == (400, True)
            body = {"lastModifedDate": row.updated_at.isoformat()}
            assert self.ok("PUT", f"/{entity}/{row.pk}/lastmodifeddate", body) == {}
        assert self.ok("PUT", f"/opportunity/{deal.pk}/creationdate", {"creationDate": created}) == {}

    def test_other_organizations_contacts_do_not_exist(self) -> None:
        theirs = self.person(self.charlie, email="secret@example.org").pk
        body = {"tagName": "x", "infoType": "Phone", "data": "1", "address": {"city": "x"}, "items": []}
        body |= {"firstName": "A", "lastName": "B", "personid": theirs, "isShared": True, "fieldValue": "x"}
        company = CompanyFactory(actor=self.bob).pk
        for method, path in (
            ("GET", "{}"),
            ("DELETE", "{}"),
            ("GET", "{}/access"),
            ("PUT", "{}/access"),
            ("GET", "{}/data"),
            ("POST", "{}/data"),
            ("POST", "{}/addressdata"),
            ("PUT", "{}/batch"),
            ("GET", "{}/tag"),
            ("POST", "{}/tag"),
            ("GET", "tag/{}"),
            ("GET", "{}/customfield"),
            ("PUT", "{}/creationdate"),
            ("PUT", "person/{}"),
        ):
            for pk in (theirs, 999_999):
                said = self.call(method, f"/contact/{path.format(pk)}", body if method != "GET" else None)
                assert (said["statusCode"], said["error"]["message"]) == (404, "Not found"), (method, path)
        for method, path, sent in (
            ("PUT", "/contact", {"contactids": [theirs]}),
            ("PUT", "/contact/merge", {"fromcontactid": theirs, "tocontactid": self.ann.pk}),
            ("PUT", "/contact/access", {"contactid": [theirs], "isShared": True}),
            ("POST", "/contact/taglist", {"entityid": [theirs], "tagName": "x"}),
            ("POST", f"/contact/company/{company}/person", {"personid": theirs}),
        ):
            assert self.call(method, path, sent)["statusCode"] == 400, path
        assert self.ids("/contact/mail", contactids=str(theirs)) == []
        assert self.ids("/contact/bycontactinfo", infoType="Email", data="secret") == []
        assert self.ids("/contact/byprefix", prefix="") == [self.ann.pk, company]
        assert Contact.objects.get(pk=theirs).version == 1
