"""Writing contacts: people and companies, found again by one key, trashed and brought back."""

import uuid

from django.utils import timezone

from contacts.models import Contact, ContactReference
from contacts.services import (
    NewPerson,
    create_contacts,
    find_or_create_people,
    restore_contacts,
    trash_contacts,
    update_contacts,
    upsert_contacts,
)
from crm_project.errors import RowsRefused
from crm_project.journal.models import Event
from crm_project.records.querysets import RESTORABLE_FOR
from deals.services import trash_deals
from tests.base import BaseTestCase, refused, with_token
from tests.factories import CompanyFactory, CustomFieldFactory

NOWHERE = uuid.UUID(int=0)


class ContactTestCase(BaseTestCase):
    def create(self, actor=None, **change):
        return create_contacts(actor=actor or self.bob, changes=[change])[0]

    def update(self, contact, actor=None, **change):
        return update_contacts(actor=actor or self.bob, changes=[(contact, change)])[0]

    def upsert(self, actor=None, **change):
        return upsert_contacts(actor=actor or self.bob, changes=[change])[0]

    def trash(self, contact, actor=None):
        trash_contacts(actor=actor or self.bob, rows=[contact])
        return contact

    def restore(self, contact, actor=None):
        return restore_contacts(actor=actor or self.bob, rows=[contact])[0]

    def company(self, **change):
        return CompanyFactory(actor=self.bob, **change)

    def references(self, contact):
        return list(ContactReference.objects.filter(row=contact).values_list("system", "external_id"))


class CreateContacts(ContactTestCase):
    def test_it_works(self):
        company = self.company(name="Kiss Kft")

        self.create(
            first_name="Eva",
            last_name="Kiss",
            email=" Eva@Example.COM ",
            company=company.uuid,
            owner=self.bob.member.pk,
            external_references=[("erp", "1")],
        )

        eva = Contact.objects.get(kind="person")
        assert (eva.full_name, eva.email, eva.company, eva.owner) == (
            "Eva Kiss",
            "eva@example.com",
            company,
            self.bob.member,
        )
        assert (eva.version, eva.organization, self.references(eva)) == (1, self.organization, [("erp", "1")])

    def test_a_company_has_a_name(self):
        assert self.create(kind="company", name="Kiss Kft").full_name == "Kiss Kft"

    def test_a_person_may_be_an_address_alone(self):
        assert self.create(email="eva@example.com").full_name == "eva@example.com"

    def test_it_rejects_what_has_no_name(self):
        for change, field in (
            ({}, "first_name"),
            ({"first_name": " "}, "first_name"),
            ({"kind": "company"}, "name"),
            ({"kind": "company", "name": " ", "email": "a@example.com"}, "name"),
        ):
            with self.subTest(change=change), refused("required", field):
                self.create(**change)

    def test_it_rejects_the_name_of_the_other_kind(self):
        with refused("invalid", "name"):
            self.create(first_name="Eva", name="Kiss Kft")
        with refused("invalid", "first_name"):
            self.create(kind="company", name="Kiss Kft", first_name="Eva")

    def test_it_rejects_a_company_of_a_company(self):
        with refused("invalid", "company"):
            self.create(kind="company", name="Kiss Kft", company=self.company().pk)

    def test_it_rejects_a_person_and_a_foreign_one_as_company(self):
        for row in (self.person(), CompanyFactory(actor=self.charlie)):
            with self.subTest(row=row), refused("does_not_exist", "company"):
                self.create(first_name="Eva", company=row.pk)

    def test_it_rejects_a_foreign_owner(self):
        with refused("does_not_exist", "owner"):
            self.create(first_name="Eva", owner=self.charlie.member.pk)

    def test_it_rejects_a_taken_address(self):
        self.create(email="eva@example.com")

        with refused("email_taken", "email"):
            self.create(first_name="Eva", email="EVA@example.com")

    def test_it_rejects_an_address_twice_in_a_list(self):
        with refused("invalid") as caught:
            create_contacts(actor=self.bob, changes=[{"email": "a@example.com"}, {"email": " A@example.com"}])

        assert isinstance(caught.value, RowsRefused)
        assert {row: error.code for row, error in caught.value.errors.items()} == {1: "email_taken"}

    def test_an_address_is_free_for_the_other_kind_after_the_trash_and_elsewhere(self):
        self.create(email="eva@example.com")
        self.trash(self.create(email="old@example.com"))

        self.create(kind="company", name="Eva", email="eva@example.com")
        self.create(email="old@example.com")
        self.create(self.charlie, email="eva@example.com")

        assert Contact.objects.live().count() == 4

    def test_it_rejects_a_taken_reference(self):
        self.person(external_references=[("erp", "1")])

        with refused("reference_taken"):
            self.create(first_name="Eva", external_references=[("erp", "1")])

    def test_custom_fields(self):
        CustomFieldFactory(actor=self.alice, kind="contact", key="size", type="number", required=True)

        with refused("required", "custom_fields.size"):
            self.create(first_name="Eva")

        assert self.create(first_name="Eva", custom_fields={"size": 5}).custom_fields == {"size": 5}

    def test_a_viewer_and_a_token_that_only_reads_may_not(self):
        for actor in (self.viewer, with_token(self.alice, "read")):
            with self.subTest(actor=actor), refused("forbidden"):
                self.create(actor, first_name="Eva")


class UpdateContacts(ContactTestCase):
    def test_it_works(self):
        eva = self.person(first_name="Eva", last_name="Kiss")

        receipt = self.update(eva, first_name="Éva", phone="1")

        row = Contact.objects.get()
        assert (receipt.outcome, receipt.changed) == ("updated", ["first_name", "phone"])
        assert (row.full_name, row.version) == ("Éva Kiss", 2)
        assert Contact.objects.visible_to(self.bob.member).matching("EVA").get() == eva

    def test_sending_back_what_was_read_changes_nothing(self):
        CustomFieldFactory(actor=self.alice, kind="contact", key="size")
        eva = self.person(
            company=self.company().pk,
            owner=self.bob.member.pk,
            description="x\n",
            custom_fields={"size": "L"},
            external_references=[("erp", "2"), ("erp", "1")],
        )
        names = (
            "kind first_name last_name name email phone website city description origin custom_fields".split()
        )
        read = {name: getattr(eva, name) for name in names}
        before, events = Contact.objects.values().get(pk=eva.pk), Event.objects.count()

        receipt = self.update(
            eva,
            **read,
            company=eva.company.uuid,
            owner=eva.owner.uuid,
            external_references=self.references(eva),
        )

        assert (receipt.outcome, receipt.changed) == ("unchanged", [])
        assert Contact.objects.values().get(pk=eva.pk) == before
        assert Event.objects.count() == events

    def test_null_clears(self):
        eva = self.person(phone="1", company=self.company().pk, owner=self.bob.member.pk)

        self.update(eva, phone=None, company=None, owner=None)

        row = Contact.objects.get(pk=eva.pk)
        assert (row.phone, row.company, row.owner) == ("", None, None)

    def test_its_own_address_is_not_taken(self):
        eva = self.person(email="eva@example.com")

        assert self.update(eva, email="EVA@example.com").outcome == "unchanged"

    def test_it_rejects_a_taken_address(self):
        self.person(email="eva@example.com")
        other = self.person()

        with refused("email_taken", "email"):
            self.update(other, email="eva@example.com")

    def test_it_rejects_itself_as_company(self):
        company = self.company()

        with refused("invalid", "company"):
            self.update(company, company=company.pk)

    def test_it_rejects_an_empty_name(self):
        eva = self.person(email="")

        with refused("required", "first_name"):
            self.update(eva, first_name="", last_name="")

    def test_it_rejects_the_same_row_twice(self):
        eva = self.person()

        with refused("row_twice"):
            update_contacts(actor=self.bob, changes=[(eva, {}), (eva, {})])

    def test_it_hides_what_is_foreign_or_trashed(self):
        for contact in (self.person(self.charlie), self.trash(self.person())):
            with self.subTest(contact=contact), refused("not_found"):
                self.update(contact, first_name="x")


class UpsertContacts(ContactTestCase):
    def test_it_works(self):
        created = self.upsert(email="Eva@example.com", first_name="Eva")
        updated = self.upsert(email="eva@example.com", last_name="Kiss")
        unchanged = self.upsert(email="eva@example.com", last_name="Kiss")

        assert [r.outcome for r in (created, updated, unchanged)] == ["created", "updated", "unchanged"]
        assert [r.matched_on for r in (created, updated, unchanged)] == [None, "email", "email"]
        assert Contact.objects.get().full_name == "Eva Kiss"

    def test_a_person_and_a_company_are_two(self):
        self.upsert(email="eva@example.com", first_name="Eva")

        receipt = self.upsert(kind="company", email="eva@example.com", name="Eva")

        assert receipt.outcome == "created"

    def test_a_reference_decides_before_the_address(self):
        known = self.person(external_references=[("erp", "1")])

        receipt = self.upsert(external_references=[("erp", "1"), ("shop", "9")], email="new@example.com")

        assert (receipt.row, receipt.matched_on) == (known, "external_reference")
        assert (receipt.row.email, self.references(known)) == (
            "new@example.com",
            [("erp", "1"), ("shop", "9")],
        )

    def test_a_reference_that_matches_nothing_does_not_fall_through(self):
        self.person(email="eva@example.com")

        with refused("email_taken", "email"):
            self.upsert(external_references=[("erp", "1")], email="eva@example.com")

    def test_an_unknown_uuid_is_not_found(self):
        for key in (NOWHERE, self.person(self.charlie).uuid, self.trash(self.person()).uuid):
            with self.subTest(key=key), refused("not_found"):
                self.upsert(uuid=key)

    def test_it_rejects_no_key(self):
        with refused("required", "match_on"):
            self.upsert(first_name="Eva")


class FindOrCreatePeople(ContactTestCase):
    def find(self, *emails, first_name="", actor=None):
        people = [NewPerson(email=email, first_name=first_name) for email in emails]
        return find_or_create_people(actor=actor or self.bob, people=people)

    def test_it_works(self):
        known = self.person(email="known@example.com")

        found = self.find(" Known@example.com", "new@example.com", first_name="New")

        assert found["known@example.com"] == known
        assert found["new@example.com"].full_name == "New"
        assert Contact.objects.count() == 2

    def test_no_contact_is_created_without_a_name(self):
        assert self.find("new@example.com") == {}
        assert not Contact.objects.exists()


class Trash(ContactTestCase):
    def test_it_works(self):
        eva = self.person(external_references=[("erp", "1")])

        self.trash(eva)

        row = Contact.objects.get()
        assert (row.deleted_at is not None, row.version) == (True, 2)
        assert not Contact.objects.visible_to(self.alice.member).exists()
        assert self.references(self.person(external_references=[("erp", "1")])) == [("erp", "1")]

    def test_it_rejects_one_that_deals_use_even_those_one_does_not_see(self):
        eva = self.person()
        self.deal(contact=eva.pk, client=eva.pk)
        self.deal(client=eva.pk)
        self.deal(members=[eva.pk])
        self.deal(self.alice, contact=eva.pk, is_private=True)

        with refused("in_use") as caught:
            self.trash(eva)

        assert caught.value.extra == {"count": 3, "others": True}

    def test_trashed_deals_do_not_count(self):
        eva = self.person()
        trash_deals(actor=self.bob, rows=[self.deal(contact=eva.pk)])

        self.trash(eva)

        assert not Contact.objects.live().exists()

    def test_it_hides_what_is_foreign_or_trashed(self):
        for contact in (self.person(self.charlie), self.trash(self.person())):
            with self.subTest(contact=contact), refused("not_found"):
                self.trash(contact)

    def test_a_viewer_may_not(self):
        with refused("forbidden"):
            self.trash(self.person(), self.viewer)


class Restore(ContactTestCase):
    def test_it_works(self):
        eva = self.person(external_references=[("erp", "1")])
        before = Contact.objects.values().get()
        self.trash(eva)

        self.restore(eva)

        after = Contact.objects.values().get()
        assert {name for name in before if before[name] != after[name]} == {"updated_at", "version"}
        assert self.upsert(external_references=[("erp", "1")]).row == eva

    def test_it_rejects_one_whose_address_or_reference_has_a_new_owner(self):
        by_email = self.trash(self.person(email="eva@example.com"))
        by_reference = self.trash(self.person(external_references=[("erp", "1")]))
        self.person(email="eva@example.com", external_references=[("erp", "1")])

        for contact in (by_email, by_reference):
            with self.subTest(contact=contact), refused("restore_conflict"):
                self.restore(contact)

    def test_it_rejects_two_that_have_had_the_same_address(self):
        contacts = [self.trash(self.person(email="eva@example.com")) for _ in range(2)]

        with refused("restore_conflict"):
            restore_contacts(actor=self.bob, rows=contacts)

    def test_it_hides_what_is_live_foreign_or_too_old(self):
        old, foreign = self.trash(self.person()), self.trash(self.person(self.charlie), self.charlie)
        Contact.objects.filter(pk=old.pk).update(deleted_at=timezone.now() - RESTORABLE_FOR)

        for contact in (self.person(), foreign, old):
            with self.subTest(contact=contact), refused("not_found"):
                self.restore(contact)
