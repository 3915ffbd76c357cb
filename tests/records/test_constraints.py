"""What the database refuses by itself, whoever writes it: these tests go past the services on purpose."""

import datetime
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from contacts.models import Contact, ContactReference
from crm_project.accounts.models import Member, User
from crm_project.goals.services import create_goal
from crm_project.journal.models import Counter, Event
from crm_project.rates.services import create_exchange_rate
from crm_project.records.constraints import SameOrganization
from crm_project.records.models import CustomField, MemberReference
from deals.models import AMOUNT_LIMIT, Deal, DealContact, DealReference, DealState, LostReason
from pipelines.models import Pipeline, Stage
from tests.base import BaseTestCase, World, refused_by_the_database
from tests.factories import (
    ActivityFactory,
    CustomFieldFactory,
    DealFactory,
    LostReasonFactory,
    PersonFactory,
    PipelineFactory,
    StageFactory,
)

# Tables whose rows are made by no service of the core; theirs are tested beside them.
CORE = ("accounts", "records", "journal", "rates", "contacts", "pipelines", "deals", "activities", "goals")


def kept_in_the_organization():
    """Every reference of the core from one row to another, as (model, name of the field)."""
    models = [model for label in CORE for model in apps.get_app_config(label).get_models()]
    return [
        (model, constraint.field)
        for model in models
        for constraint in model._meta.constraints
        if isinstance(constraint, SameOrganization)
    ]


def furnish(actor):
    """One row of every table of the core, in the actor's organization."""
    reference = {"external_references": [("erp", "1")]}
    pipeline = PipelineFactory(actor=actor, **reference)
    stage = StageFactory(actor=actor, pipeline=pipeline.pk, **reference)
    CustomFieldFactory(actor=actor, **reference)
    LostReasonFactory(actor=actor, **reference)
    rate = {"currency": "USD", "date": datetime.date(2024, 1, 1), "rate": Decimal(2)}
    create_exchange_rate(actor=actor, change={**rate, **reference})
    goal = {"month": datetime.date(2024, 1, 1), "amount": Decimal(2), "member": actor.member.pk}
    create_goal(actor=actor, change={**goal, **reference})
    contact = PersonFactory(actor=actor, further_emails=["further@example.com"], **reference)
    me = actor.member.pk
    people = {"members": [contact.pk], "followers": [me], "access_list": [me]}
    deal = DealFactory(actor=actor, stage=stage.pk, contact=contact.pk, **people, **reference)
    ActivityFactory(actor=actor, deal=deal.pk, contact=contact.pk, owner=me, **reference)
    MemberReference.objects.create(
        organization=actor.organization, row=actor.member, system="erp", external_id="1"
    )


class KeepOrganizationsApart(BaseTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        furnish(cls.alice)
        furnish(cls.charlie)

    def test_every_reference_between_rows_is_kept(self):
        rows = {"Organization", "User", "ApiToken", "Permission", "Group", "Session"}
        references = {
            (model, field.name)
            for label in CORE
            for model in apps.get_app_config(label).get_models()
            for field in model._meta.concrete_fields
            if field.is_relation
            and field.related_model.__name__ not in rows
            and model.__name__ not in ("ApiToken", "Invitation")
        }

        assert references == set(kept_in_the_organization())

    def test_a_row_of_another_organization_is_refused(self):
        for model, name in kept_in_the_organization():
            with self.subTest(model=model.__name__, field=name):
                target = model._meta.get_field(name).related_model
                foreign = target.objects.filter(organization=self.charlie.organization).last()
                ours = model.objects.filter(organization=self.organization).order_by("pk").last()

                with refused_by_the_database():
                    model.objects.filter(pk=ours.pk).update(**{name: foreign})

    def test_a_row_does_not_move_to_another_organization(self):
        for model in (Contact, Pipeline, Stage, Deal, LostReason):
            with self.subTest(model=model.__name__):
                ours = model.objects.filter(organization=self.organization).last()

                with refused_by_the_database():
                    model.objects.filter(pk=ours.pk).update(organization=self.charlie.organization)

    def test_a_row_that_is_used_is_not_deleted(self):
        for model in (Contact, Stage, Member):
            with self.subTest(model=model.__name__):
                ours = model.objects.filter(organization=self.organization)

                with refused_by_the_database():
                    ours._raw_delete(using="default")

    def test_a_row_that_does_not_exist_is_refused(self):
        with refused_by_the_database():
            Deal.objects.filter(organization=self.organization).update(stage_id=2**62)


@pytest.mark.django_db(transaction=True)
def test_a_foreign_row_is_refused_at_a_real_commit():
    world = World()
    foreign = world.theirs.stages.first()
    deal = world.deal()

    with pytest.raises(IntegrityError), transaction.atomic():
        Deal.objects.filter(pk=deal.pk).update(stage=foreign)

    assert Deal.objects.get().stage == world.new


class KeepWhatIsUnique(BaseTestCase):
    def contact(self, **columns):
        return Contact.objects.create(organization=self.organization, full_name="x", **columns)

    def test_one_live_email_of_each_kind(self):
        self.contact(email="eva@example.com")
        self.contact(email="eva@example.com", kind="company")
        self.contact(email="eva@example.com", deleted_at=timezone.now())
        self.contact(email="")
        self.contact(email="")

        with refused_by_the_database():
            self.contact(email="eva@example.com")

    def test_the_same_email_in_another_organization(self):
        self.contact(email="eva@example.com")

        Contact.objects.create(organization=self.charlie.organization, full_name="x", email="eva@example.com")

        assert Contact.objects.filter(email="eva@example.com").count() == 2

    def test_an_email_is_stored_folded(self):
        for email in ("Eva@example.com", " eva@example.com", "eva@example.com "):
            with self.subTest(email=email), refused_by_the_database():
                self.contact(email=email)

    def test_a_login_is_stored_folded(self):
        with refused_by_the_database():
            User.objects.create(email="Eva@example.com")

    def test_one_default_pipeline(self):
        Pipeline.objects.create(
            organization=self.organization, name="x", is_default=True, deleted_at=timezone.now()
        )

        with refused_by_the_database():
            Pipeline.objects.create(organization=self.organization, name="x", is_default=True)

    def test_a_position_of_its_own_for_each_stage(self):
        with refused_by_the_database():
            Stage.objects.filter(pk=self.offer.pk).update(position=self.new.position)

    def test_one_membership_of_each_login(self):
        bob = self.bob.member

        with refused_by_the_database():
            Member.objects.create(organization=bob.organization, user=bob.user)

    def test_one_live_lost_reason_of_a_name(self):
        LostReasonFactory(actor=self.alice, name="Price")

        with refused_by_the_database():
            LostReason.objects.create(organization=self.organization, name="Price")

    def test_one_live_custom_field_of_a_key(self):
        CustomFieldFactory(actor=self.alice, key="budget")
        columns = {"kind": "deal", "key": "budget", "label": "x", "type": "text"}
        CustomField.objects.create(organization=self.organization, **{**columns, "kind": "contact"})

        with refused_by_the_database():
            CustomField.objects.create(organization=self.organization, **columns)

    def test_one_live_row_of_a_reference(self):
        person, other = self.person(external_references=[("erp", "1")]), self.person()
        columns = {"organization": self.organization, "row": other, "system": "erp"}
        ContactReference.objects.create(**columns, external_id="1", is_live=False)
        ContactReference.objects.create(**columns, external_id="2")

        with refused_by_the_database():
            ContactReference.objects.create(**columns, external_id="1")

        assert person.references.count() == 1

    def test_the_same_reference_of_a_deal_and_of_a_contact(self):
        self.person(external_references=[("erp", "1")])
        self.deal(external_references=[("erp", "1")])

        assert DealReference.objects.count() == ContactReference.objects.count() == 1

    def test_one_event_of_a_sequence(self):
        event = Event.objects.filter(organization=self.organization).first()

        with refused_by_the_database():
            Event.objects.filter(pk=event.pk).update(sequence=event.sequence + 1)

    def test_one_counter_of_an_organization(self):
        with refused_by_the_database():
            Counter.objects.create(organization=self.organization)

    def test_a_contact_takes_part_once(self):
        person = self.person()
        deal = self.deal(members=[person.pk])

        with refused_by_the_database():
            DealContact.objects.create(organization=self.organization, deal=deal, contact=person)

    def test_one_current_state_of_a_deal(self):
        state = DealState.objects.get(deal=self.deal())
        state.pk = None

        with refused_by_the_database():
            state.save()


class KeepADealInBounds(BaseTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.rows = {
            "open": DealFactory(actor=cls.bob, amount=100),
            "won": DealFactory(actor=cls.bob, amount=100, status="won"),
            "lost": DealFactory(actor=cls.bob, amount=100, status="lost"),
            "abandoned": DealFactory(actor=cls.bob, amount=100, status="abandoned"),
        }
        cls.reason = LostReasonFactory(actor=cls.alice)
        cls.now = timezone.now()

    def write(self, row, **columns):
        Deal.objects.filter(pk=self.rows[row].pk).update(**columns)

    def test_it_accepts_the_bounds_themselves(self):
        for columns in (
            {"amount": 0},
            {"amount": AMOUNT_LIMIT - 1, "amount_gross": AMOUNT_LIMIT - 1},
            {"amount": None, "amount_gross": None},
            {"probability": 0},
            {"probability": 100},
            {"bid_type": "hour", "bid_value": 1, "bid_periods": 0},
        ):
            with self.subTest(columns=columns):
                self.write("open", **columns)
                connection.check_constraints()

    def test_it_refuses(self):
        for row, columns in (
            ("open", {"amount": -1}),
            ("open", {"amount": AMOUNT_LIMIT}),
            ("open", {"amount_gross": AMOUNT_LIMIT}),
            ("open", {"amount_gross": 99}),
            ("open", {"amount": None, "amount_gross": 100}),
            ("open", {"closed_at": self.now}),
            ("open", {"lost_reason": self.reason}),
            ("open", {"status": "won"}),
            ("open", {"status": "done", "closed_at": self.now}),
            ("won", {"closed_at": None}),
            ("won", {"status": "open"}),
            ("won", {"lost_reason": self.reason}),
            ("lost", {"closed_at": None}),
            ("abandoned", {"closed_at": None}),
            ("open", {"probability": 101}),
            ("open", {"bid_type": "hour"}),
            ("open", {"bid_value": 1}),
            ("open", {"bid_periods": 1}),
        ):
            with self.subTest(row=row, columns=columns), refused_by_the_database():
                self.write(row, **columns)

    def test_it_refuses_a_state_that_ends_before_it_begins(self):
        states = DealState.objects.filter(deal=self.rows["open"])

        with refused_by_the_database():
            states.update(valid_to=self.now - datetime.timedelta(days=1))


class KeepStagesContactsAndMembersInBounds(BaseTestCase):
    def test_it_refuses(self):
        person, bob = self.person(), self.bob.member
        for row, columns in (
            (self.new, {"probability": 101}),
            (self.new, {"kind": "paused"}),
            (self.new, {"position": None}),
            (self.new, {"deleted_at": timezone.now()}),
            (person, {"kind": "robot"}),
            (person, {"kind": "company", "company": person}),
            (bob, {"role": "owner"}),
        ):
            with self.subTest(row=row, columns=columns), refused_by_the_database():
                type(row).objects.filter(pk=row.pk).update(**columns)
