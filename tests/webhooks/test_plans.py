"""What a dispatcher asks again and again is read from small indexes, however many deliveries there are."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm_project.webhooks.models import WebhookDelivery, WebhookState
from tests.webhooks.base import WebhookTestCase


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL chooses by statistics")
class PlanTests(WebhookTestCase):
    def plans(self, ask):
        """The lines of the plans about deliveries."""
        with CaptureQueriesContext(connection) as captured:
            ask()
        with connection.cursor() as cursor:
            lines = []
            for entry in captured.captured_queries:
                cursor.execute(f"EXPLAIN QUERY PLAN {entry['sql']}")
                lines += [line for *_, line in cursor.fetchall()]
        return [line for line in lines if "webhooks_delivery" in line or "webhookdelivery" in line]

    def test_looking_for_work(self):
        now = timezone.now()
        plans = self.plans(lambda: list(WebhookState.objects.free(now).with_work(now)))

        assert len(plans) == 3
        for plan in plans:
            assert "webhooks_delivery_due" in plan or "webhooks_delivery_holding" in plan, plan

    def test_rows_that_wait(self):
        own = WebhookDelivery.objects.filter(webhook=self.webhook())
        plans = self.plans(own.blocked_rows) + self.plans(
            lambda: list(own.settled_but_holding().order_by("sequence", "part")[:50])
        )

        used = [plan.partition("INDEX ")[2].partition(" ")[0] for plan in plans]
        assert used == ["webhooks_delivery_holding", "webhooks_delivery_due", "webhooks_delivery_holding"]
