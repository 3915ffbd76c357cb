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
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, pgettext, pgettext_lazy

from crm_project.accounts.models import Member
from crm_project.journal.models import Event
from crm_project.journal.presenting import EMPTY, HIDDEN, Change, PresentedEvent, present
from crm_project.records.kinds import kinds

ACTIONS = {
    "created": pgettext_lazy("history", "Created"),
    "trashed": pgettext_lazy("history", "Moved to the trash"),
    "restored": pgettext_lazy("history", "Restored from the trash"),
    "redacted": pgettext_lazy("history", "Personal data erased"),
    "purged": pgettext_lazy("history", "Removed from the trash for good"),
}
SYSTEM = gettext_lazy("The system")
# Fields whose name in the API is none of a column, for the catalogues.
NAMES = (
    gettext_noop("external references"),
    gettext_noop("further emails"),
    gettext_noop("further phones"),
    gettext_noop("is shared"),
    gettext_noop("ordering"),
    gettext_noop("participants"),
    gettext_noop("project"),
)
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
    return event.actor.full_name if event.actor else str(SYSTEM)


def sentence(presented: PresentedEvent) -> str:
    """What an event has changed."""
    opening = str(ACTIONS.get(presented.event.action, ""))
    if opening and presented.event.action != "restored":
        return _undone(presented, opening)
    kind = kinds[presented.event.kind]
    clauses, covered = kind.clauses(presented) if kind.clauses else ([], set())
    clauses = [*([opening] if opening else []), *clauses]
    clauses += [_clause(change) for change in presented.changes if change.field not in covered]
    return _undone(presented, "; ".join(clauses) or pgettext("history", "Changed"))


def _undone(presented: PresentedEvent, text: str) -> str:
    return _("Undid a change: %(text)s") % {"text": text} if presented.event.undoes else text


def _clause(change: Change) -> str:
    name = name_of(change.field)
    if isinstance(change.before, list) or isinstance(change.after, list):
        return _list_clause(name, change.before or [], change.after or [])
    if isinstance(change.before, bool) or isinstance(change.after, bool):
        return (_("%(field)s: yes") if change.after else _("%(field)s: no")) % {"field": name}
    before, after = (
        words(value, unit) for value, unit in zip((change.before, change.after), change.units, strict=True)
    )
    if change.after in EMPTY and change.after != 0:
        return _("%(field)s removed") % {"field": name}
    if max(len(before), len(after)) > LONG:
        return _("%(field)s changed") % {"field": name}
    if change.before in EMPTY and change.before != 0:
        return _("%(field)s set to %(value)s") % {"field": name, "value": after}
    return f"{name} {before} → {after}"


def name_of(field: str) -> str:
    """The name of a field, as the translations have that of its column; a custom field has the key of its own."""
    name = field.removeprefix("custom_fields.").removesuffix("_id").replace("_", " ")
    text = name if field.startswith("custom_fields.") else _(name)
    return text[:1].upper() + text[1:]


def _list_clause(name: str, before: list[Any], after: list[Any]) -> str:
    added = [words(value) for value in after if value not in before]
    removed = [words(value) for value in before if value not in after]
    parts = []
    if added:
        parts.append(_("%(field)s: added %(values)s") % {"field": name, "values": ", ".join(added)})
    if removed:
        parts.append(_("%(field)s: removed %(values)s") % {"field": name, "values": ", ".join(removed)})
    return "; ".join(parts) or _("%(field)s: other order") % {"field": name}


def words(value: Any, unit: str = "") -> str:
    """The text of a value: a row by its name, an external reference by its system and id, days as people write them."""
    if value == HIDDEN:
        return _("something hidden")
    if isinstance(value, dict) and "system" in value:
        return f"{value['system']} {value['external_id']}"
    if isinstance(value, dict):
        return str(value.get("name") or value.get("full_name") or value.get("uuid") or _("something"))
    if value in (None, ""):
        return pgettext("value", "nothing")
    return f"{Decimal(value):,} {unit}" if unit else _written(str(value))


def _written(text: str) -> str:
    try:
        if DAY.fullmatch(text):
            return formats.date_format(datetime.date.fromisoformat(text), "DATE_FORMAT")
        if INSTANT.fullmatch(text):
            at = datetime.datetime.fromisoformat(text)
            return formats.date_format(timezone.localtime(at), "DATETIME_FORMAT")
    except (ValueError, OverflowError):
        pass  # A text of a member that only looks like one.
    return text
