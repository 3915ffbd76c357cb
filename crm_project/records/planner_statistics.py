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
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA analysis_limit = {SQLITE_LIMIT}")
        for model in models:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")
