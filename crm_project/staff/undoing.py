"""The undo of a change from the history of a row: an action on all rows of the change set."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_project.accounts.actors import Actor
from crm_project.errors import DomainError, Forbidden, NotFound
from crm_project.journal.hooks import hooks
from crm_project.journal.models import Event
from crm_project.journal.net_changes import moves_hidden
from crm_project.journal.querysets import EventQuerySet
from crm_project.journal.sentences import lines
from crm_project.journal.undo import UndoneElsewhere, can_undo, undo
from crm_project.records.kinds import kinds
from crm_project.staff.actions import AdminAction, Reach, action_page, next_url
from crm_project.staff.request_actor import actor_of

# Rows that the page names. The undo changes all of them.
NAMED = 2_000


class Undo(AdminAction):
    name = "undo"
    label = gettext_lazy("Undo")
    icon = "undo"
    undo_label = gettext_lazy("Redo")
    is_on_all = True

    def __init__(self, event: Event, sentence: str, reach: Reach) -> None:
        self._event = event
        self._sentence = sentence
        self._reach = reach

    def note(self, actor: Actor, rows: Sequence[Any]) -> str:
        at = formats.date_format(timezone.localtime(self._event.at), "DATETIME_FORMAT")
        text = _("%(at)s, %(sentence)s. The undo restores the values before that change.")
        return text % {"at": at, "sentence": self._sentence}

    def result(self, given: Mapping[str, Any]) -> str:
        return _("change undone (%(sentence)s)") % {"sentence": self._sentence}

    def reach(self, actor: Actor, rows: Sequence[Any]) -> Reach:
        return self._reach

    def run(self, actor: Actor, rows: Sequence[Any], given: Mapping[str, Any]) -> None:
        undo(actor=actor, sequence=self._event.sequence)


def undo_view(site: Any, request: HttpRequest, sequence: int) -> HttpResponse:
    """The page of the undo of an event's change set. Invisible rows are a refusal without their number."""
    actor = actor_of(request)
    if actor is None:
        raise PermissionDenied
    try:
        event = Event.objects.visible_to(actor.member).with_actor().filter(sequence=sequence).first()
        if event is None:
            raise NotFound
        hooks.before_undo(actor, event.change_set)
    except DomainError as error:
        return _refused(request, error)
    if not can_undo(event) or not actor.may(kinds[event.kind].permission):
        raise PermissionDenied
    same = Event.objects.of_change_set(actor.organization_id, event.change_set)
    counts = same.rows_by_kind()
    seen = same.visible_to(actor.member).rows_by_kind()
    if counts != seen and not any(moves_hidden(*one) for one in same.values_list("kind", "changes")):
        return _refused(request, DomainError("It changed rows that you may not see."))
    if not all(actor.may(kinds[name].permission) for name in counts):
        return _refused(request, Forbidden("It changed rows that your role does not allow you to change."))
    rows = _named_rows(site, actor, same)
    sentence = str(lines([event], actor.member)[0])
    reach = {kinds[name].model: count for name, count in seen.items()}
    page = site._registry[kinds[event.kind].model]
    return action_page(page, request, Undo(event, sentence, reach), actor, rows)


def _named_rows(site: Any, actor: Actor, events: EventQuerySet) -> list[Any]:
    """The rows of the first events."""
    ids: dict[str, list[int]] = {}
    for name, row_id in events.values_list("kind", "row_id")[:NAMED]:
        ids.setdefault(name, []).append(row_id)
    rows: list[Any] = []
    for name in sorted(ids):
        related = site._registry[kinds[name].model].select_related
        of_kind = kinds[name].rows(actor.member).filter(pk__in=ids[name])
        rows += of_kind.select_related(*related) if related else of_kind
    return rows


def _refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Back to the page before, with the refusal as a message. A large import is undone on its own page."""
    text = format_html("{} {}", _("Nothing was undone."), error.detail)
    if isinstance(error, UndoneElsewhere):
        name = error.row._meta.label_lower.replace(".", "_")
        link = reverse(f"admin:{name}_change", args=[error.row.pk])
        text = format_html(
            '{} <a class="crm-link" href="{}">{}</a>.', text, link, _("Undo it on its own page")
        )
    messages.error(request, text)
    return HttpResponseRedirect(next_url(request, "admin:index"))
