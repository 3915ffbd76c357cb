"""On PostgreSQL the cards of a board are the beginnings of an index of the open deals, one for each stage."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from deals.models import Deal
from pipelines.models import Pipeline
from tests.load.loading import load

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has other plans"),
]
DEALS = 20_000


def test_the_cards_of_each_stage_are_read_from_the_index_of_open_deals():
    loaded = load(deals=DEALS)
    stage = Deal.objects.filter(organization=loaded.organization).open().first().stage
    pipeline = Pipeline.objects.get(pk=stage.pipeline_id)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {loaded.token}")

    with CaptureQueriesContext(connection) as captured:
        assert client.get(f"/api/pipelines/{pipeline.pk}/board?page_size=20").status_code == 200

    (cards,) = [entry["sql"] for entry in captured if "ARRAY(" in entry["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {cards}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert re.search(r"Index (Only )?Scan using deals_deal_board on deals_deal", plan), plan
    assert "Seq Scan on deals_deal " not in plan, plan
