"""Activities in the admin: the list, its filters, the form."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.activities import services
from crm_project.activities.admin import acts, sections
from crm_project.activities.admin.display import ICONS, due_text
from crm_project.activities.models import Activity
from crm_project.activities.querysets import about_contact
from crm_project.staff import display
from crm_project.staff.actions import AdminAction, RestoreAction, TrashAction
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.filters import (
    ChangeSetFilter,
    FormFilter,
    InstantRange,
    RowFilter,
    choice_filter,
    range_filter,
)
from crm_project.staff.forms import StaffForm, references_field
from crm_project.staff.inputs import Select
from crm_project.staff.request_actor import actor_of, member_choices
from deals.models import Deal

STATES = [
    ("open", pgettext_lazy("activities", "Open")),
    ("late", gettext_lazy("Overdue or due today")),
    ("overdue", gettext_lazy("Overdue")),
    ("today", gettext_lazy("Due today")),
    ("planned", gettext_lazy("Due later")),
    ("undated", gettext_lazy("Without a date")),
    ("done", pgettext_lazy("activities", "Done")),
]
# The states of the filter that stand for several of the rows'.
SEVERAL = {"late": ("overdue", "today")}


class StateFilter(FormFilter):
    title = gettext_lazy("State")
    is_fixed = True

    @classmethod
    def names(cls) -> list[str]:
        return ["state"]

    def fields(self, request: HttpRequest) -> dict[str, forms.Field]:
        choices = [("", _("All")), *STATES]
        return {"state": forms.ChoiceField(choices=choices, widget=Select(), label=self.title)}

    def narrow(self, rows: Any, value: Any) -> Any:
        return in_state(rows, value["state"], actor_of(self.request))


def in_state(rows: Any, state: str, actor: Actor | None) -> Any:
    """The rows that the filter finds; a page that links to the list counts them by the same function."""
    if state in ("open", "done") or actor is None:
        return rows.done() if state == "done" else rows.open()
    states = SEVERAL.get(state, (state,))
    return rows.due(*states, now=timezone.now(), time_zone=actor.organization.time_zone)


class DealFilter(RowFilter):
    title = gettext_lazy("Deal")
    parameter = "deal"
    model = Deal


class ContactFilter(RowFilter):
    """Those of a contact, of its people and of their deals, as on its page."""

    title = pgettext_lazy("a contact", "With")
    parameter = "with"
    model = Contact

    def condition(self, row_id: int) -> Q:
        actor: Any = actor_of(self.request)
        return about_contact(actor.organization_id, row_id)


class ActivityForm(StaffForm):
    labels: ClassVar[Mapping[str, Any]] = {
        "due_at": gettext_lazy("Due at"),
        "due_on": gettext_lazy("or on the day"),
        "done_at": gettext_lazy("Done"),
        "is_pinned": gettext_lazy("Pinned"),
    }
    help_texts: ClassVar[Mapping[str, Any]] = {
        "is_pinned": gettext_lazy("Stands at the top of its deal or contact."),
    }
    external_references = references_field()


class Done(AdminAction):
    name = "done"
    label = gettext_lazy("Mark as done")
    icon = "check"
    done = gettext_lazy("done")

    def fits(self, row: Activity) -> bool:
        return row.is_open

    def run(self, actor: Actor, rows: Sequence[Any], given: Mapping[str, Any]) -> None:
        services.complete_activities(actor=actor, rows=rows)


class Postpone(Done):
    name = "postpone"
    label = gettext_lazy("Postpone by a day")
    icon = "snooze"
    done = gettext_lazy("postponed")

    def run(self, actor: Actor, rows: Sequence[Any], given: Mapping[str, Any]) -> None:
        services.postpone_activities(actor=actor, rows=[row for row in rows if row.is_open])


@admin.register(Activity)
class ActivityAdmin(StaffModelAdmin):
    form = ActivityForm
    has_trash = True
    panel_factories: ClassVar[Any] = {Deal: sections.section, Contact: sections.section}
    select_related: ClassVar[Any] = ("deal__contact", "deal__client", "contact", "owner__user")
    search_fields: ClassVar[Any] = ("search_text",)
    search_help_text = gettext_lazy("Subject, text or result")
    palette_icon = "task_alt"
    empty_hint = gettext_lazy("Log a call or plan the next step on the page of a deal or a contact.")
    ordering: ClassVar[Any] = ("-created_at", "-id")
    keyset_columns: ClassVar[Any] = ("created_at", "deadline")
    list_columns: ClassVar[Any] = (
        *("type", "subject", "text", "due_at", "due_on", "deadline", "done_at", "created_at", "deleted_at"),
        *("deal__uuid", "deal__name", "deal__number", "deal__client__full_name", "deal__contact__full_name"),
        *("contact__full_name", "owner__user__full_name", "owner__user__email"),
    )
    list_display: ClassVar[Any] = ("title", "due", "about", "owned_by", "done_on", "created_on")
    list_display_links: ClassVar[Any] = ("title",)
    column_names: ClassVar[Any] = {
        "title": "subject",
        "due": "deadline",
        "about": "deal",
        "owned_by": "owner",
        "done_on": "done_at",
        "created_on": "created_at",
    }
    list_filter: ClassVar[Any] = (
        StateFilter,
        choice_filter(gettext_lazy("Type"), "type", Activity.Types.choices),
        choice_filter(gettext_lazy("Owner"), "owner", member_choices),
        range_filter(InstantRange, gettext_lazy("Due"), "deadline"),
        range_filter(InstantRange, gettext_lazy("Done"), "done_at"),
        DealFilter,
        ContactFilter,
        ChangeSetFilter,
    )
    autocomplete_fields: ClassVar[Any] = ("deal", "contact", "owner")
    row_actions: ClassVar[Any] = (
        Done(),
        Postpone(),
        TrashAction(explanation=gettext_lazy("Activities in the trash can be restored for 30 days.")),
        RestoreAction(),
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("log/", view(acts.log), name="activities_activity_log"),
            path("plan/", view(acts.plan), name="activities_activity_plan"),
            path("timeline/", view(acts.timeline), name="activities_activity_timeline"),
            path("<int:pk>/act/<slug:name>/", view(acts.act), name="activities_activity_act"),
        ]
        return [*own, *super().get_urls()]

    def home_context(self, request: HttpRequest) -> dict[str, Any]:
        return {"day": sections.day_context(request, self.actor(request))}

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        main = ["type", "subject", ("due_at", "due_on"), "deal", "contact", "owner", "text"]
        after = ["done_at", "result", "is_pinned"]
        return [
            (None, {"fields": main}),
            (_("Result"), {"fields": after, "classes": ["tab"]}),
            (_("References"), {"fields": ["external_references"], "classes": ["tab"]}),
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"owner": self.actor(request).member.pk, **super().get_changeform_initial_data(request)}

    def palette_description(self, row: Activity) -> str:
        parts = (row.get_type_display(), str(row.deal or row.contact or ""))
        return " · ".join(part for part in parts if part)

    @admin.display(description=gettext_lazy("Activity"))
    def title(self, row: Activity) -> Any:
        return display.iconed(str(row), ICONS[row.type], row.get_type_display())

    @admin.display(description=gettext_lazy("Due"), ordering="deadline")
    def due(self, row: Activity) -> Any:
        return due_text(row)

    @admin.display(description=gettext_lazy("Deal or contact"))
    def about(self, row: Activity) -> Any:
        return display.link(row.deal or row.contact)

    @admin.display(description=gettext_lazy("Owner"))
    def owned_by(self, row: Activity) -> Any:
        return row.owner.full_name if row.owner else display.NOTHING

    @admin.display(description=gettext_lazy("Done"))
    def done_on(self, row: Activity) -> Any:
        return display.day(timezone.localdate(row.done_at)) if row.done_at else display.NOTHING

    @admin.display(description=gettext_lazy("Created"), ordering="created_at")
    def created_on(self, row: Activity) -> Any:
        return display.day(timezone.localdate(row.created_at))
