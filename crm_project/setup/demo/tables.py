"""Tables stripped for a great load or removal: PostgreSQL checks and indexes a million rows at once."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

# From this many deals on it pays.
GREAT = 20_000
FOREIGN_KEYS = """
    SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
           format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint
    WHERE contype = 'f' AND (conrelid = ANY(%s::regclass[]) OR confrelid = ANY(%s::regclass[]))
    ORDER BY conrelid::regclass::text, conname
"""
INDEXES = """
    SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index WHERE indrelid = ANY(%s::regclass[]) AND NOT indisunique
    ORDER BY indexrelid::regclass::text
"""


@contextmanager
def stripped(models: Iterable[Any], *, indexes: bool) -> Iterator[None]:
    """Without foreign keys, and if asked without indexes that are not unique; they come back, checked, at the end.

    The tables are locked for everybody else meanwhile. If the transaction fails, nothing of this has happened.
    """
    tables = [model._meta.db_table for model in models]
    if connection.vendor != "postgresql" or not tables:
        yield
        return
    with connection.cursor() as cursor:
        # What the transaction has written so far is checked now; a table with checks to come cannot be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        cursor.execute(FOREIGN_KEYS, [tables, tables])
        parts = cursor.fetchall()
        if indexes:
            cursor.execute(INDEXES, [tables])
            parts += cursor.fetchall()
        for drop, _ in parts:
            cursor.execute(drop)
        yield
        # The newest parts first: foreign keys are checked faster when the indexes are there.
        for _, restore in reversed(parts):
            cursor.execute(restore)
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
