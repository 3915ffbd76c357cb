"""Intum's contacts, clients and statuses."""

from typing import Any

from contacts.models import Contact
from crm_project.journal.models import Event
from crm_project.records.services import create_custom_field
from pipelines.models import Stage
from tests.dialects.base import BaseTestCase, Call, DialectClient


class Neighbours(DialectClient, BaseTestCase):
    system = "intum"

    def call(self, method: str, path: str, body: Any = None, actor: Any = None, **query: str) -> Any:
        return self.as_actor(actor or self.manager, Call(method, path, body, query=query))


class TestContacts(Neighbours):
    def test_a_contact_is_made_read_changed_and_deleted(self) -> None:
        company = self.call(
            "POST", "/crm/clients.json", {"client": {"name": "Acme", "www": "https://acme.pl"}}
        )
        body = {
            "name": "Anna Maria Nowak",
            "email": "Anna@Example.com",
            "kind": "buyer",
            "client_id": company.json()["id"],
        }

        made = self.call("POST", "/crm/contacts.json", {"contact": body})

        assert (company.status_code, made.status_code) == (201, 201)
        shown = made.json()
        assert (shown["first_name"], shown["last_name"]) == ("Anna", "Maria Nowak")
        assert (shown["email"], shown["client_id"]) == ("anna@example.com", company.json()["id"])
        path = f"/crm/contacts/{shown['id']}.json"
        changed = self.call("PATCH", path, {"contact": {"position": "CEO"}})
        assert changed.json()["position"] == "CEO"
        assert self.call("GET", path).json() == changed.json()
        assert self.call("DELETE", path).json() == changed.json()
        assert self.call("GET", path).status_code == 404

    def test_sending_back_what_was_read_changes_nothing(self) -> None:
        for kind, row in (
            ("contact", self.person()),
            ("client", self.person(kind="company", name="A", first_name="", last_name="")),
        ):
            path = f"/crm/{kind}s/{row.pk}.json"
            shown = self.call("GET", path).json()

            answer = self.call("PATCH", path, {kind: shown})

            assert answer.json() == shown
            assert Event.objects.filter(kind="contact", action="updated").count() == 0

    def test_an_address_is_given_once(self) -> None:
        self.person(email="anna@example.com")

        answer = self.call(
            "POST", "/crm/contacts.json", {"contact": {"name": "A", "email": "ANNA@example.com"}}
        )

        assert (answer.status_code, answer.json()) == (422, {"email": ["zostało już zajęte"]})

    def test_values_that_cannot_be_stored_are_refused(self) -> None:
        body = {"contact": {"name": "A", "note": "VIP", "kind": "supplier"}}

        answer = self.call("POST", "/crm/contacts.json", body)

        assert answer.status_code == 422
        assert list(answer.json()) == ["kind", "note"]

    def test_a_contact_without_a_name_is_refused(self) -> None:
        answer = self.call("POST", "/crm/contacts.json", {"contact": {"name": ""}})

        assert (answer.status_code, answer.json()) == (422, {"name": ["nie może być puste"]})

    def test_a_client_is_called_as_its_address_or_number(self) -> None:
        for sent, name in (
            ({"email": "biuro@acme.pl", "phone": "123"}, "biuro@acme.pl"),
            ({"phone": "+48 123"}, "+48 123"),
        ):
            assert self.call("POST", "/crm/clients.json", {"client": sent}).json()["name"] == name
        assert self.call("POST", "/crm/contacts.json", {"contact": {"phone": "9"}}).json()["name"] == "9"
        assert self.call("POST", "/crm/clients.json", {"client": {}}).json() == {
            "name": ["nie może być puste"]
        }

    def test_tags_are_names_with_commas(self) -> None:
        made = self.call("POST", "/crm/clients.json", {"client": {"name": "A", "tags": "vip, partner,vip"}})

        shown = made.json()
        assert (shown["tags"], shown["fields"]) == ("vip,partner", {})
        assert Contact.objects.get(pk=shown["id"]).custom_fields == {"tags": ["vip", "partner"]}
        path = f"/crm/clients/{shown['id']}.json"
        assert self.call("PATCH", path, {"client": shown}).json() == shown
        assert self.call("PATCH", path, {"client": {"tags": ""}}).json()["tags"] == ""

    def test_additional_fields_stand_beside_all_others(self) -> None:
        for key, kind in (("nip", "text"), ("credit_score", "number"), ("head", "heading"), ("city", "text")):
            change = {"kind": "contact", "key": key, "label": key, "type": kind}
            create_custom_field(actor=self.manager, change=change)
        body = {"client": {"name": "A", "nip": "525", "credit_score": 85, "fields": {"kolor": "żółty"}}}

        made = self.call("POST", "/crm/clients.json", body)

        shown = made.json()
        assert (shown["nip"], shown["credit_score"]) == ("525", 85)
        assert shown["fields"] == {"nip": "525", "credit_score": 85, "kolor": "żółty"}
        assert "X-Ignored-Fields" not in made.headers
        assert ("head" in shown, shown["city"]) == (False, None)
        path = f"/crm/clients/{shown['id']}.json"
        assert self.call("PATCH", path, {"client": shown}).json() == shown
        changed = self.call("PATCH", path, {"client": {**shown, "nip": None}}).json()
        assert (changed["nip"], changed["fields"]) == (None, {"credit_score": 85, "kolor": "żółty"})
        refused = self.call("PATCH", path, {"client": {"credit_score": "dużo"}})
        assert (refused.status_code, list(refused.json())) == (422, ["fields.credit_score"])

    def test_a_client_is_upserted_and_found_by_what_an_application_calls_it(self) -> None:
        body = {"app_code": "shop", "external_id": "c.1", "client": {"name": "ABC", "email": "a@b.pl"}}

        made = self.call("POST", "/crm/clients/upsert.json", body)
        again = self.call("POST", "/crm/clients/upsert.json", {**body, "client": {"phone": "1"}})
        own = self.call("POST", "/crm/clients/upsert.json", {"external_id": "c.2", "client": {"name": "D"}})

        assert [answer.status_code for answer in (made, again, own)] == [201, 200, 201]
        shown = again.json()
        assert (shown["id"], shown["name"], shown["phone"]) == (made.json()["id"], "ABC", "1")
        assert "X-Ignored-Fields" not in made.headers
        assert self.call("GET", "/crm/clients/e/shop/c.1.json").json() == shown
        assert self.call("GET", "/crm/clients/e/c.2.json").json()["external_id"] == "c.2"
        assert self.call("GET", "/crm/clients/e/shop/c.2.json").json()["id"] == own.json()["id"]
        assert self.call("GET", "/crm/clients/e/c.1.json").status_code == 404
        assert self.call("GET", "/crm/clients/e/shop/c.1.json", actor=self.charlie).status_code == 404
        nameless = self.call("POST", "/crm/clients/upsert.json", {"client": {"name": "E"}})
        assert (nameless.status_code, list(nameless.json())) == (422, ["external_id"])
        self.person(email="x@y.pl", external_references=[("shop", "p.1")])
        taken = self.call("POST", "/crm/clients/upsert.json", {**body, "external_id": "p.1"})
        assert (taken.status_code, taken.json()) == (422, {"external_id": ["zostało już zajęte"]})

    def test_contacts_have_no_status(self) -> None:
        self.person()

        assert len(self.call("GET", "/crm/contacts.json", status_id="").json()) == 1
        assert self.call("GET", "/crm/contacts.json", status_id="1").json() == []

    def test_the_document_names_each_wrapper(self) -> None:
        paths = self.send(Call("GET", "/schema")).json()
        schemas = paths["components"]["schemas"]
        for kind in ("contact", "client", "deal"):
            operation = paths["paths"][f"/dialects/intum/crm/{kind}s.json"]["post"]
            named = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[
                2
            ]
            assert kind in schemas[named]["properties"]

    def test_companies_are_no_contacts(self) -> None:
        company = self.person(kind="company", name="Acme", first_name="", last_name="")

        assert self.call("GET", f"/crm/contacts/{company.pk}.json").status_code == 404
        assert [row["id"] for row in self.call("GET", "/crm/clients.json", q="acme").json()] == [company.pk]
        assert self.call("GET", "/crm/contacts/search.json", q="acme").json() == []

    def test_an_outsider_sees_none(self) -> None:
        person = self.person()

        assert self.call("GET", "/crm/contacts.json", actor=self.charlie).json() == []
        assert self.call("GET", f"/crm/contacts/{person.pk}.json", actor=self.charlie).status_code == 404


class TestElsewhere(Neighbours):
    def test_projects_are_not_served(self) -> None:
        for method in ("GET", "POST"):
            answer = self.call(method, "/organize/projects.json", {} if method == "POST" else None)
            assert (answer.status_code, answer.json()) == (404, {"error": "Nie znaleziono"})


class TestStatuses(Neighbours):
    def names(self) -> list[str]:
        return [status["name"] for status in self.call("GET", "/organize/statuses.json").json()]

    def test_they_are_the_crm_s_too(self) -> None:
        assert (
            self.call("GET", "/crm/statuses.json").json()
            == self.call("GET", "/organize/statuses.json").json()
        )
        body = {"status": {"name": "Audyt", "description": "Po wizji"}}
        row = self.call("POST", "/crm/statuses.json", body).json()["id"]
        assert self.call("POST", f"/crm/statuses/{row}/up").json()["priority"] == 3
        shown = self.call("POST", f"/crm/statuses/{row}/down").json()
        assert (shown["priority"], shown["description"]) == (4, "Po wizji")

    def test_the_default_pipeline_comes_first(self) -> None:
        stages = list(self.renewals.stages.in_order())

        names = self.names()

        assert names[:4] == [stage.name for stage in (self.new, self.offer, self.won, self.lost)]
        assert names[4:] == [f"Renewals: {stage.name}" for stage in stages]

    def test_a_status_is_made_moved_changed_and_deleted(self) -> None:
        made = self.call("POST", "/organize/statuses.json", {"status": {"name": "Audyt", "color": "#3730A3"}})

        row = made.json()["id"]
        assert (made.status_code, made.json()["color"]) == (201, "#3730a3")
        assert self.call("POST", f"/organize/statuses/{row}/up.json").json()["priority"] == 3
        assert self.call("POST", f"/organize/statuses/{row}/down.json").json()["priority"] == 4
        changed = self.call("PATCH", f"/organize/statuses/{row}.json", {"status": {"closed": "lost"}}).json()
        assert (changed["closed"], changed["category"]) == (True, "done")
        assert Stage.objects.get(pk=row).kind == "lost"
        assert self.call("DELETE", f"/organize/statuses/{row}.json").status_code == 200
        assert not Stage.objects.live().filter(name="Audyt").exists()

    def test_a_status_in_use_stays(self) -> None:
        self.deal(stage=self.new.pk)

        answer = self.call("DELETE", f"/organize/statuses/{self.new.pk}.json")

        assert (answer.status_code, answer.json()) == (409, {"error": "Jest w użyciu (1)"})

    def test_values_that_every_status_has_are_accepted(self) -> None:
        body = {
            "name": "Audyt",
            "closed": False,
            "category": "in_progress",
            "active": True,
            "use_in_deals": True,
            "use_in_clients": False,
            "team_ids": [],
            "color": "",
        }

        made = self.call("POST", "/organize/statuses.json", {"status": body})

        assert made.status_code == 201, made.content
        assert "X-Ignored-Fields" not in made.headers
        for wrong in (
            {"category": "todo"},
            {"closed": True},
            {"active": False},
            {"use_in_clients": True},
            {"team_ids": [1]},
            {"name": self.new.name},
            {"color": "red"},
            {"priority": -1},
        ):
            answer = self.call("POST", "/organize/statuses.json", {"status": {**body, "name": "B", **wrong}})
            assert (answer.status_code, list(answer.json())) == (422, list(wrong)), answer.content

    def test_sending_back_what_was_read_changes_nothing(self) -> None:
        before = {stage.pk: stage.version for stage in Stage.objects.all()}

        for shown in self.call("GET", "/organize/statuses.json").json():
            answer = self.call("PATCH", f"/organize/statuses/{shown['id']}.json", {"status": shown})
            assert answer.json() == shown

        assert {stage.pk: stage.version for stage in Stage.objects.all()} == before

    def test_a_name_is_written_without_its_pipeline(self) -> None:
        stage = self.renewals.stages.in_order().first()

        for name in ("Renewals: Pierwszy", "Ostatni"):
            answer = self.call("PATCH", f"/organize/statuses/{stage.pk}.json", {"status": {"name": name}})
            assert answer.json()["name"] == f"Renewals: {name.removeprefix('Renewals: ')}"

    def test_a_rep_edits_none(self) -> None:
        answer = self.call("POST", "/organize/statuses.json", {"status": {"name": "x"}}, actor=self.bob)

        assert answer.status_code == 403
