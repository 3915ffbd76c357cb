"""Migration operations that do not block writes on PostgreSQL and also run on SQLite.

They belong into migrations with `atomic = False`: each commits by itself, and each continues after an interruption.
The rule that they serve is docs/migrations.md.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.postgres import operations as postgres
from django.db import NotSupportedError, migrations, models, transaction
from django.db.migrations.operations.base import Operation

from crm_project.write_queue import write_transaction

BATCH_SIZE = 500


class AddIndexConcurrently(postgres.AddIndexConcurrently):
    """Add an index, on PostgreSQL without blocking writes. An invalid index of an interrupted run is rebuilt."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            migrations.AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)
            return
        self._ensure_not_in_transaction(schema_editor)
        with without_timeouts(schema_editor):
            if not has_valid_index(schema_editor, self.index.name):
                super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            migrations.AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)
            return
        self._ensure_not_in_transaction(schema_editor)
        with without_timeouts(schema_editor):
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class AddConstraintConcurrently(migrations.AddConstraint):
    """Add a constraint, on PostgreSQL without reading the table under a lock that blocks writes.

    A unique constraint gets an index that is built concurrently. Any other one (CheckConstraint, SameOrganization) is
    added NOT VALID and then validated. SQLite copies the table in one transaction.
    """

    atomic = False

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        if schema_editor.connection.vendor != "postgresql":
            with write_transaction(schema_editor.connection.alias):
                super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        refuse_transaction(schema_editor)
        if isinstance(self.constraint, models.UniqueConstraint):
            self._add_unique(model, schema_editor)
        else:
            self._add_validated(model, schema_editor)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        with transaction.atomic(schema_editor.connection.alias):
            super().database_backwards(app_label, schema_editor, from_state, to_state)

    def _add_validated(self, model: Any, schema_editor: Any) -> None:
        quote = schema_editor.quote_name
        if not has_constraint(schema_editor, model, self.constraint.name):
            statement = self.constraint.create_sql(model, schema_editor)
            schema_editor.execute(f"{statement} NOT VALID", params=None)
        with without_timeouts(schema_editor):
            schema_editor.execute(
                f"ALTER TABLE {quote(model._meta.db_table)} VALIDATE CONSTRAINT {quote(self.constraint.name)}"
            )

    def _add_unique(self, model: Any, schema_editor: Any) -> None:
        constraint: Any = self.constraint
        if constraint.deferrable is not None or constraint.nulls_distinct is not None:
            raise NotSupportedError(
                f"{constraint.name}: `deferrable` and `nulls_distinct` are not supported."
            )
        if has_constraint(schema_editor, model, constraint.name):
            return
        options = {"condition": constraint.condition, "opclasses": constraint.opclasses}
        index = models.Index(
            *constraint.expressions,
            fields=constraint.fields,
            name=constraint.name,
            include=constraint.include or None,
            **options,
        )
        statement = str(index.create_sql(model, schema_editor, concurrently=True))
        with without_timeouts(schema_editor):
            if not has_valid_index(schema_editor, constraint.name):
                schema_editor.execute(
                    statement.replace("CREATE INDEX", "CREATE UNIQUE INDEX", 1), params=None
                )
        # As Django does: conditions, expressions and INCLUDE are only possible with an index, not a constraint.
        if not (constraint.expressions or constraint.include or any(options.values())):
            table, name = map(schema_editor.quote_name, (model._meta.db_table, constraint.name))
            schema_editor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}")


class FillInBatches(Operation):
    """Fill new columns of existing rows, a committed batch at a time, without versions or journal events.

    `where` selects the rows that are not filled yet, so that an interrupted run continues with the remaining ones.
    `fill` gets a queryset of at most `size` locked rows. Rows that still match afterwards are left for the next run.
    """

    atomic = False
    reduces_to_sql = False
    reversible = True

    def __init__(
        self, model_name: str, where: models.Q, fill: Callable[[Any], Any], size: int = BATCH_SIZE
    ) -> None:
        self.model_name = model_name
        self.where = where
        self.fill = fill
        self.size = size

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        alias = schema_editor.connection.alias
        model = from_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(alias, model):
            return
        refuse_transaction(schema_editor)
        rows = model._base_manager.using(alias)
        unfilled = rows.filter(self.where).order_by("pk")
        remaining = unfilled
        while ids := list(remaining.values_list("pk", flat=True)[: self.size]):
            with write_transaction(alias):
                # Locked in the order of the services. `where` again: a row may have been filled since.
                locked = unfilled.filter(pk__in=ids).select_for_update()
                self.fill(rows.filter(pk__in=list(locked.values_list("pk", flat=True))))
            remaining = unfilled.filter(pk__gt=ids[-1])

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        pass

    def describe(self) -> str:
        return f"Fill columns of {self.model_name} in batches of {self.size}"


class DropColumn(Operation):
    """Drop a column that an earlier release removed from the models with `SeparateDatabaseAndState`."""

    reversible = False

    def __init__(self, model_name: str, column: str) -> None:
        self.model_name = model_name
        self.column = column

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            table, column = map(schema_editor.quote_name, (model._meta.db_table, self.column))
            schema_editor.execute(f"ALTER TABLE {table} DROP COLUMN {column}")

    def describe(self) -> str:
        return f"Drop column {self.column} of {self.model_name}"


def refuse_transaction(schema_editor: Any) -> None:
    if schema_editor.connection.in_atomic_block:
        raise NotSupportedError("This operation needs a migration with `atomic = False`.")


@contextmanager
def without_timeouts(schema_editor: Any) -> Iterator[None]:
    """Lift the time limits for statements that may take long and whose locks do not conflict with writes.

    Behind a pooler the limits stay: outside of a transaction, other clients would get the session's settings.
    """
    connection = schema_editor.connection
    if not schema_editor.collect_sql:
        connection.ensure_connection()
    if schema_editor.collect_sql or connection.connection.behind_pooler:
        yield
        return
    names = ("statement_timeout", "lock_timeout")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s), current_setting(%s)", names)
        before = cursor.fetchone()
        set_both = "SELECT set_config(%s, %s, false), set_config(%s, %s, false)"
        cursor.execute(set_both, (names[0], "0", names[1], "0"))
        try:
            yield
        finally:
            cursor.execute(set_both, (names[0], before[0], names[1], before[1]))


def has_valid_index(schema_editor: Any, name: str) -> bool:
    """Whether an interrupted run has built this index; one that it left invalid is dropped."""
    if schema_editor.collect_sql:
        return False
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
            " WHERE relname = %s AND pg_table_is_visible(pg_class.oid)",
            [name],
        )
        found = cursor.fetchone()
    if found and not found[0]:
        schema_editor.execute(f"DROP INDEX CONCURRENTLY {schema_editor.quote_name(name)}")
    return bool(found and found[0])


def has_constraint(schema_editor: Any, model: Any, name: str) -> bool:
    if schema_editor.collect_sql:
        return False
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_constraint WHERE conname = %s AND conrelid = %s::regclass",
            [name, schema_editor.quote_name(model._meta.db_table)],
        )
        return cursor.fetchone() is not None
