"""The journal is append-only for the database too: triggers that let nobody change what was written.

They are put there after every `migrate`, not by one migration, since SQLite loses a table's triggers whenever a
migration remakes the table. Only `rewriting` opens the way, for the erasure of personal data and of whole
organizations, and only until its transaction ends.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections, transaction

POSTGRESQL = """
CREATE OR REPLACE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('crm.journal_rewriting', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'The journal is append-only.' USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE OR REPLACE TRIGGER journal_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_event
FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
"""
# SQLite has no settings of a session. A row that never outlives its transaction is one, as there is one writer.
SQLITE = (
    "CREATE TABLE IF NOT EXISTS journal_rewriting (allowed INTEGER)",
    *(
        f"CREATE TRIGGER IF NOT EXISTS journal_event_no_{verb.lower()} BEFORE {verb} ON journal_event"
        " WHEN NOT EXISTS (SELECT 1 FROM journal_rewriting)"
        " BEGIN SELECT RAISE(ABORT, 'The journal is append-only.'); END"
        for verb in ("UPDATE", "DELETE")
    ),
)


def install(*, using: str = "default", **_: Any) -> None:
    """Receive `post_migrate`."""
    target = connections[using]
    with target.cursor() as cursor:
        for statement in [POSTGRESQL] if target.vendor == "postgresql" else SQLITE:
            cursor.execute(statement)


@contextmanager
def rewriting() -> Iterator[None]:
    """One transaction that may change and delete events."""
    with transaction.atomic():
        _allow("on")
        yield
        _allow("off")


def _allow(state: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT set_config('crm.journal_rewriting', %s, true)", [state])
        elif state == "on":
            cursor.execute("INSERT INTO journal_rewriting VALUES (1)")
        else:
            cursor.execute("DELETE FROM journal_rewriting")
