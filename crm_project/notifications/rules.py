"""Rules of notifications: who is notified of an event, when an activity is due, what is on. No query, no clock."""

import datetime
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# The hour, in the organization's zone, at which an activity is due that has a day and no time.
MORNING = datetime.time(7)
# The hour of the digest in the member's zone, unless the member chooses another one.
DIGEST_HOUR = 7
# Hours after which a digest that no worker has sent is left out.
DIGEST_LATEST = 5
CHANNELS = ("bell", "mail")
# The channels of each kind for a member who has not changed them.
DEFAULTS: Mapping[str, Mapping[str, bool]] = {
    "deal_handed": {"bell": True, "mail": True},
    "deal_closed": {"bell": True, "mail": True},
    "deal_changed": {"bell": True, "mail": False},
    "activity_due": {"bell": True, "mail": False},
    "import_finished": {"bell": True, "mail": False},
}
CLOSED = frozenset({"won", "lost", "abandoned"})
# Changes of a deal that are no news to its followers.
QUIET = frozenset({"followers"})


@dataclass(frozen=True)
class Happening:
    """What one member may be notified of."""

    member_id: int
    kind: str
    key: str
    row_kind: str
    row_id: int
    sequence: int | None = None


def switches(changed: Mapping[str, Mapping[str, bool]]) -> dict[str, dict[str, bool]]:
    """All switches of a member, with the stored changes."""
    return {kind: {**channels, **changed.get(kind, {})} for kind, channels in DEFAULTS.items()}


def digest_hours(now: datetime.datetime, zone: datetime.tzinfo) -> range:
    """The chosen hours for which a digest is sent now. The day of the last one is stored, so that an hour which a
    change of clocks repeats sends nothing again; one that it leaves out is caught up with.
    """
    hour = now.astimezone(zone).hour
    return range(max(0, hour - DIGEST_LATEST + 1), hour + 1)


def of_deal_event(event: Any, followers: Collection[int]) -> Iterator[Happening]:
    """The happenings of a deal's creation or update: at most one for each member, and none for the actor."""
    heir = event.changes.get("owner_id", (None, None))[1]
    status = event.changes.get("status", (None, None))[1]
    kinds = {}
    if event.action == "updated" and set(event.changes) - QUIET:
        kinds = dict.fromkeys(followers, "deal_closed" if status in CLOSED else "deal_changed")
    if heir is not None:
        kinds[heir] = "deal_handed"
    for member_id, kind in kinds.items():
        if member_id != event.actor_id:
            yield Happening(
                member_id, kind, f"event:{event.sequence}", "deal", event.row_id, sequence=event.sequence
            )


def due_instant(
    due_at: datetime.datetime | None, due_on: datetime.date | None, zone: datetime.tzinfo
) -> datetime.datetime | None:
    """When an activity is due: its time, or the morning of its day."""
    return due_at if due_on is None else datetime.datetime.combine(due_on, MORNING, zone)


def due_happening(activity: Any) -> Happening:
    """The same for an activity and its due time, whatever has found it."""
    due = activity.due_on or activity.due_at.astimezone(datetime.UTC)
    return Happening(
        activity.owner_id,
        "activity_due",
        f"due:{activity.pk}:{due.isoformat()}",
        "activity",
        activity.pk,
    )


def has_come_due(activity: Any, event: Any, now: datetime.datetime, zone: datetime.tzinfo) -> bool:
    """Whether a change has made an activity due at once, by somebody else, or by the owner for an instant after it."""
    due = due_instant(activity.due_at, activity.due_on, zone)
    if due is None or due > now:
        return False
    return bool(activity.owner_id != event.actor_id or due >= event.at)


def last_morning(now: datetime.datetime, zone: datetime.tzinfo) -> datetime.date:
    """The last day whose morning has come."""
    local = now.astimezone(zone)
    return local.date() if local.time() >= MORNING else local.date() - datetime.timedelta(days=1)
