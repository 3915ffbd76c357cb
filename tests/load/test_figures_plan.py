"""On PostgreSQL, figures of a period read indexes that have all of their columns, also where deals are hidden."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_project.accounts.models import Member
from crm_project.accounts.rules import Role
from deals import metrics
from deals.metrics import Period
from deals.models import Deal
from pipelines.models import Stage
from tests.load.loading import load

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has other plans"),
]
DEALS = 20_000


def test_figures_are_read_from_indexes_alone():
    loaded = load(deals=DEALS)
    Deal.objects.filter(pk__in=Deal.objects.order_by("id").values("pk")[:200]).update(is_private=True)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        # As VACUUM does, which cannot run in a transaction.
        cursor.execute("UPDATE pg_class SET relallvisible = relpages WHERE relname LIKE 'deals_deal%'")
    member = Member.objects.filter(organization=loaded.organization, role=Role.REP).latest("id")
    deals = Deal.objects.visible_to(member)
    stages = list(Stage.objects.filter(organization=loaded.organization).in_order())
    today = datetime.datetime.now(datetime.UTC).date()
    quarter = Period(today - datetime.timedelta(days=90), today, datetime.UTC)

    for figure in (
        lambda: metrics.grouped(
            deals.filter(status="won"), (), period=quarter, column="closed_at", bucket="month"
        ),
        lambda: metrics.closed_in(deals, quarter).closed_totals("owner", "status"),
        lambda: metrics.lost_reasons(deals, quarter),
        lambda: deals.open().totals("owner", "status"),
        lambda: metrics.results(deals, quarter),
    ):
        for plan in plans_of(figure):
            used = [line for line in plan.splitlines() if " on deals_deal " in line]
            assert used, plan
            assert all("Index Only Scan using deals_deal_" in line for line in used), plan

    (plan,) = plans_of(lambda: metrics.funnel(deals, stages, quarter))
    assert plan.count("Index Only Scan using deals_dealstate_moves") >= 2, plan
    assert "Seq Scan on deals_dealstate" not in plan, plan


def plans_of(figure):
    with CaptureQueriesContext(connection) as captured:
        figure()
    plans = []
    with connection.cursor() as cursor:
        for entry in list(captured):
            cursor.execute(f"EXPLAIN {entry['sql']}")
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    return plans
