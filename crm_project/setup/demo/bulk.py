"""A whole history written set-wise: rows table by table, events numbered without gaps in the order of time."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from django.db import connection

from crm_project.journal.models import Counter, Event
from crm_project.journal.services import take_sequences
from crm_project.records.planner_statistics import analyze_tables
from crm_project.setup.demo.steps import Place
from crm_project.setup.demo.tables import GREAT, stripped
from crm_project.setup.demo.telling import Stretch, told
from crm_project.setup.demo.traces import COLUMNS
from crm_project.setup.demo.wire import Wire, wire
from crm_project.setup.demo.world import World

by_place = itemgetter(0)


def write_history(world: World, progress: Callable[[int], None]) -> int:
    """Write every life of the world; `progress` is told of each stretch of deals. Answers the number of events."""
    journal = Journal(wire(), last=_last_sequence(world.organization_id))
    if world.deals < GREAT:
        _write_lives(world, journal, progress)
    else:
        with stripped(COLUMNS, indexes=True):
            _write_lives(world, journal, progress)
    analyze_tables(COLUMNS)
    last = take_sequences(world.organization_id, journal.written)
    assert last == journal.last
    return journal.written


def _write_lives(world: World, journal: "Journal", progress: Callable[[int], None]) -> None:
    for stretch in told(world, "contact", world.contacts):
        _write_rows(journal.wire, stretch)
        journal.pending += stretch.events
    for stretch in told(world, "deal", world.deals):
        # Deals come in the order of their creation: nothing before this one's is still to come.
        journal.write_until(stretch.events[0][0])
        _write_rows(journal.wire, stretch)
        journal.pending += stretch.events
        progress(stretch.count)
    journal.write_until(None)


@dataclass
class Journal:
    """Events wait here until all that came before them are known."""

    wire: Wire
    last: int
    written: int = 0
    pending: list[tuple[Place, Any]] = field(default_factory=list)

    def write_until(self, place: Place | None) -> None:
        self.pending.sort(key=by_place)
        count = len(self.pending) if place is None else bisect_left(self.pending, place, key=by_place)
        numbers = range(self.last + 1, self.last + 1 + count)
        rows = [
            self.wire.numbered(row, number) for number, (_, row) in zip(numbers, self.pending, strict=False)
        ]
        self.wire.write(Event, COLUMNS[Event], rows)
        del self.pending[:count]
        self.last += count
        self.written += count


def _write_rows(to: Wire, stretch: Stretch) -> None:
    for model, rows in stretch.rows.items():
        to.write(model, COLUMNS[model], rows)


def _last_sequence(organization_id: int) -> int:
    counter = Counter.objects.select_for_update().filter(organization=organization_id).first()
    return counter.last if counter else 0


def reserve_ids(model: Any, count: int, *, above: int = 0) -> int:
    """The first of `count` consecutive ids that nobody else will be given, all of them above `above`."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Whoever inserts a row takes its id under this table's lock, which we have alone from here on.
            cursor.execute(f"LOCK TABLE {connection.ops.quote_name(table)} IN SHARE ROW EXCLUSIVE MODE")
            sequence = "pg_get_serial_sequence(%s, 'id')"
            cursor.execute(f"SELECT greatest(nextval({sequence}), %s)", [table, above + 1])
            first = int(cursor.fetchone()[0])
            cursor.execute(f"SELECT setval({sequence}, %s)", [table, first + count])
            return first
        # The transaction is the only writer, and SQLite goes on after the highest id it has seen.
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
        return max(int(row[0]) if row else 0, above) + 1
