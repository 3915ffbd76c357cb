"""Django's `migrate`, which on PostgreSQL never makes writes wait for long.

A statement that waits for a table's exclusive lock makes every later statement on that table wait behind it. It
therefore gives up after LOCK_TIMEOUT; the migration is rolled back and attempted again, until it finds the table free.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands import migrate
from django.db import OperationalError, connections

LOCK_TIMEOUT = "200ms"
ATTEMPTS = 100
# Seconds between two attempts.
PAUSE = 0.5
# lock_not_available and deadlock_detected.
RETRIED = {"55P03", "40P01"}


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        if connection.vendor != "postgresql" or connection.in_atomic_block:
            super().handle(*args, **options)
            return
        for remaining in reversed(range(ATTEMPTS)):
            try:
                with lock_timeout(connection, LOCK_TIMEOUT):
                    super().handle(*args, **options)
                return
            except OperationalError as error:
                if not remaining or getattr(error.__cause__, "sqlstate", None) not in RETRIED:
                    raise
                self.stderr.write("A table is in use. The migration is attempted again.")
                time.sleep(PAUSE)


@contextmanager
def lock_timeout(connection: Any, value: str) -> Iterator[None]:
    """Set the limit for the session; behind a pooler, which shares sessions, for each transaction of the block."""
    connection.ensure_connection()
    before = connection.limits["lock_timeout"]
    if connection.connection.behind_pooler:
        connection.limits["lock_timeout"] = value
        try:
            yield
        finally:
            connection.limits["lock_timeout"] = before
        return
    set_timeout = "SELECT set_config('lock_timeout', %s, false)"
    with connection.cursor() as cursor:
        cursor.execute(set_timeout, [value])
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute(set_timeout, [before])
