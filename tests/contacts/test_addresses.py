"""Further e-mail addresses and phone numbers: as unique as the first ones, and a contact is found by any of them."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from contacts.models import Contact, ContactAddress
from contacts.services import (
    NewPerson,
    create_contacts,
    find_or_create_people,
    renormalize_phones,
    restore_contacts,
    trash_contacts,
    update_contacts,
    upsert_contacts,
    upsert_person,
)
from crm_project.accounts.services import update_organization
from crm_project.errors import DomainError
from crm_project.journal.models import Event
from crm_project.journal.undo import undo
from deals.models import Deal
from deals.services import create_deals, update_deals, upsert_deals
from tests.base import BaseTestCase, refused


def refusal(act, *args, **given):
    with pytest.raises(DomainError) as caught, transaction.atomic():
        act(*args, **given)
    return caught.value


class AddressTestCase(BaseTestCase):
    def setUp(self):
        self.ann = self.create(
            first_name="Ann",
            last_name="Lee",
            email="ann@example.com",
            phone="+43 1 5550001",
            further_emails=["Ann.Lee@Example.org", "ann@home.example"],
            further_phones=["+43 664 5550002"],
        )

    def create(self, actor=None, **change):
        return create_contacts(actor=actor or self.bob, changes=[change])[0]

    def update(self, contact, actor=None, **change):
        return update_contacts(actor=actor or self.bob, changes=[(contact, change)])[0]

    def stored(self, contact):
        row = Contact.objects.get(pk=contact.pk)
        return row.email, row.further_emails, row.further_phones

    def last(self):
        return Event.objects.of(self.organization.pk).latest("sequence")


class WriteTests(AddressTestCase):
    def test_it_works(self):
        assert self.stored(self.ann) == (
            "ann@example.com",
            ["ann.lee@example.org", "ann@home.example"],
            ["+43 664 5550002"],
        )
        assert Contact.objects.get(pk=self.ann.pk).version == 1

    def test_an_update_replaces_a_list_and_leaves_the_other_one(self):
        receipt = self.update(self.ann, further_emails=["ann@home.example", "new@example.com"])

        assert (receipt.outcome, receipt.changed) == ("updated", ["further_emails"])
        assert self.stored(self.ann)[1:] == (["ann@home.example", "new@example.com"], ["+43 664 5550002"])

    def test_sending_back_what_was_read_changes_nothing(self):
        _, emails, phones = self.stored(self.ann)

        assert self.update(self.ann, further_emails=emails, further_phones=phones).outcome == "unchanged"

    def test_an_address_is_kept_once(self):
        self.update(
            self.ann,
            further_emails=["ANN@example.com", "ann@home.example", "Ann@Home.example"],
            further_phones=["0043 1 5550001", "+43 664 5550002", "0043 664 555 00 02"],
        )

        assert self.stored(self.ann)[1:] == (["ann@home.example"], ["+43 664 5550002"])

    def test_a_further_address_that_becomes_the_first_one_is_no_further_one(self):
        self.update(self.ann, email="ann@home.example")

        assert self.stored(self.ann)[:2] == ("ann@home.example", ["ann.lee@example.org"])

    def test_it_rejects_what_is_no_address(self):
        error = refusal(
            self.update, self.ann, further_emails=["fine@example.com", "no", ""], further_phones=[" "]
        )

        assert [wrong.field for wrong in error.fields] == [
            "further_emails.1",
            "further_emails.2",
            "further_phones.0",
        ]

    def test_it_rejects_too_many(self):
        error = refusal(self.update, self.ann, further_phones=[f"+43 1 {n:07}" for n in range(51)])

        assert error.fields[0].field == "further_phones"

    def test_a_change_is_in_the_event_of_the_contact(self):
        self.update(self.ann, further_phones=[])

        assert self.last().changes == {"further_phones": [["+43 664 5550002"], []]}


class UniqueTests(AddressTestCase):
    def test_no_other_person_has_the_address_as_the_first_or_a_further_one(self):
        other = self.create(first_name="Eva")
        for change in (
            {"email": "ann@home.example"},
            {"further_emails": ["ann@home.example"]},
            {"further_emails": ["ANN@example.com"]},
        ):
            with self.subTest(change):
                assert refusal(self.update, other, **change).code == "email_taken"
                assert refusal(self.create, first_name="Max", **change).code == "email_taken"

    def test_two_new_contacts_of_one_list(self):
        changes = [{"first_name": "A", "further_emails": ["x@example.com"]}, {"email": "x@example.com"}]

        error = refusal(create_contacts, actor=self.bob, changes=changes)

        assert {index: one.code for index, one in error.errors.items()} == {1: "email_taken"}

    def test_a_company_may_have_the_address_of_a_person(self):
        company = self.create(kind="company", name="Lee", further_emails=["ann@example.com"])

        assert self.stored(company)[1] == ["ann@example.com"]

    def test_the_trash_frees_the_address_and_a_restore_that_clashes_is_refusal(self):
        trash_contacts(actor=self.bob, rows=[self.ann])
        other = self.create(first_name="Eva", email="ann@home.example")

        assert refusal(restore_contacts, actor=self.bob, rows=[self.ann]).code == "restore_conflict"
        trash_contacts(actor=self.bob, rows=[other])
        restore_contacts(actor=self.bob, rows=[self.ann])
        assert refusal(self.create, email="ann@home.example").code == "email_taken"

    def test_the_database_refuses_a_second_live_one(self):
        other = self.create(first_name="Eva")
        row = {
            "organization": self.organization,
            "contact": other,
            "medium": "email",
            "contact_kind": "person",
        }

        with pytest.raises(IntegrityError), transaction.atomic():
            ContactAddress.objects.create(**row, value="ann@home.example", normalized="ann@home.example")

    def test_the_kind_of_the_contact_decides(self):
        company = self.create(kind="company", name="Home", further_emails=["ann@home.example"])
        self.update(self.ann, further_emails=[])

        self.update(company, kind="person", name="", first_name="Home")

        assert refusal(self.update, self.ann, further_emails=["ann@home.example"]).code == "email_taken"

    def test_another_organization_has_addresses_of_its_own(self):
        self.create(actor=self.charlie, first_name="Ann", further_emails=["ann@home.example"])


class FoundTests(AddressTestCase):
    def test_a_deal_finds_its_contact_by_a_further_address(self):
        change = {"name": "Roof", "contact_email": "ANN@home.example", "contact_first_name": "Someone"}

        create_deals(actor=self.bob, changes=[change])

        assert Deal.objects.get().contact == self.ann
        assert self.stored(self.ann)[0] == "ann@example.com"

    def test_several_deals_at_once(self):
        emails = ["ann@example.com", "ann@home.example", "new@example.com", "Ann.Lee@example.org"]
        changes = [{"name": email, "contact_email": email, "contact_first_name": "N"} for email in emails]

        create_deals(actor=self.bob, changes=changes)

        assert Deal.objects.filter(contact=self.ann).count() == 3
        assert Contact.objects.of(self.organization.pk).count() == 2

    def test_a_person_comes_before_a_company(self):
        self.create(kind="company", name="Lee", email="ann@home.example")

        found = find_or_create_people(actor=self.bob, people=[NewPerson("ann@home.example", "X")])

        assert found == {"ann@home.example": self.ann}

    def test_a_deal_finds_its_contact_by_name_and_further_number(self):
        change = {"name": "Roof", "contact_first_name": "Ann", "contact_last_name": "LEE"}

        create_deals(actor=self.bob, changes=[{**change, "contact_phone": "0043 664 5550002"}])

        assert Deal.objects.get().contact == self.ann

    def test_a_deal_keeps_its_contact_by_a_further_address(self):
        reference = {"external_references": [("erp", "1")], "name": "Roof"}
        phone = {"contact_first_name": "Ann", "contact_phone": "0043 664 5550002"}
        upsert_deals(actor=self.bob, changes=[{**reference, **phone, "contact_last_name": "LEE"}])
        for sent in (
            {**phone, "contact_last_name": "Lee"},
            {"contact_phone": "+43 664 555 0002"},
            {"contact": self.ann.pk, "contact_phone": "00436645550002"},
            {"contact": self.ann.pk, "contact_email": "ANN@home.example"},
            {"contact_email": "ann.lee@example.org"},
        ):
            with self.subTest(sent):
                [receipt] = upsert_deals(actor=self.bob, changes=[{**reference, **sent}])
                assert (receipt.outcome, receipt.row.contact) == ("unchanged", self.ann)
        for sent in ({"contact_phone": "0043 664 5550003"}, {"contact_email": ""}):
            with refused("contact_conflict", *sent):
                upsert_deals(actor=self.bob, changes=[{**reference, **sent}])

    def test_the_further_addresses_of_many_contacts_are_read_at_once(self):
        counts = []
        for number in range(2):
            people = [
                self.create(first_name=f"P{n}", further_phones=[f"+4366455511{number}{n}"])
                for n in range(1 + 3 * number)
            ]
            deals = [self.deal(contact=person.pk) for person in people]
            sent = [{"contact_phone": person.further_phones[0]} for person in people]
            with CaptureQueriesContext(connection) as queries:
                update_deals(actor=self.bob, changes=list(zip(deals, sent, strict=True)))
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_an_upsert_by_a_further_address_keeps_the_first_one(self):
        receipt = upsert_contacts(
            actor=self.bob, changes=[{"email": "ann@home.example", "job_title": "Chief"}]
        )[0]

        assert (receipt.row, receipt.outcome, receipt.matched_on) == (self.ann, "updated", "email")
        assert self.stored(self.ann)[:2] == ("ann@example.com", ["ann.lee@example.org", "ann@home.example"])
        assert receipt.changed == ["job_title"]

    def test_an_upsert_of_a_person(self):
        for change in ({"email": "ann@home.example"}, {"phone": "0043 664 5550002"}):
            with self.subTest(change):
                assert upsert_person(actor=self.bob, change={"first_name": "Ann", **change}).row == self.ann
                assert self.stored(self.ann)[0] == "ann@example.com"

    def test_the_search_finds_it(self):
        for text in ("ann@home", "ann.lee@example.org", "5550002", "0664 5550002"):
            with self.subTest(text):
                assert list(Contact.objects.visible_to(self.bob.member).matching(text)) == [self.ann]

    def test_the_search_of_deals_follows_a_change(self):
        deal = self.deal(contact=self.ann.pk)

        self.update(self.ann, further_emails=["found@example.net"])

        assert list(Deal.objects.visible_to(self.bob.member).matching("found@example.net")) == [deal]

    def test_another_country_reads_the_numbers_anew(self):
        self.update(self.ann, further_phones=["0664 5550009"])
        assert not self.found_by_phone("+436645550009")

        update_organization(actor=self.alice, organization=self.organization, country="AT")
        self.organization.refresh_from_db()

        assert self.found_by_phone("+436645550009") == [self.ann]
        renormalize_phones(self.organization.pk)
        assert self.found_by_phone("+436645550009") == [self.ann]

    def found_by_phone(self, text):
        return list(Contact.objects.visible_to(self.bob.member).with_phone(text, self.organization))


class UndoTests(AddressTestCase):
    def test_an_update(self):
        before = self.stored(self.ann)
        self.update(self.ann, email="ann@home.example", further_emails=["a@example.net"], further_phones=[])

        undo(actor=self.bob, sequence=self.last().sequence)

        assert self.stored(self.ann) == before

    def test_the_order_comes_back(self):
        self.update(self.ann, further_emails=["ann@home.example"])

        undo(actor=self.bob, sequence=self.last().sequence)

        assert self.stored(self.ann)[1] == ["ann.lee@example.org", "ann@home.example"]

    def test_an_address_that_another_contact_has_by_now(self):
        self.update(self.ann, further_emails=[])
        sequence = self.last().sequence
        self.create(first_name="Eva", email="ann@home.example")

        assert refusal(undo, actor=self.bob, sequence=sequence).code == "email_taken"

    def test_a_trash(self):
        trash_contacts(actor=self.bob, rows=[self.ann])

        undo(actor=self.bob, sequence=self.last().sequence)

        assert refusal(self.create, email="ann@home.example").code == "email_taken"
