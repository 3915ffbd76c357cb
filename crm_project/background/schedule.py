"""The schedule: tasks at an interval or at a time of the day, each occurrence enqueued once by whichever process.

The next time of an entry is a row. Enqueuing moves it on in the same transaction, so that a second process, or a clock
that is set back, finds it in the future. What was missed while no worker ran is made up for once.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from crm_project.background.api import Task
from crm_project.background.models import Schedule
from crm_project.write_queue import write_transaction


class Rhythm(Protocol):
    @property
    def longest(self) -> datetime.timedelta:
        """The longest time until the next occurrence: one that is farther away was set by a clock that was wrong."""

    def following(self, now: datetime.datetime) -> datetime.datetime:
        """The first occurrence after `now`."""


@dataclass(frozen=True)
class Every:
    interval: datetime.timedelta

    @property
    def longest(self) -> datetime.timedelta:
        return self.interval

    def following(self, now: datetime.datetime) -> datetime.datetime:
        return now + self.interval

    def __str__(self) -> str:
        return f"every {self.interval}"


@dataclass(frozen=True)
class Daily:
    """At a time of the day in UTC."""

    at: datetime.time

    @property
    def longest(self) -> datetime.timedelta:
        """A clock that was hours ahead has set tomorrow's time: that stays, or today's would come twice."""
        return datetime.timedelta(days=2)

    def following(self, now: datetime.datetime) -> datetime.datetime:
        today = datetime.datetime.combine(now.date(), self.at, now.tzinfo)
        return today if today > now else today + datetime.timedelta(days=1)

    def __str__(self) -> str:
        return f"daily at {self.at:%H:%M} UTC"


@dataclass(frozen=True)
class Entry:
    task: Task[..., Any]
    rhythm: Rhythm


_entries: dict[str, Entry] = {}


def register(name: str, task: Task[..., Any], rhythm: Rhythm) -> None:
    """Schedule a task without arguments; for `AppConfig.ready`. The name is that of the row."""
    _entries[name] = Entry(task, rhythm)


def entries() -> Mapping[str, Entry]:
    return _entries


def enqueue_due(now: datetime.datetime) -> list[str]:
    """Enqueue what is due, each with its next time in one transaction; returns the names. Else only reads."""
    times = dict(Schedule.objects.values_list("name", "next_at"))
    enqueued = []
    for name, entry in _entries.items():
        planned = times.get(name)
        if planned is None:
            _begin(name, entry, now)
        elif planned <= now:
            enqueued += [name] if _enqueue(name, entry, planned, now) else []
        elif planned - now > entry.rhythm.longest:
            _move(name, planned, next_at=entry.rhythm.following(now))
    return enqueued


def _begin(name: str, entry: Entry, now: datetime.datetime) -> None:
    with write_transaction():
        row = Schedule(name=name, next_at=entry.rhythm.following(now))
        Schedule.objects.bulk_create([row], ignore_conflicts=True)


def _enqueue(name: str, entry: Entry, planned: datetime.datetime, now: datetime.datetime) -> bool:
    with write_transaction():
        is_mine = _move(name, planned, next_at=entry.rhythm.following(now), last_at=now)
        if is_mine:
            entry.task.enqueue()
    return is_mine


def _move(name: str, planned: datetime.datetime, **columns: Any) -> bool:
    """Change the row, unless another process has done so since it was read."""
    with write_transaction():
        return bool(Schedule.objects.filter(name=name, next_at=planned).update(**columns))
