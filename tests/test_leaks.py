"""No address shows a deal to a member who may not see it: API, dialects, exports, admin; by any rule of visibility.

Two rules are walked: that of the product, with a private deal, and that of a role which sees its own deals alone.
"""

import re
from contextlib import ExitStack, suppress
from dataclasses import replace

import pytest
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve, reverse

from crm_project.accounts.models import User
from crm_project.accounts.rules import Role
from crm_project.accounts.services import create_token
from crm_project.dialects.registry import DIALECTS
from crm_project.records.kinds import Private, kinds
from deals.models import Deal
from deals.services import update_deals
from tests.factories import ActorFactory
from tests.notes import declared
from tests.staff.base import change_url, list_url
from tests.staff.test_leaks import OURS, PRIVATE, LeakTestCase, plain_urls

pytestmark = pytest.mark.once

# Long-running or not of one organization; `logout` ends the walk's own session.
SKIPPED = re.compile(r"logout|/schema|/docs|/static|/admin/")
LIMIT_OF_SEEN = {"api": 5, **dict.fromkeys(DIALECTS, 1)}


def addresses(values):
    """Every address outside the admin, with its parameters replaced by each of the values."""

    def walk(patterns, prefix):
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            elif isinstance(pattern, URLPattern):
                yield route

    for route in dict.fromkeys(walk(get_resolver().url_patterns, "/")):
        if SKIPPED.search(route) or "rest:" in route:
            continue
        if "<" not in route:
            yield route
            continue
        for value in values:
            address = re.sub(r"<[^>]+>", str(value), route)
            with suppress(Resolver404):
                resolve(address)
                yield address


class WalkTestCase(LeakTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        deal = cls.own["deal"]
        cls.values = [cls.private.pk, cls.private.uuid, deal.pk, deal.uuid, cls.own["stage"].pk]
        for kind in kinds.values():
            if kind.parents:
                hidden, seen = (
                    rows.filter(deal__isnull=False).first()
                    for rows in (kind.hidden_rows(cls.manager.member), kind.rows(cls.manager.member))
                )
                cls.values += [hidden.pk, hidden.uuid, seen.uuid]

    def answers(self, actor):
        """{address: text} of each answer to a GET with a token of the actor."""
        _, secret = create_token(actor=actor, name="walk")
        headers = {"Authorization": f"Bearer {secret}", "Version": "2021-07-28"}
        texts = {}
        for address in addresses(self.values):
            # The canonical API refuses parameters that it does not have.
            place = {"locationId": actor.organization.uuid} if "leadconnector" in address else None
            response = self.client.get(address, headers=headers, query_params=place)
            assert response.status_code < 500, address
            texts[address] = response.getvalue().decode(errors="replace")
        return texts

    def showing(self, actor, word):
        return [address for address, text in self.answers(actor).items() if word in text]


@pytest.mark.slow
class PrivateDealTests(WalkTestCase):
    def test_those_who_may_see_it_find_it_in_the_api_and_in_every_dialect(self):
        """Else the other tests would prove nothing."""
        found = self.showing(self.alice, PRIVATE)

        for system, least in LIMIT_OF_SEEN.items():
            prefix = "/api/" if system == "api" else f"/dialects/{system}/"
            assert sum(address.startswith(prefix) for address in found) >= least, (system, found)

    def test_others_find_it_nowhere(self):
        """A manager has every address that a viewer has."""
        assert self.showing(self.manager, PRIVATE) == []

    def test_strangers_find_nothing_of_the_organization(self):
        assert self.showing(self.charlie, OURS) == []

    def test_an_export_does_not_hold_it(self):
        for actor, holds in ((self.alice, True), (self.bob, False)):
            self.sign_in(actor)
            answer = self.client.get(reverse("admin:imports_export_deals"))
            assert answer.status_code == 200
            assert (PRIVATE in answer.getvalue().decode()) is holds


@pytest.mark.slow
class OwnRowsOnlyTests(WalkTestCase):
    """Under this rule a rep sees the own deals and no others, private or not. Sally is a rep."""

    def setUp(self):
        super().setUp()
        stack = ExitStack()
        self.addCleanup(stack.close)
        deal = kinds["deal"]
        rule = deal.visible.rule

        def own_only(rows, member):
            if member.role == Role.REP:
                return rows.filter(organization_id=member.organization_id, owner=member)
            return rule(rows, member)

        stack.enter_context(declared(replace(deal, visible=Private(own_only))))
        self.sally = ActorFactory(
            organization=self.organization, role=Role.REP, full_name="Sally", email="sally@example.com"
        )
        User.objects.filter(pk=self.sally.member.user_id).update(is_staff=True)
        self.mine = self.deal(self.alice, name="zyxmine deal", owner=self.sally.member.pk)
        update_deals(actor=self.alice, changes=[(self.mine, {"next_deal": self.own["deal"].pk})])
        self.words = (PRIVATE, f"{OURS} deal", f"{OURS} gone")

    def test_she_sees_her_own_and_nothing_of_the_others(self):
        texts = self.answers(self.sally)

        assert any("zyxmine" in text for text in texts.values())
        for word in self.words:
            assert [address for address, text in texts.items() if word in text] == []

    def test_the_others_see_hers(self):
        deals = Deal.objects.visible_to(self.manager.member)

        assert set(deals.filter(pk__in=[self.mine.pk, self.own["deal"].pk])) == {self.mine, self.own["deal"]}

    def test_the_admin_shows_her_no_other(self):
        self.sign_in(self.sally)

        assert "zyxmine" in self.page(list_url(Deal))
        for url in [*plain_urls(), list_url(Deal), change_url(self.mine), "/admin/search/?s=zyx&extended=1"]:
            if "logout" not in url:
                self.assert_clean(self.client.get(url), words=self.words)
        assert self.client.get(change_url(self.own["deal"])).status_code in (302, 404)

    def test_the_past_shows_her_no_other(self):
        from deals.models import DealState

        states = DealState.objects.visible_to(self.sally.member)

        assert set(states.values_list("deal", flat=True)) == {self.mine.pk}

    def test_an_admin_still_sees_all(self):
        assert self.alice.member.role == Role.ADMIN
        assert Deal.objects.visible_to(self.alice.member).filter(pk=self.private.pk).exists()
