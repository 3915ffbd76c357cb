"""Inserts and updates of rows: many on PostgreSQL by COPY, and by UPDATE from one array for each column.

Few rows have statements that are made once for each model: Django would compile all columns anew for each write.
"""

import datetime
import re
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection, connections, models
from django.db.transaction import mark_for_rollback_on_error

# With fewer rows an INSERT is as fast, and returns the ids in the same round trip. SQLite has no COPY: there more rows
# are several INSERTs of so many.
COPY_FROM = 100
TEXTS = (models.CharField, models.TextField)
# A function of a value and the connection.
Preparation = Callable[[Any, Any], Any]


def insert_rows(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model, and set their ids."""
    if not rows:
        return
    if connection.vendor == "postgresql" and len(rows) >= COPY_FROM:
        _copy(rows)
    elif rows[0].pk is None and connection.features.can_return_rows_from_bulk_insert:
        for start in range(0, len(rows), COPY_FROM):
            _insert(rows[start : start + COPY_FROM])
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
    elif len(rows) == 1:
        _update_one(rows[0], tuple(names))
    else:
        type(rows[0])._default_manager.bulk_create(
            rows, update_conflicts=True, unique_fields=["id"], update_fields=names
        )


def _insert(rows: Sequence[models.Model]) -> None:
    """One INSERT, which returns the ids in the order of its rows."""
    model = type(rows[0])
    sql, prepared = _insert_sql(model, connection.vendor, len(rows))
    # The connection itself: each attribute of the proxy costs three calls.
    database = connections[connection.alias]
    given: list[Any] = []
    for row in rows:
        values = row.__dict__
        given += [
            value if (value := values[name]) is None or prepare is None else prepare(value, database)
            for name, prepare in prepared
        ]
    with mark_for_rollback_on_error(database.alias), database.cursor() as cursor:
        cursor.execute(sql, given)
        ids = cursor.fetchall()
    for row, (row_id,) in zip(rows, ids, strict=True):
        row.pk = row_id
        row._state.adding, row._state.db = False, database.alias


@lru_cache(maxsize=1000)
def _insert_sql(model: Any, vendor: str, count: int) -> tuple[str, list[tuple[str, Any]]]:
    """The statement, and the columns of a row, each with the preparation of its values."""
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    quote = connection.ops.quote_name
    names = ", ".join(quote(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES {', '.join([f'({places})'] * count)}"
    return f"{sql} RETURNING {quote(model._meta.pk.column)}", [
        (field.attname, _preparation(field)) for field in fields
    ]


def _update_one(row: models.Model, names: tuple[str, ...]) -> None:
    sql, prepared = _update_one_sql(type(row), connection.vendor, names)
    given = [_prepared(row.__dict__[name], prepare) for name, prepare in prepared]
    with mark_for_rollback_on_error(connection.alias), connection.cursor() as cursor:
        cursor.execute(sql, [*given, row.pk])


@lru_cache(maxsize=1000)
def _update_one_sql(model: Any, vendor: str, names: tuple[str, ...]) -> tuple[str, list[tuple[str, Any]]]:
    fields = [model._meta.get_field(name) for name in names]
    quote = connection.ops.quote_name
    columns = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    sql = f"UPDATE {quote(model._meta.db_table)} SET {columns} WHERE {quote(model._meta.pk.column)} = %s"
    return sql, [(field.attname, _preparation(field)) for field in fields]


def _prepared(value: Any, prepare: Preparation | None) -> Any:
    return value if prepare is None or value is None else prepare(value, connection)


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
    return [prepare(value, connection) for value in values] if prepare else values


def _as_text(value: Any, database: Any) -> str | None:
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
    database = connections[connection.alias]
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(sql) as copy:
        for row in rows:
            values = row.__dict__
            copy.write_row(
                [prepare(values[name], database) if prepare else values[name] for name, prepare in prepared]
            )
    for row in rows:
        row._state.adding, row._state.db = False, database.alias


def _ids(table: str, column: str, count: int) -> list[int]:
    """`count` values of the sequence of the column."""
    # The inner SELECT is evaluated once; a plain call would look the sequence up for each value.
    sql = "SELECT nextval((SELECT pg_get_serial_sequence(%s, %s)::regclass)) FROM generate_series(1, %s)"
    with connection.cursor() as cursor:
        cursor.execute(sql, [connection.ops.quote_name(table), column, count])
        return [row_id for (row_id,) in cursor.fetchall()]


def _preparation(field: Any) -> Preparation | None:
    """The function that converts values of the field for the driver, if one is needed."""
    if isinstance(field, models.JSONField) or (connection.vendor != "postgresql" and _is_adapted(field)):
        # The columns that a row has several of are converted as `get_db_prep_save` does it, with fewer calls.
        if connection.vendor == "sqlite" and type(field) is models.DateTimeField:
            return _sqlite_instant
        if connection.vendor == "sqlite" and type(field) is models.UUIDField:
            return lambda value, database: (
                value.hex if type(value) is UUID else field.get_db_prep_save(value, database)
            )
        prepare: Preparation = field.get_db_prep_save
        return prepare
    return None


def _sqlite_instant(value: datetime.datetime, database: Any) -> str:
    return str(value.astimezone(datetime.UTC).replace(tzinfo=None))


def _is_adapted(field: Any) -> bool:
    """Whether SQLite stores values of the field as something else."""
    return not isinstance(field, (*TEXTS, models.IntegerField, models.ForeignKey, models.BooleanField))
