"""Xalantis' contacts, clients and representatives: the shapes that its OpenAPI document declares."""

from typing import Any

from contacts.models import Contact
from tests.dialects.base import BaseTestCase
from tests.dialects.xalantis.base import V1

PERSON = {"first_name": "Sophie", "last_name": "Martin", "email": "sophie.martin@example.com"}
COMPANY = {"client_type": "company", "company": "Acme", "city": "Lyon", "country_code": "fr"}
CONTACT_KEYS = (
    "uuid first_name last_name full_name email phone mobile job_title department status address city country"
    " postal_code linkedin_url twitter_url source notes custom_fields client created_at updated_at"
)
CLIENT_KEYS = (
    "uuid client_type legal_name name first_name last_name email phone company website legal_form"
    " registration_number vat_number share_capital id_type id_number address address_line_2 city postal_code state"
    " full_address logo_url notes country created_at updated_at"
)


class People(V1):
    def made(self, path: str, body: Any) -> Any:
        answer = self.ask("POST", path, body)
        assert answer.status_code == 201, answer.content
        return answer.json()["data"]

    def wrong(self, path: str, body: Any, *, method: str = "POST") -> list[str]:
        """The fields that a refusal names."""
        answer = self.ask(method, path, body)
        assert answer.status_code == 422, answer.content
        assert answer.json()["error"]["code"] == "VALIDATION_ERROR"
        return sorted(answer.json()["error"]["details"])


class TestContacts(People, BaseTestCase):
    def test_a_contact_is_printed_changed_and_deleted(self) -> None:
        shown = self.made("contacts", PERSON)
        path = f"contacts/{shown['uuid']}"

        assert shown.keys() == set(CONTACT_KEYS.split())
        assert (shown["full_name"], shown["phone"], shown["status"]) == ("Sophie Martin", None, None)
        assert self.ask("PATCH", path, shown).json()["data"] == shown
        changed = self.ask("PATCH", path, {"job_title": "CEO"}).json()["data"]
        assert changed["job_title"] == "CEO"
        assert self.ask("DELETE", path).json() == {"success": True, "data": changed}
        assert self.ask("GET", path).status_code == 404

    def test_its_client_is_named_by_number_or_uuid(self) -> None:
        client = self.made("clients", COMPANY)
        stranger = self.person(self.charlie, kind="company", name="Theirs", first_name="", last_name="")

        by_number = self.made("contacts", {**PERSON, "client_id": client["id"]})
        by_uuid = self.made("contacts", {**PERSON, "email": "b@example.com", "client_id": client["uuid"]})

        assert by_number["client"] == by_uuid["client"] == client
        for unknown in (stranger.pk, str(stranger.uuid), 10**30, True, "x"):
            assert self.wrong("contacts", {**PERSON, "client_id": unknown}) == ["client_id"]
        path = f"contacts/{by_number['uuid']}"
        assert self.ask("PATCH", path, {"client_id": None}).json()["data"]["client"] is None

    def test_it_stores_custom_fields_without_a_definition(self) -> None:
        """The vendor takes any pairs here, and declared ones alone of clients and deals."""
        free = {"Shoe size": 42, "seen": [{"at": "fair"}]}
        shown = self.made("contacts", {**PERSON, "custom_fields": free})

        changed = self.ask("PATCH", f"contacts/{shown['uuid']}", {"custom_fields": {"seen": None}})

        assert shown["custom_fields"] == free
        assert changed.json()["data"]["custom_fields"] == {"Shoe size": 42}
        assert self.wrong("clients", {**COMPANY, "custom_fields": free}) == [
            "custom_fields.Shoe size",
            "custom_fields.seen",
        ]

    def test_an_address_is_given_once(self) -> None:
        self.made("contacts", PERSON)

        answer = self.ask("POST", "contacts", PERSON)

        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONFLICT")
        assert list(answer.json()["error"]["details"]) == ["email"]

    def test_what_is_wrong_is_named(self) -> None:
        assert self.wrong("contacts", {}) == ["email", "first_name"]
        assert self.wrong("contacts", {**PERSON, "linkedin_url": "https://example.com/x"}) == ["linkedin_url"]
        assert self.made("contacts", {**PERSON, "status": None, "linkedin_url": ""})

    def test_an_outsider_sees_none(self) -> None:
        person = self.person()

        for path in ("contacts", "clients"):
            assert self.ask("GET", f"{path}/{person.uuid}", actor=self.charlie).status_code == 404
            assert self.ask("GET", path, actor=self.charlie).json()["data"] == []


class TestClients(People, BaseTestCase):
    def test_a_company_is_printed_changed_and_deleted(self) -> None:
        shown = self.made("clients", COMPANY)
        path = f"clients/{shown['uuid']}"

        assert shown.keys() == {*CLIENT_KEYS.split(), "id", "industry", "custom_fields", "settings"}
        assert (shown["client_type"], shown["share_capital"]) == ("company", 0)
        assert shown["name"] == shown["company"] == shown["legal_name"] == "Acme"
        assert (shown["country"], shown["full_address"]) == ({"id": None, "name": "FR"}, "Lyon, FR")
        assert self.got("clients")["data"] == [shown]
        assert self.ask("PATCH", path, shown).json()["data"] == shown
        assert self.ask("PATCH", path, {"name": "Globex"}).json()["data"]["company"] == "Globex"
        assert self.ask("DELETE", path).status_code == 200
        assert self.ask("GET", path).status_code == 404

    def test_an_individual_is_a_person_of_no_company(self) -> None:
        body = {"client_type": "individual", "first_name": "Ann", "last_name": "Lee", "name": "Ann Lee"}
        shown = self.made("clients", body)

        assert (shown["client_type"], shown["name"], shown["company"]) == ("individual", "Ann Lee", None)
        assert Contact.objects.get().kind == "person"
        changed = self.ask("PATCH", f"clients/{shown['uuid']}", {**shown, "last_name": "Ray"}).json()["data"]
        assert changed["name"] == "Ann Ray"
        company = self.made("clients", COMPANY)
        self.ask("PATCH", f"contacts/{shown['uuid']}", {"client_id": company["id"]})
        assert self.got("clients")["data"] == [company]

    def test_what_is_wrong_is_named(self) -> None:
        client = self.made("clients", COMPANY)

        assert self.wrong("clients", {"company": "x"}) == ["client_type"]
        assert self.wrong("clients", {"client_type": "company", "name": "x"}) == ["company"]
        assert self.wrong("clients", {"client_type": "individual"}) == ["first_name", "last_name"]
        assert self.wrong("clients", {**COMPANY, "name": "Another"}) == ["name"]
        assert self.wrong("clients", {**COMPANY, "vat_number": "FR1", "country_code": "FRA"}) == [
            "country_code",
            "vat_number",
        ]
        other = {"client_type": "individual"}
        assert self.wrong(f"clients/{client['uuid']}", other, method="PATCH") == ["client_type"]

    def test_its_representatives(self) -> None:
        client = self.made("clients", COMPANY)
        path = f"clients/{client['uuid']}/representatives"
        body = {"first_name": "Sophie", "last_name": "Martin", "title": "Gérante", "can_sign": False}

        shown = self.made(path, body)

        person = Contact.objects.get(kind="person")
        assert shown.items() >= {"id": person.pk, "title": "Gérante", "email": None}.items()
        assert (shown["can_sign"], shown["is_primary"], shown["valid_from"]) == (False, False, None)
        assert self.got(path)["data"] == [shown]
        assert self.got("contacts", search="martin")["data"][0]["client"] == client
        assert self.wrong(path, {"first_name": "A", "can_sign": 1}) == ["can_sign", "last_name", "title"]
        for nobody in (str(person.uuid), "x"):
            assert self.ask("GET", f"clients/{nobody}/representatives").status_code == 404
