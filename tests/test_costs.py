"""No request of any role costs more than its bounds: each route is sent its most expensive legal request."""

from collections import Counter

import pytest
from django.db import transaction
from django.test import override_settings

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from deals.models import Deal
from tests.base import BaseTestCase
from tests.costs import costs
from tests.factories import CustomFieldFactory

MIB = 1024 * 1024


@pytest.mark.once
class CostTests(BaseTestCase):
    @pytest.mark.slow
    def test_every_answer_in_memory_is_within_the_budget(self):
        CustomFieldFactory(actor=self.alice, kind="contact")
        for number in range(25):
            person = self.person(first_name=f"Ann {number}")
            self.deal(name=f"Deal {number}", contact=person.pk, description="x" * 3000)
        statuses = Counter()
        with override_settings(ANSWER_MAX_BYTES=60_000, ANSWER_MAX_ROWS=1000):
            for actor in (self.viewer, self.alice):
                with transaction.atomic():
                    for cost in costs(actor):
                        statuses[cost.status] += 1
                        assert cost.status < 500 or cost.status == 503, cost
                        is_bounded = cost.request.system != "admin" and not cost.is_stream
                        # A refusal has the bounds of its errors.
                        limit = 60_000 if cost.status < 400 else 5 * MIB
                        assert not is_bounded or cost.size <= limit, cost
                    transaction.set_rollback(True)
        assert statuses[200] > 150, statuses
        assert statuses[413] > 10, statuses


def walk(organization, role):
    """The costs of a role's requests on a large organization, each with whether it exceeds a bound."""
    rows = Deal.objects.filter(organization=organization).count()
    member = Member.objects.filter(organization=organization, is_active=True).order_by("id").last()
    Member.objects.filter(pk=member.pk).update(role=role)
    member.refresh_from_db()
    for cost in costs(Actor(member)):
        seconds = max(10 * rows / 100_000, 2) if cost.is_stream else 2
        is_large = not cost.is_stream and cost.size > 5 * MIB
        failed = cost.status >= 500 and cost.status != 503
        yield cost, cost.cpu > seconds or is_large or failed
