"""Refresh planner statistics after a bulk load."""

from collections.abc import Iterable
from typing import Any

from django.db import connection

# The rows of an index that SQLite samples.
SQLITE_LIMIT = 400


def analyze_tables(models: Iterable[Any]) -> None:
    """Run ANALYZE on the tables of the models.

    With no statistics (SQLite), or with those of an empty table (PostgreSQL), the planner looks a key up by the index
    of the organization, and reads all of its rows for every key.
    """
    # Others that analyze a table hold its lock until their transaction ends.
    options = " (SKIP_LOCKED)" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA analysis_limit = {SQLITE_LIMIT}")
        for model in models:
            cursor.execute(f"ANALYZE{options} {connection.ops.quote_name(model._meta.db_table)}")


def lacks_statistics(model: Any) -> bool:
    """Whether PostgreSQL has never analyzed the table: it is new, or has few rows."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NOT EXISTS (SELECT FROM pg_stats WHERE schemaname = current_schema() AND tablename = %s)",
            [model._meta.db_table],
        )
        return bool(cursor.fetchone()[0])
