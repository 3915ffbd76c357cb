"""No request of any role costs more than its bounds: each route is sent its most expensive legal request."""

import re
from collections import Counter

import pytest
from django.contrib import admin
from django.db import transaction
from django.test import override_settings
from django.urls import resolve

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from deals.models import Deal
from tests.api.client import ApiTestCase
from tests.costs import admin_requests, costs, make_one_of_each, make_own
from tests.factories import CustomFieldFactory

MIB = 1024 * 1024
# Look-ups of what no organization has here; each reads one row at most.
NOTHING_THERE = re.compile(
    r"/crm/(contact|opportunity)/tag/missing|/data/missing|/currency/rates/EUR|/crm/(clients|deals)/e/"
)
# Pages of the operator alone, and one that needs the secret of an invitation.
NO_PAGE = re.compile(r"/admin/(background|invitation)/$")


@pytest.mark.once
class CostTests(ApiTestCase):
    @pytest.mark.slow
    def test_every_answer_in_memory_is_within_the_budget(self):
        CustomFieldFactory(actor=self.alice, kind="contact")
        for number in range(25):
            person = self.person(first_name=f"Ann {number}")
            self.deal(name=f"Deal {number}", contact=person.pk, description="x" * 3000)
        make_one_of_each(self)
        statuses = Counter()
        with override_settings(ANSWER_MAX_BYTES=60_000, ANSWER_MAX_ROWS=1000):
            for actor in (self.viewer, self.alice):
                with transaction.atomic():
                    for cost in costs(actor):
                        statuses[cost.status] += 1
                        assert cost.status < 500 or cost.status == 503, cost
                        assert actor is self.viewer or is_legal(cost), cost
                        is_bounded = cost.request.system != "admin" and not cost.is_stream
                        # A refusal has the bounds of its errors.
                        limit = 60_000 if cost.status < 400 else 5 * MIB
                        assert not is_bounded or cost.size <= limit, cost
                    transaction.set_rollback(True)
        assert statuses[200] > 600, statuses
        assert statuses[413] > 10, statuses

    def test_every_address_of_the_admin_is_walked(self):
        make_one_of_each(self)
        make_own(self.alice)
        walked = {name_of(request.path) for request in admin_requests(self.alice)}
        site = {getattr(pattern, "name", None) for pattern in admin.site.get_urls()}
        of_models = {
            pattern.name
            for page in admin.site._registry.values()
            for pattern in page.get_urls()
            if pattern.name
        }

        missing = {name for name in (site | of_models) - walked if name and not OF_OPERATORS.match(name)}
        assert missing <= ADDRESSES_LEFT_OUT


OF_OPERATORS = re.compile("background_|accounts_user_")
# Signing out, redirects, the secret of a mail, and writes of one row.
ADDRESSES_LEFT_OUT = {
    "logout",
    "view_on_site",
    "undo",
    "password_reset_confirm",
    # Lists without actions.
    "accounts_organization_action",
    "notifications_notification_action",
    "activities_activity_act",
    "deals_deal_board_add",
    "deals_deal_board_move",
}


def name_of(path):
    return resolve(path.partition("?")[0]).url_name


def is_legal(cost):
    """Whether an admin's request was carried out, or refused for its size."""
    request = cost.request
    if request.system == "admin":
        return cost.status not in (400, 404) or NO_PAGE.search(request.path)
    # The largest refusal is a request of the walk, too.
    is_nonsense = request.method == "POST" and request.path.endswith("/bulk")
    return cost.status not in (400, 403, 404, 405, 422) or is_nonsense or NOTHING_THERE.search(request.path)


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
