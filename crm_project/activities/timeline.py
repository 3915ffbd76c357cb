"""The timeline of a deal or a contact: its activities and the changes in the journal, merged by time.

`read(member, row)` answers one page: what is planned, then what is pinned, then what has happened, newest first. The
timeline of a contact has what happened with its deals as well, that of a company also what happened with its people.
A page continues after a position in this order, so that nothing comes twice or is left out while others write.
"""

import datetime
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import islice
from operator import attrgetter
from typing import Any

from django.db.models import F, Q

from contacts.models import Contact
from crm_project.accounts.models import Member
from crm_project.activities.models import Activity
from crm_project.activities.querysets import people_of
from crm_project.journal.models import Event
from crm_project.journal.presenting import rows_of
from crm_project.journal.sentences import EventLine, lines
from crm_project.records.paging import Cursor
from crm_project.records.writing.columns import BIGGEST_ID
from deals.models import Deal
from deals.querysets import with_any_contact

KINDS = ("activity", "note", "change")
# The deadline of what is planned without one.
NEVER = datetime.datetime.max.replace(tzinfo=datetime.UTC)
PLANNED_ORDER: Sequence[Any] = (F("deadline").asc(nulls_last=True), "pk")


class Section(IntEnum):
    """The parts of a timeline; the highest comes first."""

    PAST = 0
    PINNED = 1
    PLANNED = 2


class Source(IntEnum):
    """What precedes at the same instant: the higher one."""

    ACTIVITY = 0
    CHANGE = 1


@dataclass(frozen=True, order=True)
class Position:
    """A place in a timeline. The section of what is planned is ascending, the others are descending."""

    section: Section
    at: datetime.datetime
    source: Source
    number: int

    def encode(self, row: Any, kind: str) -> str:
        value = f"{self.section:d} {self.source:d} {self.at.isoformat()}"
        return Cursor(_ordering(row, kind), False, value, self.number).encode()

    @classmethod
    def decode(cls, text: str, row: Any, kind: str) -> "Position":
        """The position that `encode` wrote for the same timeline; InvalidCursor for any other text."""
        cursor = Cursor.decode(text, _ordering(row, kind))
        section, source, at = cursor.value.split(" ")
        return cls(
            Section(int(section)),
            datetime.datetime.fromisoformat(at),
            Source(int(source)),
            cursor.row_id,
        )


# Before all that is pinned or past: a timeline without what is planned.
AFTER_PLANNED = Position(Section.PINNED, NEVER, Source.CHANGE, BIGGEST_ID)


@dataclass(frozen=True)
class Entry:
    """An activity, or a change with the row that it is about (None if the member may not see it any more)."""

    position: Position
    activity: Any = None
    event: Event | None = None
    change: EventLine | None = None
    about: Any = None

    @property
    def at(self) -> datetime.datetime | None:
        """When it happened, or when it is due."""
        return None if self.position.at == NEVER else self.position.at


@dataclass(frozen=True)
class Page:
    entries: Sequence[Entry]
    # The position after which the next page begins, or None at the end.
    next: Position | None


def read(member: Member, row: Any, *, kind: str = "", after: Position | None = None, size: int = 50) -> Page:
    """A page of the timeline of a row that the member may see; `kind` narrows it to one of KINDS.

    The number of queries depends neither on the number of entries nor on that of deals and people.
    """
    if kind and kind not in KINDS:
        raise ValueError(kind)
    found = list(islice(_distinct(_merged(member, row, kind, after, size + 1)), size + 1))
    entries = _worded(member, found[:size])
    return Page(entries, entries[-1].position if len(found) > size else None)


def _merged(member: Member, row: Any, kind: str, after: Position | None, count: int) -> Iterator[Entry]:
    """The entries of all sources in order, of each at most `count`."""
    streams = [] if kind == "change" else _activities(member, row, kind)
    if after is None or after.section == Section.PLANNED:
        yield from heapq.merge(
            *(_planned(rows, after, count) for rows in streams), key=attrgetter("position")
        )
        after = None
    past = [_done(rows, after, count) for rows in streams]
    if kind in ("", "change"):
        past += [_changes(events, after, count) for events in _events(member, row)]
    yield from heapq.merge(*past, key=attrgetter("position"), reverse=True)


def _distinct(entries: Iterator[Entry]) -> Iterator[Entry]:
    """Without repetitions: an activity may be both of a deal and of its contact."""
    last = None
    for entry in entries:
        if entry.position != last:
            yield entry
        last = entry.position


def _activities(member: Member, row: Any, kind: str) -> list[Any]:
    """Two querysets for a contact, since PostgreSQL cannot use two indexes for one condition with OR."""
    rows = Activity.objects.visible_to(member).for_lines()
    if kind:
        rows = rows.filter(type="note") if kind == "note" else rows.exclude(type="note")
    if not isinstance(row, Contact):
        return [rows.filter(deal=row.pk)]
    people = people_of(row.organization_id, row.pk)
    deals = Deal.objects.of(row.organization_id).filter(with_any_contact(row.organization_id, people))
    return [rows.filter(contact__in=people), rows.filter(deal__in=deals.order_by().values("pk"))]


def _events(member: Member, row: Any) -> list[Any]:
    """The events of the row itself, of the people of a company, and of the visible deals of a contact."""
    events = Event.objects.of(row.organization_id).with_actor()
    if not isinstance(row, Contact):
        return [events.filter(kind=row.row_kind, row_id=row.pk)]
    people = people_of(row.organization_id, row.pk)
    deals = Deal.objects.visible_to(member).filter(with_any_contact(row.organization_id, people))
    # The contact itself may be in the trash, its people are not.
    of_contacts = Q(row_id=row.pk) | Q(row_id__in=people)
    return [
        events.filter(of_contacts, kind=Contact.row_kind),
        events.filter(kind=Deal.row_kind, row_id__in=deals.order_by().values("pk")),
    ]


def _planned(rows: Any, after: Position | None, count: int) -> list[Entry]:
    rows = rows.open()
    if after is not None and after.at == NEVER:
        rows = rows.filter(deadline=None, pk__gt=after.number)
    elif after is not None:
        later = Q(deadline__gt=after.at) | Q(deadline=after.at, pk__gt=after.number)
        rows = rows.filter(later | Q(deadline=None))
    ordered = rows.order_by(*PLANNED_ORDER)[:count]
    return [
        Entry(Position(Section.PLANNED, row.deadline or NEVER, Source.ACTIVITY, row.pk), activity=row)
        for row in ordered
    ]


def _done(rows: Any, after: Position | None, count: int) -> list[Entry]:
    rows = rows.done()
    if after is not None:
        behind = _behind(after, "done_at", Source.ACTIVITY, "pk")
        if after.section == Section.PINNED:
            rows = rows.filter(Q(behind, is_pinned=True) | Q(is_pinned=False))
        else:
            rows = rows.filter(behind, is_pinned=False)
    return [
        Entry(
            Position(Section(int(row.is_pinned)), row.done_at, Source.ACTIVITY, row.pk),
            activity=row,
        )
        for row in rows.order_by("-is_pinned", "-done_at", "-pk")[:count]
    ]


def _changes(events: Any, after: Position | None, count: int) -> list[Entry]:
    if after is not None and after.section == Section.PAST:
        events = events.filter(_behind(after, "at", Source.CHANGE, "sequence"))
    return [
        Entry(Position(Section.PAST, event.at, Source.CHANGE, event.sequence), event=event)
        for event in events.order_by("-at", "-sequence")[:count]
    ]


def _behind(after: Position, time: str, source: Source, number: str) -> Q:
    """The rows of a source that follow the position."""
    tied = Q(**{f"{time}__lt": after.at})
    if source < after.source:
        return tied | Q(**{time: after.at})
    return tied | Q(**{time: after.at, f"{number}__lt": after.number}) if source == after.source else tied


def _worded(member: Member, entries: Sequence[Entry]) -> list[Entry]:
    """The entries with their changes in words, and the rows that these are about."""
    events = [entry.event for entry in entries if entry.event is not None]
    changes = {line.event.pk: line for line in lines(events, member)}
    rows = rows_of(events, member)
    worded = []
    for entry in entries:
        if (event := entry.event) is not None:
            about = rows.get((event.kind, event.row_id))
            entry = replace(entry, change=changes[event.pk], about=about)
        worded.append(entry)
    return worded


def _ordering(row: Any, kind: str) -> str:
    return f"timeline {row.uuid} {kind}"
