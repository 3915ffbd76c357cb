"""The organization's feed: every event once, in order, however many write and whatever the reader may not see.

Events are numbered under a lock that their writer keeps until the commit, so that whoever sees a number also sees
all before it. A page says how far it has looked, since events that are hidden from the reader leave gaps.
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

# A reader who may see little, or asks for a rare kind, gets on in steps of this many events.
STRIDE = 10_000


@dataclass(frozen=True)
class FeedPage:
    """Some events; the next page begins after `last`, and there is one already if `more`."""

    events: Sequence[Event]
    last: int
    more: bool


def read(
    member: Member, *, after: int = 0, limit: int = 100, kind: str = "", row: UUID | None = None
) -> FeedPage:
    """What the member may see of the events after a number, all of them or those of one kind or one row."""
    # Asked first: everything up to here is committed and will be seen by the query for the events.
    newest = (
        Counter.objects.filter(organization=member.organization_id).values_list("last", flat=True).first()
        or 0
    )
    if row is None:
        newest = min(newest, after + STRIDE)
    wanted = Event.objects.visible_to(member).filter(sequence__gt=after)
    if row is None:
        wanted = wanted.filter(sequence__lte=after + STRIDE)
    else:
        wanted = _of_row(wanted, member, row)
    if kind:
        wanted = wanted.filter(kind=kind)
    events = list(wanted.for_telling().order_by("sequence")[:limit])
    last = max(after, newest, events[-1].sequence) if events else max(after, newest)
    if len(events) == limit:
        last = events[-1].sequence
    return FeedPage(events, last, more=len(events) == limit or (row is None and last == after + STRIDE))


def _of_row(events: Any, member: Member, row: UUID) -> Any:
    """The events of a row of any kind, found by the index that leads with the kind and the id."""
    arms = [
        kind.rows(member)
        .order_by()
        .filter(uuid=row)
        .values_list(Value(kind.name, output_field=CharField()), F("pk"))
        for kind in kinds.values()
    ]
    found = reduce(lambda one, other: one.union(other, all=True), arms)
    name, row_id = next(iter(found), ("", 0))
    return events.filter(kind=name, row_id=row_id)
