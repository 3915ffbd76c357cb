"""Contacts and companies that files name by the ids of the old system."""

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact
from deals.models import Deal
from tests.api.client import ApiTestCase
from tests.imports.client import carried_out, counts, csv_file, imported, upload
from tests.imports.test_sources import SourceTestCase

PIPEDRIVE_PEOPLE = ("Person - ID", "Person - Name", "Person - Email - Work", "Person - Organization ID")
PIPEDRIVE_DEALS = ("Deal - ID", "Deal - Title", "Deal - Person ID", "Deal - Organization ID")


class LinkTests(ApiTestCase):
    def outcome(self, kind: str, header: Any, *rows: Any, **change: Any) -> Any:
        return imported(self.as_alice, kind, csv_file(header, *rows), **change)

    def in_system(self, kind: str, header: Any, *rows: Any) -> Any:
        return self.outcome(kind, header, *rows, options={"external_system": "old"})

    def people(self) -> None:
        header = ("External ID", "Kind", "Company", "First name", "E-mail")
        rows = [
            ("c1", "company", "Acme", "", ""),
            ("p1", "person", "", "Ann", "ann@example.com"),
            ("p2", "person", "", "Ben", "ben@example.com"),
        ]
        assert counts(self.in_system("contacts", header, *rows)) == (3, 0, 0, 0)

    def test_a_deal_by_ids(self) -> None:
        self.people()
        result = self.in_system("deals", ("Name", "Contact ID", "Company ID"), ("A", "p1; p2", "c1"))
        assert counts(result) == (1, 0, 0, 0), result["refused"]
        assert result["mapping"] == {
            "Name": "name",
            "Contact ID": "contact_external_id",
            "Company ID": "client_external_id",
        }
        deal = Deal.objects.get()
        assert (deal.contact.first_name, deal.client.name) == ("Ann", "Acme")
        links = deal.contact_links.values_list("contact__first_name", flat=True)
        assert list(links) == ["Ben"]

    def test_the_id_comes_before_the_names_of_the_row(self) -> None:
        """The names may be older than the contact is here, and in another order than the ids."""
        self.people()
        header = ("Name", "Contact ID", "Contact name", "Contact's e-mail", "Client", "Company ID")
        result = self.in_system(
            "deals", header, ("A", "p1", "Benjamin Old", "old@example.com", "ACME Old", "c1")
        )
        assert counts(result) == (1, 0, 0, 0), result["refused"]
        deal = Deal.objects.get()
        assert (deal.contact.first_name, deal.client.name) == ("Ann", "Acme")
        assert Contact.objects.count() == 3

    def test_an_unknown_id_beside_names(self) -> None:
        self.people()
        header = ("Name", "Contact ID", "Contact's e-mail", "Client", "Company ID")
        row = ("A", "p9", "new@example.com", "New Ltd", "c9")
        for task in ("preview", "run"):
            result = self.outcome(
                "deals", header, row, task=task, options={"external_system": "old", "match_on": "none"}
            )
            assert [
                (part["column"], part["samples"], part["reason"]) for part in result["summary"]["left_out"]
            ] == [
                ("Company ID", ["c9"], "unknown_id"),
                ("Contact ID", ["p9"], "unknown_id"),
            ]
        deal = Deal.objects.get()
        assert (deal.contact.email, deal.client.name) == ("new@example.com", "New Ltd")

    def test_an_unknown_id_alone_refuses_the_row(self) -> None:
        self.people()
        header = ("Name", "Contact ID", "Company ID")
        rows = [("A", "p9", ""), ("B", "p9", ""), ("C", "", "c9"), ("D", "p1", "c1")]
        result = self.in_system("deals", header, *rows)
        assert result["state"] == "refused"
        assert [(part["column"], part["rows"], part["detail"]) for part in result["summary"]["problems"]] == [
            ("Contact ID", 2, "There is no contact with the ID 'p9' of old. Import the contacts first."),
            ("Company ID", 1, "There is no company with the ID 'c9' of old. Import the companies first."),
        ]
        assert {error["code"] for row in result["refused"] for error in row["errors"]} == {"does_not_exist"}

    def test_ids_are_those_of_the_system_of_the_row(self) -> None:
        self.people()
        header = ("Name", "External system", "External ID", "Contact ID")
        result = self.outcome("deals", header, ("A", "old", "1", "p1"), ("B", "other", "1", "p1"))
        assert [row["line"] for row in result["refused"]] == [3]

    def test_others_see_nothing_of_an_id(self) -> None:
        self.people()
        content = csv_file(("Name", "Contact ID"), ("A", "p1"))
        result = imported(self.as_charlie, "deals", content, options={"external_system": "old"})
        assert result["state"] == "refused"

    def test_a_uuid_comes_before_an_id(self) -> None:
        self.people()
        ben = Contact.objects.get(first_name="Ben")
        result = self.in_system("deals", ("Name", "Contact ID", "contact_uuid"), ("A", "p1", str(ben.uuid)))
        assert counts(result) == (1, 0, 0, 0), result["refused"]
        assert Deal.objects.get().contact == ben

    def test_companies_and_people_of_one_file(self) -> None:
        header = ("External ID", "Kind", "Company", "First name", "Company ID")
        rows = [
            ("p1", "person", "", "Ann", "c1"),
            ("c1", "company", "Acme", "", ""),
            ("p2", "person", "", "Ben", "c9"),
        ]
        result = self.in_system("contacts", header, *rows)
        assert [row["line"] for row in result["refused"]] == [4]
        result = self.in_system("contacts", header, *rows[:2])
        assert counts(result) == (2, 0, 0, 0), result["refused"]
        assert Contact.objects.get(first_name="Ann").company.name == "Acme"

    def test_a_second_import_changes_nothing(self) -> None:
        self.people()
        rows = [("External ID", "Name", "Contact ID", "Company ID"), ("1", "A", "p1;p2", "c1")]
        self.in_system("deals", *rows)
        assert counts(self.in_system("deals", *rows)) == (0, 0, 1, 0)

    def test_queries_do_not_grow_with_the_rows(self) -> None:
        self.people()
        numbers = []
        for count in (2, 40):
            rows = [(f"{count}-{number}", "A", "p1;p2", "c1") for number in range(count)]
            content = csv_file(("External ID", "Name", "Contact ID", "Company ID"), *rows)
            source = upload(self.as_alice, "deals", content).json()
            place = f"/api/imports/{source['uuid']}"
            self.as_alice.patch(place, {"options": {"external_system": "old"}})
            with CaptureQueriesContext(connection) as queries:
                assert carried_out(self.as_alice, place)["state"] == "done"
            numbers.append(len(queries))
        assert numbers[1] <= numbers[0], numbers


class KnownSourceTests(SourceTestCase):
    """Ids of companies may be counted apart from those of people."""

    def test_pipedrive(self) -> None:
        companies = csv_file(("Organization - ID", "Organization - Name"), ("1", "Regalbau"), ("2", "Umzug"))
        people = csv_file(PIPEDRIVE_PEOPLE, ("1", "Eva Weber", "eva@pd.example", "2"))
        deals = csv_file(PIPEDRIVE_DEALS, ("1", "Racks", "1", "1"))
        for kind, content in (("contacts", companies), ("contacts", people), ("deals", deals)):
            result = imported(self.as_alice, kind, content)
            assert result["state"] == "done", (result["problem"], result["refused"])
        deal = Deal.objects.get()
        assert (deal.contact.full_name, deal.client.name) == ("Eva Weber", "Regalbau")
        assert deal.contact.company.name == "Umzug"

    def test_hubspot(self) -> None:
        companies = csv_file(
            ("Record ID", "Company name", "Company owner"),
            ("70010001", "Nordkap Kühltechnik", ""),
            ("70010002", "Maas", ""),
        )
        assert imported(self.as_alice, "contacts", companies)["state"] == "done"
        self.run_with(self.of_file("hubspot-contacts.csv", "contacts"))
        known = Contact.objects.filter(kind="company").count()
        source = self.of_file("hubspot-deals.csv")
        assert source["mapping"]["Associated Contact IDs"] == "contact_external_id"
        self.run_with(source)
        assert Contact.objects.filter(kind="company").count() == known
        deal = Deal.objects.get(name="Line 3 upgrade")
        # The company was renamed here since; the id finds it.
        assert (deal.contact.full_name, deal.client.name) == ("Piet Maas", "Maas")

    def test_salesforce_data_loader(self) -> None:
        companies = csv_file(
            ("Id", "Name", "BillingCity", "BillingCountry"), ("001A", "Café Müller", "Wien", "Austria")
        )
        people = csv_file(("Id", "FirstName", "LastName", "AccountId"), ("003A", "Ida", "Roth", "001A"))
        deals = csv_file(
            ("Id", "Name", "StageName", "CloseDate", "AccountId", "ContactId"),
            ("006A", "Oven", "Won", "2025-12-31", "001A", "003A"),
        )
        for kind, content in (("contacts", companies), ("contacts", people), ("deals", deals)):
            result = imported(self.as_alice, kind, content)
            assert result["state"] == "done", (result["problem"], result["refused"])
        deal = Deal.objects.get()
        assert (deal.contact.full_name, deal.client.name) == ("Ida Roth", "Café Müller")
        assert deal.contact.company == deal.client
