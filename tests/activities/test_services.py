"""The services of activities: what they store, what they refuse, and the next step of the deal."""

import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

from contacts.redaction import redact_contact
from contacts.services import merge_contacts, trash_contacts
from crm_project.accounts.services import deactivate_member, update_organization
from crm_project.activities.models import Activity
from crm_project.activities.services import (
    complete_activities,
    create_activities,
    postpone_activities,
    restore_activities,
    trash_activities,
    update_activities,
)
from crm_project.journal.models import Event
from crm_project.journal.purging import purge
from crm_project.journal.undo import undo
from crm_project.records.kinds import kinds
from deals.models import Deal
from deals.services import trash_deals, update_deals
from tests.base import BaseTestCase, refused

PARIS = ZoneInfo("Europe/Paris")
DAY = datetime.timedelta(days=1)


def day(number):
    return timezone.now().date() + number * DAY


class ActivityTestCase(BaseTestCase):
    def setUp(self):
        self.a_deal = self.deal(name="Roof")

    def step(self, deal=None):
        deal = Deal.objects.get(pk=(deal or self.a_deal).pk)
        return deal.next_activity, deal.next_due_at

    def last_event(self):
        return Event.objects.of(self.organization.pk).order_by("-sequence").first()


class WriteTests(ActivityTestCase):
    def test_a_call_is_logged_with_its_result(self):
        done_at = timezone.now() - DAY
        call = self.activity(
            type="call", deal=self.a_deal.pk, done_at=done_at, result="reached", owner=self.bob.member.pk
        )

        row = Activity.objects.get(pk=call.pk)
        assert (row.type, row.done_at, row.result, row.owner_id) == (
            "call",
            done_at,
            "reached",
            self.bob.member.pk,
        )
        assert (self.last_event().kind, self.last_event().action) == ("activity", "created")

    def test_it_needs_a_deal_or_a_contact(self):
        with refused("required", "deal"):
            self.activity(type="call")
        assert self.activity(type="call", contact=self.person().pk).deal_id is None

    def test_a_task_needs_a_subject_or_a_text(self):
        with refused("required", "subject"):
            self.activity(subject="", deal=self.a_deal.pk)

    def test_it_is_due_at_an_instant_or_on_a_day(self):
        with refused("due_conflict", "due_on"):
            self.activity(deal=self.a_deal.pk, due_at=timezone.now(), due_on=day(1))
        task = self.activity(deal=self.a_deal.pk, due_at=timezone.now())

        update_activities(actor=self.bob, changes=[(task, {"due_on": day(1)})])

        task.refresh_from_db()
        assert (task.due_at, task.due_on) == (None, day(1))

    def test_a_day_is_due_at_its_end_in_the_time_zone_of_the_organization(self):
        update_organization(actor=self.alice, organization=self.organization, time_zone="Europe/Paris")
        self.bob.organization.refresh_from_db()
        task = self.activity(deal=self.a_deal.pk, due_on=datetime.date(2026, 7, 1))

        assert task.deadline == datetime.datetime(2026, 7, 1, 23, 59, 59, 999_999, PARIS)

    def test_another_time_zone_moves_the_ends_of_days(self):
        task = self.activity(deal=self.a_deal.pk, due_on=datetime.date(2026, 7, 1))
        version, events = task.version, Event.objects.filter(kind="activity").count()

        update_organization(actor=self.alice, organization=self.organization, time_zone="Europe/Paris")

        task.refresh_from_db()
        assert task.deadline == datetime.datetime(2026, 7, 1, 23, 59, 59, 999_999, PARIS)
        assert self.step() == (task.uuid, task.deadline)
        assert (task.version, Event.objects.filter(kind="activity").count()) == (version, events)

    def test_a_note_is_never_open_and_never_due(self):
        note = self.activity(type="note", text="They like blue.", deal=self.a_deal.pk)

        assert not note.is_open
        with refused("invalid", "due_on"):
            update_activities(actor=self.bob, changes=[(note, {"due_on": day(1)})])

    def test_nothing_is_done_in_the_future(self):
        with refused("future", "done_at"):
            self.activity(deal=self.a_deal.pk, done_at=timezone.now() + DAY)

    def test_a_deactivated_member_gets_no_new_one(self):
        deactivate_member(actor=self.alice, member=self.manager.member)

        with refused("inactive", "owner"):
            self.activity(deal=self.a_deal.pk, owner=self.manager.member.pk)

    def test_done_is_idempotent(self):
        task = self.activity(deal=self.a_deal.pk)
        first = complete_activities(actor=self.bob, rows=[task])[0]

        second = complete_activities(actor=self.bob, rows=[task])[0]

        assert (first.outcome, second.outcome) == ("updated", "unchanged")
        assert second.row.done_at == first.row.done_at

    def test_an_overdue_task_is_postponed_to_tomorrow(self):
        task = self.activity(deal=self.a_deal.pk, due_on=day(-5))

        receipt = postpone_activities(actor=self.bob, rows=[task])[0]

        assert receipt.row.due_on == day(1)

    def test_a_meeting_keeps_its_time_when_it_is_postponed(self):
        due_at = timezone.now().replace(hour=0, minute=30, second=0, microsecond=0) + 2 * DAY
        meeting = self.activity(type="meeting", deal=self.a_deal.pk, due_at=due_at)

        receipt = postpone_activities(actor=self.bob, rows=[meeting])[0]

        assert receipt.row.due_at == due_at + DAY

    def test_a_viewer_writes_none(self):
        with refused("forbidden"):
            self.activity(self.viewer, deal=self.a_deal.pk)

    def test_a_stale_version_is_refused(self):
        from crm_project.versions import Versions

        task = self.activity(deal=self.a_deal.pk)
        update_activities(actor=self.bob, changes=[(task, {"result": "later"})])

        with refused("precondition_failed"):
            trash_activities(actor=self.bob, rows=[task], if_match={task.pk: Versions(frozenset({1}))})

    def test_an_undo_brings_the_values_back(self):
        task = self.activity(deal=self.a_deal.pk, due_on=day(1), external_references=[("erp", "1")])
        update_activities(
            actor=self.bob, changes=[(task, {"due_on": day(9), "external_references": [("erp", "2")]})]
        )

        undo(actor=self.bob, sequence=self.last_event().sequence)

        task.refresh_from_db()
        assert task.due_on == day(1)
        assert [key.external_id for key in task.references.all()] == ["1"]
        assert self.step() == (task.uuid, task.deadline)

    def test_the_undo_of_a_creation_moves_it_to_the_trash(self):
        task = self.activity(deal=self.a_deal.pk, due_on=day(1))

        undo(actor=self.bob, sequence=self.last_event().sequence)

        assert not Activity.objects.visible_to(self.bob.member).filter(pk=task.pk).exists()
        assert self.step() == (None, None)

    def test_one_whose_deal_is_in_the_trash_is_not_restored(self):
        task = self.activity(deal=self.a_deal.pk)
        trash_activities(actor=self.bob, rows=[task])
        trash_deals(actor=self.bob, rows=[self.a_deal])

        with refused("restore_conflict"):
            restore_activities(actor=self.bob, rows=[task])


class VisibilityTests(ActivityTestCase):
    def seen(self, actor):
        return set(Activity.objects.visible_to(actor.member).values_list("subject", flat=True))

    def test_it_is_as_visible_as_its_deal(self):
        secret = self.deal(self.alice, is_private=True)
        self.activity(self.alice, subject="Hidden", deal=secret.pk, contact=self.person().pk)
        self.activity(subject="Open", deal=self.a_deal.pk)

        assert self.seen(self.alice) == {"Hidden", "Open"}
        assert self.seen(self.bob) == self.seen(self.manager) == self.seen(self.viewer) == {"Open"}
        assert self.seen(self.charlie) == set()

    def test_without_a_deal_it_is_as_visible_as_its_contact(self):
        self.activity(subject="Theirs", contact=self.person().pk)

        assert self.seen(self.viewer) == {"Theirs"}
        assert self.seen(self.charlie) == set()

    def test_the_hidden_ones_are_the_others(self):
        secret = self.deal(self.alice, is_private=True)
        self.activity(self.alice, deal=secret.pk)
        self.activity(deal=self.a_deal.pk)
        self.activity(contact=self.person().pk)
        kind = kinds["activity"]
        for actor in (self.alice, self.bob, self.viewer):
            hidden = set(kind.hidden_rows(actor.member).values_list("pk", flat=True))
            seen = set(kind.rows(actor.member).values_list("pk", flat=True))
            own = Activity.objects.of(self.organization.pk)
            assert hidden | seen == set(own.values_list("pk", flat=True))
            assert not hidden & seen

    def test_nobody_writes_one_of_a_hidden_deal(self):
        secret = self.deal(self.alice, is_private=True)
        hidden = self.activity(self.alice, deal=secret.pk)

        with refused("does_not_exist", "deal"):
            self.activity(deal=secret.pk)
        with refused("not_found"):
            update_activities(actor=self.bob, changes=[(hidden, {"result": "x"})])

    def test_it_goes_out_of_sight_with_its_deal(self):
        self.activity(subject="Call", deal=self.a_deal.pk)
        trash_deals(actor=self.bob, rows=[self.a_deal])

        assert self.seen(self.bob) == set()

    def test_it_goes_out_of_sight_with_its_contact(self):
        person = self.person()
        self.activity(subject="Call", contact=person.pk)
        trash_contacts(actor=self.bob, rows=[person])

        assert self.seen(self.bob) == set()


class NextStepTests(ActivityTestCase):
    def test_it_is_the_open_activity_that_is_due_first(self):
        self.activity(deal=self.a_deal.pk)
        later = self.activity(deal=self.a_deal.pk, due_on=day(3))
        sooner = self.activity(deal=self.a_deal.pk, due_on=day(2))
        self.activity(deal=self.a_deal.pk, due_on=day(1), done_at=timezone.now())

        assert self.step() == (sooner.uuid, sooner.deadline)
        complete_activities(actor=self.bob, rows=[sooner])
        assert self.step() == (later.uuid, later.deadline)

    def test_one_without_a_date_is_a_next_step_too(self):
        task = self.activity(deal=self.a_deal.pk)

        assert self.step() == (task.uuid, None)

    def test_it_leaves_with_an_activity_that_is_moved_or_trashed(self):
        task, other = self.activity(deal=self.a_deal.pk), self.deal()

        update_activities(actor=self.bob, changes=[(task, {"deal": other.pk})])
        assert (self.step(), self.step(other)) == ((None, None), (task.uuid, None))
        trash_activities(actor=self.bob, rows=[task])
        assert self.step(other) == (None, None)
        restore_activities(actor=self.bob, rows=[task])
        assert self.step(other) == (task.uuid, None)

    def test_the_deal_itself_does_not_change(self):
        before = Deal.objects.values("version", "updated_at").get(pk=self.a_deal.pk)
        events = Event.objects.filter(kind="deal").count()

        self.activity(deal=self.a_deal.pk, due_on=day(1))

        assert Deal.objects.values("version", "updated_at").get(pk=self.a_deal.pk) == before
        assert Event.objects.filter(kind="deal").count() == events

    def test_a_write_of_the_deal_keeps_it(self):
        task = self.activity(deal=self.a_deal.pk, due_on=day(1))

        update_deals(actor=self.bob, changes=[(self.a_deal, {"name": "Other"})])

        assert self.step() == (task.uuid, task.deadline)

    def test_a_list_of_activities_takes_a_fixed_number_of_queries(self):
        deals = [self.deal() for _ in range(20)]
        self.activity(deal=deals[0].pk)
        counts = []
        for count in (2, 20):
            with self.assertNumQueries(FuzzyInt()) as queries:
                create_activities(
                    actor=self.bob, changes=[{"subject": "x", "deal": deal.pk} for deal in deals[:count]]
                )
            counts.append(len(queries))
        assert counts[0] == counts[1]


class FuzzyInt(int):
    """Equals every number of queries."""

    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


class OtherRoomsTests(ActivityTestCase):
    def test_a_leavers_open_activities_are_handed_over(self):
        mine = {"deal": self.a_deal.pk, "owner": self.bob.member.pk}
        task, done = self.activity(**mine), self.activity(**mine, done_at=timezone.now())

        deactivate_member(actor=self.alice, member=self.bob.member, hand_over_to=self.manager.member)

        task.refresh_from_db()
        done.refresh_from_db()
        assert (task.owner_id, done.owner_id) == (self.manager.member.pk, self.bob.member.pk)

    def test_a_merged_contact_brings_its_activities(self):
        source, target = self.person(), self.person()
        secret = self.deal(self.alice, is_private=True)
        rows = [
            self.activity(contact=source.pk),
            self.activity(self.alice, contact=source.pk, deal=secret.pk),
        ]

        merge_contacts(actor=self.bob, sources=[source], target=target)

        assert {Activity.objects.get(pk=row.pk).contact_id for row in rows} == {target.pk}

    def test_a_redacted_contact_leaves_no_text(self):
        person = self.person(first_name="Zoe")
        deal = self.deal(contact=person.pk)
        about = [
            self.activity(subject="Zoe", text="Zoe said", contact=person.pk, result="Zoe"),
            self.activity(subject="Zoe", deal=deal.pk),
        ]
        other = self.activity(subject="Kept", deal=self.a_deal.pk)

        redact_contact(contact=person)

        for row in about:
            row.refresh_from_db()
            assert (row.subject, row.text, row.result) == ("(erased)", "", "")
            assert "zoe" not in row.search_text
            assert not Event.objects.filter(kind="activity", changes__icontains="Zoe").exists()
        other.refresh_from_db()
        assert other.subject == "Kept"

    def test_it_is_removed_with_its_deal(self):
        task = self.activity(deal=self.a_deal.pk)
        trash_deals(actor=self.bob, rows=[self.a_deal])
        Deal.objects.filter(pk=self.a_deal.pk).update(deleted_at=timezone.now() - 31 * DAY)

        assert purge(kinds["activity"], timezone.now() - 30 * DAY) == 1
        assert purge(kinds["deal"], timezone.now() - 30 * DAY) == 1

        assert not Activity.objects.filter(pk=task.pk).exists()
