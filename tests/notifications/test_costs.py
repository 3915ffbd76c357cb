"""What every page and every second ask is read from small indexes; what is old is deleted."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm_project.notifications import reading
from crm_project.notifications.models import Notification
from crm_project.notifications.reading import read_clock, read_feeds
from crm_project.notifications.subscriptions import count_unread
from crm_project.notifications.tasks import notify_of_due
from crm_project.operations.retention import expiries
from tests.factories import ActorFactory, OrganizationFactory
from tests.notifications.base import NotificationTestCase
from tests.notifications.test_due import NOON


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL chooses by statistics")
class PlanTests(NotificationTestCase):
    def plans(self, ask, table):
        """The lines of the plans about a table."""
        with CaptureQueriesContext(connection) as captured:
            ask()
        lines = []
        with connection.cursor() as cursor:
            for entry in captured.captured_queries:
                cursor.execute(f"EXPLAIN QUERY PLAN {entry['sql']}")
                lines += [line for *_, line in cursor.fetchall()]
        return [line for line in lines if table in line]

    def test_the_number_at_the_bell(self):
        [plan] = self.plans(lambda: count_unread(self.bob, 100), "notifications_notification")

        assert "notifications_unread" in plan

    def test_the_newest_ones(self):
        newest = Notification.objects.visible_to(self.bob.member).order_by("-created_at", "-id")
        [plan] = self.plans(lambda: list(newest[:50]), "notifications_notification")

        assert "notifications_newest" in plan

    def test_the_activities_that_are_due(self):
        plans = self.plans(lambda: read_clock(self.organization, NOON), "activities_activity")

        assert plans
        assert all("USING INDEX activities_" in plan for plan in plans), plans


class RetentionTests(NotificationTestCase):
    def test_old_ones_are_deleted_read_or_not(self):
        for name in ("Old", "New"):
            self.deal(self.alice, name=name, owner=self.bob.member.pk)
        self.read()
        old = Notification.objects.order_by("pk").first()
        now = timezone.now()
        Notification.objects.filter(pk=old.pk).update(created_at=now - datetime.timedelta(days=91))

        [expiry] = [one for one in expiries(now) if one.subject == "notifications"]

        assert expiry.delete() == 1
        assert self.of(self.bob) == [("deal_handed", "New")]


class IndependenceTests(NotificationTestCase):
    def test_an_organization_with_an_error_does_not_keep_others_waiting(self):
        fresh = ActorFactory(organization=OrganizationFactory(name="Fresh", slug="fresh"))
        self.deal(self.alice, name="Roof", owner=self.bob.member.pk)
        original = reading.read_on

        def read_on(organization):
            if organization.pk != self.organization.pk:
                raise RuntimeError("broken")
            return original(organization)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(reading, "read_on", read_on)
            with self.assertLogs("crm_project.notifications.reading", "ERROR") as logged:
                read_feeds()

        assert self.of(self.bob) == [("deal_handed", "Roof")]
        assert str(fresh.organization.uuid) in str(logged.records[0].fields)

    def test_the_task_asks_each_organization(self):
        notify_of_due.call()
        assert not Notification.objects.exists()
