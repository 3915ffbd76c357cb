"""Two contacts become one: what the one has, the other has afterwards; nothing is lost, and it can be undone."""

from contacts.models import Contact
from contacts.services import create_contacts, merge_contacts, update_contacts
from crm_project.accounts.actors import Actor
from crm_project.journal.models import Event
from crm_project.journal.undo import undo
from crm_project.records.references import holders
from deals.models import Deal
from deals.services import restore_deals, trash_deals
from tests.base import BaseTestCase, refused
from tests.factories import CompanyFactory, CustomFieldFactory


class MergeContacts(BaseTestCase):
    def merge(self, source: Contact, target: Contact, actor: Actor | None = None) -> Contact:
        return merge_contacts(actor=actor or self.bob, sources=[source], target=target).row

    def test_the_target_gets_what_it_lacks_and_keeps_what_it_has(self) -> None:
        for key in ("city_of_birth", "shoe"):
            CustomFieldFactory(actor=self.alice, kind="contact", key=key)
        employer = CompanyFactory(actor=self.bob)
        source = self.person(
            first_name="A.",
            last_name="Lee",
            email="ann@example.com",
            phone="1",
            company=employer.pk,
            owner=self.bob.member.pk,
            custom_fields={"city_of_birth": "Riga", "shoe": "42"},
            external_references=[("erp", "7")],
        )
        target = self.person(
            first_name="Ann",
            last_name="",
            email="",
            phone="2",
            custom_fields={"shoe": "41"},
            external_references=[("erp", "8")],
        )

        merged = self.merge(source, target)

        assert (merged.full_name, merged.email, merged.phone) == ("Ann", "ann@example.com", "2")
        assert (merged.company, merged.owner) == (employer, self.bob.member)
        assert merged.custom_fields == {"shoe": "41", "city_of_birth": "Riga"}
        model = type(merged.references.first())
        keys = [("erp", "7"), ("erp", "8")]
        assert set(holders(model, self.organization.pk, keys).values()) == {target.pk}
        assert set(Contact.objects.visible_to(self.bob.member)) == {employer, target}

    def test_its_deals_move_hidden_ones_too_and_trashed_ones_come_back(self) -> None:
        source, target, other = self.person(), self.person(), self.person()
        plain = self.deal(contact=source.pk, members=[source.pk, other.pk])
        both = self.deal(contact=target.pk, members=[source.pk, target.pk])
        hidden = self.deal(self.alice, client=source.pk, is_private=True)

        self.merge(source, target)

        plain, both, hidden = (Deal.objects.get(pk=deal.pk) for deal in (plain, both, hidden))
        assert (plain.contact, both.contact, hidden.client) == (target, target, target)
        assert set(plain.members.all()) == {target, other}
        assert list(both.members.all()) == [target]
        trash_deals(actor=self.bob, rows=[plain])
        assert restore_deals(actor=self.bob, rows=[plain])[0].contact == target

    def test_a_companys_people_move(self) -> None:
        source, target = CompanyFactory(actor=self.bob), CompanyFactory(actor=self.bob)
        person = self.person(company=source.pk)

        self.merge(source, target)

        assert Contact.objects.get(pk=person.pk).company == target

    def test_it_refuses_what_cannot_be_one(self) -> None:
        person, company = self.person(), CompanyFactory(actor=self.bob)
        theirs = create_contacts(actor=self.charlie, changes=[{"first_name": "C"}])[0]

        for target in (company, person):
            with refused("invalid", "contact_uuids"):
                self.merge(person, target)
        for source, target in ((person, theirs), (theirs, person)):
            with refused("not_found"):
                self.merge(source, target)
        with refused("forbidden"):
            self.merge(person, person, self.viewer)
        assert Contact.objects.visible_to(self.bob.member).count() == 2

    def test_it_is_one_change_that_can_be_undone(self) -> None:
        source, target = self.person(phone="1"), self.person(email="", phone="")
        deal = self.deal(contact=source.pk)
        update_contacts(actor=self.bob, changes=[(source, {"external_references": [("erp", "7")]})])
        address = source.email

        self.merge(source, target)
        assert Contact.objects.get(pk=target.pk).email == address
        undo(actor=self.bob, sequence=Event.objects.latest("sequence").sequence)

        source, target = (Contact.objects.get(pk=row.pk) for row in (source, target))
        assert source.deleted_at is None
        assert (source.email, target.email, target.phone) == (address, "", "")
        assert Deal.objects.get(pk=deal.pk).contact == source
        assert [row.external_id for row in source.references.filter(is_live=True)] == ["7"]
