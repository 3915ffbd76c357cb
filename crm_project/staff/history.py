"""The history of a row on its page, from the journal."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _

from crm_project.accounts.actors import Actor
from crm_project.journal.models import Event
from crm_project.journal.presenting import rows_of
from crm_project.journal.querysets import COUNT_LIMIT
from crm_project.journal.sentences import EventLine, lines
from crm_project.journal.undo import can_undo
from crm_project.records.kinds import kinds
from crm_project.staff.counts import counted_of_all_kinds, counted_rows
from crm_project.staff.inputs import whole_number
from crm_project.staff.panels import Panel
from crm_project.staff.request_actor import actor_of

ENTRIES = 30
# The parameter of the page of older events: the sequence number after its last one.
BEFORE = "history_before"


def history_panel(request: HttpRequest, row: Any) -> Panel | None:
    """The panel of the newest events of a row, or of those before a sequence number, if its kind has a history."""
    actor = actor_of(request)
    kind = kinds.get(getattr(row, "row_kind", ""))
    if actor is None or kind is None or not hasattr(row, "organization_id"):
        return None
    events = Event.objects.history_of(row).with_actor().order_by("-sequence")
    before = whole_number(request.GET.get(BEFORE, ""))
    events = events.filter(sequence__lt=before) if before else events
    entries = lines(events[: ENTRIES + 1], actor.member)
    more, entries = len(entries) > ENTRIES, entries[:ENTRIES]
    may_undo = kind.undoer is not None and actor.may(kind.permission)
    links = undos([entry.event for entry in entries], actor) if may_undo else {}
    return Panel(
        title=_("History"),
        template="admin/history.html",
        context={
            "entries": [
                (entry, part, links.get(entry.event.pk))
                for entry, part in zip(entries, _parts(row, entries, actor), strict=True)
            ],
            "older": f"?{BEFORE}={entries[-1].event.sequence}#history" if more else "",
            "newest": f"{request.path}#history" if before else "",
            "next": request.path,
        },
    )


def undos(events: Sequence[Event], actor: Actor) -> dict[int, str]:
    """The rows that the undo of each event changes, as text ("38 deals"), by the id of the event."""
    newest: dict[UUID, int] = {}
    for event in events:
        newest.setdefault(event.change_set, event.pk)
    reached = {
        event.change_set: event
        for event in Event.objects.filter(pk__in=newest.values()).with_reach(actor.member)
    }
    return {event.pk: _reach(reached[event.change_set]) for event in events if can_undo(event)}


def _reach(event: Any) -> str:
    count = min(event.reach, COUNT_LIMIT)
    is_one_kind = event.kinds_reached == 1
    text = counted_rows(kinds[event.kind].model, count) if is_one_kind else counted_of_all_kinds(count)
    return _("over %(rows)s") % {"rows": text} if event.reach > COUNT_LIMIT else text


def _parts(row: Any, entries: list[EventLine], actor: Actor) -> list[str]:
    """The names of the row's parts that entries are about."""
    events = [entry.event for entry in entries]
    rows = rows_of([event for event in events if event.kind != row.row_kind], actor.member)
    names = {key: f"{_(key[0].replace('_', ' '))} {part}" for key, part in rows.items()}
    return [names.get((event.kind, event.row_id), "") for event in events]
