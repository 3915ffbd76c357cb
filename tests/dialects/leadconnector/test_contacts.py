"""Contacts: written, found and listed as LeadConnector does."""

from typing import Any

import pytest

from contacts.models import Contact
from contacts.services import create_contacts, find_or_create_company
from crm_project.records.services import create_custom_field
from deals.models import Deal
from tests.dialects.base import BaseTestCase, Call, DialectContract, RaceTestCase, Racing
from tests.dialects.leadconnector.base import LOCATION, REQUEST, LeadConnector, record

ANN: dict[str, Any] = {
    "locationId": LOCATION,
    "firstName": "Ann",
    "lastName": "Lee",
    "email": "Ann@x.io",
    "phone": "+1 888",
    "companyName": "Acme",
    "address1": "1 Main St",
    "city": "Dolomite",
    "country": "US",
    "postalCode": "35061",
    "website": "https://x.io",
    "source": "public api",
    "assignedTo": REQUEST["assignedTo"],
    "tags": [],
    "dnd": False,
}


class TestContacts(LeadConnector, DialectContract, BaseTestCase):
    scope_status = 401
    wrong_verb = "PATCH"

    def setUp(self) -> None:
        record(self)

    def create_call(self, **body: Any) -> Call:
        kept = Contact.objects.count()
        return Call("POST", "/contacts/", {**ANN, "email": f"ann{kept}@x.io", **body})

    def row_calls(self, row_id: str) -> list[Call]:
        path = f"/contacts/{row_id}"
        return [Call("GET", path), Call("PUT", path, {"city": "Rome"}), Call("DELETE", path)]

    def test_it_hides_a_private_deal(self) -> None:
        """No contact is private."""

    def invalid_calls(self) -> dict[str, Call]:
        wrong: dict[str, Any] = {
            "firstName": {"firstName": 5},
            "email": {"email": "nowhere"},
            "assignedTo": {"assignedTo": "nobody"},
            "tags": {"tags": {"vip": True}},
            "dnd": {"dnd": "perhaps"},
            "dndSettings": {"dndSettings": "none"},
            "timezone": {"timezone": 5},
            "dateOfBirth": {"dateOfBirth": "yesterday"},
            "customFields": {"customFields": [{"key": "nothing", "field_value": 1}]},
        }
        return {word: self.create_call(**body) for word, body in wrong.items()}

    def foreign_calls(self) -> list[Call]:
        return [self.create_call(assignedTo=str(self.charlie.member.uuid))]

    def create(self, **body: Any) -> Any:
        return self.call("POST", "/contacts/", {**ANN, **body})["contact"]

    def test_a_contact_is_read_as_it_was_sent(self) -> None:
        shown = self.create()

        expected = {**ANN, "email": "ann@x.io", "name": "Ann Lee", "customFields": []}
        bare = self.call("POST", "/contacts/", {"locationId": LOCATION, "email": "bare@x.io"})["contact"]
        assert {name: shown[name] for name in expected} == expected
        assert {bare[name] for name in ("firstName", "phone", "city", "source", "companyName")} == {None}
        assert self.call("PUT", f"/contacts/{bare['id']}", bare)["contact"] == bare
        elsewhere = Call("PUT", f"/contacts/{bare['id']}", {**bare, "locationId": "another"})
        self.refused(self.as_actor(self.bob, elsewhere), 403)
        assert self.call("GET", f"/contacts/{shown['id']}") == {"contact": shown}
        assert Contact.objects.get(kind="company").name == "Acme"

    def test_one_name_is_split(self) -> None:
        body = {"locationId": LOCATION, "name": "Ann Mary Lee"}

        shown = self.call("POST", "/contacts", body)["contact"]

        assert (shown["firstName"], shown["lastName"], shown["name"]) == ("Ann", "Mary Lee", "Ann Mary Lee")

    def test_a_duplicate_names_the_existing_contact(self) -> None:
        first = self.create()

        answer = self.as_actor(self.bob, Call("POST", "/contacts/", ANN))

        body = self.refused(answer, 400).json()
        assert body["message"] == "This location does not allow duplicated contacts."
        assert body["meta"] == {"contactId": first["id"], "matchingField": "email", "contactName": "Ann Lee"}

    def test_upsert_finds_by_email_then_by_phone(self) -> None:
        first = self.call("POST", "/contacts/upsert", ANN)
        again = self.call("POST", "/contacts/upsert/", {**ANN, "city": "Rome"})
        by_phone = self.call(
            "POST", "/contacts/upsert", {"locationId": LOCATION, "phone": "+1 888", "name": "Ann L"}
        )

        assert (first["new"], again["new"], by_phone["new"]) == (True, False, False)
        assert first["succeded"] is True
        assert by_phone["contact"]["city"] == "Rome"
        assert by_phone["contact"]["email"] == "ann@x.io"
        assert Contact.objects.filter(kind="person").count() == 1

    def test_a_change_leaves_the_rest(self) -> None:
        shown = self.create()

        body = self.call("PUT", f"/contacts/{shown['id']}", {"city": "Rome", "companyName": None})

        assert body["succeded"] is True
        assert body["contact"] == {
            **shown,
            "city": "Rome",
            "dateUpdated": body["contact"]["dateUpdated"],
        }

    def test_sending_back_what_was_read_changes_nothing(self) -> None:
        create_custom_field(
            actor=self.manager, change={"kind": "contact", "key": "size", "label": "Size", "type": "text"}
        )
        field = [{"key": "contact.size", "field_value": "L"}]
        ids = [self.create(customFields=field)["id"]]
        company = find_or_create_company(actor=self.bob, name="Office")
        ids += [str(row.uuid) for row in (company, self.person(first_name="", last_name="", mobile="1"))]
        for row_id in ids:
            before = self.call("GET", f"/contacts/{row_id}")["contact"]

            after = self.call("PUT", f"/contacts/{row_id}", before)["contact"]

            assert after == before
            assert Contact.objects.get(uuid=row_id).version == 1

    def test_a_company_is_named_in_any_spelling(self) -> None:
        """Of several companies that the name could be, the contact keeps its own."""
        cafes = [
            create_contacts(actor=self.bob, changes=[{"kind": "company", "name": name}])[0]
            for name in ("Café Łódź", "Cafe Lodz")
        ]
        person = self.person(company=cafes[1].pk)

        self.call("PUT", f"/contacts/{person.uuid}", {"companyName": "CAFE LODZ"})
        self.create(firstName="New", email="new@x.io", companyName="cafe ŁÓDŹ")

        person.refresh_from_db()
        assert (person.company, person.version) == (cafes[1], 1)
        assert Contact.objects.get(email="new@x.io").company == cafes[0]
        assert Contact.objects.filter(kind="company").count() == 2

    def test_deleting_one_that_deals_use_is_refused(self) -> None:
        person = self.person()
        deal = self.deal(contact=person.pk)

        answer = self.as_actor(self.bob, Call("DELETE", f"/contacts/{person.uuid}"))
        assert self.refused(answer, 409).json()["code"] == "IN_USE"

        self.call("DELETE", f"/opportunities/{deal.uuid}")
        assert self.call("DELETE", f"/contacts/{person.uuid}") == {"succeded": True}
        assert not Deal.objects.live().exists()

    def test_the_list_is_walked_behind_its_last_row(self) -> None:
        for name in "ABC":
            self.person(first_name=name)

        first = self.call("GET", "/contacts/", locationId=LOCATION, limit="2")
        meta = first["meta"]
        behind = {name: str(meta[name]) for name in ("startAfter", "startAfterId")}
        rest = self.call("GET", "/contacts/", locationId=LOCATION, limit="2", **behind)

        names = [row["firstName"] for row in first["contacts"] + rest["contacts"]]
        assert names == ["C", "B", "A"]
        assert meta["total"] == first["count"] == rest["meta"]["total"] == 3
        assert rest["meta"]["nextPageUrl"] is None

    def test_the_list_is_searched_and_sorted(self) -> None:
        self.person(first_name="Zoë", email="zoe@x.io")
        self.person(first_name="Ben")

        def names(**query: str) -> list[str]:
            found = self.call("GET", "/contacts", locationId=LOCATION, **query)
            return [row["firstName"] for row in found["contacts"]]

        assert names(query="zoe") == ["Zoë"]
        assert names(sortBy="date_updated", order="asc") == ["Zoë", "Ben"]
        for query in (
            {},
            {"locationId": LOCATION, "sortBy": "shoe_size"},
            {"locationId": LOCATION, "limit": "0"},
        ):
            self.refused(self.as_actor(self.bob, Call("GET", "/contacts/", query=query)), 422)

    def test_the_search_by_a_body(self) -> None:
        self.person(first_name="Zoë"), self.person(first_name="Ben")

        found = self.call("POST", "/contacts/search", {"locationId": LOCATION, "pageLimit": 1})
        last = found["contacts"][0]["searchAfter"]
        rest = self.call("POST", "/contacts/search", {"locationId": LOCATION, "searchAfter": last})

        assert [row["firstName"] for row in found["contacts"] + rest["contacts"]] == ["Ben", "Zoë"]
        assert found["total"] == 2

    def test_a_page_behind_a_row_needs_no_location(self) -> None:
        """n8n names it on the first page alone."""
        for name in "AB":
            self.person(first_name=name)
        meta = self.call("GET", "/contacts/", locationId=LOCATION, limit="1")["meta"]

        behind = {name: str(meta[name]) for name in ("startAfter", "startAfterId")}
        rest = self.call("GET", "/contacts/", **behind)

        assert [row["firstName"] for row in rest["contacts"]] == ["A"]

    def test_a_choice_left_empty_changes_nothing(self) -> None:
        row_id = self.create(assignedTo=str(self.bob.member.uuid))["id"]

        changed = self.call("PUT", f"/contacts/{row_id}", {"assignedTo": "", "city": None})["contact"]

        assert (changed["assignedTo"], changed["city"]) == (REQUEST["assignedTo"], ANN["city"])

    def test_the_filters_of_the_search(self) -> None:
        ann, ben = self.create(tags=["vip", "it"]), self.create(firstName="Ben", email="ben@y.io", phone="")
        day = ann["dateAdded"]

        def names(*filters: Any, **body: Any) -> list[str]:
            body = {"locationId": LOCATION, "pageLimit": 500, "filters": list(filters), **body}
            found = self.call("POST", "/contacts/search", body)
            return sorted(row["firstName"] for row in found["contacts"] if row["firstName"])

        def one(field: str, operator: str, value: Any = None) -> dict[str, Any]:
            return {"field": field, "operator": operator, "value": value}

        assert names(one("email", "eq", "ANN@x.io")) == names(one("tags", "contains", "vip")) == ["Ann"]
        assert names(one("tags", "eq", ["it"])) == names(one("tags", "exists")) == ["Ann"]
        assert names(one("tags", "not_contains", "vip")) == names(one("phone", "not_exists")) == ["Ben"]
        assert names(one("email", "contains", "Y.io")) == names(one("id", "eq", ben["id"])) == ["Ben"]
        assert names(one("assignedTo", "in", [REQUEST["assignedTo"], "nobody"])) == ["Ann", "Ben"]
        assert names(one("dateAdded", "range", {"gte": day, "lte": "2100-01-01"})) == ["Ann", "Ben"]
        assert names(one("dateUpdated", "range", {"lt": day})) == []
        either = {
            "group": "OR",
            "filters": [one("firstNameLowerCase", "eq", "ben"), one("city", "eq", "Oslo")],
        }
        assert names(either) == ["Ben"]
        for wrong in ({"email": "ann@x.io"}, [one("shoe", "eq", 1)], [one("email", "like", "a")], [3]):
            call = Call("POST", "/contacts/search", {"locationId": LOCATION, "filters": wrong})
            self.refused(self.as_actor(self.bob, call), 422)

    def test_the_order_of_the_search(self) -> None:
        first = self.create(firstName="Old")
        self.create(firstName="New", email="new@x.io", companyName="")
        self.call("PUT", f"/contacts/{first['id']}", {"city": "Rome"})

        def names(sort: Any, **body: Any) -> list[str]:
            body = {"locationId": LOCATION, "sort": sort, "query": "Lee", **body}
            found = self.call("POST", "/contacts/search", body)
            return [row["firstName"] for row in found["contacts"]]

        assert names([{"field": "dateUpdated", "direction": "desc"}]) == ["Old", "New"]
        assert names([{"field": "dateAdded", "direction": "desc"}]) == ["New", "Old"]
        behind = {"startAfterId": first["id"]}
        assert names([{"field": "date_updated", "direction": "desc"}], **behind) == ["New"]
        self.refused(
            self.as_actor(
                self.bob, Call("POST", "/contacts/search", {"locationId": LOCATION, "sort": [{"field": "x"}]})
            ),
            422,
        )

    def test_duplicates_are_looked_for(self) -> None:
        person = self.person(email="zoe@x.io", phone="0123")

        def found(**query: str) -> Any:
            contact = self.call("GET", "/contacts/search/duplicate", locationId=LOCATION, **query)["contact"]
            return contact and contact["id"]

        plus = str(self.person(phone="+1 555").uuid)
        assert (
            found(email="ZOE@x.io") == found(email="zoe%40x.io") == found(number="0123") == str(person.uuid)
        )
        assert found(number="+1 555") == found(number="%2B1%20555") == found(number=" 1 555") == plus
        assert found(email="no@x.io") is found(number="9") is found() is None


@pytest.mark.race
class TestRaces(LeadConnector, Racing, RaceTestCase):
    def setUp(self) -> None:
        super().setUp()
        record(self)

    def test_many_upserts_at_once_make_one_contact_and_one_company(self) -> None:
        for body in (ANN, {**ANN, "email": None, "phone": "+1 999"}):
            answers = self.race(Call("POST", "/contacts/upsert", body), self.bob)

            assert sorted(answer.json()["new"] for answer in answers) == [False] * (self.callers - 1) + [True]
        assert Contact.objects.filter(kind="company").count() == 1
