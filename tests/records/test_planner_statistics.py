"""After a great load the database looks rows up by the index that fits."""

from typing import Any

from django.db import connection

from contacts.models import Contact
from crm_project.records.planner_statistics import analyze_tables
from deals.models import Deal
from tests.base import BaseTestCase
from tests.server import until


class TestCountAnew(BaseTestCase):
    def known(self) -> dict[str, Any]:
        """How many rows the database takes each of the tables to have."""
        sqlite = "SELECT tbl, MAX(CAST(stat AS INTEGER)) FROM sqlite_stat1 GROUP BY tbl"
        postgresql = "SELECT relname, reltuples FROM pg_class WHERE relkind = 'r'"
        with connection.cursor() as cursor:
            cursor.execute(sqlite if connection.vendor == "sqlite" else postgresql)
            return dict(cursor.fetchall())

    def test_it_counts_the_tables_that_are_named(self) -> None:
        for _ in range(3):
            self.deal(contact=self.person().pk)

        def are_counted() -> bool:
            analyze_tables([Contact, Deal])
            known = self.known()
            return (known["contacts_contact"], known["deals_deal"]) == (3, 3)

        # A table that autovacuum is reading is left out.
        until(are_counted, 20)
