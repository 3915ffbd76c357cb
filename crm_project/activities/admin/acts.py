"""The acts of the sections: log and plan, done, postpone.

The script gets the section as it is now; a form that is sent without it is answered by a redirect with a message.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.activities import services
from crm_project.activities.admin import sections
from crm_project.activities.admin.forms import LogForm
from crm_project.activities.admin.timeline import timeline_context
from crm_project.activities.models import Activity
from crm_project.changes import ChangeSet, change_set
from crm_project.errors import DomainError
from crm_project.staff import display
from crm_project.staff.actions import next_url, refusal_of, refusal_text, undo_url
from crm_project.staff.once import create_once
from crm_project.staff.request_actor import actor_of, visible
from deals.admin.work import whose_of

GONE = gettext_noop(
    "This activity is no longer here: it was moved to the trash, or you may not see it any more."
)
# What the acts report.
SAVED, UNCHANGED = gettext_noop("{names}: saved."), gettext_noop("{names}: nothing to change.")
ACTS = {
    "done": (services.complete_activities, gettext_noop("{names}: done.")),
    "postpone": (services.postpone_activities, gettext_noop("{names}: postponed to the next day.")),
}


def act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Complete or postpone one activity; after the last open one of a deal the next step is asked for."""
    actor = _acting(request)
    row = visible(request, Activity).filter(pk=pk).select_related("deal", "contact").first()
    if row is None:
        return answer(request, actor, _(GONE), is_done=False)
    if name not in ACTS:
        raise Http404
    service, result = ACTS[name]
    try:
        with change_set(actor) as changes:
            service(actor=actor, rows=[row])
    except (DomainError, IntegrityError) as error:
        return answer(request, actor, refusal_text(refusal_of(error)), is_done=False)
    text = _report(actor, [row], result, changes, next_url(request, "admin:index"))
    return answer(request, actor, text, is_done=True, completed=row if name == "done" else None)


def log(request: HttpRequest) -> HttpResponse:
    """Log what was done and plan the next step, in one transaction."""
    actor = _acting(request)
    parent = sections.parent_of(request, actor, request.POST.get("about", ""))
    if parent is None:
        return answer(request, actor, _("This row is no longer here."), is_done=False)
    form = LogForm(request.POST)
    if not form.is_valid():
        return answer(request, actor, _errors(form), is_done=False, form=form)
    written: list[Activity] = []

    def create() -> Activity:
        written.extend(services.create_activities(actor=actor, changes=form.changes(_about(actor, parent))))
        return written[0]

    try:
        row_id, changes = create_once(actor=actor, request=request, create=create)
    except (DomainError, IntegrityError) as error:
        return answer(request, actor, refusal_text(refusal_of(error)), is_done=False, form=form)
    rows = written or list(visible(request, Activity).filter(pk=row_id))
    text = _report(actor, rows, SAVED, changes, next_url(request, "admin:index"))
    return answer(request, actor, text, is_done=True)


def timeline(request: HttpRequest) -> HttpResponse:
    """A page of a timeline alone, for the script."""
    actor = actor_of(request)
    row = sections.parent_of(request, actor, request.GET.get("about", "")) if actor else None
    if actor is None or row is None:
        raise Http404
    context = {"timeline": timeline_context(request, actor, row), "may_edit": False}
    return HttpResponse(sections.rendered(request, sections.TIMELINE, context))


def plan(request: HttpRequest) -> HttpResponse:
    """The form that plans the next step, for the script, which shows it in the row of a deal on the home page."""
    actor = actor_of(request)
    row = sections.parent_of(request, actor, request.GET.get("about", "")) if actor else None
    if actor is None or row is None:
        raise Http404
    if not actor.may(Permission.EDIT_DEALS):
        raise PermissionDenied
    whose = whose_of(actor, request)
    context = {
        **_next_step(request, row),
        "whose": whose,
        "on": sections.WORK,
        "next": f"{reverse('admin:index')}?whose={whose}",
    }
    return HttpResponse(sections.rendered(request, sections.PLAN, context))


def _acting(request: HttpRequest) -> Actor:
    actor = actor_of(request)
    if actor is None or request.method != "POST" or not actor.may(Permission.EDIT_DEALS):
        raise PermissionDenied
    return actor


def _about(actor: Actor, parent: Any) -> dict[str, Any]:
    part = "contact" if isinstance(parent, Contact) else "deal"
    return {part: parent.pk, "owner": actor.member.pk}


def _errors(form: LogForm) -> str:
    return " ".join(dict.fromkeys(str(text) for texts in form.errors.values() for text in texts))


def _report(actor: Actor, rows: Sequence[Activity], result: str, changes: ChangeSet, back: str) -> SafeString:
    undo = undo_url(actor, changes)
    link = format_html(' <a class="crm-link" href="{}?{}">{}</a>', undo, urlencode({"next": back}), _("Undo"))
    names = display.joined([format_html("{}", display.link(row)) for row in rows])
    text = format_html(_(result if changes.recorded else UNCHANGED), names=names)
    return format_html('<span class="crm-report">{}{}</span>', text, link if undo else "")


def answer(
    request: HttpRequest,
    actor: Actor,
    text: str,
    *,
    is_done: bool,
    form: LogForm | None = None,
    completed: Activity | None = None,
) -> HttpResponse:
    if request.headers.get("X-Requested-With") != "XMLHttpRequest":
        (messages.success if is_done else messages.error)(request, text)
        return HttpResponseRedirect(next_url(request, "admin:index"))
    more: dict[str, Any] = {
        "message": format_html("{}", text),
        "is_done": is_done,
        "plans": completed is not None,
    }
    on = request.POST.get("on", "")
    parent = sections.parent_of(request, actor, on or request.POST.get("about", ""))
    if parent is not None:
        context = sections.section_context(request, actor, parent, form=form, **more)
        return HttpResponse(sections.rendered(request, sections.SECTION, context))
    if completed is not None:
        more |= _next_step(request, completed.deal or completed.contact)
    elif form is not None:
        about = sections.parent_of(request, actor, request.POST.get("about", ""))
        more |= _next_step(request, about, form)
    on = sections.WORK if on == sections.WORK else sections.DAY
    context = sections.day_context(request, actor, on=on, **more)
    return HttpResponse(sections.home_section(request, actor, context))


def _next_step(request: HttpRequest, parent: Any, form: LogForm | None = None) -> dict[str, Any]:
    """The form that plans the next step of a deal or a contact, on the home page."""
    if not parent:
        return {}
    return {
        "about": f"{parent.row_kind}:{parent.pk}",
        "parent_name": str(parent),
        "plans": True,
        **sections.form_context(request, form),
    }
