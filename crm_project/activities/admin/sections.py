"""The timeline of a deal or a contact with the form that logs and plans, and the activities of the day at home."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.db.models import Count, Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.activities.admin.display import ICONS, entry
from crm_project.activities.admin.forms import WHEN, LogForm
from crm_project.activities.admin.timeline import timeline_context
from crm_project.activities.models import Activity
from crm_project.activities.querysets import about_contact, is_due
from crm_project.activities.timeline import PLANNED_ORDER
from crm_project.staff.panels import Panel
from crm_project.staff.request_actor import actor_of
from deals.admin.work import whose_of
from deals.models import Deal

OPEN_SHOWN, DAY_SHOWN = 20, 8
SECTION, DAY = "admin/activities/section.html", "admin/activities/day.html"
TIMELINE = "admin/activities/timeline.html"


def section(request: HttpRequest, row: Any) -> Panel | None:
    """The panel of the timeline of a deal or a contact."""
    actor = actor_of(request)
    if actor is None:
        return None
    return Panel(
        title="Timeline",
        template="admin/activities/panel.html",
        is_first=True,
        has_changes=True,
        context=section_context(request, actor, row),
    )


def section_context(
    request: HttpRequest, actor: Actor, row: Any, *, form: LogForm | None = None, **more: Any
) -> dict[str, Any]:
    by_deadline = activities_of(actor, row).open().for_lines().order_by(*PLANNED_ORDER)
    opened = list(by_deadline[: OPEN_SHOWN + 1])
    may_edit = actor.may(Permission.EDIT_DEALS)
    return {
        "about": f"{row.row_kind}:{row.pk}",
        "open": [entry(one, about=row) for one in opened[:OPEN_SHOWN]],
        "more_url": list_url({**about_parameters(row), "state": "open"}) if len(opened) > OPEN_SHOWN else "",
        "timeline": timeline_context(request, actor, row),
        "may_edit": may_edit,
        **(form_context(request, form) if may_edit else {}),
        "next": f"{reverse(f'admin:{row._meta.app_label}_{row._meta.model_name}_change', args=[row.pk])}#timeline",
        **more,
    }


def form_context(request: HttpRequest, form: LogForm | None) -> dict[str, Any]:
    return {
        "form": form or LogForm(),
        "types": Activity.Types.choices,
        "next_types": Activity.Types.choices[:-1],
        "icons": ICONS,
        "when": WHEN,
        "form_key": uuid4().hex,
    }


def activities_of(actor: Actor, row: Any) -> Any:
    """The visible activities of a deal; of a contact also those of its people and its deals."""
    visible = Activity.objects.visible_to(actor.member)
    if isinstance(row, Contact):
        return visible.filter(about_contact(actor.organization_id, row.pk))
    return visible.filter(deal=row.pk)


def about_parameters(row: Any) -> dict[str, Any]:
    return {"with" if isinstance(row, Contact) else "deal": row.pk}


def list_url(parameters: Mapping[str, Any]) -> str:
    return f"{reverse('admin:activities_activity_changelist')}?{urlencode(parameters)}"


def day_context(request: HttpRequest, actor: Actor, **more: Any) -> dict[str, Any]:
    """The overdue activities and those due today, of the member or of all; each count is that of the linked list."""
    whose = whose_of(actor, request)
    visible = Activity.objects.visible_to(actor.member)
    own = {} if whose == "all" else {"owner": actor.member.pk}
    rows, now, zone = visible.filter(**own), timezone.now(), actor.organization.time_zone
    states = {"overdue": ("Overdue", "bad", "alarm"), "today": ("Due today", "info", "today")}
    conditions = {state: is_due([state], now, zone) for state in states}
    late = rows.filter(Q(*conditions.values(), _connector=Q.OR)).order_by()
    counts = late.aggregate(**{state: Count("pk", filter=one) for state, one in conditions.items()})
    return {
        "whose": whose,
        "may_edit": actor.may(Permission.EDIT_DEALS),
        "next": f"{reverse('admin:index')}?whose={whose}",
        "lists": [
            {
                "title": title,
                "tone": tone,
                "icon": icon,
                "count": counts[state],
                "url": list_url({"state": state, **own}),
                "rows": [
                    entry(one, names_owner=not own)
                    for one in rows.filter(conditions[state])
                    .for_lines()
                    .order_by("deadline", "id")[:DAY_SHOWN]
                ]
                if counts[state]
                else [],
            }
            for state, (title, tone, icon) in states.items()
        ],
        **more,
    }


def rendered(request: HttpRequest, template: str, context: Mapping[str, Any]) -> str:
    return render_to_string(template, {"section": context}, request=request)


def parent_of(request: HttpRequest, actor: Actor, about: str) -> Any:
    """The deal or contact that `about` names, `deal:5`, if the member may see it."""
    kind, _, key = about.partition(":")
    model: Any = {"deal": Deal, "contact": Contact}.get(kind)
    if model is None or not key.isascii() or not key.isdigit() or len(key) > 18:
        return None
    return model.objects.visible_to(actor.member).filter(pk=int(key)).first()
