"""How many rows get into a table at once: COPY on PostgreSQL, one prepared INSERT on SQLite."""

import datetime
import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, Protocol

from django.db import connection

from crm_project.records.fields import SCALE

Plain = Callable[[Any], Any]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _escaped_json(value: Any) -> str:
    return json.dumps(value).replace("\\", "\\\\")


def _sqlite_instant(value: datetime.datetime) -> str:
    # All instants of a history are UTC.
    return str(value.replace(tzinfo=None))


class Wire(Protocol):
    """Turns a row into what `write` takes, which may happen in another process; `numbered` adds a last column."""

    def encode(self, row: Sequence[Any]) -> Any: ...

    def numbered(self, encoded: Any, number: int) -> Any: ...

    def write(self, model: Any, columns: Sequence[str], rows: Iterable[Any]) -> None: ...


class CopyText:
    """PostgreSQL's text format: a line of tabulated values each."""

    BY_TYPE: dict[type, Plain] = {
        type(None): lambda value: "\\N",
        bool: lambda value: "t" if value else "f",
        int: str,
        Decimal: str,
        datetime.datetime: datetime.datetime.isoformat,
        datetime.date: datetime.date.isoformat,
        uuid.UUID: str,
        dict: _escaped_json,
        list: _escaped_json,
    }

    def encode(self, row: Sequence[Any]) -> str:
        by_type = self.BY_TYPE
        return "\t".join([by_type.get(type(value), _escaped)(value) for value in row])

    def numbered(self, encoded: str, number: int) -> str:
        return f"{encoded}\t{number}"

    def write(self, model: Any, columns: Sequence[str], rows: Iterable[str]) -> None:
        table, names = _quoted(model, columns)
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            copy.write("".join([f"{row}\n" for row in rows]))


class Prepared:
    """SQLite's own types: money as whole ten-thousandths, instants and structures as text."""

    BY_TYPE: dict[type, Plain] = {
        Decimal: lambda value: int(value.scaleb(SCALE)),
        datetime.datetime: _sqlite_instant,
        datetime.date: datetime.date.isoformat,
        uuid.UUID: lambda value: value.hex,
        dict: json.dumps,
        list: json.dumps,
    }

    def encode(self, row: Sequence[Any]) -> list[Any]:
        by_type = self.BY_TYPE
        return [by_type[type(value)](value) if type(value) in by_type else value for value in row]

    def numbered(self, encoded: list[Any], number: int) -> list[Any]:
        return [*encoded, number]

    def write(self, model: Any, columns: Sequence[str], rows: Iterable[list[Any]]) -> None:
        table, names = _quoted(model, columns)
        with connection.cursor() as cursor:
            places = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", list(rows))


def _quoted(model: Any, columns: Sequence[str]) -> tuple[str, str]:
    quote = connection.ops.quote_name
    fields = {field.attname: field.column for field in model._meta.concrete_fields}
    return quote(model._meta.db_table), ", ".join(quote(fields[name]) for name in columns)


def wire() -> Wire:
    return CopyText() if connection.vendor == "postgresql" else Prepared()
