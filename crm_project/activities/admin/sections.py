"""The timeline of a deal or a contact with the form that logs and plans, and the activities of the day at home."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.db.models import Count, Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.activities.admin.display import ICONS, entry, meeting_entry
from crm_project.activities.admin.forms import WHEN, LogForm
from crm_project.activities.admin.timeline import timeline_context
from crm_project.activities.models import Activity
from crm_project.activities.querysets import about_contact, is_due, is_meeting_on
from crm_project.activities.timeline import PLANNED_ORDER
from crm_project.staff.panels import Panel
from crm_project.staff.request_actor import actor_of, today
from deals.admin.work import home_context, whose_of
from deals.models import Deal

OPEN_SHOWN, DAY_SHOWN = 20, 8
SECTION, TIMELINE = "admin/activities/section.html", "admin/activities/timeline.html"
HOME, PLAN = "admin/home.html", "admin/activities/plan.html"
# Where on the home page an act was carried out: among the activities of the day, or in the lists of deals.
DAY, WORK = "day", "work"


def section(request: HttpRequest, row: Any) -> Panel | None:
    """The panel of the timeline of a deal or a contact."""
    actor = actor_of(request)
    if actor is None:
        return None
    return Panel(
        title=_("Timeline"),
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


@dataclass(frozen=True)
class DayList:
    """A list of open activities on the home page: `condition` selects what the parameters of the list do."""

    name: str
    title: str
    tone: str
    icon: str
    condition: Q
    parameters: Mapping[str, str]
    entry: Any = entry
    # Whether the list is shown if nothing is in it.
    is_shown_empty: bool = True


def day_lists(actor: Actor) -> list[DayList]:
    now, zone, day = timezone.now(), actor.organization.time_zone, today(actor)
    meetings = {"state": "open", "type": "meeting", "deadline_from": str(day), "deadline_to": str(day)}
    return [
        DayList(
            "meetings",
            _("Meetings today"),
            "info",
            "groups",
            is_meeting_on(day, zone),
            meetings,
            meeting_entry,
            is_shown_empty=False,
        ),
        DayList(
            "overdue", _("Overdue"), "bad", "alarm", is_due(["overdue"], now, zone), {"state": "overdue"}
        ),
        DayList("today", _("Due today"), "info", "today", is_due(["today"], now, zone), {"state": "today"}),
    ]


def day_context(request: HttpRequest, actor: Actor, **more: Any) -> dict[str, Any]:
    """The activities of the day, of the member or of all; each count is that of the linked list."""
    whose, lists = whose_of(actor, request), day_lists(actor)
    own = {} if whose == "all" else {"owner": actor.member.pk}
    rows = Activity.objects.visible_to(actor.member).filter(**own)
    some = rows.filter(Q(*(one.condition for one in lists), _connector=Q.OR)).order_by()
    counts = some.aggregate(**{one.name: Count("pk", filter=one.condition) for one in lists})
    return {
        "whose": whose,
        "may_edit": actor.may(Permission.EDIT_DEALS),
        "next": f"{reverse('admin:index')}?whose={whose}",
        "lists": [
            _day_list(one, rows, counts[one.name], own)
            for one in lists
            if counts[one.name] or one.is_shown_empty
        ],
        **more,
    }


def _day_list(one: DayList, rows: Any, count: int, own: Mapping[str, Any]) -> dict[str, Any]:
    first = rows.filter(one.condition).for_lines().order_by("deadline", "id")[:DAY_SHOWN] if count else []
    return {
        "title": one.title,
        "tone": one.tone,
        "icon": one.icon,
        "count": count,
        "url": list_url({**one.parameters, **own}),
        "rows": [one.entry(row, names_owner=not own) for row in first],
    }


def home_section(request: HttpRequest, actor: Actor, context: Mapping[str, Any]) -> str:
    """The home page below its heading, for the script: an act may change any figure and any list."""
    home = home_context(actor, request)
    return render_to_string(HOME, {"section": context, "home": home}, request=request)


def rendered(request: HttpRequest, template: str, context: Mapping[str, Any]) -> str:
    return render_to_string(template, {"section": context}, request=request)


def parent_of(request: HttpRequest, actor: Actor, about: str) -> Any:
    """The deal or contact that `about` names, `deal:5`, if the member may see it."""
    kind, _colon, key = about.partition(":")
    model: Any = {"deal": Deal, "contact": Contact}.get(kind)
    if model is None or not key.isascii() or not key.isdigit() or len(key) > 18:
        return None
    return model.objects.visible_to(actor.member).filter(pk=int(key)).first()
