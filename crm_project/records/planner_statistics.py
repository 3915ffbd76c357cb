"""What the database knows of the sizes of its tables, told anew after a great load: by them it chooses its indexes."""

from collections.abc import Iterable
from typing import Any

from django.db import connection

# SQLite looks at this many rows of an index, which takes milliseconds.
SQLITE_LIMIT = 400


def analyze_tables(models: Iterable[Any]) -> None:
    """A database that takes a table for small, as PostgreSQL does with one just filled, or that knows nothing of it, as
    SQLite does, looks a key up by an index of the organization alone: all its rows, for every key.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA analysis_limit = {SQLITE_LIMIT}")
        for model in models:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")
