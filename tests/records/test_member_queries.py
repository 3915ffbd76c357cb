"""Queries that are compiled once for each role find what `visible_to` finds."""

from crm_project.activities.models import Activity
from crm_project.imports.models import Import
from crm_project.prepared import Prepared
from crm_project.records.kinds import is_by_role
from crm_project.records.member_queries import MemberQuery
from crm_project.records.rows import as_rows
from crm_project.saved_views.models import SavedView
from crm_project.webhooks.models import Webhook
from deals.models import Deal, LostReason
from tests.base import BaseTestCase


class MemberQueryTests(BaseTestCase):
    def test_each_member_finds_what_the_member_sees(self):
        self.deal(self.alice, name="Alice's", is_private=True)
        self.deal(self.bob, name="Bob's", is_private=True)
        self.deal(self.bob, name="Open")
        query = MemberQuery(lambda member: Deal.objects.visible_to(member).order_by("id"), kinds=(Deal,))

        for actor in (self.alice, self.bob, self.viewer, self.charlie, self.alice, self.bob):
            expected = list(Deal.objects.visible_to(actor.member).order_by("id"))
            assert query.rows(actor.member) == expected
        assert all(isinstance(one, Prepared) for one in query._by_role.values())
        assert query._by_role.keys() == {
            actor.member.role for actor in (self.alice, self.bob, self.viewer, self.charlie)
        }

    def test_a_rule_that_depends_on_more_than_the_role_is_compiled_each_time(self):
        query = MemberQuery(lambda member: Webhook.objects.visible_to(member), kinds=(Webhook,))

        assert query.rows(self.alice.member) == []
        assert not query._by_role

    def test_which_kinds_are_seen_by_role(self):
        assert all(map(is_by_role, (Deal, Activity, LostReason, SavedView)))
        assert not any(map(is_by_role, (Webhook, Import)))

    def test_a_plain_row_has_the_labels_of_its_choices(self):
        deal = self.deal(status="won")

        row = as_rows(Deal.objects.filter(pk=deal.pk))[0]

        assert row.get_status_display() == deal.get_status_display() == "Won"
        assert row._meta is Deal._meta
