"""Members: role, deactivation with a hand-over, password."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm_project.accounts import hooks, services
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.accounts.rules import Permission
from crm_project.languages.figures import number
from crm_project.staff import display
from crm_project.staff.actions import AdminAction, listing
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.filters import YesNoFilter, choice_filter
from crm_project.staff.forms import StaffForm
from crm_project.staff.inputs import Password, PlainText, Select, Switch
from crm_project.staff.request_actor import visible

PASSWORD_HELP = gettext_lazy("At least 12 characters. Give it to the person yourself; no e-mail is sent.")


def password_field(**options: Any) -> forms.CharField:
    widget = Password({"autocomplete": "new-password"})
    return forms.CharField(
        widget=widget,
        strip=False,
        **{"label": gettext_lazy("Password"), "help_text": PASSWORD_HELP, **options},
    )


ROLE_HELP = gettext_lazy(
    "Viewers only read. Reps edit contacts and deals, managers also pipelines and fields, admins everything."
)


class MemberForm(StaffForm):
    help_texts: ClassVar[Mapping[str, str | Promise]] = {"role": ROLE_HELP}


class Deactivate(AdminAction):
    name = "deactivate"
    label = gettext_lazy("Deactivate")
    icon = "person_off"
    done = gettext_lazy("deactivated")
    is_dangerous = True
    on_many = False
    explanation = gettext_lazy(
        "Ends all access to this organization, API tokens too. Deals and contacts stay or get a new owner."
    )

    def fits(self, row: Member) -> bool:
        return row.is_active

    def note(self, actor: Actor, rows: Sequence[Member]) -> str:
        owned = {name: sum(map(count, rows)) for name, count in hooks.count_owned.items()}
        values = {
            "name": ", ".join(map(str, rows)),
            "rows": listing([_counted(name, count) for name, count in owned.items() if count]),
        }
        text = _("%(name)s owns %(rows)s.") if values["rows"] else _("%(name)s owns nothing.")
        return f"{self.explanation} {text % values}"

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Member]) -> dict[str, forms.Field]:
        others = visible(request, Member).active().exclude(pk__in=[row.pk for row in rows])  # type: ignore[attr-defined]
        members = others.select_related("user").order_by("user__full_name", "id")
        label = _("Hand over open deals and contacts to")
        field = forms.ModelChoiceField(
            members, required=False, label=label, widget=Select(), empty_label=_("Nobody")
        )
        closed = forms.BooleanField(
            required=False,
            label=_("Hand over closed deals too"),
            help_text=_("Reports by owner then count past results for the new owner."),
            widget=Switch(),
        )
        return {"hand_over_to": field, "hand_over_closed": closed}

    def run(self, actor: Actor, rows: Sequence[Member], given: Mapping[str, Any]) -> None:
        for row in rows:
            services.deactivate_member(
                actor=actor,
                member=row,
                hand_over_to=given["hand_over_to"],
                hand_over_closed=given["hand_over_closed"],
            )


def _counted(name: str, count: int) -> str:
    """The rows of a name in `hooks.count_owned` that a member owns, in words."""
    texts = {
        "open deal": ngettext("%(count)s open deal", "%(count)s open deals", count),
        "closed deal": ngettext("%(count)s closed deal", "%(count)s closed deals", count),
        "open activity": ngettext("%(count)s open activity", "%(count)s open activities", count),
        "contact": ngettext("%(count)s contact", "%(count)s contacts", count),
    }
    return texts[name] % {"count": number(count)}


class Activate(AdminAction):
    name = "activate"
    label = gettext_lazy("Activate")
    icon = "person_check"
    done = gettext_lazy("activated")
    on_many = False

    def fits(self, row: Member) -> bool:
        return not row.is_active

    def run(self, actor: Actor, rows: Sequence[Member], given: Mapping[str, Any]) -> None:
        for row in rows:
            services.update_member(actor=actor, member=row, is_active=True)


class Rename(AdminAction):
    name = "rename"
    label = gettext_lazy("Change name")
    icon = "badge"
    done = gettext_lazy("renamed")
    on_many = False
    in_journal = False
    explanation = gettext_lazy("Only for a login that belongs to no other organization.")

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Member]) -> dict[str, forms.Field]:
        name = rows[0].user.full_name
        return {"full_name": PlainText(max_length=255, label=_("Full name"), initial=name)}

    def run(self, actor: Actor, rows: Sequence[Member], given: Mapping[str, Any]) -> None:
        for row in rows:
            services.rename_member(actor=actor, member=row, full_name=given["full_name"])


class SetPassword(AdminAction):
    name = "password"
    label = gettext_lazy("Set password")
    icon = "password"
    done = gettext_lazy("has a new password")
    on_many = False
    in_journal = False
    explanation = gettext_lazy(
        "Ends all sessions of this login. Only for a login that belongs to no other organization."
    )

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Member]) -> dict[str, forms.Field]:
        return {"password": password_field(label=_("New password"), validators=[validate_password])}

    def run(self, actor: Actor, rows: Sequence[Member], given: Mapping[str, Any]) -> None:
        for row in rows:
            services.set_password(actor=actor, member=row, password=given["password"])


class ActiveFilter(YesNoFilter):
    """Members who can sign in: neither they nor their login is deactivated."""

    title = gettext_lazy("Active")
    parameter = "is_active"

    def narrow(self, rows: Any, value: Any) -> Any:
        active = rows.active()
        return (
            active if value[self.parameter] == "yes" else rows.exclude(pk__in=active.order_by().values("pk"))
        )


@admin.register(Member)
class MemberAdmin(StaffModelAdmin):
    form = MemberForm
    edit_permission = Permission.ADMINISTER
    select_related: ClassVar[Any] = ("user",)
    search_fields: ClassVar[Any] = ("user__full_name", "user__email")
    search_help_text = gettext_lazy("Name or e-mail")
    ordering: ClassVar[Any] = ("user__full_name", "id")
    list_display: ClassVar[Any] = ("full_name", "address", "role_chip", "job_title", "active")
    sortable_by: ClassVar[Any] = ()
    list_filter: ClassVar[Any] = (
        choice_filter(gettext_lazy("Role"), "role", Member.Roles.choices),
        ActiveFilter,
    )
    row_actions: ClassVar[Sequence[AdminAction]] = (Rename(), SetPassword(), Activate(), Deactivate())

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A member is added by accepting an invitation."""
        return False

    def tools_for(self, request: HttpRequest) -> list[dict[str, Any]]:
        own = super().tools_for(request)
        if not self.may(request, Permission.ADMINISTER):
            return own
        invitations = reverse("admin:accounts_invitation_changelist")
        return [
            *own,
            {"label": _("Invite"), "icon": "person_add", "url": reverse("admin:accounts_invitation_add")},
            {"label": _("Invitations"), "icon": "mail", "url": invitations},
        ]

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        return [(None, {"fields": ["full_name", "address", "role", "job_title"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return ("full_name", "address")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The page on which members were added before there were invitations."""
        return HttpResponseRedirect(reverse("admin:accounts_invitation_add"))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Inactive members are not offered as choices."""
        rows = queryset.active() if "field_name" in request.GET else queryset
        return super().get_search_results(request, rows, search_term)

    def update(self, actor: Actor, row: Member, change: dict[str, Any]) -> Member:
        return services.update_member(actor=actor, member=row, **change)

    @admin.display(description=gettext_lazy("Name"), ordering="user__full_name")
    def full_name(self, member: Member) -> str:
        return member.full_name

    @admin.display(description=gettext_lazy("E-mail"))
    def address(self, member: Member) -> str:
        return member.email

    @admin.display(description=gettext_lazy("Role"))
    def role_chip(self, member: Member) -> Any:
        return display.status(
            "open" if member.role == Member.Roles.ADMIN else "muted", member.get_role_display()
        )

    @admin.display(description=gettext_lazy("Active"))
    def active(self, member: Member) -> str:
        return display.yes_or_no(member.is_active and member.user.is_active)
