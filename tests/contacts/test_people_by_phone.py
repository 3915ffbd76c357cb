"""A person without e-mail: found by name and phone number, or created."""

from contacts.models import Contact
from contacts.services import create_contacts
from deals.models import Deal
from deals.services import create_deals, trash_deals, update_deals, upsert_deals
from tests.base import BaseTestCase, refused
from tests.factories import CompanyFactory

NORA = {
    "contact_first_name": "Nora",
    "contact_last_name": "Quist",
    "contact_phone": "+47 22 33 44 55",
}


class PersonWithoutEmail(BaseTestCase):
    def create(self, **change):
        return create_deals(actor=self.bob, changes=[change])[0]

    def test_a_new_one_is_created(self):
        deal = self.create(**NORA)

        person = Contact.objects.get()
        assert deal.contact_id == person.pk
        assert (person.full_name, person.phone, person.email) == ("Nora Quist", "+47 22 33 44 55", "")

    def test_a_name_alone_creates_each_time(self):
        self.create(contact_first_name="Nora")
        self.create(contact_last_name="Nora")

        assert Contact.objects.count() == 2

    def test_the_same_name_and_number_in_other_spellings_are_the_same_person(self):
        first = self.create(**NORA)
        second = self.create(
            contact_first_name=" NÓRA ", contact_last_name="quist", contact_phone="0047 2233-4455"
        )

        assert first.contact_id == second.contact_id
        assert Contact.objects.get().first_name == "Nora"

    def test_the_mobile_number_counts_too(self):
        [person] = create_contacts(
            actor=self.bob,
            changes=[
                {"first_name": "Nora", "last_name": "Quist", "mobile": "+4722334455", "email": "n@x.org"}
            ],
        )

        assert self.create(**NORA).contact_id == person.pk

    def test_one_list_makes_one_contact(self):
        deals = create_deals(actor=self.bob, changes=[dict(NORA), dict(NORA)])

        assert deals[0].contact_id == deals[1].contact_id
        assert Contact.objects.count() == 1

    def test_others_are_not_the_same(self):
        self.create(**NORA)
        for change in ({"contact_phone": "+47 22 33 44 56"}, {"contact_first_name": "Nina"}):
            self.create(**NORA | change)

        assert Contact.objects.count() == 3

    def test_neither_a_company_nor_one_in_the_trash_nor_a_foreign_one(self):
        [trashed] = create_contacts(
            actor=self.bob, changes=[{"first_name": "Nora", "last_name": "Quist", "phone": "+4722334455"}]
        )
        Contact.objects.filter(pk=trashed.pk).update(deleted_at=trashed.created_at)
        CompanyFactory(actor=self.bob, name="Nora Quist", phone="+4722334455")
        create_contacts(
            actor=self.charlie, changes=[{"first_name": "Nora", "last_name": "Quist", "phone": "+4722334455"}]
        )

        self.create(**NORA)

        assert Contact.objects.count() == 4

    def test_of_two_matches_none_is_chosen(self):
        person = {"first_name": "Nora", "last_name": "Quist", "phone": "+4722334455"}
        create_contacts(actor=self.bob, changes=[person, person])

        self.create(**NORA)

        assert Contact.objects.count() == 3

    def test_a_phone_without_a_name_is_refused(self):
        with refused("required", "contact_first_name"):
            self.create(contact_phone="+47 22 33 44 55")
        with refused("required", "contact_first_name"):
            self.create(contact_first_name=" ", contact_phone="+47 22 33 44 55")

    def test_what_a_contact_cannot_have_is_refused(self):
        with refused("max_length", "contact_phone"):
            self.create(contact_first_name="Nora", contact_phone="1" * 256)
        assert not Contact.objects.exists()

    def test_a_refused_deal_creates_no_contact(self):
        with refused("does_not_exist", "owner"):
            self.create(**NORA, owner=0)
        assert not Contact.objects.exists()

    def test_a_deal_keeps_its_contact(self):
        deal = self.create(**NORA)
        for change in (
            {"contact_first_name": "nora "},
            {"contact_phone": "004722334455"},
            {"contact_last_name": "QUIST", "contact_phone": ""},
            {"contact_email": ""},
            {"contact_first_name": None, "contact_email": None},
            {"contact_first_name": "Nora Quist", "contact_phone": "+4722334455"},
        ):
            with self.subTest(change=change):
                [receipt] = update_deals(actor=self.bob, changes=[(deal, change)])
                assert receipt.outcome == "unchanged"
        for field, value in NORA.items():
            with self.subTest(field=field), refused("contact_conflict", field):
                update_deals(actor=self.bob, changes=[(deal, {field: f"{value}9"})])
        assert Contact.objects.count() == 1

    def test_a_blank_email_does_not_take_the_contact_away(self):
        deal = self.deal(contact=self.person(email="a@example.com").pk)

        with refused("contact_conflict", "contact_email"):
            update_deals(actor=self.bob, changes=[(deal, {"contact_email": ""})])

    def test_beside_a_contact_that_is_named(self):
        person = self.person(first_name="Nora", last_name="Quist")

        assert self.create(contact=person.uuid, contact_first_name="NORA").contact_id == person.pk
        with refused("contact_conflict", "contact_phone"):
            self.create(contact=person.uuid, contact_phone="1")

    def test_a_deal_that_gives_up_its_contact_takes_another_one(self):
        deal = self.deal(contact=self.person().pk)

        update_deals(actor=self.bob, changes=[(deal, {"contact": None, **NORA})])

        assert Deal.objects.get(pk=deal.pk).contact.full_name == "Nora Quist"

    def test_an_update_and_an_upsert(self):
        deal = self.deal(external_references=[("erp", "1")])
        for _ in range(2):
            [receipt] = upsert_deals(
                actor=self.bob, changes=[{"external_references": [("erp", "1")], **NORA}]
            )

        assert receipt.outcome == "unchanged"
        assert Deal.objects.get(pk=deal.pk).contact == Contact.objects.get()
        trash_deals(actor=self.bob, rows=[deal])
