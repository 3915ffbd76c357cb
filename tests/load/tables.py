"""Tables without foreign keys and indexes during a bulk load: PostgreSQL then checks and indexes all rows at once."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

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
def without_constraints(models: Iterable[Any]) -> Iterator[None]:
    """Drop foreign keys and indexes that are not unique; create them again, and check all rows, at the end.

    On PostgreSQL alone. The tables are locked until the transaction ends; if it fails, nothing has changed.
    """
    if connection.vendor != "postgresql":
        yield
        return
    tables = [model._meta.db_table for model in models]
    with connection.cursor() as cursor:
        # A table with deferred checks to come cannot be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute(FOREIGN_KEYS, [tables, tables])
        parts = cursor.fetchall()
        cursor.execute(INDEXES, [tables])
        parts += cursor.fetchall()
        for drop, _ in parts:
            cursor.execute(drop)
        yield
        # Indexes first: they make the checks of the foreign keys faster.
        for _, create in reversed(parts):
            cursor.execute(create)
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
