"""Gauzy's organization contacts: companies, addresses, the employee whose they are, the trash."""

import json
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact
from crm_project.accounts.services import create_token
from tests.dialects.base import BaseTestCase, Call, bearer
from tests.dialects.gauzy.base import Gauzy

PATH = "/api/organization-contact"
BODY = {"name": "Globex", "primaryEmail": "Hi@Globex.example", "contactType": "CLIENT"}


class TestContacts(Gauzy, BaseTestCase):
    def create(self, **words: Any) -> Any:
        answer = self.ask("POST", PATH, {**BODY, **words})
        assert answer.status_code == 201, answer.content
        return answer.json()

    def test_a_contact_is_made_changed_and_counted(self) -> None:
        made = self.create()

        assert made["primaryEmail"] == "hi@globex.example"
        path = f"{PATH}/{made['id']}"
        changed = self.ask("PUT", path, {**made, "primaryPhone": "1"})
        assert (changed.status_code, changed.json()["primaryPhone"]) == (202, "1")
        assert self.got(path) == changed.json()
        assert self.got(f"{PATH}/count") == 2

    def test_the_web_forms_contact(self) -> None:
        """It sends the address as a contact of its own, empty lists, and a unit of budget without the budget."""
        own = str(self.organization.uuid)
        address = {"country": "FR", "city": "Lyon", "address": "1 rue X", "postcode": "69001", "fax": None}
        form = {
            "contact": {**address, "latitude": 1.5, "organizationId": own, "tenant": {"id": own}},
            "members": [{"id": str(self.bob.member.uuid), "fullName": "Bob"}],
            "tags": [],
            "projects": [],
            "budget": None,
            "budgetType": "hours",
            "imageUrl": None,
        }

        made = self.create(**form)

        query = {"relations": ["contact", "members.user", "members", "tags"]}
        shown = self.got(f"{PATH}/{made['id']}", **query)
        assert shown["contact"].items() >= {**address, "latitude": None}.items()
        assert [member["user"]["name"] for member in shown["members"]] == ["Bob"]
        assert shown["tags"] == []
        assert self.ask("PUT", f"{PATH}/{made['id']}", shown).json() == made
        data = json.dumps({"relations": ["contact"], "tenantId": own})
        assert self.got(f"{PATH}/{made['id']}", data=data)["contact"]["city"] == "Lyon"

    def test_what_the_core_cannot_hold_is_refused(self) -> None:
        two = [str(self.bob.member.uuid), str(self.alice.member.uuid)]
        for words in (
            {"contactType": "ENEMY"},
            {"contactType": ["LEAD"]},
            {"budget": 5},
            {"tags": [{"name": "x"}]},
            {"members": two},
            {"members": ["nobody"]},
            {"members": "x"},
            {"contact": {"fax": "1"}},
            {"isArchived": True},
        ):
            self.refused(self.ask("POST", PATH, {**BODY, **words}), 400)

    def test_filters(self) -> None:
        made = self.create(members=[str(self.bob.member.uuid)])

        wanted = {
            "where[name]": ("glob", 1),
            "name": ("GLOB", 1),
            "primaryEmail": ("globex", 1),
            "where[contactType]": ("CLIENT", 2),
            "contactType": ("LEAD", 0),
            "where[members][0]": (str(self.bob.member.uuid), 1),
            "where[members][]": (str(self.alice.member.uuid), 0),
            "employeeId": (str(self.bob.member.uuid), 1),
            "search": ("globex", 1),
        }
        for name, (value, total) in wanted.items():
            assert self.got(f"{PATH}/pagination", **{name: value})["total"] == total, name
        for where, total in (("Globex", 1), ("globex", 0)):
            assert self.got(PATH, **{"where[name]": where})["total"] == total
        assert self.got(PATH, **{"where[primaryEmail]": "Hi@globex.EXAMPLE"})["total"] == 1
        of_bob = self.got(f"{PATH}/employee/{self.bob.member.uuid}", contactType="CLIENT")
        assert of_bob == [{"id": made["id"], "name": "Globex", "imageUrl": None}]
        self.refused(self.ask("GET", f"{PATH}/employee/{self.charlie.member.uuid}"), 404)

    def test_a_contact_is_a_client_or_of_another_type(self) -> None:
        lead, client = self.create(contactType="LEAD"), self.create(primaryEmail="b@x.example")
        path = f"{PATH}/{lead['id']}"

        def names(contact_type: str) -> list[str]:
            return [row["id"] for row in self.got(PATH, **{"where[contactType]": contact_type})["items"]]

        assert (lead["contactType"], client["contactType"]) == ("LEAD", "CLIENT")
        assert names("LEAD") == [lead["id"]]
        assert names("CLIENT") == [str(self.client_row.uuid), client["id"]]
        assert self.ask("PUT", path, lead).json() == lead
        assert self.ask("PUT", path, {"contactType": "CUSTOMER"}).json()["contactType"] == "CUSTOMER"
        assert self.ask("PUT", path, {"contactType": "CLIENT"}).json()["contactType"] == "CLIENT"
        assert Contact.objects.get(uuid=lead["id"]).custom_fields == {}

    def test_names_that_are_no_text_are_ignored(self) -> None:
        for data in ({"select": {"\ud800": 1}}, {"relations": ["\ud800"]}, {"\ud800": 1}):
            assert self.got(PATH, data=json.dumps(data))["total"] == 1

    def test_contacts_change_hands(self) -> None:
        made, bob = self.create(), {"id": str(self.bob.member.uuid)}

        for words, owners in (("addedEntityIds", 1), ("removedEntityIds", 0)):
            answer = self.ask("PUT", f"{PATH}/employee", {"member": bob, words: [made["id"]]})
            assert (answer.status_code, answer.json()) == (202, True)
            shown = self.got(f"{PATH}/{made['id']}", **{"relations[]": "members"})
            assert len(shown["members"]) == owners
        self.refused(self.ask("PUT", f"{PATH}/employee", {"member": {"id": "x"}}), 400)
        self.refused(self.ask("PUT", f"{PATH}/employee", {"member": bob, "addedEntityIds": ["x"]}), 400)

    def test_a_persons_one_name(self) -> None:
        person = self.person(first_name="Ann", last_name="Lee")

        shown = self.ask("PUT", f"{PATH}/{person.uuid}", {"name": "Anna van Lee"}).json()

        person.refresh_from_db()
        assert (shown["name"], person.first_name) == ("Anna van Lee", "Anna")

    def test_the_trash(self) -> None:
        made = self.create()
        path = f"{PATH}/{made['id']}"
        deal = self.as_actor(self.bob, self.create_call(clientId=made["id"])).json()

        self.refused(self.ask("DELETE", path), 409)
        self.ask("DELETE", f"/api/deals/{deal['id']}")
        assert self.ask("DELETE", f"{path}/soft").json()["deletedAt"]
        self.refused(self.ask("GET", path), 404)
        assert self.ask("PUT", f"{path}/recover").json() == {**made, "updatedAt": self.got(path)["updatedAt"]}
        assert self.ask("DELETE", path).json() == {"raw": [], "affected": 1}
        self.refused(self.ask("DELETE", path), 404)

    def test_strangers_and_viewers(self) -> None:
        path = f"{PATH}/{self.create()['id']}"

        for method in ("GET", "PUT", "DELETE"):
            self.refused(self.as_actor(self.charlie, Call(method, path, {"name": "x"})), 404)
        self.refused(self.ask("POST", PATH, BODY, self.viewer), 403)
        self.refused(self.ask("GET", f"{PATH}/nonsense"), 406)

    def test_a_list_costs_the_same_for_many_rows(self) -> None:
        secret = create_token(actor=self.bob, name="test")[1]
        query: Any = {"relations[]": ["contact", "members", "organization"]}
        counts = set()
        for total in (3, 12):
            for number in range(total - Contact.objects.count()):
                owner = (self.bob, self.alice, self.manager)[number % 3].member.pk
                self.person(owner=owner, email=f"{total}-{number}@example.com")
            call = bearer(Call("GET", PATH, query=query), secret)
            self.send(call)
            with CaptureQueriesContext(connection) as queries:
                assert len(self.send(call).json()["items"]) == total
            counts.add(len(queries))
        assert len(counts) == 1
