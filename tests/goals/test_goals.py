"""Goals: who writes them, what is refused, who sees which, and their undo."""

import datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError

from crm_project.accounts.services import update_member, update_organization
from crm_project.goals.models import Goal
from crm_project.goals.services import create_goal, restore_goal, trash_goal, update_goal
from crm_project.journal.models import Event
from crm_project.journal.undo import undo
from tests.base import BaseTestCase, refused, refused_by_the_database
from tests.goals.base import goal


class ServiceTests(BaseTestCase):
    def test_managers_and_admins_write_goals(self):
        of_all = goal(self.manager, amount="50000")
        of_bob = goal(self.alice, member=self.bob.member.pk)

        update_goal(actor=self.manager, goal=of_bob, change={"amount": Decimal("2500.50")})

        rows = Goal.objects.order_by("pk").values_list("month", "member", "amount", "version")
        month = datetime.date(2024, 1, 1)
        assert list(rows) == [
            (month, None, Decimal(50000), 1),
            (month, self.bob.member.pk, Decimal("2500.5"), 2),
        ]
        events = Event.objects.filter(kind="goal").order_by("sequence").values_list("row_id", "action")
        assert list(events) == [
            (of_all.pk, "created"),
            (of_bob.pk, "created"),
            (of_bob.pk, "updated"),
        ]

    def test_nobody_else_does(self):
        own = goal(self.alice, member=self.bob.member.pk)
        for actor in (self.bob, self.viewer):
            with refused("forbidden"):
                goal(actor, "2024-02-01", member=actor.member.pk)
            with refused("forbidden"):
                update_goal(actor=actor, goal=own, change={"amount": Decimal(1)})
            with refused("forbidden"):
                trash_goal(actor=actor, goal=own)

        with refused("not_found"):
            update_goal(actor=self.charlie, goal=own, change={"amount": Decimal(1)})
        with refused("not_found"):
            trash_goal(actor=self.charlie, goal=own)

    def test_a_member_is_named_by_id_or_uuid_and_taken_away_by_none(self):
        one = goal(self.alice, member=self.bob.member.uuid)
        assert one.member == self.bob.member

        update_goal(actor=self.alice, goal=one, change={"member": self.manager.member.pk})
        assert Goal.objects.get().member == self.manager.member

        update_goal(actor=self.alice, goal=one, change={"member": None})
        assert Goal.objects.get().member is None

    def test_every_wrong_field_is_named(self):
        for change, errors in (
            ({}, {"month": "required", "amount": "required"}),
            ({"month": "2024-01-02", "amount": "0"}, {"month": "invalid", "amount": "out_of_range"}),
            (
                {"month": "1969-12-01", "amount": "-1", "member": self.charlie.member.pk},
                {"month": "out_of_range", "amount": "out_of_range", "member": "does_not_exist"},
            ),
            ({"month": "9999-12-01", "amount": "1e12"}, {"month": "out_of_range", "amount": "out_of_range"}),
            ({"month": "2024-01-01", "amount": "1.005"}, {"amount": "max_decimal_places"}),
            ({"month": "2024-01-01", "amount": "NaN"}, {"amount": "invalid"}),
        ):
            change = {**change}
            if "month" in change:
                change["month"] = datetime.date.fromisoformat(change["month"])
                change["amount"] = Decimal(change["amount"])
            with self.subTest(change), refused(next(iter(errors.values())), *errors) as caught:
                create_goal(actor=self.alice, change=change)
            assert {wrong.field: wrong.code for wrong in caught.value.fields} == errors

    def test_a_member_has_one_goal_a_month_and_so_has_the_organization(self):
        goal(self.alice)
        goal(self.alice, member=self.bob.member.pk)
        other = goal(self.alice, "2024-02-01", member=self.bob.member.pk)
        goal(self.charlie)

        for member in (None, self.bob.member.pk):
            with refused("month_taken", "month"):
                goal(self.alice, member=member)
        with refused("month_taken", "month"):
            update_goal(actor=self.alice, goal=other, change={"month": datetime.date(2024, 1, 1)})
        goal(self.alice, member=self.manager.member.pk)

    def test_two_at_the_same_moment_are_refused_by_the_database(self):
        for member in (None, self.bob.member.pk):
            one = goal(self.alice, member=member)
            one.pk, one.uuid = None, Goal._meta.get_field("uuid").default()
            with refused_by_the_database():
                Goal.objects.bulk_create([one])
        with pytest.raises(IntegrityError):
            Goal.objects.filter(member=None).update(amount=0)

    def test_a_deactivated_member_keeps_goals_and_gets_no_other(self):
        earlier = goal(self.alice, member=self.bob.member.pk)
        of_all = goal(self.alice)
        update_member(actor=self.alice, member=self.bob.member, is_active=False)

        same = {"amount": Decimal(5), "member": self.bob.member.pk}
        update_goal(actor=self.alice, goal=earlier, change=same)

        with refused("inactive", "member"):
            goal(self.alice, "2024-02-01", member=self.bob.member.pk)
        with refused("inactive", "member"):
            update_goal(actor=self.alice, goal=of_all, change={"member": self.bob.member.pk})

    def test_the_amount_has_the_decimals_of_the_organization_s_currency(self):
        one = goal(self.alice, amount="10.50")
        update_organization(actor=self.alice, organization=self.organization, currency="JPY")
        self.alice.organization.refresh_from_db()

        update_goal(actor=self.alice, goal=one, change={"month": datetime.date(2024, 2, 1)})
        with refused("max_decimal_places", "amount"):
            update_goal(actor=self.alice, goal=one, change={"amount": Decimal("11.50")})

    def test_the_trash_frees_the_month(self):
        one = goal(self.alice)
        trash_goal(actor=self.alice, goal=one)
        goal(self.alice)

        with refused("restore_conflict"):
            restore_goal(actor=self.alice, goal=one)

        trash_goal(actor=self.alice, goal=Goal.objects.live().get())
        restore_goal(actor=self.alice, goal=one)
        assert Goal.objects.live().get() == one


class VisibilityTests(BaseTestCase):
    def test_all_see_the_organization_s_and_their_own_and_managers_all(self):
        of_all, theirs = goal(self.alice), goal(self.charlie)
        of_bob, of_mary, of_victor = (
            goal(self.alice, member=actor.member.pk) for actor in (self.bob, self.manager, self.viewer)
        )
        everything = {of_all, of_bob, of_mary, of_victor}

        for actor, seen in (
            (self.alice, everything),
            (self.manager, everything),
            (self.bob, {of_all, of_bob}),
            (self.viewer, {of_all, of_victor}),
            (self.charlie, {theirs}),
        ):
            assert set(Goal.objects.visible_to(actor.member)) == seen
            events = Event.objects.visible_to(actor.member).filter(kind="goal")
            assert set(events.values_list("row_id", flat=True)) == {row.pk for row in seen}

    def test_who_is_no_manager_any_more_sees_no_others(self):
        goal(self.alice, member=self.bob.member.pk)
        update_member(actor=self.alice, member=self.manager.member, role="rep")
        self.manager.member.refresh_from_db()

        assert not Goal.objects.visible_to(self.manager.member).exists()


class UndoTests(BaseTestCase):
    def undo_last(self, actor):
        return undo(actor=actor, sequence=Event.objects.filter(kind="goal").latest("sequence").sequence)

    def test_every_write_can_be_undone(self):
        one = goal(self.manager, amount="10", member=self.bob.member.pk)
        change = {"amount": Decimal(20), "month": datetime.date(2024, 2, 1), "member": None}
        update_goal(actor=self.manager, goal=one, change=change)

        self.undo_last(self.manager)
        row = Goal.objects.get()
        assert (row.amount, row.month, row.member) == (10, datetime.date(2024, 1, 1), self.bob.member)

        trash_goal(actor=self.manager, goal=one)
        self.undo_last(self.manager)
        assert Goal.objects.live().exists()

    def test_the_undo_of_the_creation_moves_it_to_the_trash(self):
        goal(self.manager)
        self.undo_last(self.manager)

        assert not Goal.objects.live().exists()

    def test_a_month_that_is_taken_by_now_refuses_it(self):
        for member in (None, self.bob.member.pk):
            one = goal(self.manager, member=member)
            trash_goal(actor=self.manager, goal=one)
            event = Event.objects.latest("sequence").sequence
            goal(self.manager, member=member)

            with refused("month_taken"):
                undo(actor=self.manager, sequence=event)

    def test_who_may_not_write_goals_may_not_undo(self):
        goal(self.manager, member=self.bob.member.pk)

        with refused("forbidden"):
            self.undo_last(self.bob)
        with refused("not_found"):
            self.undo_last(self.charlie)
