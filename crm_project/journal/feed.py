"""The organization's feed: every event exactly once, in order, even during concurrent writes.

Events are numbered under a lock that is held until the commit, so that a visible number implies that all lower ones
are visible too. A page has the last number that it examined, since events that are hidden from the reader leave gaps.

A restored backup ends earlier than the database that it replaces, and gives the same numbers to other events. The
operator sets a new epoch after a restore (`manage.py new_epoch`), so that a position of an earlier one is refused.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any
from uuid import UUID

from django.db.models import CharField, F, Value
from django.utils.translation import gettext_noop

from crm_project.accounts.models import Member, Organization
from crm_project.errors import Conflict
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
    epoch: UUID


class PositionUnknown(Conflict):
    """The position belongs to another epoch or lies beyond the end; `epoch` and `last` are those of the feed now."""

    code = "position_unknown"
    template = gettext_noop(
        "The feed has no such position, probably since a backup was restored. Read the rows again, and continue"
        " with %(epoch)s after %(last)s."
    )

    def __init__(self, epoch: UUID, last: int) -> None:
        super().__init__(params={"epoch": epoch, "last": last}, epoch=str(epoch), last=last)


def read(
    member: Member,
    *,
    after: int = 0,
    epoch: UUID | None = None,
    limit: int = 100,
    kinds: Collection[str] = (),
    row: UUID | None = None,
) -> FeedPage:
    """The visible events after a number, all of them or those of some kinds or one row. Raises PositionUnknown."""
    # The counter is read first: every event up to `newest` is committed, hence visible to the query for the events.
    current, newest = end_of(member.organization)
    if after > newest or epoch not in (None, current):
        raise PositionUnknown(current, newest)
    if row is None:
        newest = min(newest, after + STRIDE)
    events = Event.objects.visible_to(member).filter(sequence__gt=after)
    if row is None:
        events = events.filter(sequence__lte=after + STRIDE)
    else:
        events = _of_row(events, member, row)
    if kinds:
        events = events.filter(kind__in=kinds)
    page = list(events.with_actor().order_by("sequence")[:limit])
    last = max(after, newest, page[-1].sequence) if page else max(after, newest)
    if len(page) == limit:
        last = page[-1].sequence
    more = len(page) == limit or (row is None and last == after + STRIDE)
    return FeedPage(page, last, more, current)


def end_of(organization: Organization) -> tuple[UUID, int]:
    """The epoch and the last number of the feed. The first epoch is the organization's uuid."""
    counter = Counter.objects.filter(organization=organization.pk).first()
    if counter is None:
        return organization.uuid, 0
    return counter.epoch or organization.uuid, counter.last


def draw_epochs() -> int:
    """Give every organization's feed a new epoch; returns their number."""
    counters = [
        Counter(organization_id=pk, epoch=uuid.uuid4())
        for pk in Organization.objects.values_list("pk", flat=True)
    ]
    Counter.objects.bulk_create(
        counters, update_conflicts=True, unique_fields=["organization"], update_fields=["epoch"]
    )
    return len(counters)


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
