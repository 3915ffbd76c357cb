"""Writing deals: what is created, changed, found again, hidden, trashed and brought back."""

import datetime
import uuid
from decimal import Decimal

from django.core import mail
from django.utils import timezone

from contacts.models import Contact
from contacts.services import trash_contacts, update_contacts
from crm_project.accounts.services import update_member
from crm_project.errors import RowsRefused
from crm_project.journal.models import Event
from crm_project.records.querysets import RESTORABLE_FOR
from deals.models import Deal, DealReference, DealState
from deals.services import (
    create_deals,
    follow_deal,
    move_deals,
    restore_deals,
    trash_deals,
    trash_lost_reason,
    update_deals,
    update_lost_reason,
    upsert_deals,
)
from pipelines.services import trash_stage, update_pipeline
from tests.base import BaseTestCase, refused, stages_of, with_token
from tests.factories import CompanyFactory, CustomFieldFactory, LostReasonFactory, PipelineFactory
from tests.tasks import run_tasks

NOWHERE = uuid.UUID(int=0)


class DealTestCase(BaseTestCase):
    def update(self, deal, actor=None, **change):
        return update_deals(actor=actor or self.bob, changes=[(deal, change)])[0]

    def upsert(self, actor=None, **change):
        return upsert_deals(actor=actor or self.bob, changes=[change])[0]

    def trash(self, deal, actor=None):
        return trash_deals(actor=actor or self.bob, rows=[deal])[0]

    def restore(self, deal, actor=None, **stage):
        return restore_deals(actor=actor or self.bob, rows=[deal], **stage)[0]

    def references(self, deal):
        return list(DealReference.objects.filter(row=deal).values_list("system", "external_id"))

    def visible(self, deal, actor):
        return Deal.objects.visible_to(actor.member).filter(pk=deal.pk).exists()


class CreateDeals(DealTestCase):
    def test_it_works(self):
        client = CompanyFactory(actor=self.bob)
        person = self.person()

        [deal] = create_deals(
            actor=self.bob,
            changes=[
                {
                    "name": "Big one",
                    "amount": Decimal(15000),
                    "stage": self.offer.pk,
                    "contact": person.uuid,
                    "client": client.pk,
                    "owner": self.manager.member.uuid,
                    "members": [client.pk],
                    "external_references": [("erp", "4711")],
                    "expected_close_date": datetime.date(2030, 1, 31),
                }
            ],
        )

        deal = Deal.objects.get(pk=deal.pk)
        assert (deal.name, deal.amount, deal.currency, deal.status) == (
            "Big one",
            Decimal(15000),
            "EUR",
            "open",
        )
        assert (deal.stage, deal.contact, deal.client) == (self.offer, person, client)
        assert (deal.owner, deal.created_by) == (self.manager.member, self.bob.member)
        assert list(deal.members.all()) == [client]
        assert self.references(deal) == [("erp", "4711")]
        assert (deal.version, deal.organization) == (1, self.organization)

    def test_nothing_is_required(self):
        deal = create_deals(actor=self.bob, changes=[{}])[0]

        assert (deal.name, deal.amount, deal.owner, deal.stage) == ("", None, None, self.new)

    def test_it_starts_in_the_first_stage_of_the_pipeline_named(self):
        assert self.deal(pipeline=self.renewals.pk).stage == stages_of(self.renewals)[0]

    def test_the_stage_names_the_pipeline(self):
        stage = stages_of(self.renewals)[1]

        assert self.deal(stage=stage.uuid).stage == stage

    def test_it_takes_the_organizations_currency(self):
        self.bob.organization.currency = "PLN"

        assert self.deal().currency == "PLN"

    def test_many_at_once(self):
        deals = create_deals(actor=self.bob, changes=[{"name": str(n)} for n in range(20)])

        assert [deal.name for deal in deals] == [str(n) for n in range(20)]
        assert Deal.objects.count() == 20

    def test_it_names_every_wrong_row_and_writes_none(self):
        changes = [{"name": "fine"}, {"name": "x" * 256}, {"contact": NOWHERE}]

        with refused("invalid") as caught:
            create_deals(actor=self.bob, changes=changes)

        assert isinstance(caught.value, RowsRefused)
        assert {row: error.fields[0].field for row, error in caught.value.errors.items()} == {
            1: "name",
            2: "contact",
        }
        assert not Deal.objects.exists()

    def test_it_names_every_wrong_field(self):
        with refused("invalid") as caught:
            self.deal(
                name=5,
                currency="EURO",
                contact=NOWHERE,
                client=NOWHERE,
                owner=NOWHERE,
                members=[NOWHERE],
                stage=2**62,
                lost_reason=2**62,
                next_deal=NOWHERE,
                custom_fields={"unknown": 1},
                external_references=[("", "1")],
            )

        assert {error.field for error in caught.value.fields} == {
            "name",
            "currency",
            "contact",
            "client",
            "owner",
            "members.0",
            "stage",
            "lost_reason",
            "next_deal",
            "custom_fields.unknown",
            "external_references.0.system",
        }

    def test_it_rejects_another_organizations_rows_like_unknown_ones(self):
        person, deal = self.person(self.charlie), self.deal(self.charlie)
        reason = LostReasonFactory(actor=self.charlie)
        member, stage = self.charlie.member, self.theirs.stages.first()
        foreign = {
            "contact": person.pk,
            "client": person.uuid,
            "owner": member.pk,
            "next_deal": deal.pk,
            "stage": stage.pk,
            "pipeline": self.theirs.pk,
            "lost_reason": reason.pk,
        }

        for name, key in foreign.items():
            with self.subTest(field=name), refused("does_not_exist", name):
                self.deal(**{name: key})
        for name, key in {"members": person.pk, "followers": member.pk, "access_list": member.pk}.items():
            with self.subTest(field=name), refused("does_not_exist", f"{name}.0"):
                self.deal(**{name: [key]})

    def test_it_rejects_trashed_rows(self):
        person, next_deal, reason = self.person(), self.deal(), LostReasonFactory(actor=self.alice)
        trash_contacts(actor=self.bob, rows=[person])
        self.trash(next_deal)
        trash_lost_reason(actor=self.alice, lost_reason=reason)
        trash_stage(actor=self.alice, stage=self.offer)

        for name, row in {
            "contact": person,
            "next_deal": next_deal,
            "stage": self.offer,
            "lost_reason": reason,
        }.items():
            with self.subTest(field=name), refused("does_not_exist", name):
                self.deal(status="lost", **{name: row.pk})

    def test_it_rejects_an_inactive_pipeline(self):
        update_pipeline(actor=self.alice, pipeline=self.renewals, change={"is_active": False})

        with refused("pipeline_inactive", "pipeline"):
            self.deal(pipeline=self.renewals.pk)

    def test_it_rejects_a_pipeline_without_stages(self):
        empty = PipelineFactory(actor=self.alice, stages=[])

        with refused("pipeline_has_no_stage", "pipeline"):
            self.deal(pipeline=empty.pk)

    def test_a_viewer_and_a_token_that_only_reads_may_not(self):
        for actor in (
            self.viewer,
            with_token(self.alice, "read"),
            with_token(self.alice, "read", "pipelines"),
        ):
            with self.subTest(actor=actor), refused("forbidden"):
                create_deals(actor=actor, changes=[{}])

    def test_a_token_that_writes_may(self):
        assert (
            create_deals(actor=with_token(self.bob, "write"), changes=[{}])[0].created_by == self.bob.member
        )


class FindOrCreateTheContact(DealTestCase):
    def test_it_creates_a_person(self):
        deal = self.deal(
            contact_email=" Eva@Example.COM ",
            contact_first_name="Eva",
            contact_last_name="Kiss",
            contact_phone="1",
        )

        contact = Contact.objects.get()
        assert deal.contact == contact
        assert (contact.kind, contact.email, contact.full_name, contact.phone) == (
            "person",
            "eva@example.com",
            "Eva Kiss",
            "1",
        )
        assert Event.objects.filter(kind="contact", action="created", row_id=contact.pk).count() == 1

    def test_it_links_one_that_is_there_and_never_overwrites_it(self):
        person = self.person(first_name="Eva", email="eva@example.com")

        deal = self.deal(contact_email="EVA@example.com", contact_first_name="Other", contact_phone="2")

        assert deal.contact == person
        assert (Contact.objects.get().first_name, Contact.objects.get().version) == ("Eva", 1)

    def test_a_known_one_needs_no_name(self):
        person = self.person(email="eva@example.com")

        assert self.deal(contact_email="eva@example.com").contact == person

    def test_people_come_before_companies(self):
        company = CompanyFactory(actor=self.bob, email="eva@example.com")
        assert self.deal(contact_email="eva@example.com").contact == company

        person = self.person(email="eva@example.com")

        assert self.deal(contact_email="eva@example.com").contact == person

    def test_a_trashed_one_is_not_found(self):
        person = self.person(email="eva@example.com")
        trash_contacts(actor=self.bob, rows=[person])

        assert self.deal(contact_email="eva@example.com", contact_first_name="Eva").contact != person

    def test_another_organizations_is_not_found(self):
        person = self.person(self.charlie, email="eva@example.com")

        assert self.deal(contact_email="eva@example.com", contact_first_name="Eva").contact != person

    def test_one_list_makes_one_contact(self):
        changes = [
            {"contact_email": email, "contact_first_name": "Eva"} for email in ("e@x.eu", "E@X.eu", " e@x.eu")
        ]

        deals = create_deals(actor=self.bob, changes=changes)

        assert {deal.contact for deal in deals} == {Contact.objects.get()}

    def test_it_needs_no_required_custom_field(self):
        CustomFieldFactory(actor=self.alice, kind="contact", required=True)

        assert self.deal(contact_email="eva@example.com", contact_first_name="Eva").contact.full_name == "Eva"

    def test_it_rejects_a_new_one_without_a_first_name(self):
        for first_name in ({}, {"contact_first_name": " "}, {"contact_first_name": None}):
            with self.subTest(first_name=first_name), refused("required", "contact_first_name"):
                self.deal(contact_email="eva@example.com", **first_name)

    def test_it_rejects_what_is_no_address(self):
        with refused("invalid", "contact_email"):
            self.deal(contact_email="eva", contact_first_name="Eva")

    def test_it_rejects_an_id_beside_the_address(self):
        person = self.person(email="p@example.com")
        with refused("contact_conflict", "contact_first_name", "contact_email"):
            self.deal(contact_email="eva@example.com", contact_first_name="Eva", contact=person.pk)
        assert self.deal(contact_email=" P@example.com", contact=person.pk).contact_id == person.pk

    def test_a_refused_deal_leaves_no_contact(self):
        with refused("invalid_choice", "currency"):
            self.deal(contact_email="eva@example.com", contact_first_name="Eva", currency="EURO")

        assert not Contact.objects.exists()


class UpdateDeals(DealTestCase):
    def test_it_works(self):
        deal = self.deal(name="Old", amount=5)

        receipt = self.update(deal, name="New", amount=Decimal(6))

        deal = Deal.objects.get()
        assert (receipt.outcome, receipt.changed) == ("updated", ["amount", "name"])
        assert (deal.name, deal.amount, deal.version) == ("New", Decimal(6), 2)
        assert deal.updated_at > deal.created_at

    def test_fields_not_named_stay(self):
        deal = self.deal(
            amount=5, contact=self.person().pk, owner=self.bob.member.pk, members=[self.person().pk]
        )
        before = Deal.objects.values().get()

        self.update(deal, description="more")

        changed = {"description", "search_text", "updated_at", "version"}
        after = Deal.objects.values().get()
        assert {name for name in before if before[name] != after[name]} == changed
        assert deal.members.count() == 1

    def test_null_clears(self):
        person = self.person()
        full = {
            "name": "x",
            "description": "x",
            "amount": 5,
            "amount_gross": 6,
            "tax_rate": "zw",
            "contact": person.pk,
            "client": person.pk,
            "owner": self.bob.member.pk,
            "next_deal": self.deal().pk,
            "expected_close_date": datetime.date(2030, 1, 1),
            "department_id": 5,
            "members": [person.pk],
            "followers": [self.bob.member.pk],
            "external_references": [("erp", "1")],
        }
        deal = self.deal(**full)

        receipt = self.update(deal, **dict.fromkeys(full))

        row = Deal.objects.get(pk=deal.pk)
        assert len(receipt.changed) == len(full)
        assert (row.name, row.tax_rate, row.amount, row.contact, row.next_deal) == ("", "", None, None, None)
        assert (row.members.count(), row.followers.count(), self.references(row)) == (0, 0, [])

    def test_the_instance_counts_for_its_id_alone(self):
        deal = self.deal(name="Mine")
        deal.name = deal.description = "typed into a form"

        self.update(deal, amount=Decimal(1))

        assert (Deal.objects.get().name, Deal.objects.get().description) == ("Mine", "")

    def test_many_at_once_each_in_its_own_way(self):
        first, second, third = (self.deal() for _ in range(3))

        receipts = update_deals(
            actor=self.bob, changes=[(third, {"amount": Decimal(3)}), (first, {"name": "x"}), (second, {})]
        )

        assert [receipt.row.pk for receipt in receipts] == [third.pk, first.pk, second.pk]
        assert [receipt.outcome for receipt in receipts] == ["updated", "updated", "unchanged"]
        assert list(Deal.objects.order_by("id").values_list("version", flat=True)) == [2, 1, 2]

    def test_it_rejects_the_same_row_twice(self):
        deal = self.deal()

        with refused("row_twice"):
            update_deals(actor=self.bob, changes=[(deal, {"name": "a"}), (deal, {"name": "b"})])

    def test_it_hides_other_organizations_the_trash_and_the_private(self):
        theirs, trashed, private = (
            self.deal(self.charlie),
            self.deal(),
            self.deal(self.alice, is_private=True),
        )
        self.trash(trashed)

        for deal in (theirs, trashed, private):
            with self.subTest(deal=deal), refused("not_found"):
                self.update(deal, name="x")

    def test_a_viewer_may_not(self):
        with refused("forbidden"):
            self.update(self.deal(), self.viewer, name="x")

    def test_a_deal_does_not_follow_itself(self):
        deal = self.deal()

        with refused("invalid", "next_deal"):
            self.update(deal, next_deal=deal.pk)

    def test_it_moves(self):
        deal = self.deal()

        receipt = self.update(deal, stage=self.won.pk)

        deal = Deal.objects.get()
        assert (deal.stage, deal.status) == (self.won, "won")
        assert deal.closed_at == deal.stage_entered_at == deal.updated_at
        assert receipt.changed == ["closed_at", "probability", "stage_entered_at", "stage_id", "status"]

    def test_another_pipeline_takes_it_to_its_first_open_stage(self):
        deal = self.deal(stage=self.offer.pk)

        self.update(deal, pipeline=self.renewals.pk)

        assert Deal.objects.get().stage == stages_of(self.renewals)[0]

    def test_many_move_together(self):
        deals = [self.deal(), self.deal()]

        move_deals(actor=self.bob, deals=deals, stage=self.offer)

        assert set(Deal.objects.values_list("stage", "version")) == {(self.offer.pk, 2)}


class SendBackWhatWasRead(DealTestCase):
    """A client that reads a deal and writes it back as it is changes nothing, not even the version."""

    def read(self, deal):
        deal = Deal.objects.get(pk=deal.pk)
        plain = (
            "name description amount amount_gross tax_rate currency bid_type bid_value bid_periods status is_private"
            " expected_close_date closed_at date date_from date_to number invoice_no url origin department_id"
            " project_id task_id custom_fields"
        )
        change = {name: getattr(deal, name) for name in plain.split()}
        change |= {
            name: getattr(deal, f"{name}_id")
            for name in ("stage", "contact", "client", "owner", "next_deal", "lost_reason")
        }
        change |= {
            name: list(getattr(deal, name).values_list("uuid", flat=True))
            for name in ("members", "followers", "access_list")
        }
        return change | {
            "pipeline": deal.stage.pipeline_id,
            "probability": deal.effective_probability,
            "forecast_category": deal.effective_forecast_category,
            "external_references": self.references(deal),
        }

    def assert_unchanged(self, deal, actor=None, states=1):
        before, events = Deal.objects.values().get(pk=deal.pk), Event.objects.count()

        receipt = self.update(deal, actor, **self.read(deal))

        assert (receipt.outcome, receipt.changed) == ("unchanged", [])
        assert Deal.objects.values().get(pk=deal.pk) == before
        assert Event.objects.count() == events
        assert DealState.objects.filter(deal=deal).count() == states

    def test_an_empty_deal(self):
        self.assert_unchanged(self.deal(name=""))

    def test_a_full_deal(self):
        CustomFieldFactory(actor=self.alice, key="budget", type="number")
        person, day = self.person(), datetime.date(2030, 1, 1)
        deal = self.deal(
            description="x\n",
            amount=100,
            amount_gross=120,
            tax_rate="23",
            contact=person.pk,
            client=person.pk,
            owner=self.bob.member.pk,
            members=[person.pk, self.person().pk],
            followers=[self.manager.member.pk, self.alice.member.pk],
            is_private=True,
            access_list=[self.viewer.member.pk, self.bob.member.pk],
            next_deal=self.deal().pk,
            expected_close_date=day,
            date=day,
            url="https://example.com",
            department_id=-5,
            custom_fields={"budget": Decimal("0.1")},
            external_references=[("erp", "2"), ("erp", "1"), ("default", "x")],
        )

        self.assert_unchanged(deal)
        self.assert_unchanged(deal, self.alice)

    def test_a_periodic_bid(self):
        self.assert_unchanged(self.deal(bid_type="hour", bid_value="80", bid_periods=0))

    def test_a_hand_set_probability_of_an_open_deal(self):
        self.assert_unchanged(self.deal(probability=35))

    def test_a_hand_set_probability_of_a_closed_deal(self):
        deal = self.deal(probability=35)
        update_deals(actor=self.bob, changes=[(deal, {"status": "won"})])
        self.assert_unchanged(deal, states=2)

    def test_a_deal_won_in_an_open_stage(self):
        self.assert_unchanged(self.deal(status="won"))

    def test_an_abandoned_deal_in_a_lost_stage(self):
        reason = LostReasonFactory(actor=self.alice)

        self.assert_unchanged(self.deal(stage=self.lost.pk, status="abandoned", lost_reason=reason.pk))

    def test_a_deal_of_an_inactive_pipeline(self):
        deal = self.deal(pipeline=self.renewals.pk)
        update_pipeline(actor=self.alice, pipeline=self.renewals, change={"is_active": False})

        self.assert_unchanged(deal)

    def test_a_deal_whose_reason_has_been_trashed(self):
        reason = LostReasonFactory(actor=self.alice)
        deal = self.deal(status="lost", lost_reason=reason.pk)
        trash_lost_reason(actor=self.alice, lost_reason=reason)

        self.assert_unchanged(deal)

    def test_a_deal_whose_owner_has_left(self):
        deal = self.deal(owner=self.bob.member.pk, followers=[self.bob.member.pk])
        update_member(actor=self.alice, member=self.bob.member, is_active=False)

        self.assert_unchanged(deal, self.alice)


class UpsertByUuid(DealTestCase):
    def test_it_updates(self):
        deal = self.deal()

        receipt = self.upsert(uuid=deal.uuid, name="New")

        assert (receipt.row, receipt.outcome, receipt.matched_on) == (deal, "updated", "uuid")
        assert receipt.changed == ["name"]

    def test_the_same_again_is_unchanged(self):
        deal = self.deal(name="Same")

        receipt = self.upsert(uuid=deal.uuid, name="Same")

        assert (receipt.outcome, receipt.changed, receipt.row.version) == ("unchanged", [], 1)

    def test_it_hides_what_is_unknown_foreign_trashed_or_private(self):
        trashed = self.deal()
        self.trash(trashed)

        for key in (
            NOWHERE,
            self.deal(self.charlie).uuid,
            trashed.uuid,
            self.deal(self.alice, is_private=True).uuid,
        ):
            with self.subTest(key=key), refused("not_found"):
                self.upsert(uuid=key)


class UpsertByReference(DealTestCase):
    def test_it_creates_and_then_updates(self):
        reference = {"external_references": [("erp", "1")]}

        created = self.upsert(name="A", **reference)
        updated = self.upsert(name="B", **reference)
        unchanged = self.upsert(name="B", **reference)

        assert [r.outcome for r in (created, updated, unchanged)] == ["created", "updated", "unchanged"]
        assert [r.matched_on for r in (created, updated, unchanged)] == [None, *["external_reference"] * 2]
        assert (Deal.objects.get().name, Deal.objects.get().version) == ("B", 2)

    def test_it_adds_references(self):
        deal = self.deal(external_references=[("erp", "1")])

        self.upsert(external_references=[("erp", "1"), ("shop", "9")])

        assert self.references(deal) == [("erp", "1"), ("shop", "9")]

    def test_a_key_that_matches_nothing_creates_and_never_falls_through(self):
        person = self.person()
        deal = self.deal(contact=person.pk)

        receipt = self.upsert(external_references=[("erp", "1")], contact=person.pk)

        assert receipt.outcome == "created"
        assert receipt.row != deal

    def test_a_trashed_deal_is_not_found(self):
        self.trash(self.deal(external_references=[("erp", "1")]))

        assert self.upsert(external_references=[("erp", "1")]).outcome == "created"

    def test_another_organizations_reference_is_not_found(self):
        self.deal(self.charlie, external_references=[("erp", "1")])

        assert self.upsert(external_references=[("erp", "1")]).outcome == "created"

    def test_of_a_hidden_deal_only_taken_is_answered(self):
        self.deal(self.alice, is_private=True, name="Secret", external_references=[("erp", "1")])

        with refused("reference_taken") as caught:
            self.upsert(external_references=[("erp", "1")])

        assert "Secret" not in str(caught.value)
        assert caught.value.extra == {}


class UpsertByContactAndPipeline(DealTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.eva = cls.person(cls, email="eva@example.com")

    def test_it_creates_and_then_updates(self):
        created = self.upsert(contact=self.eva.pk, name="A")
        updated = self.upsert(contact=self.eva.uuid, name="B")
        unchanged = self.upsert(contact_email="eva@example.com", name="B")

        assert [r.outcome for r in (created, updated, unchanged)] == ["created", "updated", "unchanged"]
        assert [r.matched_on for r in (created, updated, unchanged)] == [None, *["contact_and_pipeline"] * 2]

    def test_with_a_contact_that_it_makes_itself(self):
        change = {"contact_email": "new@example.com", "contact_first_name": "New"}

        receipts = [self.upsert(**change), self.upsert(**change)]

        assert [receipt.outcome for receipt in receipts] == ["created", "unchanged"]
        assert Contact.objects.filter(email="new@example.com").count() == 1

    def test_each_pipeline_has_a_deal_of_its_own(self):
        in_sales = self.upsert(contact=self.eva.pk)
        in_renewals = self.upsert(contact=self.eva.pk, pipeline=self.renewals.pk)

        assert (in_sales.outcome, in_renewals.outcome) == ("created", "created")
        assert self.upsert(contact=self.eva.pk, pipeline=self.renewals.pk).row == in_renewals.row

    def test_the_stage_names_the_pipeline_and_moves(self):
        deal = self.deal(contact=self.eva.pk)

        receipt = self.upsert(contact=self.eva.pk, stage=self.offer.pk)

        assert (receipt.row, receipt.row.stage) == (deal, self.offer)

    def test_a_closed_deal_is_not_found(self):
        self.deal(contact=self.eva.pk, status="won")

        assert self.upsert(contact=self.eva.pk).outcome == "created"

    def test_a_closing_request_that_is_repeated_finds_what_it_closed(self):
        for close in (
            {"status": "won"},
            {"stage": self.won.pk},
            {"status": "abandoned"},
            {"stage": self.lost.pk},
        ):
            with self.subTest(close=close):
                person = self.person()
                self.deal(contact=person.pk)

                receipts = [self.upsert(contact=person.pk, **close) for _ in range(2)]

                assert [receipt.outcome for receipt in receipts] == ["updated", "unchanged"]
                assert receipts[0].row == receipts[1].row

    def test_it_finds_the_latest_that_is_in_that_status(self):
        now = timezone.now()
        for days in (3, 1, 2):
            closed_at = now - datetime.timedelta(days=days)
            self.deal(contact=self.eva.pk, status="won", closed_at=closed_at, name=f"{days} days ago")
        self.deal(contact=self.eva.pk, status="lost", name="lost")

        receipt = self.upsert(contact=self.eva.pk, status="won")

        assert (receipt.row.name, receipt.outcome) == ("1 days ago", "unchanged")

    def test_an_open_deal_comes_before_a_closed_one(self):
        self.deal(contact=self.eva.pk, status="won")
        deal = self.deal(contact=self.eva.pk)

        assert self.upsert(contact=self.eva.pk, status="won").row == deal

    def test_several_are_ambiguous(self):
        first, second = self.deal(contact=self.eva.pk, name="One"), self.deal(contact=self.eva.pk, name="Two")

        with refused("ambiguous_match") as caught:
            self.upsert(contact=self.eva.pk, name="Three")

        assert caught.value.extra["candidates"] == [
            {"uuid": str(first.uuid), "name": "One"},
            {"uuid": str(second.uuid), "name": "Two"},
        ]
        assert set(Deal.objects.values_list("name", "version")) == {("One", 1), ("Two", 1)}

    def test_private_deals_of_others_are_neither_found_nor_candidates(self):
        self.deal(self.alice, contact=self.eva.pk, is_private=True)
        deal = self.deal(contact=self.eva.pk)

        assert self.upsert(contact=self.eva.pk).row == deal

    def test_trashed_deals_are_not_found(self):
        self.trash(self.deal(contact=self.eva.pk))

        assert self.upsert(contact=self.eva.pk).outcome == "created"

    def test_it_rejects_an_unknown_contact_or_pipeline(self):
        with refused("does_not_exist", "contact"):
            self.upsert(contact=NOWHERE)
        with refused("does_not_exist", "pipeline"):
            self.upsert(contact=self.eva.pk, pipeline=2**62)


class UpsertKeys(DealTestCase):
    def test_the_first_key_in_the_body_decides(self):
        person = self.person()
        deal = self.deal(contact=person.pk, external_references=[("erp", "1")])

        keys = {"uuid": deal.uuid, "external_references": [("erp", "1")], "contact": person.pk}

        assert self.upsert(**keys).matched_on == "uuid"
        del keys["uuid"]
        assert self.upsert(**keys).matched_on == "external_reference"
        del keys["external_references"]
        assert self.upsert(**keys).matched_on == "contact_and_pipeline"

    def test_match_on_names_another(self):
        deal = self.deal(contact=self.person().pk)

        receipt = self.upsert(
            match_on="contact_and_pipeline", contact=deal.contact_id, external_references=[("erp", "1")]
        )

        assert (receipt.row, receipt.matched_on) == (deal, "contact_and_pipeline")
        assert self.references(deal) == [("erp", "1")]

    def test_it_rejects_a_key_that_the_body_has_not(self):
        with refused("required", "match_on"):
            self.upsert(match_on="external_reference", contact=self.person().pk)

    def test_it_rejects_an_unknown_key(self):
        with refused("invalid_choice", "match_on"):
            self.upsert(match_on="name", name="x")

    def test_it_rejects_no_key_at_all(self):
        with refused("required", "match_on"):
            self.upsert(name="x")

    def test_a_viewer_may_not(self):
        with refused("forbidden"):
            self.upsert(self.viewer, external_references=[("erp", "1")])

    def test_many_at_once(self):
        known = self.deal(external_references=[("erp", "1")])

        receipts = upsert_deals(
            actor=self.bob,
            changes=[{"external_references": [("erp", key)], "name": key} for key in ("2", "1", "3")],
        )

        assert [receipt.outcome for receipt in receipts] == ["created", "updated", "created"]
        assert receipts[1].row == known


class References(DealTestCase):
    def test_an_update_replaces_them(self):
        deal = self.deal(external_references=[("erp", "1"), ("erp", "2")])

        receipt = self.update(deal, external_references=[("erp", "2"), ("erp", "3")])

        assert set(self.references(deal)) == {("erp", "2"), ("erp", "3")}
        assert (receipt.changed, receipt.row.version) == (["external_references"], 2)

    def test_the_same_once(self):
        assert self.references(self.deal(external_references=[("erp", "1"), ("erp", "1")])) == [("erp", "1")]

    def test_it_rejects_one_of_another_deal(self):
        self.deal(external_references=[("erp", "1")])
        deal = self.deal()

        with refused("reference_taken"):
            self.deal(external_references=[("erp", "1")])
        with refused("reference_taken"):
            self.update(deal, external_references=[("erp", "1")])

    def test_it_rejects_one_twice_in_a_list_of_deals(self):
        changes = [{"external_references": [("erp", "1")]} for _ in range(2)]

        with refused("invalid") as caught:
            create_deals(actor=self.bob, changes=changes)

        assert {row: error.code for row, error in caught.value.errors.items()} == {1: "reference_taken"}

    def test_case_and_space_count(self):
        for external_id in ("a", "A", " a", "a "):
            self.deal(external_references=[("erp", external_id)])

        assert DealReference.objects.count() == 4

    def test_a_contact_may_have_the_same(self):
        self.person(external_references=[("erp", "1")])

        assert self.references(self.deal(external_references=[("erp", "1")])) == [("erp", "1")]

    def test_the_trash_frees_them(self):
        self.trash(self.deal(external_references=[("erp", "1")]))

        assert self.references(self.deal(external_references=[("erp", "1")])) == [("erp", "1")]


class Privacy(DealTestCase):
    def setUp(self):
        self.private = self.deal(self.manager, is_private=True, name="Secret")

    def test_its_creator_its_owner_its_list_and_admins_see_it(self):
        assert self.visible(self.private, self.manager)
        assert self.visible(self.private, self.alice)
        assert not self.visible(self.private, self.bob)
        assert not self.visible(self.private, self.viewer)

        self.update(self.private, self.manager, owner=self.bob.member.pk, access_list=[self.viewer.member.pk])

        assert self.visible(self.private, self.bob)
        assert self.visible(self.private, self.viewer)

    def test_it_hides_other_organizations(self):
        assert not self.visible(self.private, self.charlie)
        assert not self.visible(self.deal(), self.charlie)

    def test_following_it_is_not_seeing_it(self):
        follow_deal(actor=self.manager, deal=self.private, member=self.bob.member.pk, follows=True)

        assert not self.visible(self.private, self.bob)

    def test_insiders_may_set_it(self):
        for actor in (self.manager, self.alice):
            deal = self.deal(self.manager)

            self.update(deal, actor, is_private=True, access_list=[self.bob.member.pk])

            assert Deal.objects.get(pk=deal.pk).is_private

    def test_the_owner_and_those_on_the_list_may_set_it(self):
        owned = self.deal(self.manager, owner=self.bob.member.pk)
        listed = self.deal(self.manager, access_list=[self.bob.member.pk])

        for deal in (owned, listed):
            assert self.update(deal, self.bob, is_private=True).changed == ["is_private"]

    def test_others_may_not(self):
        deal = self.deal(self.manager)

        for change in ({"is_private": True}, {"access_list": [self.bob.member.pk]}):
            with self.subTest(change=change), refused("forbidden"):
                self.update(deal, self.bob, **change)

    def test_nobody_lets_themselves_in_by_becoming_the_owner(self):
        deal = self.deal(self.manager)

        with refused("forbidden"):
            self.update(deal, self.bob, owner=self.bob.member.pk, is_private=True)

    def test_others_may_send_it_back_unchanged(self):
        deal = self.deal(self.manager, access_list=[self.viewer.member.pk])
        listed = [row.pk for row in deal.access_list.all()]

        receipt = self.update(deal, self.bob, is_private=False, access_list=listed, name="x")

        assert receipt.changed == ["name"]

    def test_the_acting_user_stays_on_the_list(self):
        deal = self.deal(self.manager, access_list=[self.bob.member.pk])

        self.update(deal, self.bob, access_list=[self.viewer.member.pk])

        assert set(deal.access_list.all()) >= {self.bob.member, self.viewer.member}

    def test_whoever_makes_a_list_is_on_it(self):
        deal = self.deal(is_private=True, access_list=[self.viewer.member.pk])

        assert set(deal.access_list.all()) == {self.bob.member, self.viewer.member}

    def test_nobody_is_put_on_a_list_that_somebody_else_keeps(self):
        self.update(self.private, self.alice, access_list=[self.viewer.member.pk])

        assert self.alice.member not in self.private.access_list.all()

    def test_those_on_the_list_are_notified_if_asked_for(self):
        self.deal(is_private=True, access_list=[self.viewer.member.pk], notify_access_list=True, name="A\nB")
        self.deal(is_private=True, access_list=[self.viewer.member.pk])
        run_tasks()

        assert [message.to for message in mail.outbox] == [["victor@example.com"]]
        assert mail.outbox[0].subject == "Bob has shared the deal “A B” with you"


class Lists(DealTestCase):
    def test_an_update_replaces_the_members(self):
        one, two, three = self.person(), self.person(), self.person()
        deal = self.deal(members=[one.pk, two.pk])

        receipt = self.update(deal, members=[three.uuid, two.pk, two.uuid])

        assert set(deal.members.all()) == {two, three}
        assert (receipt.changed, receipt.row.version) == (["members"], 2)

    def test_another_order_is_no_change(self):
        one, two = self.person(), self.person()
        deal = self.deal(members=[one.pk, two.pk])

        assert self.update(deal, members=[two.pk, one.pk]).outcome == "unchanged"

    def test_it_adds_and_removes(self):
        bob, mary = self.bob.member, self.manager.member
        deal = self.deal(followers=[bob.pk])

        self.update(deal, add_followers=[mary.pk], remove_followers=[bob.pk])

        assert list(deal.followers.all()) == [mary]

    def test_it_adds_and_removes_participants(self):
        one, two = self.person(), self.person()
        deal = self.deal(members=[one.pk])

        self.update(deal, add_members=[two.uuid], remove_members=[one.pk])

        assert list(deal.members.all()) == [two]

    def test_following_and_leaving(self):
        deal = self.deal()
        bob = self.bob.member

        outcomes = [
            follow_deal(actor=self.bob, deal=deal, member=bob.uuid, follows=follows).outcome
            for follows in (True, True, False, False)
        ]

        assert outcomes == ["updated", "unchanged", "updated", "unchanged"]
        assert Deal.objects.get().version == 3

    def test_it_rejects_a_follower_who_is_unknown(self):
        deal = self.deal()

        for key in (NOWHERE, self.charlie.member.uuid):
            with self.subTest(key=key), refused("does_not_exist", "add_followers.0"):
                follow_deal(actor=self.bob, deal=deal, member=key, follows=True)


class CustomFields(DealTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        CustomFieldFactory(actor=cls.alice, key="budget", type="number")
        CustomFieldFactory(actor=cls.alice, key="color", type="select", options=["red", "green"])

    def test_they_are_merged_by_key(self):
        deal = self.deal(custom_fields={"budget": 5, "color": "red"})

        receipt = self.update(deal, custom_fields={"budget": None, "color": "green"})

        assert Deal.objects.get().custom_fields == {"color": "green"}
        assert (receipt.changed, receipt.row.version) == (["custom_fields"], 2)

    def test_it_rejects_unknown_keys_and_wrong_values(self):
        with refused("unknown_field", "custom_fields.colour"):
            self.deal(custom_fields={"colour": "red"})
        with refused("invalid", "custom_fields.budget", "custom_fields.color"):
            self.deal(custom_fields={"budget": "much", "color": "blue"})

    def test_those_of_contacts_and_of_other_organizations_are_unknown(self):
        CustomFieldFactory(actor=self.alice, key="size", kind="contact")
        CustomFieldFactory(actor=self.charlie, key="weight")

        for key in ("size", "weight"):
            with self.subTest(key=key), refused("unknown_field", f"custom_fields.{key}"):
                self.deal(custom_fields={key: "x"})

    def test_required_ones_are_asked_of_new_deals_alone(self):
        deal = self.deal()
        CustomFieldFactory(actor=self.alice, key="source", required=True)

        with refused("required", "custom_fields.source"):
            self.deal()

        assert self.update(deal, name="x").outcome == "updated"

    def test_null_for_all_of_them_changes_nothing(self):
        deal = self.deal(custom_fields={"budget": 5})

        assert self.update(deal, custom_fields=None).outcome == "unchanged"


class Trash(DealTestCase):
    def test_it_works(self):
        deal = self.deal()

        self.trash(deal)

        row = Deal.objects.get()
        assert row.deleted_at is not None
        assert row.version == 2
        assert not self.visible(deal, self.alice)
        assert Deal.objects.trash_visible_to(self.bob.member, timezone.now()).get() == deal

    def test_many_at_once(self):
        deals = [self.deal(), self.deal()]

        trash_deals(actor=self.bob, rows=deals)

        assert not Deal.objects.live().exists()

    def test_it_hides_what_is_trashed_foreign_or_private(self):
        trashed = self.deal()
        self.trash(trashed)

        for deal in (trashed, self.deal(self.charlie), self.deal(self.alice, is_private=True)):
            with self.subTest(deal=deal), refused("not_found"):
                self.trash(deal)

    def test_a_viewer_may_not(self):
        with refused("forbidden"):
            self.trash(self.deal(), self.viewer)


class Restore(DealTestCase):
    def test_it_works(self):
        deal = self.deal(name="Back", stage=self.offer.pk, external_references=[("erp", "1")])
        before = Deal.objects.values().get()
        self.trash(deal)

        self.restore(deal)

        after = Deal.objects.values().get()
        assert {name for name in before if before[name] != after[name]} == {"updated_at", "version"}
        assert after["version"] == 3
        assert self.upsert(external_references=[("erp", "1")]).row == deal

    def test_a_closed_deal_keeps_its_instant_and_its_reason(self):
        reason = LostReasonFactory(actor=self.alice)
        deal = self.deal(stage=self.lost.pk, status="abandoned", lost_reason=reason.pk)
        self.trash(deal)

        self.restore(deal)

        row = Deal.objects.get()
        assert (row.status, row.closed_at, row.lost_reason) == ("abandoned", deal.closed_at, reason)

    def test_it_rejects_one_whose_reference_has_a_new_owner(self):
        deal = self.deal(external_references=[("erp", "1")])
        self.trash(deal)
        self.deal(external_references=[("erp", "1")])

        with refused("restore_conflict"):
            self.restore(deal)

    def test_it_rejects_two_that_have_had_the_same_reference(self):
        deals = [self.trash(self.deal(external_references=[("erp", "1")])) for _ in range(2)]

        with refused("restore_conflict"):
            restore_deals(actor=self.bob, rows=deals)

    def test_it_rejects_one_whose_stage_is_gone(self):
        deal = self.deal(stage=self.offer.pk)
        self.trash(deal)
        trash_stage(actor=self.alice, stage=self.offer)

        with refused("restore_conflict"):
            self.restore(deal)

        assert self.restore(deal, stage=self.new.pk).stage == self.new

    def test_it_rejects_an_unknown_stage(self):
        deal = self.deal()
        self.trash(deal)

        for key in (2**62, self.theirs.stages.first().pk):
            with self.subTest(key=key), refused("does_not_exist", "stage"):
                self.restore(deal, stage=key)

    def test_a_closing_stage_closes_it(self):
        deal = self.deal()
        self.trash(deal)

        assert self.restore(deal, stage=self.won.pk).status == "won"

    def test_it_rejects_one_whose_contact_client_or_member_is_trashed(self):
        for name in ("contact", "client", "members"):
            with self.subTest(name=name):
                person = self.person()
                deal = self.deal(**{name: [person.pk] if name == "members" else person.pk})
                self.trash(deal)
                trash_contacts(actor=self.bob, rows=[person])

                with refused("restore_conflict"):
                    self.restore(deal)

    def test_it_hides_what_is_live_foreign_private_or_too_old(self):
        live, foreign, private, old = (
            self.deal(),
            self.deal(self.charlie),
            self.deal(is_private=True),
            self.deal(),
        )
        self.trash(foreign, self.charlie)
        self.trash(private)
        self.trash(old)
        Deal.objects.filter(pk=old.pk).update(deleted_at=timezone.now() - RESTORABLE_FOR)

        for deal in (live, foreign, private, old):
            with self.subTest(deal=deal), refused("not_found"):
                self.restore(deal, self.manager)

    def test_a_viewer_may_not(self):
        deal = self.deal()
        self.trash(deal)

        with refused("forbidden"):
            self.restore(deal, self.viewer)


class SearchText(DealTestCase):
    def found(self, text):
        return list(Deal.objects.visible_to(self.bob.member).matching(text).values_list("name", flat=True))

    def test_it_finds_by_name_description_number_contact_and_client(self):
        person = self.person(first_name="Éva", last_name="Kiss", email="eva@example.com")
        client = CompanyFactory(actor=self.bob, name="Größe AG", email="info@groesse.example")
        self.deal(name="X1", description="Über uns", number="A-7", contact=person.pk, client=client.pk)
        self.deal(name="X2")

        for text in ("x1", "uber UNS", "a-7", "eva kiss", "EVA@", "GRÖSSE", "info@groesse"):
            with self.subTest(text=text):
                assert self.found(text) == ["X1"]

        assert self.found("100%") == []
        assert self.found("x_") == []

    def test_it_follows_a_contact_that_is_renamed_without_changing_the_deal(self):
        person = self.person(first_name="Eva")
        deal = self.deal(name="X1", contact=person.pk)

        update_contacts(actor=self.bob, changes=[(person, {"first_name": "Zoë"})])

        assert self.found("zoe") == ["X1"]
        assert Deal.objects.get().version == deal.version


class LostReasons(DealTestCase):
    def test_a_name_is_taken_once(self):
        reason = LostReasonFactory(actor=self.alice, name="Price")
        other = LostReasonFactory(actor=self.alice, name="Time")

        with refused("name_taken", "name"):
            LostReasonFactory(actor=self.alice, name="Price")
        with refused("name_taken", "name"):
            update_lost_reason(actor=self.alice, lost_reason=other, change={"name": "Price"})

        trash_lost_reason(actor=self.alice, lost_reason=reason)
        assert LostReasonFactory(actor=self.alice, name="Price").pk != reason.pk

    def test_a_rep_may_not(self):
        with refused("forbidden"):
            LostReasonFactory(actor=self.bob)

    def test_deals_keep_one_that_is_trashed(self):
        reason = LostReasonFactory(actor=self.alice)
        deal = self.deal(status="lost", lost_reason=reason.pk)

        trash_lost_reason(actor=self.alice, lost_reason=reason)

        assert Deal.objects.get().lost_reason == reason
        assert self.update(deal, name="x").outcome == "updated"

    def test_it_hides_other_organizations(self):
        theirs = LostReasonFactory(actor=self.charlie)

        with refused("not_found"):
            update_lost_reason(actor=self.alice, lost_reason=theirs, change={"name": "x"})
        with refused("not_found"):
            trash_lost_reason(actor=self.alice, lost_reason=theirs)
