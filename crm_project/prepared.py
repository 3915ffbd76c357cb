"""Queries that Django compiles once in a process: the few that nearly every request executes, with its own parameters.

`Prepared(lambda key: Row.objects.filter(uuid=key))` compiles the queryset when it is first used, and stores the
positions of its parameters in the SQL. A parameter is an integer, a text, a UUID or an instant, and never None. What
else decides the shape of the query, such as a role, needs a prepared query of its own.
"""

import datetime
from collections.abc import Callable, Collection
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.db.models.query import get_related_populators

# Makes a row of the values of a result.
Build = Callable[[Any], Any]
MOMENT = datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)


def instances(compiler: Any) -> Build:
    """Model instances, as Django makes them."""
    info, select = compiler.klass_info, compiler.select
    first, last = info["select_fields"][0], info["select_fields"][-1] + 1
    names = [column.target.attname for column, _, _ in select[first:last]]
    related = get_related_populators(info, select, connection.alias)  # type: ignore[call-arg]

    def build(values: Any) -> Any:
        row = info["model"].from_db(connection.alias, names, values[first:last])
        for populator in related:
            populator.populate(values, row)
        return row

    return build


class Prepared:
    """`queryset_of(*parameters)` is the queryset; `builder` makes the function that makes its rows.

    `ending` is added to its SQL on PostgreSQL.
    """

    def __init__(
        self, queryset_of: Callable[..., Any], builder: Callable[[Any], Build] = instances, ending: str = ""
    ) -> None:
        self.queryset_of, self.builder, self.ending = queryset_of, builder, ending
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, *parameters: Any) -> list[Any]:
        compiled = self._compiled.get(connection.vendor)
        if compiled is None:
            compiled = self._compiled[connection.vendor] = _Compiled(self, parameters)
        return compiled.rows(parameters)

    def first(self, *parameters: Any) -> Any:
        """The first row; None if there is none."""
        rows = self.rows(*parameters)
        return rows[0] if rows else None


# A longer list of ids is read in several queries.
MOST_IDS = 512


def prepared_by_ids(
    queryset_of: Callable[[Collection[int]], Any], builder: Callable[[Any], Build] = instances
) -> Callable[[Collection[int]], list[Any]]:
    """A function that reads rows by their ids, with a query that is compiled once for each power of two of them.

    The last places of a query repeat an id: an `IN` finds a row once.
    """

    @cache
    def prepared(places: int) -> Prepared:
        return Prepared(lambda *ids: queryset_of(ids), builder)

    def rows(ids: Collection[int]) -> list[Any]:
        if not ids:
            return []
        given = list(ids)
        places = 1 << (len(given) - 1).bit_length()
        if places > MOST_IDS:
            return [
                row
                for start in range(0, len(given), MOST_IDS)
                for row in rows(given[start : start + MOST_IDS])
            ]
        return prepared(places).rows(*given, *[given[0]] * (places - len(given)))

    return rows


class _Compiled:
    """The SQL of a prepared query for one database, with marks in place of the parameters."""

    def __init__(self, prepared: Prepared, parameters: tuple[Any, ...]) -> None:
        marks = [_mark(value, place) for place, value in enumerate(parameters)]
        compiler = prepared.queryset_of(*marks).query.get_compiler(using=connection.alias)
        self.sql, given = compiler.as_sql()
        self.sql += prepared.ending if connection.vendor == "postgresql" else ""
        places = {_adapted(mark): place for place, mark in enumerate(marks)}
        # The place of a parameter, or -1 and a constant of the query.
        self.given = [(places.get(value, -1), value) for value in given]
        self.converters = list(compiler.get_converters([column for column, _, _ in compiler.select]).items())
        self.build = prepared.builder(compiler)

    def rows(self, parameters: tuple[Any, ...]) -> list[Any]:
        adapted = [_adapted(value) for value in parameters]
        given = [value if place < 0 else adapted[place] for place, value in self.given]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, given)
            found = cursor.fetchall()
        return [self.build(self._converted(values)) for values in found]

    def _converted(self, values: Any) -> Any:
        converted = list(values)
        for place, (converters, column) in self.converters:
            value = converted[place]
            for convert in converters:
                value = convert(value, column, connection)
            converted[place] = value
        return converted


def _mark(value: Any, place: int) -> Any:
    """A value of the same type that does not occur in the query otherwise."""
    if isinstance(value, UUID):
        return uuid4()
    if isinstance(value, datetime.datetime):
        return MOMENT + datetime.timedelta(seconds=place)
    return f"\ue000{place}" if isinstance(value, str) else -(10**12) - place


def _adapted(value: Any) -> Any:
    """The value as the driver takes it."""
    if isinstance(value, UUID) and not connection.features.has_native_uuid_field:
        return value.hex
    if isinstance(value, datetime.datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value
