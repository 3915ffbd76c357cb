"""The history of a row on its page, from the journal, and the undo of a change."""

from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme

from crm_project.accounts.actors import Actor
from crm_project.errors import DomainError
from crm_project.journal.models import Event
from crm_project.journal.sentences import TimelineEntry, lines
from crm_project.journal.undo import UndoneElsewhere, undo
from crm_project.records.kinds import kinds
from crm_project.staff.actions import refusal_of
from crm_project.staff.panels import Panel
from crm_project.staff.request_actor import actor_of

ENTRIES = 30


def timeline(request: HttpRequest, row: Any) -> Panel | None:
    """The panel of the newest events of a row, if the journal has a history of its kind."""
    actor = actor_of(request)
    kind = kinds.get(getattr(row, "row_kind", ""))
    if actor is None or kind is None or not hasattr(row, "organization_id"):
        return None
    events = Event.objects.history_of(row).with_actor().order_by("-sequence")
    entries = lines(events[: ENTRIES + 1], actor.member)
    return Panel(
        title="History",
        template="admin/timeline.html",
        context={
            "entries": list(zip(entries[:ENTRIES], _parts(row, entries[:ENTRIES], actor), strict=True)),
            "more": len(entries) > ENTRIES,
            "may_undo": kind.undoer is not None and actor.may(kind.permission),
            "next": request.path,
        },
    )


def _parts(row: Any, entries: list[TimelineEntry], actor: Actor) -> list[str]:
    """The names of the row's parts that entries are about, with one query for each kind of part."""
    ids_by_kind: dict[str, set[int]] = {}
    for entry in entries:
        if entry.event.kind != row.row_kind:
            ids_by_kind.setdefault(entry.event.kind, set()).add(entry.event.row_id)
    names = {
        (name, part.pk): f"{name.replace('_', ' ')} {part}"
        for name, ids in ids_by_kind.items()
        for part in kinds[name].rows(actor.member).filter(pk__in=ids)
    }
    return [names.get((entry.event.kind, entry.event.row_id), "") for entry in entries]


def undo_view(request: HttpRequest, sequence: int) -> HttpResponse:
    """Undo the change set of an event. A refusal is a message, and changes nothing."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    actor = actor_of(request)
    if actor is not None:
        try:
            undo(actor=actor, sequence=sequence)
        except UndoneElsewhere as error:
            link = reverse(
                f"admin:{error.row._meta.label_lower.replace('.', '_')}_change", args=[error.row.pk]
            )
            messages.warning(
                request,
                format_html(
                    '{} <a class="crm-link" href="{}">Undo it on its own page</a>.', error.detail, link
                ),
            )
        except (DomainError, IntegrityError) as error:
            refusal = refusal_of(error)
            details = " ".join(wrong.detail for wrong in refusal.fields)
            messages.error(request, f"Nothing was undone. {refusal.detail} {details}".strip())
        else:
            messages.success(request, "Undone. You can undo this as well.")
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
    return HttpResponseRedirect(back if safe else reverse("admin:index"))
