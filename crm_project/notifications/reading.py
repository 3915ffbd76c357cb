"""Read the journal and the clock for notifications, from the position of each organization on.

A write does nothing for notifications. Any number of processes read: see `NotificationPosition`.
"""

import datetime
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.db import DatabaseError
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone

from crm_project.accounts.models import Organization
from crm_project.activities.models import Activity
from crm_project.journal.feed import STRIDE, end_of
from crm_project.journal.models import Counter, Event
from crm_project.notifications.models import NotificationPosition
from crm_project.notifications.rules import (
    Happening,
    due_happening,
    has_come_due,
    last_morning,
    of_deal_event,
)
from crm_project.notifications.storing import store, wanted
from crm_project.records.days import end_of as end_of_day
from crm_project.write_queue import write_transaction
from deals.models import DealFollower

log = logging.getLogger(__name__)
# Events of one transaction.
PAGE = 200
# Organizations of one call.
AT_ONCE = 20
# The position in time is stored at least so often, although nothing is due.
LAG = datetime.timedelta(hours=1)
DUE_COLUMNS = frozenset({"due_at", "due_on", "owner_id", "done_at"})


def read_feeds() -> bool:
    """Read on in the feeds with new events; whether there may be more. Called every second, and only reads then."""
    place = NotificationPosition.objects.filter(organization=OuterRef("organization"))
    counters = Counter.objects.annotate(read=Subquery(place.values("sequence")[:1]))
    behind = counters.filter(Q(read=None) | Q(read__lt=F("last"))).order_by("organization")
    return any(of_each(read_on, Organization.objects.filter(pk__in=behind.values("organization")[:AT_ONCE])))


def of_each(act: Callable[[Organization], Any], organizations: Iterable[Organization]) -> list[Any]:
    """The results for the organizations; one with an error is logged and does not keep the others waiting."""
    results = []
    for organization in organizations:
        try:
            results.append(act(organization))
        except DatabaseError:
            raise
        except Exception:
            log.exception("notifications failed", extra={"fields": {"organization": str(organization.uuid)}})
    return results


def read_on(organization: Organization) -> bool:
    """Store the notifications of the next events, and move the position on; whether there may be more of them."""
    position = _position(organization)
    # The counter is read first: every event up to its number is committed.
    newest = end_of(organization)[1]
    end = min(newest, position.sequence + STRIDE)
    events = Event.objects.of(organization.pk).filter(
        sequence__gt=position.sequence,
        sequence__lte=end,
        kind__in=["deal", "activity"],
        action__in=["created", "updated"],
        # The end of an import notifies the member who started it. Its rows notify nobody.
        import_uuid=None,
    )
    page = list(events.order_by("sequence")[:PAGE])
    last = page[-1].sequence if len(page) == PAGE else end
    _store(position, _of_events(organization, page), sequence=last)
    return last < newest


def read_clock(organization: Organization, now: datetime.datetime) -> int:
    """Store the notifications of the activities that have become due; returns their number."""
    position, zone = _position(organization), ZoneInfo(organization.time_zone)
    day = last_morning(now, zone)
    open_ones = Activity.objects.of(organization.pk).live().open().filter(owner__isnull=False)
    # `deadline` is the column with an index: that instant, or the end of that day.
    at_instants = open_ones.filter(due_on=None, deadline__gt=position.due_until, deadline__lte=now)
    on_days = open_ones.filter(
        due_on__gt=position.due_day,
        due_on__lte=day,
        deadline__gt=end_of_day(position.due_day, zone),
        deadline__lte=end_of_day(day, zone),
    )
    due = [*at_instants, *(on_days if day > position.due_day else [])]
    if not due and day <= position.due_day and now - position.due_until < LAG:
        return 0
    return _store(
        position,
        map(due_happening, due),
        due_until=max(now, position.due_until),
        due_day=max(day, position.due_day),
    )


def skip_to_end(organization: Organization) -> None:
    """Notify of nothing that has happened so far."""
    with write_transaction():
        position = _position(organization)
        NotificationPosition.objects.filter(pk=position.pk).update(sequence=end_of(organization)[1])


def begin(organization: Organization) -> None:
    """The position of a new organization: its first event is read, too."""
    NotificationPosition.objects.create(organization=organization, due_day=_today(organization))


def _position(organization: Organization) -> NotificationPosition:
    """Of an organization that is older than its notifications, the present end."""
    position = NotificationPosition.objects.filter(pk=organization.pk).first()
    if position is None:
        with write_transaction():
            position, _ = NotificationPosition.objects.get_or_create(
                organization=organization,
                defaults={"sequence": end_of(organization)[1], "due_day": _today(organization)},
            )
    return position


def _today(organization: Organization) -> datetime.date:
    return last_morning(timezone.now(), ZoneInfo(organization.time_zone))


def _store(position: NotificationPosition, happenings: Iterable[Happening], **columns: Any) -> int:
    """Store the notifications unless another process has moved the position since it was read."""
    found = wanted(happenings)
    before = {name: getattr(position, name) for name in columns}
    with write_transaction():
        mine = NotificationPosition.objects.filter(pk=position.pk, **before)
        return store(found) if mine.update(**columns) else 0


def _of_events(organization: Organization, events: Sequence[Event]) -> Iterator[Happening]:
    of_deals = [event for event in events if event.kind == "deal"]
    followers: dict[int, list[int]] = defaultdict(list)
    links = DealFollower.objects.filter(
        deal__in={event.row_id for event in of_deals if event.action == "updated"}
    )
    for deal_id, member_id in links.values_list("deal", "member") if of_deals else ():
        followers[deal_id].append(member_id)
    for event in of_deals:
        yield from of_deal_event(event, followers[event.row_id])
    yield from _come_due(organization, [event for event in events if event.kind == "activity"])


def _come_due(organization: Organization, events: Sequence[Event]) -> Iterator[Happening]:
    """The activities that were due already when they got their owner or their time: the clock does not find them."""
    now, zone = timezone.now(), ZoneInfo(organization.time_zone)
    given = {event.row_id: event for event in events if DUE_COLUMNS & set(event.changes)}
    activities = Activity.objects.of(organization.pk).live().open().filter(owner__isnull=False)
    for activity in activities.filter(pk__in=given) if given else ():
        if has_come_due(activity, given[activity.pk], now, zone):
            yield due_happening(activity)
