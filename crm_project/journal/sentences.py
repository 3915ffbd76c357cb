"""Events as sentences for a timeline: "moved it from New to Won", "changed the amount from 100.00 EUR to 200.00 EUR".

`lines(Event.objects.history_of(row).order_by("-sequence")[:50], member)` returns one
`TimelineEntry` per event, with `who`, `at`, `text` and the event; the number of queries is fixed.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from crm_project.accounts.models import Member
from crm_project.journal.models import Event
from crm_project.journal.presenting import EMPTY, HIDDEN, Change, PresentedEvent, present
from crm_project.records.kinds import kinds

ACTIONS = {
    "created": "created it",
    "trashed": "moved it to the trash",
    "restored": "brought it back from the trash",
    "redacted": "erased its personal data",
    "purged": "removed it from the trash for good",
}
SYSTEM = "The system"
LONG = 80


@dataclass(frozen=True)
class TimelineEntry:
    """One line of a timeline. `text` begins with a verb, so that `who` can stand before it in any type."""

    who: str
    at: datetime.datetime
    text: str
    event: Event

    def __str__(self) -> str:
        return f"{self.who} {self.text}"


def lines(events: Iterable[Event], member: Member) -> list[TimelineEntry]:
    """The entries of events in their order, as visible to the member. Use `with_actor()` to avoid a query per event."""
    return [
        TimelineEntry(who(presented.event), presented.event.at, sentence(presented), presented.event)
        for presented in present(events, member)
    ]


def who(event: Event) -> str:
    return event.actor.full_name if event.actor else SYSTEM


def sentence(presented: PresentedEvent) -> str:
    """The rest of a sentence that begins with the actor's name."""
    opening = ACTIONS.get(presented.event.action)
    if opening and presented.event.action != "restored":
        return f"{_undoing(presented)}{opening}"
    kind = kinds[presented.event.kind]
    clauses, covered = kind.clauses(presented) if kind.clauses else ([], set())
    clauses = [*([opening] if opening else []), *clauses]
    clauses += [_clause(change) for change in presented.changes if change.field not in covered]
    return _undoing(presented) + (_joined(clauses) or "changed it")


def _undoing(presented: PresentedEvent) -> str:
    return "undid a change: " if presented.event.undoes else ""


def _joined(clauses: list[str]) -> str:
    return " and ".join([", ".join(clauses[:-1]), clauses[-1]] if len(clauses) > 1 else clauses)


def _clause(change: Change) -> str:
    name = change.field.removeprefix("custom_fields.").removesuffix("_id").replace("_", " ")
    if isinstance(change.before, list) or isinstance(change.after, list):
        return _list_clause(name, change.before or [], change.after or [])
    if isinstance(change.before, bool) or isinstance(change.after, bool):
        return f"set {name} to {'yes' if change.after else 'no'}"
    before, after = (
        words(value, unit) for value, unit in zip((change.before, change.after), change.units, strict=True)
    )
    if change.after in EMPTY and change.after != 0:
        return f"cleared the {name}"
    if max(len(before), len(after)) > LONG:
        return f"changed the {name}"
    if change.before in EMPTY and change.before != 0:
        return f"set the {name} to {after}"
    return f"changed the {name} from {before} to {after}"


def _list_clause(name: str, before: list[Any], after: list[Any]) -> str:
    added = [words(value) for value in after if value not in before]
    removed = [words(value) for value in before if value not in after]
    parts = [f"added {', '.join(added)} to the {name}"] if added else []
    parts += [f"took {', '.join(removed)} off the {name}"] if removed else []
    return " and ".join(parts) or f"reordered the {name}"


def words(value: Any, unit: str = "") -> str:
    """The text of a value: a row by its name, an external reference by its system and id."""
    if value == HIDDEN:
        return "something hidden"
    if isinstance(value, dict) and "system" in value:
        return f"{value['system']} {value['external_id']}"
    if isinstance(value, dict):
        return str(value.get("name") or value.get("full_name") or value.get("uuid") or "something")
    return f"{value} {unit}".strip() if value not in (None, "") else "nothing"
