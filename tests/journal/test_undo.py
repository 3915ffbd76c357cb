"""Undo brings the same rows back to the last column, and never takes anybody's change along."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from contacts.models import Contact
from contacts.services import create_contacts, trash_contacts, update_contacts
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.accounts.rules import Role
from crm_project.accounts.services import add_member, create_login, deactivate_member, update_member
from crm_project.changes import change_set, columns, stored
from crm_project.errors import Conflict, DomainError, Forbidden, NotFound
from crm_project.journal.models import Event
from crm_project.journal.undo import UndoResult, undo
from crm_project.records.models import MemberReference
from crm_project.records.services import change_references
from deals.models import Deal, DealAccess, DealContact, DealFollower, DealState
from deals.rules import STATE_FIELDS
from deals.services import create_deals, restore_deals, trash_deals, trash_lost_reason, update_deals
from pipelines.models import Pipeline, Stage
from pipelines.services import create_stage, trash_pipeline, trash_stage, update_pipeline, update_stage
from tests.api.client import ApiClient
from tests.base import BaseTestCase, refused, stages_of
from tests.examples import examples
from tests.factories import CustomFieldFactory, LostReasonFactory

LINKS = ((DealContact, "contact_id"), (DealFollower, "member_id"), (DealAccess, "member_id"))


def picture(row: Any) -> dict[str, Any]:
    """All that a row is and holds, but for its version and the instants of its last write."""
    row = type(row).objects.get(pk=row.pk)
    shown = {name: value for name, value in columns(row).items() if name not in ("deleted_at",)}
    shown["live"] = row.deleted_at is None
    references = row.references.order_by("id")
    shown["references"] = [(key.system, key.external_id, key.is_live) for key in references]
    if isinstance(row, Deal):
        for model, column in LINKS:
            links = model.objects.filter(deal=row).order_by("id")
            shown[model.__name__] = list(links.values_list(column, flat=True))
    return shown


def last(row: Any) -> Event:
    return Event.objects.history_of(row).order_by("-sequence")[0]


def undo_last(actor: Any, row: Any) -> UndoResult:
    return undo(actor=actor, sequence=last(row).sequence)


class DealWithAll(BaseTestCase):
    def setUp(self):
        self.sophie = self.person(first_name="Sophie")
        self.paul = self.person(first_name="Paul")
        self.reason = LostReasonFactory(actor=self.manager)
        CustomFieldFactory(actor=self.manager, key="colour")
        CustomFieldFactory(actor=self.manager, key="size")
        self.row = self.deal(
            name="Deal",
            amount="100",
            tax_rate="20",
            contact=self.sophie.pk,
            members=[self.sophie.pk, self.paul.pk],
            followers=[self.bob.member.pk],
            external_references=[("erp", "1"), ("shop", "2")],
            custom_fields={"colour": "red"},
        )

    def change(self, actor: Any = None, **change: Any) -> None:
        update_deals(actor=actor or self.bob, changes=[(self.row, change)])


class UndoTests(DealWithAll):
    def check(self, **change: Any) -> None:
        """What the change does is undone, redone and undone again, each time to the last column."""
        before = picture(self.row)
        self.change(**change)
        after = picture(self.row)
        assert before != after
        undo_last(self.alice, self.row)
        assert picture(self.row) == before
        undo_last(self.alice, self.row)
        assert picture(self.row) == after
        undo_last(self.alice, self.row)
        assert picture(self.row) == before

    def test_it_restores_every_kind_of_edit(self):
        second = self.deal()
        for change in (
            {"name": "Other", "description": "Long"},
            {"amount": Decimal(300)},
            {"amount": Decimal(300), "amount_gross": Decimal(333)},
            {"amount": None},
            {"bid_type": "hour", "bid_value": Decimal(10), "bid_periods": 8},
            {"currency": "JPY", "amount": Decimal(70)},
            {"tax_rate": "zw"},
            {"probability": 77},
            {"stage": self.offer.pk},
            {"stage": self.won.pk},
            {"pipeline": self.renewals.pk},
            {"status": "lost", "lost_reason": self.reason.pk},
            {"status": "won", "closed_at": timezone.now() - datetime.timedelta(days=400)},
            {"contact": self.paul.pk, "client": self.sophie.pk, "owner": self.alice.member.pk},
            {"contact": None},
            {"members": [self.paul.pk]},
            {"members": []},
            {"followers": [self.alice.member.pk], "access_list": [self.bob.member.pk]},
            {"is_private": True, "access_list": [self.alice.member.pk]},
            {"external_references": [("shop", "2"), ("other", "3")]},
            {"external_references": []},
            {"custom_fields": {"colour": None, "size": "big"}},
            {"expected_close_date": datetime.date(2026, 12, 24), "next_deal": second.pk},
        ):
            with self.subTest(change):
                self.check(**change)

    def test_it_restores_a_closing_and_a_reopening(self):
        self.change(status="lost", lost_reason=self.reason.pk, closed_at=timezone.now())

        for change in ({"status": "open"}, {"stage": self.won.pk}, {"status": "abandoned"}):
            with self.subTest(change):
                self.check(**change)

    def test_it_keeps_a_state_of_every_step(self):
        self.change(stage=self.won.pk)
        undo_last(self.bob, self.row)

        states = DealState.objects.filter(deal=self.row).order_by("valid_from")
        now = Deal.objects.get(pk=self.row.pk)
        assert [state.stage_id for state in states] == [self.new.pk, self.won.pk, self.new.pk]
        assert {name: getattr(states[2], name) for name in STATE_FIELDS} == {
            name: getattr(now, name) for name in STATE_FIELDS
        }

    def test_the_trash_and_back(self):
        before = picture(self.row)
        trash_deals(actor=self.bob, rows=[self.row])

        undo_last(self.bob, self.row)

        assert picture(self.row) == before
        undo_last(self.bob, self.row)
        assert not picture(self.row)["live"]
        undo_last(self.bob, self.row)
        assert picture(self.row) == before

    def test_a_restoring_to_another_stage(self):
        trash_deals(actor=self.bob, rows=[self.row])
        before = picture(self.row)
        restore_deals(actor=self.bob, rows=[self.row], stage=self.offer.pk)

        undo_last(self.bob, self.row)

        assert picture(self.row) == before

    def test_what_was_created_goes_to_the_trash_with_its_contact(self):
        deal = self.deal(contact_email="new@example.com", contact_first_name="Nina")
        before = picture(deal)

        undone = undo_last(self.bob, deal)

        assert [(event.kind, event.action) for event in undone.first_events(10)] == [
            ("deal", "trashed"),
            ("contact", "trashed"),
        ]
        undo(actor=self.bob, sequence=last(deal).sequence)
        assert picture(deal) == before
        assert Contact.objects.live().filter(email="new@example.com").exists()

    def test_a_contact_that_somebody_uses_since_stays(self):
        deal = self.deal(contact_email="new@example.com", contact_first_name="Nina")
        self.deal(actor=self.alice, contact=deal.contact_id)

        with refused("in_use"):
            undo_last(self.bob, deal)

        assert picture(deal)["live"]

    def test_a_whole_change_set_is_one_undo(self):
        deals = [self.deal(name=f"Deal {n}", amount="10") for n in range(5)]
        before = [picture(deal) for deal in deals]
        with change_set(self.bob):
            create_deals(actor=self.bob, changes=[{"name": "New"}])
            update_deals(actor=self.bob, changes=[(deal, {"stage": self.won.pk}) for deal in deals])
            trash_deals(actor=self.bob, rows=deals[:2])
            update_contacts(actor=self.bob, changes=[(self.sophie, {"first_name": "Sofia"})])

        undone = undo_last(self.bob, deals[3])

        assert [picture(deal) for deal in deals] == before
        assert Contact.objects.get(pk=self.sophie.pk).first_name == "Sophie"
        assert not Deal.objects.live().filter(name="New").exists()
        assert len(undone.first_events(10)) == 7
        assert len({event.change_set for event in undone.first_events(10)}) == 1

    def test_a_long_list_goes_in_batches(self):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("crm_project.journal.net_changes.BATCH", 2)
            self.test_a_whole_change_set_is_one_undo()

    def test_contacts(self):
        company = create_contacts(actor=self.bob, changes=[{"kind": "company", "name": "Acme"}])[0]
        for change in (
            {"first_name": "Sofia", "email": "sofia@example.com"},
            {"company": company.pk, "owner": self.bob.member.pk},
            {"external_references": [("erp", "9")], "phone": "1"},
        ):
            with self.subTest(change):
                before = picture(self.sophie)
                update_contacts(actor=self.bob, changes=[(self.sophie, change)])
                after = picture(self.sophie)
                undo_last(self.bob, self.sophie)
                assert picture(self.sophie) == before
                undo_last(self.bob, self.sophie)
                assert picture(self.sophie) == after
        trash_deals(actor=self.bob, rows=[self.row])
        trash_contacts(actor=self.bob, rows=[self.sophie])
        undo_last(self.bob, self.sophie)
        assert picture(self.sophie) == after

    def test_people_come_back_after_their_companies(self):
        people = [self.person() for _ in range(3)]
        with change_set(self.bob):
            company = create_contacts(actor=self.bob, changes=[{"kind": "company", "name": "Acme"}])[0]
            update_contacts(actor=self.bob, changes=[(person, {"company": company.pk}) for person in people])
        undone = undo_last(self.bob, people[0])

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("crm_project.journal.net_changes.BATCH", 2)
            undo(actor=self.bob, sequence=last(people[0]).sequence)

        assert undone.change_set == last(company).undoes
        assert {person.company for person in Contact.objects.filter(kind="person")} >= {company}

    def test_a_deal_is_found_by_the_name_that_its_contact_has_again(self):
        update_contacts(actor=self.bob, changes=[(self.sophie, {"first_name": "Zenobia"})])
        undo_last(self.bob, self.sophie)

        assert Deal.objects.matching("sophie").filter(pk=self.row.pk).exists()
        assert not Deal.objects.matching("zenobia").exists()


class ConflictTests(DealWithAll):
    """Others have changed something since."""

    def refuses(self, event: Event, *fields: str) -> None:
        before = picture(self.row)
        with refused("undo_conflict") as caught:
            undo(actor=self.alice, sequence=event.sequence)
        assert {error.field for error in caught.value.fields} == set(fields)
        assert picture(self.row) == before

    def test_a_field_that_somebody_changed_since_forbids_it(self):
        self.change(amount=Decimal(200), name="Other")
        event = last(self.row)
        self.change(self.alice, amount=Decimal(300))

        self.refuses(event, "amount", "amount_gross")

    def test_another_field_does_not(self):
        self.change(amount=Decimal(200))
        event = last(self.row)
        self.change(self.alice, name="Other", custom_fields={"size": "big"})

        undo(actor=self.bob, sequence=event.sequence)

        row = Deal.objects.get(pk=self.row.pk)
        assert (row.amount, row.amount_gross, row.name) == (100, 120, "Other")
        assert row.custom_fields == {"colour": "red", "size": "big"}

    def test_custom_fields_and_lists_are_distinguished(self):
        self.change(custom_fields={"colour": "blue"}, add_followers=[self.alice.member.pk])
        event = last(self.row)
        self.change(
            self.alice, custom_fields={"size": "big"}, add_followers=[self.manager.member.pk], members=[]
        )

        undo(actor=self.bob, sequence=event.sequence)

        shown = picture(self.row)
        assert shown["custom_fields"] == {"colour": "red", "size": "big"}
        assert shown["DealFollower"] == [self.bob.member.pk, self.manager.member.pk]
        assert shown["DealContact"] == []

    def test_a_value_that_was_set_back_is_still_somebodys_word(self):
        self.change(amount=Decimal(200))
        event = last(self.row)
        self.change(self.alice, amount=Decimal(300))
        self.change(self.alice, amount=Decimal(200))

        self.refuses(event, "amount", "amount_gross")

    def test_what_was_undone_meanwhile_does_not_stand_in_the_way(self):
        self.change(amount=Decimal(200))
        event = last(self.row)
        self.change(self.alice, amount=Decimal(300))
        undo_last(self.alice, self.row)

        undo(actor=self.bob, sequence=event.sequence)

        assert Deal.objects.get(pk=self.row.pk).amount == 100

    def test_once_is_enough(self):
        self.change(amount=Decimal(200))
        event = last(self.row)
        undo(actor=self.bob, sequence=event.sequence)

        self.refuses(event)

    def test_it_can_be_undone_again_after_it_was_redone(self):
        self.change(amount=Decimal(200))
        event = last(self.row)
        undo_last(self.bob, self.row)
        undo_last(self.bob, self.row)

        undo(actor=self.bob, sequence=event.sequence)

        assert Deal.objects.get(pk=self.row.pk).amount == 100

    def test_a_reason_given_since_keeps_a_deal_lost(self):
        self.change(status="lost")
        event = last(self.row)
        self.change(self.alice, lost_reason=self.reason.pk)

        self.refuses(event, "lost_reason")

    def test_a_bid_made_since_keeps_its_amount(self):
        self.change(amount=Decimal(200))
        event = last(self.row)
        self.change(self.alice, bid_type="day", bid_value=Decimal(200), bid_periods=1)

        self.refuses(event, "bid_value")

    def test_a_created_deal_that_somebody_has_worked_on_stays(self):
        event = last(self.row)
        self.change(self.alice, name="Mine now")

        self.refuses(event, "name")

    def test_a_key_given_away_since_stays_there(self):
        self.change(external_references=[])
        self.deal(actor=self.alice, external_references=[("erp", "1")])

        with refused("reference_taken"):
            undo_last(self.bob, self.row)

    def test_a_contact_that_is_gone_is_reported(self):
        self.change(contact=None, members=[])
        event = last(self.row)
        trash_contacts(actor=self.alice, rows=[self.sophie])

        self.refuses(event, "contact", "participants")

    def test_one_row_that_does_not_fit_keeps_all_as_they_are(self):
        deals = [self.deal(name=f"Deal {n}") for n in range(3)]
        update_deals(actor=self.bob, changes=[(deal, {"status": "lost"}) for deal in deals])
        update_deals(actor=self.alice, changes=[(deals[1], {"lost_reason": self.reason.pk})])

        with refused("undo_conflict", "lost_reason"):
            undo_last(self.bob, deals[0])

        assert {picture(deal)["status"] for deal in deals} == {"lost"}

    def test_an_address_taken_since_stays_taken(self):
        email = self.sophie.email
        update_contacts(actor=self.bob, changes=[(self.sophie, {"email": "new@example.com"})])
        self.person(email=email)

        with refused("email_taken"):
            undo_last(self.bob, self.sophie)


class CatalogueTests(BaseTestCase):
    """Pipelines, stages, lost reasons and definitions."""

    def everything(self) -> Any:
        catalogue = [*Pipeline.objects.order_by("id"), *Stage.objects.order_by("id")]
        return [picture(row) for row in catalogue]

    def check(self, row: Any, act: Any) -> None:
        before = self.everything()
        act()
        after = self.everything()
        assert before != after
        undo_last(self.manager, row)
        assert self.everything()[: len(before)] == before
        undo_last(self.manager, row)
        assert self.everything() == after
        undo_last(self.manager, row)
        assert self.everything()[: len(before)] == before

    def test_edits_moves_and_the_trash_of_stages(self):
        manager = self.manager
        for change in (
            {"name": "Fresh", "color": "#ffffff", "probability": 99},
            {"position": 3},
            {"position": 1, "description": "x"},
            {"kind": "won"},
            {"external_references": [("erp", "1")]},
        ):
            with self.subTest(change):
                self.check(
                    self.new, lambda change=change: update_stage(actor=manager, stage=self.new, change=change)
                )
        self.check(self.offer, lambda: trash_stage(actor=manager, stage=self.offer))

    def test_a_new_stage_goes_and_the_others_close_ranks(self):
        change = {"name": "First", "pipeline": self.pipeline.pk, "position": 0}
        before = self.everything()
        stage = create_stage(actor=self.manager, change=change)

        undo_last(self.manager, stage)

        assert self.everything()[: len(before)] == before
        assert [row.position for row in stages_of(self.pipeline)] == [0, 1, 2, 3]

    def test_pipelines(self):
        manager, pipeline = self.manager, self.renewals
        for change in (
            {"name": "Other", "is_active": False},
            {"is_default": True},
            {"stages": [{"name": "Only"}, {"id": stages_of(pipeline)[0].pk}]},
        ):
            with self.subTest(change):
                self.check(
                    pipeline,
                    lambda change=change: update_pipeline(actor=manager, pipeline=pipeline, change=change),
                )
        self.check(pipeline, lambda: trash_pipeline(actor=manager, pipeline=pipeline))

    def test_a_trashed_pipeline_comes_back_with_its_deals_in_their_stages(self):
        deals = [self.deal(stage=stage.pk) for stage in stages_of(self.renewals)]
        before = [*self.everything(), *map(picture, deals)]
        trash_pipeline(actor=self.manager, pipeline=self.renewals, move_deals_to=self.offer.pk)

        undo_last(self.manager, self.renewals)

        assert [*self.everything(), *map(picture, deals)] == before

    def test_what_is_in_use_since_stays(self):
        stage = create_stage(actor=self.manager, change={"name": "New", "pipeline": self.pipeline.pk})
        self.deal(stage=stage.pk)

        with refused("in_use"):
            undo_last(self.manager, stage)

    def test_a_probability_that_is_back_is_so_for_the_deals_too(self):
        deal = self.deal()
        update_stage(actor=self.manager, stage=self.new, change={"probability": 99})

        undo_last(self.manager, self.new)

        assert DealState.objects.get(deal=deal, valid_to=None).probability == 10

    def test_lost_reasons_and_definitions(self):
        for row in (
            LostReasonFactory(actor=self.manager),
            CustomFieldFactory(actor=self.manager),
        ):
            with self.subTest(row.row_kind):
                before = picture(row)
                undo_last(self.manager, row)
                assert not picture(row)["live"]
                undo_last(self.manager, row)
                assert picture(row) == before

    def test_a_name_taken_since_stays_taken(self):
        reason = LostReasonFactory(actor=self.manager, name="Price")
        trash_lost_reason(actor=self.manager, lost_reason=reason)
        LostReasonFactory(actor=self.manager, name="Price")

        with refused("name_taken"):
            undo_last(self.manager, reason)

    def test_it_takes_a_manager(self):
        update_stage(actor=self.manager, stage=self.new, change={"name": "Fresh"})

        with pytest.raises(Forbidden):
            undo_last(self.bob, self.new)


class MemberTests(BaseTestCase):
    def test_a_leaver_comes_back_with_all_that_was_handed_over(self):
        owned, person = self.deal(owner=self.bob.member.pk), self.person(owner=self.bob.member.pk)
        kept = self.deal(owner=self.bob.member.pk)
        leaver, heir = self.bob.member, self.manager.member

        deactivate_member(actor=self.alice, member=leaver, hand_over_to=heir)
        update_deals(actor=self.manager, changes=[(kept, {"name": "Renamed since"})])
        assert self.owners(owned, person, kept) == (False, heir, heir, heir)

        undo_last(self.alice, owned)
        assert self.owners(owned, person, kept) == (True, leaver, leaver, leaver)
        undo_last(self.alice, owned)
        assert self.owners(owned, person, kept) == (False, heir, heir, heir)

    def owners(self, *rows):
        active = Member.objects.get(pk=self.bob.member.pk).is_active
        return (active, *(type(row).objects.get(pk=row.pk).owner for row in rows))

    def test_a_role_a_title_and_references(self):
        bob = self.bob.member
        update_member(actor=self.alice, member=bob, role=Role.MANAGER, job_title="Head")
        undo_last(self.alice, bob)
        bob.refresh_from_db()
        assert (bob.role, bob.job_title, bob.version) == (Role.REP, "", 3)

        change_references(actor=self.alice, row=bob, add=[("hr", "7")])
        undo_last(self.alice, bob)
        assert not MemberReference.objects.filter(row=bob).exists()
        undo_last(self.alice, bob)
        assert MemberReference.objects.get(row=bob).external_id == "7"

    def test_an_organization_keeps_an_admin_and_only_admins_decide(self):
        update_member(actor=self.alice, member=self.bob.member, role=Role.ADMIN)
        promotion = last(self.bob.member).sequence
        bob = Actor(Member.objects.select_related("user", "organization").get(pk=self.bob.member.pk))
        update_member(actor=bob, member=self.alice.member, role=Role.REP)

        with refused("last_admin"):
            undo(actor=bob, sequence=promotion)
        with pytest.raises(Forbidden):
            undo(actor=self.manager, sequence=promotion)

    def test_a_member_that_was_added_stays(self):
        login = create_login(email="new@example.com")
        member = add_member(actor=self.alice, organization=self.organization, user=login)

        with refused("not_undoable"):
            undo_last(self.alice, member)


class RoleTests(BaseTestCase):
    def test_it_takes_the_role_of_the_write(self):
        deal = self.deal()
        with pytest.raises(Forbidden):
            undo_last(self.viewer, deal)

    def test_it_hides_other_organizations_and_private_deals(self):
        private = self.deal(actor=self.alice, is_private=True)
        sequence = last(private).sequence
        for actor in (self.bob, self.charlie):
            with pytest.raises(NotFound):
                undo(actor=actor, sequence=sequence)

    def test_a_change_set_with_hidden_rows_is_not_half_undone(self):
        deals = [self.deal(actor=self.alice), self.deal(actor=self.alice, is_private=True)]
        update_deals(actor=self.alice, changes=[(deal, {"name": "Other"}) for deal in deals])

        with refused("not_undoable"):
            undo_last(self.bob, deals[0])

    def test_an_event_that_cannot_be_undone_is_marked(self):
        sequence = Event.objects.filter(kind="user").first().sequence

        with refused("not_undoable"):
            undo(actor=self.alice, sequence=sequence)


class UndoApiTests(BaseTestCase):
    def test_over_http(self):
        deal = self.deal(amount="100")
        update_deals(actor=self.bob, changes=[(deal, {"amount": Decimal(200)})])
        client, sequence = ApiClient(self.bob), last(deal).sequence

        tried = client.send("POST", f"/api/events/{sequence}/undo", dry_run="true")
        assert tried.status_code == 200
        assert tried.json()["events"][0]["changes"] == [{"field": "amount", "from": "200.00", "to": "100.00"}]
        assert Deal.objects.get(pk=deal.pk).amount == 200

        done = client.post(f"/api/events/{sequence}/undo")
        assert done.status_code == 200
        assert Deal.objects.get(pk=deal.pk).amount == 100
        event = last(deal)
        assert str(event.undoes) == done.json()["undoes"]

        again = client.post(f"/api/events/{sequence}/undo")
        assert (again.status_code, again.json()["code"]) == (409, "undo_conflict")
        assert ApiClient(self.charlie).post(f"/api/events/{sequence}/undo").status_code == 404
        assert ApiClient(self.viewer).post(f"/api/events/{sequence}/undo").status_code == 403
        assert client.post("/api/events/999999/undo").status_code == 404

    def test_a_conflict_names_the_fields(self):
        deal = self.deal(amount="100")
        update_deals(actor=self.bob, changes=[(deal, {"amount": Decimal(200)})])
        sequence = last(deal).sequence
        update_deals(actor=self.alice, changes=[(deal, {"amount": Decimal(300)})])

        body = ApiClient(self.bob).post(f"/api/events/{sequence}/undo").json()

        assert body["code"] == "undo_conflict"
        assert body["errors"][0]["pointer"] == "/amount"
        assert "Alice" in body["errors"][0]["detail"]
        assert body["conflicts"] == [
            {"kind": "deal", "row": str(deal.uuid), "name": deal.name, "fields": ["amount"]}
        ]


FIELDS = ("name", "amount", "status", "stage", "colour", "size", "follower", "probability", "owner")
steps = st.lists(st.tuples(st.booleans(), st.sampled_from(FIELDS), st.integers(0, 3)), min_size=2, max_size=9)


@pytest.mark.slow
class TwoPeopleTests(BaseTestCase, HypothesisTestCase):
    @pytest.mark.slow
    @settings(max_examples=examples(60), deadline=None, phases=[Phase.explicit, Phase.generate])
    @given(script=steps, undone=st.integers(0, 9))
    def test_an_undo_never_loses_the_others_change(self, script, undone):
        for key in ("colour", "size"):
            CustomFieldFactory(actor=self.manager, key=key)
        deal = self.deal(name="Deal", amount="100")
        for by_alice, name, value in script:
            try:
                change = self.change(name, value)
                update_deals(actor=self.alice if by_alice else self.bob, changes=[(deal, change)])
            except DomainError:
                continue
        events = list(Event.objects.history_of(deal).order_by("sequence"))
        event = events[undone % len(events)]
        before = picture(deal)

        try:
            undo(actor=self.bob, sequence=event.sequence)
        except Conflict:
            assert picture(deal) == before
            return

        after = picture(deal)
        if event.action == "created":
            assert [later for later in events if later.sequence > event.sequence] == []
            assert not after["live"]
        else:
            self.check_nothing_lost(event, events, before, after)
        undo_last(self.bob, deal)
        assert picture(deal) == before

    def check_nothing_lost(self, event, events, before, after):
        since = [later for later in events if later.sequence > event.sequence]
        words = {name for later in since for name in stored(later.changes)}
        shared = {"custom_fields", "followers"}
        for name in words - shared:
            assert after[name] == before[name], name
        for name, (old, _) in stored(event.changes).items():
            if name not in shared:
                field = Deal._meta.get_field(name)
                assert after[name] == field.to_python(old), name
        for key in ("colour", "size"):
            said = [
                later
                for later in since
                if key in str(later.changes.get("custom_fields", ""))
                and later.changes["custom_fields"][0].get(key) != later.changes["custom_fields"][1].get(key)
            ]
            if said:
                assert after["custom_fields"].get(key) == before["custom_fields"].get(key)

    def change(self, name: str, value: int) -> dict[str, Any]:
        stages = [self.new, self.offer, self.won, self.lost]
        people = [self.alice, self.bob, self.manager, self.viewer]
        match name:
            case "name":
                return {"name": f"Name {value}"}
            case "amount":
                return {"amount": Decimal(100 * value)}
            case "status":
                return {"status": ("open", "won", "lost", "abandoned")[value]}
            case "stage":
                return {"stage": stages[value].pk}
            case "colour" | "size":
                return {"custom_fields": {name: str(value) if value else None}}
            case "follower":
                return {"add_followers" if value < 3 else "remove_followers": [people[value % 3].member.pk]}
            case "probability":
                return {"probability": 20 * value if value else None}
        return {"owner": people[value].member.pk}
