"""What attains a goal: every figure is that of the deals that the reader may see, counted one by one."""

import datetime
from decimal import Decimal

from crm_project.goals.attainment import attainments
from crm_project.goals.models import Goal
from deals.services import update_deals
from tests.base import BaseTestCase
from tests.goals.base import MONTHS, figures, goal, in_tokyo, random_deals


def shown(one):
    return one.attained, one.percent, one.deals, one.without_rate


class AttainmentTests(BaseTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        in_tokyo(cls)

    def win(self, closed_at, amount=100, **more):
        instant = datetime.datetime.fromisoformat(closed_at)
        return self.deal(status="won", closed_at=instant, amount=amount, **more)

    def attained(self, reader=None, one=None):
        [found] = attainments((reader or self.alice).member, [one or Goal.objects.get()])
        return shown(found)

    def test_a_win_counts_in_the_month_of_its_day_in_the_organization_s_zone(self):
        goal(self.alice, amount="800")
        for instant in (
            "2023-12-31T14:59:59+00:00",
            "2023-12-31T15:00:00+00:00",
            "2024-01-31T14:59:59+00:00",
            "2024-01-31T15:00:00+00:00",
        ):
            self.win(instant)

        assert self.attained() == (200, Decimal("25.0"), 2, 0)

    def test_a_closing_that_is_dated_back_counts_in_its_month(self):
        goal(self.alice)
        deal = self.deal(amount=100)
        for change, attained in (
            ({"status": "won"}, 0),
            ({"closed_at": datetime.datetime(2024, 1, 5, tzinfo=datetime.UTC)}, 100),
            ({"status": "lost"}, 0),
        ):
            update_deals(actor=self.bob, changes=[(deal, change)])
            assert self.attained()[0] == attained

    def test_a_member_s_goal_counts_the_deals_that_the_member_has_now(self):
        goal(self.alice, member=self.bob.member.pk)
        deal = self.win("2024-01-05T00:00:00+00:00", owner=self.bob.member.pk)
        self.win("2024-01-05T00:00:00+00:00", owner=None)
        assert self.attained()[0] == 100

        update_deals(actor=self.bob, changes=[(deal, {"owner": self.alice.member.pk})])
        assert self.attained()[0] == 0

    def test_the_percent_is_rounded_half_up_and_has_no_limit(self):
        one = goal(self.alice, amount="800")
        self.win("2024-01-05T00:00:00+00:00", amount="1000.40")

        assert self.attained(one=one)[1] == Decimal("125.1")

    def test_every_figure_is_that_of_the_single_deals(self):
        random_deals(self)
        for month in MONTHS:
            for member in (None, self.alice.member.pk, self.bob.member.pk, self.viewer.member.pk):
                goal(self.alice, month.isoformat(), "123.45", member)

        found = set()
        for reader in (self.alice, self.manager, self.bob, self.viewer):
            goals = list(Goal.objects.visible_to(reader.member))
            for one in attainments(reader.member, goals):
                assert shown(one) == figures(reader, one.goal)
                found.add(shown(one))
        assert len(found) > 10
        assert any(without_rate for *_, without_rate in found)

    def test_it_is_one_query_for_any_number_of_goals(self):
        assert attainments(self.alice.member, []) == []
        goals = [goal(self.alice, month.isoformat()) for month in MONTHS]
        for some in (goals[:1], goals):
            with self.assertNumQueries(1):
                attainments(self.alice.member, some)
