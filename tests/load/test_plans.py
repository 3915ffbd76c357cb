"""On PostgreSQL a page of the usual lists of 20,000 deals is read from an index that the organization leads."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from deals.models import Deal
from tests.load.loading import load

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has other plans"),
]
DEALS = 20_000


def test_a_page_is_read_from_an_index_of_the_organization():
    loaded = load(deals=DEALS)
    deals = Deal.objects.filter(organization=loaded.organization)
    stages = deals.order_by().values_list("stage", flat=True).distinct()[:2]
    # A few without owner and without amount: the other rows must not be read to find them.
    some = list(deals.order_by("id").values_list("pk", flat=True)[100:160])
    deals.filter(pk__in=some).update(owner=None, amount=None, amount_gross=None)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    led = {index.name for index in Deal._meta.indexes if index.fields_orders[:1] == [("organization", "")]}
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {loaded.token}")

    for query in (
        "",
        f"stage={','.join(map(str, stages))}",
        "owner=none",
        "ordering=amount",
        "ordering=-amount",
        "ordering=-expected_close_date",
        "ordering=closed_at",
        "ordering=-closed_at",
    ):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/api/deals?{query}").status_code == 200
        lists = [entry["sql"] for entry in captured if 'FROM "deals_deal"' in entry["sql"]]
        pages = [sql for sql in lists if re.search(r"LIMIT \d+$", sql)]
        assert pages, query
        for sql in pages:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {sql}")
                plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Seq Scan on deals_deal" not in plan, f"{query}\n{plan}"
            used = set(re.findall(r"Scan (?:Backward )?using (deals_deal_\w+) on deals_deal", plan))
            assert used & led, f"{query}\n{plan}"
