"""Triggers that make the journal append-only in the database.

Created after every `migrate` instead of by a migration, since SQLite drops the triggers of a table that a migration
rebuilds. `rewriting` disables them for one transaction, to erase personal data or an organization.
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
# SQLite has no session settings: a row that is deleted before the commit replaces one, since there is one writer.
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
    """A transaction in which events can be changed and deleted."""
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
