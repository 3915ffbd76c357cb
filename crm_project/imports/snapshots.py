"""A private copy of an SQLite database, for work that is rolled back."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections


@contextmanager
def snapshot() -> Iterator[None]:
    """Let this thread use a copy of the database in the block, which is deleted at its end.

    SQLite has one writer: a preview would keep everybody from writing for as long as it takes. PostgreSQL needs no
    copy, and a transaction that is open already holds the write lock.
    """
    source: Any = connections[DEFAULT_DB_ALIAS]
    if source.vendor != "sqlite" or source.in_atomic_block or source.is_in_memory_db():
        yield
        return
    with tempfile.TemporaryDirectory(prefix="crm-snapshot-") as folder:
        copy = source.copy()
        copy.settings_dict["NAME"] = Path(folder) / "copy.sqlite3"
        # The copy need not survive a crash.
        copy.settings_dict["OPTIONS"]["init_command"] = "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF"
        source.ensure_connection()
        copy.ensure_connection()
        with source.wrap_database_errors:
            source.connection.backup(copy.connection)
        connections[DEFAULT_DB_ALIAS] = copy
        try:
            yield
        finally:
            connections[DEFAULT_DB_ALIAS] = source
            copy.close()
