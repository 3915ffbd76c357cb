"""Bulk inserts and updates: on PostgreSQL by COPY, and by UPDATE from one array for each column."""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from django.db import connection, models

# With fewer rows an INSERT is as fast, and returns the ids in the same round trip.
COPY_FROM = 100
TEXTS = (models.CharField, models.TextField)


def insert_rows(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model, and set their ids."""
    if not rows:
        return
    if connection.vendor == "postgresql" and len(rows) >= COPY_FROM:
        _copy(rows)
    else:
        type(rows[0])._default_manager.bulk_create(rows)


def update_rows(rows: Sequence[models.Model], names: Collection[str]) -> None:
    """Update these columns of locked rows of one model. `bulk_update` takes twenty times as long.

    Up to COPY_FROM rows are written in their order, which matters for unique values that move between rows.
    """
    if not rows or not names:
        return
    if connection.vendor == "postgresql" and len(rows) >= COPY_FROM:
        _update(rows, [type(rows[0])._meta.get_field(name) for name in names])
    else:
        type(rows[0])._default_manager.bulk_create(
            rows, update_conflicts=True, unique_fields=["id"], update_fields=names
        )


def _update(rows: Sequence[models.Model], fields: Sequence[Any]) -> None:
    """Sends the changed columns only, unlike INSERT with ON CONFLICT."""
    quote = connection.ops.quote_name
    meta = type(rows[0])._meta
    table, key = quote(meta.db_table), meta.pk
    row_id, *columns = [quote(field.column) for field in (key, *fields)]
    arrays = ", ".join(f"%s::{_array_type(field)}" for field in (key, *fields))
    sql = (
        f"UPDATE {table} SET {', '.join(f'{column} = changed.{column}' for column in columns)}"
        f" FROM unnest({arrays}) AS changed ({row_id}, {', '.join(columns)})"
        f" WHERE {table}.{row_id} = changed.{row_id}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [_array(field, rows) for field in (key, *fields)])


def _array_type(field: Any) -> str:
    """Without a width: a cast would truncate a value that the column refuses."""
    return re.sub(r"\(.*\)", "", field.db_type(connection)) + "[]"


def _array(field: Any, rows: Sequence[models.Model]) -> list[Any]:
    prepare = _preparation(field) or (_as_text if isinstance(field, TEXTS) else None)
    values = [row.__dict__[field.attname] for row in rows]
    return [prepare(value) for value in values] if prepare else values


def _as_text(value: Any) -> str | None:
    """Members of TextChoices as plain strings: the elements of an array have one type."""
    return None if value is None else str(value)


def _copy(rows: Sequence[models.Model]) -> None:
    meta: Any = type(rows[0])._meta
    fields = list(meta.concrete_fields)
    if meta.auto_field is not None:
        for row, row_id in zip(rows, _ids(meta.db_table, meta.auto_field.name, len(rows)), strict=True):
            row.pk = row_id
    prepared = [(field.attname, _preparation(field)) for field in fields]
    quote = connection.ops.quote_name
    names = ", ".join(quote(str(field.column)) for field in fields)
    sql = f"COPY {quote(meta.db_table)} ({names}) FROM STDIN"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(sql) as copy:
        for row in rows:
            values = row.__dict__
            copy.write_row([prepare(values[name]) if prepare else values[name] for name, prepare in prepared])
    for row in rows:
        row._state.adding = False
        row._state.db = connection.alias


def _ids(table: str, column: str, count: int) -> list[int]:
    """`count` values of the sequence of the column."""
    # The inner SELECT is evaluated once; a plain call would look the sequence up for each value.
    sql = "SELECT nextval((SELECT pg_get_serial_sequence(%s, %s)::regclass)) FROM generate_series(1, %s)"
    with connection.cursor() as cursor:
        cursor.execute(sql, [connection.ops.quote_name(table), column, count])
        return [row_id for (row_id,) in cursor.fetchall()]


def _preparation(field: Any) -> Callable[[Any], Any] | None:
    """The function that converts values of the field for the driver, if one is needed."""
    if isinstance(field, models.JSONField):
        return lambda value: field.get_db_prep_save(value, connection)
    return None
