"""What differs between PostgreSQL and SQLite in the statements of the load.

Expressions are raw: an instant or a date is a number of seconds since 1970, an amount a plain number. `stored` makes of
them what the column holds, `as_json` what an event holds.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, models

from crm_project.changes import plain
from crm_project.records.fields import MoneyField


class PostgreSQL:
    new_uuid = "gen_random_uuid()"
    array, object = "jsonb_build_array", "jsonb_build_object"
    merge = "{}::jsonb || {}"
    money, instant = "({})::numeric", "to_timestamp({})"
    date = "(to_timestamp({}) AT TIME ZONE 'UTC')::date"
    instant_text = "to_char(to_timestamp({}) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"')"


class SQLite:
    new_uuid = "lower(hex(randomblob(16)))"
    array, object = "json_array", "json_object"
    merge = "json_patch({}, {})"
    money, instant = "({}) * 10000", "datetime({}, 'unixepoch')"
    date = "date({}, 'unixepoch')"
    instant_text = "strftime('%%Y-%%m-%%dT%%H:%%M:%%S+00:00', {}, 'unixepoch')"


def vendor() -> type[PostgreSQL] | type[SQLite]:
    return PostgreSQL if connection.vendor == "postgresql" else SQLite


def run(sql: str, parameters: Sequence[Any] = ()) -> None:
    """Without parameters too a percent sign is written twice."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def choice(index: str, values: Sequence[Any]) -> str:
    """The value at this index, modulo their number."""
    cases = " ".join(f"WHEN {place} THEN {literal(value)}" for place, value in enumerate(values))
    return f"(CASE ({index}) %% {len(values)} {cases} END)"


def literal(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''").replace("%", "%%") + "'"
    return str(value)


def stored(field: Any, raw: str) -> str:
    if isinstance(field, models.DateTimeField):
        return vendor().instant.format(raw)
    if isinstance(field, models.DateField):
        return vendor().date.format(raw)
    return vendor().money.format(raw) if isinstance(field, MoneyField) else raw


def as_json(field: Any, raw: str) -> str:
    if isinstance(field, models.DateTimeField):
        return vendor().instant_text.format(raw)
    if isinstance(field, (models.DateField, models.UUIDField, MoneyField)):
        return f"CAST({vendor().date.format(raw) if isinstance(field, models.DateField) else raw} AS text)"
    return raw


def insert(model: Any, values: Mapping[str, str], source: str) -> None:
    """INSERT … SELECT: these columns by raw expressions, the others by their defaults."""
    names, expressions, parameters = [], [], []
    for field in model._meta.concrete_fields:
        if field.attname in values:
            expressions.append(stored(field, values[field.attname]))
        elif field.primary_key:
            continue
        else:
            expressions.append("%s")
            parameters.append(field.get_db_prep_save(field.get_default(), connection))
        names.append(connection.ops.quote_name(field.column))
    run(
        f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) SELECT {', '.join(expressions)} {source}",
        parameters,
    )


def creation(model: Any, values: Mapping[str, str]) -> str:
    """The `changes` of an event that creates a row with these raw values; defaults that are null are left out."""
    defaults, pairs = {}, []
    for field in model._meta.concrete_fields:
        if field.attname in model.derived:
            continue
        if field.attname in values:
            pairs.append(f"'{field.attname}', {change('NULL', as_json(field, values[field.attname]))}")
        elif (default := field.get_default()) is not None:
            defaults[field.attname] = [None, plain(default)]
    constant = literal(json.dumps(defaults))
    return vendor().merge.format(constant, f"{vendor().object}({', '.join(pairs)})")


def change(old: str, new: str) -> str:
    return f"{vendor().array}({old}, {new})"
