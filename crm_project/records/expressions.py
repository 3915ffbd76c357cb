"""Database expressions with the same semantics on SQLite and PostgreSQL: text by code point, custom-field values."""

import json
from collections.abc import Iterable
from typing import Any

from django.db.models import BooleanField, CharField, FloatField, Func, Value


class CodePoints(Func):
    """A text that is compared by code point: SQLite's default, the collation C of PostgreSQL."""

    function = None
    arity = 1
    template = "%(expressions)s"
    output_field = CharField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template='%(expressions)s COLLATE "C"', **context)


class IsOneOf(Func):
    """Whether an integer column is one of many numbers, which are one parameter of the statement.

    Django's `in` has a parameter for each number: a thousand of them cost more than the rows that they find.
    """

    arity = 1
    output_field = BooleanField()

    def __init__(self, column: str, numbers: Iterable[int]) -> None:
        self.numbers = tuple(numbers)
        super().__init__(column)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        sql, params = compiler.compile(self.get_source_expressions()[0])
        return f"({sql} = ANY(%s::bigint[]))", [*params, list(self.numbers)]

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        sql, params = compiler.compile(self.get_source_expressions()[0])
        return f"({sql} IN (SELECT value FROM JSON_EACH(%s)))", [*params, json.dumps(self.numbers)]


class CustomValue(Func):
    """The value of one custom field; null if the stored value is not of the type of the definition."""

    arity = 2
    outputs = {"number": FloatField, "checkbox": BooleanField}

    def __init__(self, key: str, kind: str, *, column: str = "custom_fields") -> None:
        self.kind = kind
        super().__init__(column, Value(key), output_field=self.outputs.get(kind, CharField)())

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        json_type = {"number": "number", "checkbox": "boolean"}.get(self.kind, "string")
        cast = {"number": "::double precision", "checkbox": "::boolean"}.get(self.kind, ' COLLATE "C"')
        column, key = (compiler.compile(source) for source in self.get_source_expressions())
        json, text = f"{column[0]} -> {key[0]}::text", f"{column[0]} ->> {key[0]}::text"
        sql = f"CASE WHEN jsonb_typeof({json}) = '{json_type}' THEN ({text}){cast} END"
        return sql, [*column[1], *key[1]] * 2

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        types = {"number": "'integer', 'real'", "checkbox": "'true', 'false'"}.get(self.kind, "'text'")
        column, key = (compiler.compile(source) for source in self.get_source_expressions())
        place = f"{column[0]}, '$.' || {key[0]}"
        sql = f"CASE WHEN JSON_TYPE({place}) IN ({types}) THEN JSON_EXTRACT({place}) END"
        return sql, [*column[1], *key[1]] * 2


class HoldsOption(Func):
    """Whether the list of a multiselect contains an option."""

    arity = 3
    output_field = BooleanField()

    def __init__(self, key: str, option: str, *, column: str = "custom_fields") -> None:
        super().__init__(column, Value(key), Value(option))

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        column, key, option = (compiler.compile(source) for source in self.get_source_expressions())
        sql = f"COALESCE(({column[0]} -> {key[0]}::text) @> to_jsonb({option[0]}::text), FALSE)"
        return sql, [*column[1], *key[1], *option[1]]

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        column, key, option = (compiler.compile(source) for source in self.get_source_expressions())
        sql = f"EXISTS (SELECT 1 FROM JSON_EACH({column[0]}, '$.' || {key[0]}) WHERE JSON_EACH.value = {option[0]})"
        return sql, [*column[1], *key[1], *option[1]]


class CustomIsEmpty(Func):
    """Whether a row has no value of a custom field: no such key, null, an empty text or an empty list."""

    arity = 2
    output_field = BooleanField()

    def __init__(self, key: str, *, column: str = "custom_fields") -> None:
        super().__init__(column, Value(key))

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        column, key = (compiler.compile(source) for source in self.get_source_expressions())
        value = f"COALESCE({column[0]} -> {key[0]}::text, 'null'::jsonb)"
        return f"({value} IN ('null'::jsonb, '\"\"'::jsonb, '[]'::jsonb))", [*column[1], *key[1]]

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        column, key = (compiler.compile(source) for source in self.get_source_expressions())
        value = f"COALESCE({column[0]} -> ('$.' || {key[0]}), 'null')"
        return f"({value} IN ('null', '\"\"', '[]'))", [*column[1], *key[1]]
