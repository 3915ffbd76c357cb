"""Events in a salesperson's words: "Moved from New to Offer", "Amount 100.00 EUR → 200.00 EUR", "Lost: Price".

`lines(Event.objects.history_of(row).order_by("-sequence")[:50], member)` returns one
`EventLine` per event, with `who`, `at`, `text` and the event; the number of queries is fixed.
"""

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import formats, timezone

from crm_project.accounts.models import Member
from crm_project.journal.models import Event
from crm_project.journal.presenting import EMPTY, HIDDEN, Change, PresentedEvent, present
from crm_project.records.kinds import kinds

ACTIONS = {
    "created": "Created",
    "trashed": "Moved to the trash",
    "restored": "Restored from the trash",
    "redacted": "Personal data erased",
    "purged": "Removed from the trash for good",
}
SYSTEM = "The system"
LONG = 80
DAY = re.compile(r"\d{4}-\d\d-\d\d")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@dataclass(frozen=True)
class EventLine:
    """One line of a timeline: what has changed, by whom and when."""

    who: str
    at: datetime.datetime
    text: str
    presented: PresentedEvent

    @property
    def event(self) -> Event:
        return self.presented.event

    def __str__(self) -> str:
        return f"{self.who}: {self.text}"


def lines(events: Iterable[Event], member: Member) -> list[EventLine]:
    """The entries of events in their order, as visible to the member. Use `with_actor()` to avoid a query per event."""
    return [
        EventLine(who(presented.event), presented.event.at, sentence(presented), presented)
        for presented in present(events, member)
    ]


def who(event: Event) -> str:
    return event.actor.full_name if event.actor else SYSTEM


def sentence(presented: PresentedEvent) -> str:
    """What an event has changed."""
    opening = ACTIONS.get(presented.event.action)
    if opening and presented.event.action != "restored":
        return f"{_undoing(presented)}{opening}"
    kind = kinds[presented.event.kind]
    clauses, covered = kind.clauses(presented) if kind.clauses else ([], set())
    clauses = [*([opening] if opening else []), *clauses]
    clauses += [_clause(change) for change in presented.changes if change.field not in covered]
    return _undoing(presented) + ("; ".join(clauses) or "Changed")


def _undoing(presented: PresentedEvent) -> str:
    return "Undid a change: " if presented.event.undoes else ""


def _clause(change: Change) -> str:
    name = change.field.removeprefix("custom_fields.").removesuffix("_id").replace("_", " ")
    name = name[:1].upper() + name[1:]
    if isinstance(change.before, list) or isinstance(change.after, list):
        return _list_clause(name, change.before or [], change.after or [])
    if isinstance(change.before, bool) or isinstance(change.after, bool):
        return f"{name}: {'yes' if change.after else 'no'}"
    before, after = (
        words(value, unit) for value, unit in zip((change.before, change.after), change.units, strict=True)
    )
    if change.after in EMPTY and change.after != 0:
        return f"{name} removed"
    if max(len(before), len(after)) > LONG:
        return f"{name} changed"
    if change.before in EMPTY and change.before != 0:
        return f"{name} set to {after}"
    return f"{name} {before} → {after}"


def _list_clause(name: str, before: list[Any], after: list[Any]) -> str:
    added = [words(value) for value in after if value not in before]
    removed = [words(value) for value in before if value not in after]
    parts = [f"{name}: added {', '.join(added)}"] if added else []
    parts += [f"{name}: removed {', '.join(removed)}"] if removed else []
    return "; ".join(parts) or f"{name}: other order"


def words(value: Any, unit: str = "") -> str:
    """The text of a value: a row by its name, an external reference by its system and id, days as people write them."""
    if value == HIDDEN:
        return "something hidden"
    if isinstance(value, dict) and "system" in value:
        return f"{value['system']} {value['external_id']}"
    if isinstance(value, dict):
        return str(value.get("name") or value.get("full_name") or value.get("uuid") or "something")
    if value in (None, ""):
        return "nothing"
    return f"{Decimal(value):,} {unit}" if unit else _written(str(value))


def _written(text: str) -> str:
    try:
        if DAY.fullmatch(text):
            return formats.date_format(datetime.date.fromisoformat(text), "j M Y")
        if INSTANT.fullmatch(text):
            at = datetime.datetime.fromisoformat(text)
            return formats.date_format(timezone.localtime(at), "j M Y H:i")
    except (ValueError, OverflowError):
        pass  # A text of a member that only looks like one.
    return text
