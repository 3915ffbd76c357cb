"""The organization's feed: every event exactly once, in order, even during concurrent writes.

Events are numbered under a lock that is held until the commit, so that a visible number implies that all lower ones
are visible too. A page has the last number that it examined, since events that are hidden from the reader leave gaps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any
from uuid import UUID

from django.db.models import CharField, F, Value

from crm_project.accounts.models import Member
from crm_project.journal.models import Counter, Event
from crm_project.records.kinds import kinds

# The most events that one page examines, for readers who may see few of them.
STRIDE = 10_000


@dataclass(frozen=True)
class FeedPage:
    """A page of events. The next page begins after `last`; `more` if there may be one now."""

    events: Sequence[Event]
    last: int
    more: bool


def read(
    member: Member, *, after: int = 0, limit: int = 100, kind: str = "", row: UUID | None = None
) -> FeedPage:
    """The events after a number that the member may see, optionally those of one kind or one row."""
    # Queried first: everything up to here is committed and visible to the query for the events.
    newest = (
        Counter.objects.filter(organization=member.organization_id).values_list("last", flat=True).first()
        or 0
    )
    if row is None:
        newest = min(newest, after + STRIDE)
    events = Event.objects.visible_to(member).filter(sequence__gt=after)
    if row is None:
        events = events.filter(sequence__lte=after + STRIDE)
    else:
        events = _of_row(events, member, row)
    if kind:
        events = events.filter(kind=kind)
    page = list(events.with_actor().order_by("sequence")[:limit])
    last = max(after, newest, page[-1].sequence) if page else max(after, newest)
    if len(page) == limit:
        last = page[-1].sequence
    return FeedPage(page, last, more=len(page) == limit or (row is None and last == after + STRIDE))


def _of_row(events: Any, member: Member, row: UUID) -> Any:
    """The events of a row of any kind, by the index of kind and id."""
    arms = [
        kind.rows(member)
        .order_by()
        .filter(uuid=row)
        .values_list(Value(kind.name, output_field=CharField()), F("pk"))
        for kind in kinds.values()
    ]
    rows = reduce(lambda one, other: one.union(other, all=True), arms)
    name, row_id = next(iter(rows), ("", 0))
    return events.filter(kind=name, row_id=row_id)
