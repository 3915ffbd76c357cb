"""Organizations and logins, which operators manage. An admin can change their own organization."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from crm_project.accounts import services
from crm_project.accounts.actors import Actor
from crm_project.accounts.admin.members import password_field
from crm_project.accounts.countries import countries, languages, time_zones
from crm_project.accounts.models import Organization, User
from crm_project.accounts.rules import Permission
from crm_project.staff import display
from crm_project.staff.actions import AdminAction
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.filters import yes_no_filter
from crm_project.staff.forms import StaffForm
from crm_project.staff.inputs import PlainText, Select, TextInput
from crm_project.staff.request_actor import is_operator

# Permissions follow from the role, not from Django's groups.
admin.site.unregister(Group)

OWN = ("name", "currency", "time_zone", "country", "language")
FIRST_ADMIN = ("owner_email", "owner_name", "owner_password")
FLAGS = ("is_active", "is_staff", "is_superuser")


def _reader() -> str:
    """The language in which countries and languages are named."""
    return get_language() or "en"


class OrganizationForm(StaffForm):
    """A new organization is created with its first admin."""

    time_zone = forms.ChoiceField(widget=Select(), initial="UTC", label=gettext_lazy("Time zone"))
    currency = PlainText(
        max_length=3,
        initial="EUR",
        label=gettext_lazy("Currency"),
        help_text=gettext_lazy("ISO 4217 code, such as EUR. The default of new deals."),
    )
    country = forms.ChoiceField(
        widget=Select(),
        required=False,
        label=gettext_lazy("Country"),
        help_text=gettext_lazy(
            "Phone numbers without a prefix are read as this country's. By default that of the time zone."
        ),
    )
    language = forms.ChoiceField(
        widget=Select(), required=False, initial="en", label=gettext_lazy("Language")
    )
    owner_email = forms.EmailField(widget=TextInput(), label=gettext_lazy("E-mail of the first admin"))
    owner_name = PlainText(required=False, max_length=255, label=gettext_lazy("Name of the first admin"))
    owner_password = password_field(required=False, label=gettext_lazy("Password for a new login"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in FIRST_ADMIN if self.instance.pk else ():
            del self.fields[name]
        if "time_zone" in self.fields:
            zones: Any = self.fields["time_zone"]
            zones.choices = [(zone, zone) for zone in sorted(time_zones())]
        for name, choices in (("country", countries(_reader())), ("language", self._languages())):
            if name in self.fields:
                field: Any = self.fields[name]
                blank = [("", "—")] if name == "country" else []
                field.choices = [*blank, *sorted(choices.items(), key=lambda choice: choice[1])]

    def _languages(self) -> dict[str, str]:
        """Also the language that the organization has, which may be a tag with a region."""
        own = self.instance.language
        known = languages(_reader())
        return {own: own, **known} if own else known

    def clean_language(self) -> str:
        return str(self.cleaned_data["language"] or self.instance.language)

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).strip().upper()

    def clean_owner_password(self) -> str:
        password = str(self.cleaned_data["owner_password"])
        if password:
            validate_password(password)
        return password


@admin.register(Organization)
class OrganizationAdmin(StaffModelAdmin):
    form = OrganizationForm
    edit_permission = Permission.ADMINISTER
    # Creates an organization with its first admin and pipeline; set by the setup app, which depends on this one.
    open_organization: ClassVar[Callable[..., Organization]]
    search_fields: ClassVar[Any] = ("name", "slug")
    ordering: ClassVar[Any] = ("name", "id")
    keyset_columns: ClassVar[Any] = ("name", "slug", "created_at")
    list_display: ClassVar[Any] = ("name", "slug", "currency", "time_zone", "country", "created_at")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request) or self.may(request, Permission.ADMINISTER)

    has_change_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request)

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        own = list(OWN)
        first = [] if row else [(_("First admin"), {"fields": list(FIRST_ADMIN)})]
        return [(None, {"fields": own}), *first]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = form.change()
        if change:
            actor = None if is_operator(request) else self.actor(request)
            row = services.update_organization(actor=actor, organization=obj, **values) if values else obj
        else:
            owner = services.find_or_create_user(
                email=values["owner_email"],
                full_name=values.get("owner_name", ""),
                password=values.get("owner_password") or None,
                is_staff=True,
            )
            fields = {name: values[name] for name in OWN if values.get(name)}
            row = type(self).open_organization(owner=owner, **fields)
        vars(obj).update(vars(row))


LOGIN_HELP = {
    "is_active": gettext_lazy("If off, the login cannot sign in."),
    "is_staff": gettext_lazy("Can sign in to this site."),
    "is_superuser": gettext_lazy(
        "Manages organizations and logins, but cannot see the data of an organization."
    ),
}
LOGIN_LABELS = {
    "is_active": gettext_lazy("Active"),
    "is_staff": gettext_lazy("Staff"),
    "is_superuser": gettext_lazy("Operator"),
}


class LoginForm(StaffForm):
    labels: ClassVar[Mapping[str, str | Promise]] = LOGIN_LABELS
    help_texts: ClassVar[Mapping[str, str | Promise]] = LOGIN_HELP
    password = password_field(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["password"]

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        if password:
            validate_password(password)
        return password


class SetLoginPassword(AdminAction):
    name = "password"
    label = gettext_lazy("Set password")
    icon = "password"
    done = gettext_lazy("has a new password")
    on_many = False
    in_journal = False
    explanation = gettext_lazy("Ends all sessions of this login.")

    def fields(
        self, request: HttpRequest, actor: Actor | None, rows: Sequence[User]
    ) -> dict[str, forms.Field]:
        return {"password": password_field(label=_("New password"), validators=[validate_password])}

    def run(self, actor: Actor | None, rows: Sequence[User], given: Mapping[str, Any]) -> None:
        for row in rows:
            services.update_login(user=row, password=given["password"])


@admin.register(User)
class LoginAdmin(StaffModelAdmin):
    form = LoginForm
    search_fields: ClassVar[Any] = ("email", "full_name")
    ordering: ClassVar[Any] = ("email",)
    keyset_columns: ClassVar[Any] = ("email", "full_name")
    list_display: ClassVar[Any] = (
        "email",
        "full_name",
        "active",
        "staff",
        "operator",
        "last_login",
    )
    list_filter: ClassVar[Any] = (
        yes_no_filter(gettext_lazy("Active"), "is_active"),
        yes_no_filter(gettext_lazy("Operator"), "is_superuser"),
    )
    row_actions: ClassVar[Sequence[AdminAction]] = (SetLoginPassword(),)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request)

    has_add_permission = has_change_permission = has_view_permission

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        return [(None, {"fields": ["email", "full_name", *([] if row else ["password"]), *FLAGS]})]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"is_active": True, "is_staff": True, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = form.change()
        row = services.update_login(user=obj, **values) if change else services.create_login(**values)
        vars(obj).update(vars(row))

    @admin.display(description=gettext_lazy("Active"))
    def active(self, user: User) -> str:
        return display.yes_or_no(user.is_active)

    @admin.display(description=gettext_lazy("Staff"))
    def staff(self, user: User) -> str:
        return _("Yes") if user.is_staff else display.NOTHING

    @admin.display(description=gettext_lazy("Operator"))
    def operator(self, user: User) -> str:
        return _("Yes") if user.is_superuser else display.NOTHING
