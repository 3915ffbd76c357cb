"""Phone numbers and e-mail addresses in the dialects' searches: one number has many spellings, a contact several."""

from typing import Any

from crm_project.accounts.models import Organization
from tests.base import BaseTestCase
from tests.dialects.base import Call, DialectClient

SPELLINGS = ("01 55 96 02 43", "+33155960243", "0033 1 55.96.02.43", "+33 (0)1 55 96 02 43")
# Parts of the number, as it was typed or in international form.
PARTS = ("55 96 02", "155960243", "+33 1559", "01 55 96 02")
VERSION = {"Version": "2021-07-28"}


class TestPhones(BaseTestCase):
    def setUp(self) -> None:
        Organization.objects.filter(pk=self.organization.pk).update(country="FR")
        self.bob.organization.country = "FR"
        self.person(first_name="Ann", last_name="", phone=SPELLINGS[0], email="ann@bücher.example")
        self.person(first_name="Ben", last_name="", mobile="+33 6 12 34 56 78", email="ben@x.io")
        self.person(first_name="Cleo", last_name="", email="cleo@x.io")

    def names(self, system: str, call: Call) -> list[str]:
        client = DialectClient()
        client.system = system
        answer = client.as_actor(self.bob, call)
        assert answer.status_code == 200, answer.content
        body = answer.json()
        rows = (
            body.get("response", body.get("contacts", body.get("items"))) if isinstance(body, dict) else body
        )
        shown = [row.get("firstName") or row.get("name") or row.get("displayName") for row in rows]
        return [name.split()[0] for name in shown]

    def leadconnector(self, field: str, operator: str, value: Any) -> list[str]:
        body = {
            "locationId": str(self.organization.uuid),
            "filters": [{"field": field, "operator": operator, "value": value}],
        }
        return self.names("leadconnector", Call("POST", "/contacts/search", body, headers=VERSION))

    def onlyoffice(self, kind: str, text: str) -> list[str]:
        query = {"infoType": kind, "data": text}
        return self.names("onlyoffice", Call("GET", "/api/2.0/crm/contact/bycontactinfo", query=query))

    def gauzy(self, route: str, **query: str) -> list[str]:
        return self.names("gauzy", Call("GET", f"/api/organization-contact{route}", query=query))

    def test_a_number_is_found_in_any_spelling(self) -> None:
        for spelling in SPELLINGS:
            assert self.leadconnector("phone", "eq", spelling) == ["Ann"], spelling
            assert self.leadconnector("phone", "eq", [spelling, "06 12 34 56 78"]) == ["Ben", "Ann"]
            assert self.leadconnector("phone", "not_eq", spelling) == ["Cleo", "Ben"]
            assert self.gauzy("", **{"where[primaryPhone]": spelling}) == ["Ann"], spelling
            assert self.onlyoffice("phone", spelling.replace("(0)", "")) == ["Ann"], spelling
            assert self.duplicate(number=spelling) == "Ann", spelling

    def test_a_part_of_a_number_is_found_in_any_spelling(self) -> None:
        for part in PARTS:
            assert self.leadconnector("phone", "contains", part) == ["Ann"], part
            assert self.gauzy("/pagination", **{"where[primaryPhone]": part}) == ["Ann"], part
            assert self.gauzy("", primaryPhone=part) == ["Ann"], part
            assert self.onlyoffice("phone", part) == ["Ann"], part

    def test_a_text_without_digits_is_nobodys_number(self) -> None:
        for text in ("none", "+"):
            assert self.leadconnector("phone", "eq", text) == []
            assert self.gauzy("", **{"where[primaryPhone]": text}) == []

    def test_who_has_a_number_has_a_phone_or_a_mobile(self) -> None:
        assert self.leadconnector("phone", "exists", None) == ["Ben", "Ann"]

    def test_an_email_address_is_found_in_either_form_of_its_domain(self) -> None:
        for email in ("Ann@bücher.example", "ann@XN--bcher-kva.example"):
            assert self.leadconnector("email", "eq", email) == ["Ann"], email
            assert self.leadconnector("email", "contains", email) == ["Ann"], email
            assert self.gauzy("", **{"where[primaryEmail]": email}) == ["Ann"], email
            assert self.gauzy("/pagination", **{"where[primaryEmail]": email}) == ["Ann"], email
            assert self.onlyoffice("email", email) == ["Ann"], email

    def test_a_contact_is_found_by_its_further_addresses(self) -> None:
        self.person(
            first_name="Dora",
            last_name="",
            email="dora@x.io",
            further_emails=["dora@home.example"],
            further_phones=["+33 7 98 76 54 32"],
        )
        for email in ("Dora@HOME.example", "dora@x.io"):
            assert self.leadconnector("email", "eq", email) == ["Dora"], email
            assert self.leadconnector("email", "contains", email) == ["Dora"], email
            assert self.gauzy("", **{"where[primaryEmail]": email}) == ["Dora"], email
            assert self.gauzy("/pagination", **{"where[primaryEmail]": email}) == ["Dora"], email
            assert self.onlyoffice("email", email) == ["Dora"], email
            assert self.duplicate(email=email) == "Dora", email
            query = {"extracted_email": email}
            assert self.names("intum", Call("GET", "/crm/contacts.json", query=query)) == ["Dora"], email
        for number in ("07 98 76 54 32", "+33798765432"):
            assert self.leadconnector("phone", "eq", number) == ["Dora"], number
            assert self.gauzy("", **{"where[primaryPhone]": number}) == ["Dora"], number
            assert self.onlyoffice("phone", number) == ["Dora"], number
            assert self.duplicate(number=number) == "Dora", number

    def duplicate(self, **query: str) -> str:
        client = DialectClient()
        client.system = "leadconnector"
        query = {"locationId": str(self.organization.uuid), **query}
        call = Call("GET", "/contacts/search/duplicate", headers=VERSION, query=query)
        return str(client.as_actor(self.bob, call).json()["contact"]["firstName"])
