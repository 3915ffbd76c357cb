"""The timeline of a deal or a contact on its page: what is pinned and what has happened, by years, page by page."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from crm_project.accounts.actors import Actor
from crm_project.activities import timeline
from crm_project.activities.admin.display import entry as activity_line
from crm_project.activities.timeline import AFTER_PLANNED, Entry, Position, Section
from crm_project.journal.event_types import types_of
from crm_project.records.kinds import kinds
from crm_project.records.paging import InvalidCursor
from crm_project.staff import display
from crm_project.staff.history import undos

SHOWN = 30
# The parameters of the page: what is shown, and after which entry.
KIND, AFTER = "timeline", "timeline_after"
CHOICES = {
    "": pgettext_lazy("timeline", "All"),
    "activity": gettext_lazy("Activities"),
    "note": gettext_lazy("Notes"),
    "change": gettext_lazy("Changes"),
}
# By the meaning of the event.
ICONS = {
    "won": "emoji_events",
    "lost": "cancel",
    "abandoned": "block",
    "reopened": "restart_alt",
    "moved": "arrow_forward",
    "created": "add",
    "deleted": "delete",
    "restored": "restore_from_trash",
    "redacted": "person_off",
}


def timeline_context(request: HttpRequest, actor: Actor, row: Any) -> dict[str, Any]:
    """The page that the address of the request asks for; a wrong parameter asks for the first one."""
    kind = request.GET.get(KIND, "")
    kind = kind if kind in CHOICES else ""
    after = _position(request.GET.get(AFTER, ""), row, kind)
    page = timeline.read(actor.member, row, kind=kind, after=after or AFTER_PLANNED, size=SHOWN)
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    about = f"{row.row_kind}:{row.pk}"
    older = page.next.encode(row, kind) if page.next else ""
    return {
        "choices": [
            {"label": label, "is_chosen": name == kind, **_links(url, about, name)}
            for name, label in CHOICES.items()
        ],
        "groups": _groups(page.entries, _lines(actor, row, page.entries)),
        "older": _links(url, about, kind, older) if older else None,
        "newest": _links(url, about, kind) if after else None,
        "next": url,
        "is_narrowed": bool(kind),
    }


def _position(text: str, row: Any, kind: str) -> Position | None:
    try:
        return Position.decode(text, row, kind) if text else None
    except InvalidCursor:
        return None


def _links(url: str, about: str, kind: str, after: str = "") -> dict[str, str]:
    """The address of the page, and that of the timeline alone."""
    query = {name: value for name, value in ((KIND, kind), (AFTER, after)) if value}
    own = reverse("admin:activities_activity_timeline")
    return {
        "url": f"{url}{'?' if query else ''}{urlencode(query)}#timeline",
        "fragment": f"{own}?{urlencode({'about': about, **query})}",
    }


def _groups(entries: Sequence[Entry], lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines below their headings: what is pinned, then the years."""
    pairs = groupby(zip(entries, lines, strict=True), key=lambda pair: _heading(pair[0]))
    return [{"heading": heading, "lines": [line for _entry, line in found]} for heading, found in pairs]


def _heading(entry: Entry) -> str:
    if entry.position.section == Section.PINNED:
        return _("Pinned")
    return str(timezone.localtime(entry.position.at).year)


def _lines(actor: Actor, row: Any, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    events = [entry.event for entry in entries if entry.event is not None]
    may_undo = {name: kinds[name].undoer is not None and actor.may(kinds[name].permission) for name in kinds}
    links = undos([event for event in events if may_undo[event.kind]], actor)
    return [
        activity_line(entry.activity, about=row)
        if entry.activity is not None
        else _change_line(row, entry, links)
        for entry in entries
    ]


def _change_line(row: Any, entry: Entry, links: dict[int, str]) -> dict[str, Any]:
    event: Any = entry.event
    meanings = [name.partition(".")[2] for name in types_of(event)]
    return {
        "change": entry.change,
        "event": event,
        "icon": next((ICONS[name] for name in meanings if name in ICONS), "edit_note"),
        "tone": next((tone for name, tone in (("won", "good"), ("lost", "bad")) if name in meanings), ""),
        "parent": "" if entry.about is None or entry.about == row else display.link(entry.about),
        "at": display.instant(event.at),
        "undo": links.get(event.pk, ""),
    }
