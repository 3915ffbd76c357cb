"""A row's timeline on its page, told from the journal, and the button that takes a change back."""

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
from crm_project.journal.undo import HasUndoOfItsOwn, undo
from crm_project.records.kinds import kinds
from crm_project.staff.actions import refusal_of
from crm_project.staff.panels import Panel
from crm_project.staff.request_actor import actor_of

SHOWN = 30


def timeline(request: HttpRequest, row: Any) -> Panel | None:
    """The newest events of a row whose history the journal can tell."""
    actor = actor_of(request)
    kind = kinds.get(getattr(row, "row_kind", ""))
    if actor is None or kind is None or not hasattr(row, "organization_id"):
        return None
    events = Event.objects.history_of(row).for_telling().order_by("-sequence")
    told = lines(events[: SHOWN + 1], actor.member)
    return Panel(
        title="History",
        template="admin/timeline.html",
        context={
            "lines": list(zip(told[:SHOWN], _parts(row, told[:SHOWN], actor), strict=True)),
            "more": len(told) > SHOWN,
            "may_undo": kind.undoer is not None and actor.may(kind.permission),
            "here": request.path,
        },
    )


def _parts(row: Any, told: list[TimelineEntry], actor: Actor) -> list[str]:
    """What a line is about, where it is a part of the row: one look-up for each kind of part."""
    wanted: dict[str, set[int]] = {}
    for line in told:
        if line.event.kind != row.row_kind:
            wanted.setdefault(line.event.kind, set()).add(line.event.row_id)
    names = {
        (name, part.pk): f"{name.replace('_', ' ')} {part}"
        for name, ids in wanted.items()
        for part in kinds[name].rows(actor.member).filter(pk__in=ids)
    }
    return [names.get((line.event.kind, line.event.row_id), "") for line in told]


def undo_view(request: HttpRequest, sequence: int) -> HttpResponse:
    """Take back the change set of one event; whatever forbids it is told, and nothing is changed."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    actor = actor_of(request)
    if actor is not None:
        try:
            undo(actor=actor, sequence=sequence)
        except HasUndoOfItsOwn as error:
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
            told = " ".join(wrong.detail for wrong in refusal.fields)
            messages.error(request, f"Nothing was undone. {refusal.detail} {told}".strip())
        else:
            messages.success(request, "Undone. That, too, can be undone.")
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
    return HttpResponseRedirect(back if safe else reverse("admin:index"))
