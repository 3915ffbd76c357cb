"""The statistics of PostgreSQL's planner during a first import: it would take empty tables for empty until the end."""

import pytest
from django.db import connection

from crm_project.imports import services
from crm_project.imports.files import receive
from crm_project.imports.models import Import
from crm_project.imports.running import CHUNK, Runner
from crm_project.records.planner_statistics import lacks_statistics
from deals.models import Deal
from tests.base import BaseTestCase
from tests.imports.client import csv_file


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite counts nothing before")
class StatisticsTests(BaseTestCase):
    def known_after_each_chunk(self, chunks: int) -> list[bool]:
        """Whether the table of deals has statistics, each time that a chunk of a preview is written."""
        rows = [[f"Deal {number}", str(number)] for number in range(chunks * CHUNK)]
        content = csv_file(["name", "external_id"], *rows)
        source = services.upload_file(actor=self.bob, kind="deals", upload=receive("deals.csv", [content]))
        source = services.ask_for(actor=self.bob, source=source, task=Import.Tasks.PREVIEW)
        Import.objects.filter(pk=source.pk).update(state=Import.States.WORKING, attempt=1)
        known: list[bool] = []
        source.refresh_from_db()
        report = Runner(source, self.bob, lambda _: known.append(not lacks_statistics(Deal))).run()
        assert report.counts["created"] == chunks * CHUNK
        return known

    def test_a_table_without_any_is_analyzed_after_the_first_chunk(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM pg_statistic WHERE starelid = 'deals_deal'::regclass")
        assert lacks_statistics(Deal)

        assert self.known_after_each_chunk(3) == [False, True, True]
        assert lacks_statistics(Deal), "the preview was rolled back"
