"""Columns that name the same row together: each is used, says what is there, or refuses the row."""

from typing import Any

import pytest

from contacts.models import Contact
from contacts.services import find_or_create_company
from crm_project.changes import change_set
from crm_project.imports.kinds import import_kind
from crm_project.records.locks import free_keys
from deals.models import Deal
from deals.services import create_deals
from tests.api.client import ApiTestCase
from tests.base import World
from tests.factories import CompanyFactory
from tests.imports.client import counts, csv_file, imported
from tests.test_races import at_once

NORA = {"first_name": "Nora", "last_name": "Quist", "phone": "+47 22 33 44 55"}


class ColumnTests(ApiTestCase):
    def outcome(self, kind: str, row: dict[str, Any], *, task: str = "run", **options: Any) -> Any:
        """The counts, and the code of each refused field."""
        change = {"options": options} if options else {}
        result = imported(self.as_bob, kind, csv_file(row.keys(), row.values()), task=task, **change)
        assert result["state"] in ("done", "refused", "previewed"), result["problem"]
        errors = {error["field"]: error["code"] for line in result["refused"] for error in line["errors"]}
        return counts(result), errors

    def test_a_contact_by_uuid_beside_its_other_columns(self) -> None:
        nora = self.person(**NORA, email="nora@bücher.example")
        row = {"name": "A", "contact_uuid": str(nora.uuid)}
        for name, same, other in (
            ("contact_email", "NORA@xn--bcher-kva.example ", "other@example.com"),
            ("contact_first_name", " nóra", "Nina"),
            ("contact_last_name", "QUIST", "Quirk"),
            ("contact_phone", "0047 22334455", "+47 22 33 44 56"),
        ):
            with self.subTest(column=name):
                assert self.outcome("deals", {**row, "number": name, name: same}) == ((1, 0, 0, 0), {})
                for task in ("preview", "run"):
                    refused = self.outcome("deals", {**row, name: other}, task=task)
                    assert refused == ((0, 0, 0, 1), {name: "contact_conflict"})
        assert set(Deal.objects.values_list("contact", flat=True)) == {nora.pk}
        assert Contact.objects.count() == 1

    def test_a_client_and_a_company_by_uuid_beside_the_name(self) -> None:
        acme = CompanyFactory(actor=self.bob, name="Acme  Ltd")
        for kind, uuid, name, row in (
            ("deals", "client_uuid", "client_name", {"name": "A"}),
            ("contacts", "company_uuid", "company_name", {"first_name": "A"}),
        ):
            with self.subTest(kind=kind):
                row = {**row, uuid: str(acme.uuid)}
                assert self.outcome(kind, {**row, name: "ACME Ltd"}) == ((1, 0, 0, 0), {})
                refused = self.outcome(kind, {**row, name: "Other"})
                assert refused == ((0, 0, 0, 1), {name: "contact_conflict"})
                unknown = {**row, uuid: str(self.pipeline.uuid), name: "Other"}
                assert self.outcome(kind, unknown) == ((0, 0, 0, 1), {uuid: "does_not_exist"})
        assert Contact.objects.filter(kind="company").count() == 1

    def test_spellings_of_a_company_are_one_company(self) -> None:
        acme = CompanyFactory(actor=self.bob, name="Café Łódź")
        for kind, name, row in (
            ("deals", "client_name", {"name": "A"}),
            ("contacts", "company_name", {"first_name": "A"}),
        ):
            with self.subTest(kind=kind):
                assert self.outcome(kind, {**row, name: "CAFE  LODZ"}) == ((1, 0, 0, 0), {})
        assert Contact.objects.filter(kind="company").count() == 1
        assert Deal.objects.get().client == acme
        assert Contact.objects.get(first_name="A").company == acme

    def test_spellings_of_a_new_company_in_one_file_create_one(self) -> None:
        names = ("Ægir Ltd", "AEGIR LTD", " ægir  ltd")
        rows = [(f"P{number}", name) for number, name in enumerate(names)]

        result = imported(self.as_bob, "contacts", csv_file(("first_name", "company_name"), *rows))

        assert counts(result) == (3, 0, 0, 0), result
        company = Contact.objects.get(kind="company")
        assert company.full_name == "Ægir Ltd"
        assert company.people.count() == 3

    def test_a_name_of_several_companies(self) -> None:
        """The exact name is that of one company; another spelling could be any of them."""
        CompanyFactory(actor=self.bob, name="Café")
        plain = CompanyFactory(actor=self.bob, name="Cafe")
        row = {"first_name": "A", "company_name": "Cafe"}

        assert self.outcome("contacts", row) == ((1, 0, 0, 0), {})
        several = self.outcome("contacts", {**row, "company_name": "CAFE"})
        assert several == ((0, 0, 0, 1), {"company_name": "ambiguous_match"})
        assert list(plain.people.values_list("first_name", flat=True)) == ["A"]
        CompanyFactory(actor=self.bob, name=" Cafe")
        assert self.outcome("contacts", row) == ((0, 0, 0, 1), {"company_name": "ambiguous_match"})

    def test_a_system_without_an_id(self) -> None:
        for kind, row in (("deals", {"name": "A"}), ("contacts", {"first_name": "A"})):
            refused = self.outcome(kind, {**row, "external_system": "erp"})
            assert refused == ((0, 0, 0, 1), {"external_id": "required"})
            assert self.outcome(kind, {**row, "external_system": "erp", "external_id": "1"})[0][0] == 1

    def test_a_person_without_email(self) -> None:
        row = {"name": "A", **{f"contact_{name}": value for name, value in NORA.items()}}
        for task, people in (("preview", 0), ("run", 1)):
            assert self.outcome("deals", row, task=task) == ((1, 0, 0, 0), {})
            assert Contact.objects.count() == people
        assert self.outcome("deals", {**row, "name": "B", "contact_phone": "004722334455"})[0] == (1, 0, 0, 0)
        assert self.outcome("deals", {"name": "C", "contact_phone": "1"})[1] == {
            "contact_first_name": "required"
        }

        assert [person.full_name for person in Contact.objects.all()] == ["Nora Quist"]
        assert {deal.contact.full_name for deal in Deal.objects.all()} == {"Nora Quist"}

    def test_an_export_is_imported_as_it_is(self) -> None:
        """A closed deal with a probability of its own too."""
        nora, acme = self.person(**NORA), CompanyFactory(actor=self.bob, name="Acme")
        deal = self.deal(probability=35, contact=nora.pk, client=acme.pk)
        self.as_bob.patch(f"/api/deals/{deal.uuid}", {"status": "won"})
        content = b"".join(self.as_bob.get("/api/deals/export").streaming_content)

        result = imported(self.as_bob, "deals", content)

        assert (counts(result), result["refused"]) == ((0, 0, 1, 0), [])


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_imports_and_requests_at_once_create_one_company_and_one_person() -> None:
    """Imports hold no keys of e-mails and references, but those of names."""
    world = World()
    bob = world.bob
    named = {f"contact_{name}": value for name, value in NORA.items()}

    def run_import() -> None:
        with free_keys(), change_set(bob):
            import_kind("contacts", bob, {"match_on": "none"}).write(
                [{"first_name": "A", "company_name": "New  Ltd", "external_references": []}]
            )
            import_kind("deals", bob, {"match_on": "none"}).write([{"name": "A", **named}])

    def create() -> None:
        find_or_create_company(actor=bob, name="New Ltd")
        create_deals(actor=bob, changes=[{"name": "B", **named}])

    refusals = [result for result in at_once(*[run_import, create] * 4) if result is not None]

    assert refusals == []
    assert Contact.objects.filter(kind="company").count() == 1
    assert Contact.objects.filter(first_name="Nora").count() == 1


class FurtherAddressTests(ApiTestCase):
    """An address is of one contact, whichever of its addresses it is, in the database and in the file."""

    def setUp(self) -> None:
        self.ann = self.person(
            first_name="Ann", last_name="Lee", email="ann@x.example", further_emails=["ann@home.example"]
        )

    def imported(self, *rows: list[str]) -> Any:
        file = csv_file(["first_name", "last_name", "email", "city"], *rows)
        result = imported(self.as_bob, "contacts", file, options={"bad_rows": "skip"})
        assert result["state"] == "done", result["problem"]
        errors = {line["line"]: line["errors"][0]["code"] for line in result["refused"]}
        return counts(result), errors

    def test_a_row_finds_the_contact_by_a_further_address(self) -> None:
        assert self.imported(["Ann", "Lee", "ANN@home.example", "Graz"]) == ((0, 1, 0, 0), {})

        ann = Contact.objects.get()
        assert (ann.email, ann.further_emails, ann.city) == ("ann@x.example", ["ann@home.example"], "Graz")

    def test_a_further_address_of_a_row_that_another_contact_has_refuses_the_row(self) -> None:
        for taken in ("ann@x.example", "Ann@Home.example"):
            row = ["Ben", "Roe", f"ben@x.example; {taken}", "Linz"]

            assert self.imported(row) == ((0, 0, 0, 1), {2: "email_taken"}), taken
        assert Contact.objects.count() == 1

    def test_one_address_in_two_rows_is_of_the_first(self) -> None:
        cleo = ["Cleo", "Roe", "cleo@x.example; shared@x.example", ""]

        assert self.imported(cleo, ["Dan", "Roe", "shared@x.example", "Rome"]) == (
            (1, 0, 0, 1),
            {3: "email_taken"},
        )
        assert Contact.objects.exclude(pk=self.ann.pk).get().first_name == "Cleo"
