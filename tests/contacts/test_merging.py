"""Contacts become one: whatever the others have, the kept one has afterwards, and an undo gives the same rows."""

from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from contacts.models import Contact, ContactAddress, ContactReference
from contacts.services import merge_contacts, restore_contacts, update_contacts
from crm_project.activities.models import Activity, ActivityReference
from crm_project.journal.event_types import types_of
from crm_project.journal.models import Event
from crm_project.journal.undo import undo
from crm_project.records.references import holders
from crm_project.versions import Versions
from deals.models import Deal, DealContact, DealReference, DealState
from deals.services import update_deals
from tests.base import BaseTestCase, refused
from tests.examples import examples
from tests.factories import CompanyFactory, CustomFieldFactory

# What an undo does not restore: it is a write of its own.
OF_A_WRITE = {"version", "updated_at"}
PARTS = (ContactAddress, ContactReference, DealContact, DealReference, ActivityReference)


def picture() -> dict[str, list[Any]]:
    """Every contact, deal and activity, derived columns too, and their lists in order."""
    stored = {
        model.__name__: list(model.objects.order_by("id").values(*_columns(model, OF_A_WRITE)))
        for model in (Contact, Deal, Activity)
    }
    for part in PARTS:
        columns = _columns(part, {"id", "uuid", "created_at"})
        owner = next(name for name in ("contact_id", "row_id", "deal_id") if name in columns)
        owner = "deal_id" if "deal_id" in columns else owner
        stored[part.__name__] = list(part.objects.order_by(owner, "id").values(*columns))
    stored["states"] = list(DealState.objects.order_by("id").values_list("deal_id", "valid_from", "valid_to"))
    return stored


def _columns(model: Any, without: set[str]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields if field.attname not in without]


class MergeTestCase(BaseTestCase):
    def merge(self, target, *sources, actor=None, **given):
        return merge_contacts(actor=actor or self.bob, sources=sources, target=target, **given).row

    def undo(self, actor=None):
        return undo(actor=actor or self.bob, sequence=self.last().sequence)

    def last(self):
        """The last event that Bob may see."""
        return Event.objects.visible_to(self.bob.member).latest("sequence")


class MergeTests(MergeTestCase):
    def test_addresses_of_the_others_become_further_ones(self):
        target = self.person(email="a@example.com", phone="+43 1 1111111", further_emails=["a2@example.com"])
        first = self.person(email="b@example.com", phone="0043 1 1111111", mobile="+43 664 2222222")
        second = self.person(email="", further_emails=["c@example.com"], further_phones=["+43 1 3333333"])

        merged = self.merge(target, first, second)

        assert (merged.email, merged.phone, merged.mobile) == (
            "a@example.com",
            "+43 1 1111111",
            "+43 664 2222222",
        )
        assert merged.further_emails == ["a2@example.com", "b@example.com", "c@example.com"]
        assert merged.further_phones == ["+43 1 3333333"]

    def test_the_value_of_each_field_is_chosen(self):
        for key in ("shoe", "hat"):
            CustomFieldFactory(actor=self.alice, kind="contact", key=key)
        company = CompanyFactory(actor=self.bob)
        target = self.person(
            first_name="A.", last_name="Lee", city="Wien", custom_fields={"shoe": "1", "hat": "1"}
        )
        source = self.person(
            first_name="Ann",
            last_name="Leigh",
            email="ann@example.com",
            company=company.pk,
            owner=self.alice.member.pk,
            custom_fields={"shoe": "2"},
        )
        old = target.email
        chosen = (
            "first_name",
            "email",
            "city",
            "owner",
            "company",
            "custom_fields.shoe",
            "custom_fields.hat",
        )

        merged = self.merge(target, source, fields=dict.fromkeys(chosen, source.uuid))

        assert (merged.full_name, merged.email, merged.city) == ("Ann Lee", "ann@example.com", "")
        assert (merged.owner, merged.company) == (self.alice.member, company)
        assert merged.custom_fields == {"shoe": "2"}
        assert merged.further_emails == [old]

    def test_it_rejects_choices_that_name_nothing(self):
        target, source, other = self.person(), self.person(), self.person()

        with refused("invalid", "fields.shoe", "fields.city"):
            self.merge(target, source, fields={"shoe": source.pk, "city": other.pk})

    def test_it_rejects_another_version(self):
        target, source = self.person(), self.person()

        with refused("precondition_failed"):
            self.merge(target, source, if_match=Versions(frozenset({7})))
        assert Contact.objects.get(pk=source.pk).deleted_at is None

    def test_references_find_the_kept_one(self):
        target = self.person(external_references=[("erp", "1")])
        others = [
            self.person(external_references=[("erp", "2"), ("crm", "2")]),
            self.person(external_references=[("erp", "3")]),
        ]

        self.merge(target, *others)

        keys = [("erp", "1"), ("erp", "2"), ("crm", "2"), ("erp", "3")]
        assert holders(ContactReference, self.organization.pk, keys) == dict.fromkeys(keys, target.pk)

    def test_a_deal_of_several_merged_contacts(self):
        target, first, second, other = (self.person() for _ in range(4))
        deal = self.deal(
            contact=first.pk, client=second.pk, members=[first.pk, other.pk, second.pk, target.pk]
        )

        self.merge(target, first, second)

        deal.refresh_from_db()
        assert (deal.contact, deal.client) == (target, target)
        links = DealContact.objects.filter(deal=deal).order_by("id")
        assert set(links.values_list("contact_id", flat=True)) == {target.pk, other.pk}

    def test_the_event_of_a_merged_contact_names_the_kept_one(self):
        target, source = self.person(), self.person()

        self.merge(target, source)

        event = Event.objects.get(row_id=source.pk, kind="contact", action="trashed")
        assert event.changes["merged_into_id"] == [None, target.pk]
        assert types_of(event) == ["contact.deleted", "contact.merged"]

    def test_a_restored_contact_is_one_of_its_own_again(self):
        target, source = self.person(), self.person(email="")
        self.merge(target, source)

        restored = restore_contacts(actor=self.bob, rows=[source])[0]

        assert restored.merged_into is None


class UndoTests(MergeTestCase):
    """Bob merges contacts with a private deal of Alice, which moves with the others."""

    def setUp(self):
        self.target, self.source = self.person(), self.person()
        self.secret = self.deal(self.alice, contact=self.source.pk, is_private=True, members=[self.source.pk])
        self.note = self.activity(self.alice, deal=self.secret.pk, contact=self.source.pk)
        self.before = picture()
        self.merge(self.target, self.source)
        self.merged = self.last()

    def test_it_moves_hidden_rows_back(self):
        assert Deal.objects.get(pk=self.secret.pk).contact == self.target

        result = self.undo()

        assert picture() == self.before
        hidden = {("deal", self.secret.pk), ("activity", self.note.pk)}
        assert result.hidden == hidden
        events = result.first_events(100)
        assert len(events) == result.count
        assert not {(event.kind, event.row_id) for event in events} & hidden

    def test_its_undo_moves_them_again(self):
        self.undo()

        self.undo()

        assert Deal.objects.get(pk=self.secret.pk).contact == self.target
        assert Activity.objects.get(pk=self.note.pk).contact == self.target

    def test_a_hidden_row_that_has_changed_since_is_not_named(self):
        other = self.person()
        update_deals(actor=self.alice, changes=[(self.secret, {"contact": other.pk})])

        with refused("undo_conflict") as caught:
            undo(actor=self.bob, sequence=self.merged.sequence)

        assert (caught.value.fields, caught.value.extra.get("conflicts", [])) == ((), [])
        assert Deal.objects.get(pk=self.secret.pk).contact == other

    def test_a_visible_row_that_has_changed_since_is_named(self):
        email = "new@example.com"
        update_contacts(actor=self.bob, changes=[(self.target, {"further_emails": [email]})])

        with refused("undo_conflict", "further_emails"):
            undo(actor=self.bob, sequence=self.merged.sequence)

    def test_other_changes_of_hidden_rows_stay_what_they_are(self):
        """The undo of any other change set with a hidden row is refused."""
        plain = self.deal(self.alice)
        update_deals(actor=self.alice, changes=[(self.secret, {"name": "A"}), (plain, {"name": "B"})])

        with refused("not_undoable"):
            self.undo()


@pytest.mark.slow
class PropertyTests(MergeTestCase, HypothesisTestCase):
    @settings(max_examples=examples(15), deadline=None, phases=[Phase.explicit, Phase.generate])
    @given(chance=st.randoms(use_true_random=False))
    def test_a_merge_and_its_undo_give_the_same_rows(self, chance: Random):
        kind = chance.choice(["person", "company"])
        contacts = [self.contact(kind, number, chance) for number in range(4)]
        people = (
            [self.person(company=chance.choice(contacts).pk) for _ in range(2)] if kind == "company" else []
        )
        deals = [self.some_deal([*contacts, *people], chance) for _ in range(4)]
        for _ in range(4):
            parents = {"deal": chance.choice([None, *deals]), "contact": chance.choice(contacts)}
            change = {name: row.pk for name, row in parents.items() if row is not None}
            self.activity(self.alice, **change, due_on=chance.choice([None, date(2030, 1, 1)]))
        before = picture()
        target, *sources = chance.sample(contacts, chance.choice([2, 3]))
        names = chance.sample(["email", "phone", "mobile", "city", "owner", "custom_fields.shoe"], 3)

        merged = self.merge(
            target, *sources, fields={name: chance.choice([target, *sources]).pk for name in names}
        )

        self.check_nothing_is_lost(merged, sources, before)
        self.undo()
        assert picture() == before
        self.undo()
        self.check_nothing_is_lost(Contact.objects.get(pk=target.pk), sources, before)
        self.undo()
        assert picture() == before

    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        CustomFieldFactory(actor=cls.alice, kind="contact", key="shoe")

    def contact(self, kind, number, chance):
        name = {"name": f"C{number}", "first_name": "", "last_name": ""} if kind == "company" else {}
        return self.person(
            kind=kind,
            **name,
            email=chance.choice(["", f"first{number}@example.com"]),
            phone=chance.choice(["", f"+43 1 555000{number}", "+43 1 5559999"]),
            mobile=chance.choice(["", f"+43 664 555000{number}"]),
            further_emails=[f"further{number}{n}@example.com" for n in range(chance.choice([0, 2]))],
            further_phones=chance.sample(
                ["+43 1 5559999", f"+43 1 555100{number}"], chance.choice([0, 1, 2])
            ),
            city=chance.choice(["", "Wien", "Graz"]),
            owner=chance.choice([None, self.bob.member.pk, self.alice.member.pk]),
            custom_fields=chance.choice([{}, {"shoe": str(number)}]),
            external_references=[("erp", f"{number}{n}") for n in range(chance.choice([0, 1, 2]))],
        )

    def some_deal(self, contacts, chance):
        is_private = chance.choice([True, False])
        return self.deal(
            self.alice if is_private else chance.choice([self.alice, self.bob]),
            is_private=is_private,
            contact=chance.choice(contacts).pk,
            client=chance.choice([None, *contacts]) and chance.choice(contacts).pk,
            members=[row.pk for row in chance.sample(contacts, chance.choice([0, 1, 3]))],
        )

    def check_nothing_is_lost(self, merged, sources, before):
        ids = [source.pk for source in sources]
        assert not Deal.objects.filter(contact__in=ids).exists()
        assert not Deal.objects.filter(client__in=ids).exists()
        assert not DealContact.objects.filter(contact__in=ids).exists()
        assert not Activity.objects.filter(contact__in=ids).exists()
        assert not Contact.objects.filter(company__in=ids).exists()
        own = {merged.pk, *ids}
        emails = {row["email"] for row in before["Contact"] if row["id"] in own}
        emails |= {
            row["value"]
            for row in before["ContactAddress"]
            if row["contact_id"] in own and row["medium"] == "email"
        }
        assert {merged.email, *merged.further_emails} - {""} == emails - {""}
        numbers = {
            row[name]
            for row in before["Contact"]
            if row["id"] in own
            for name in ("phone_normalized", "mobile_normalized")
        }
        numbers |= {
            row["normalized"]
            for row in before["ContactAddress"]
            if row["contact_id"] in own and row["medium"] == "phone"
        }
        stored = ContactAddress.objects.filter(contact=merged.pk, medium="phone").values_list(
            "normalized", flat=True
        )
        row = Contact.objects.get(pk=merged.pk)
        assert {row.phone_normalized, row.mobile_normalized, *stored} - {""} == numbers - {""}
