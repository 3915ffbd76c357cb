"""API tokens in the admin: creation, with the secret displayed once, and revocation."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_project.accounts import services
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import ApiToken
from crm_project.accounts.rules import ALL_SCOPES, Permission, Role
from crm_project.staff import display
from crm_project.staff.actions import AdminAction
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.forms import StaffForm
from crm_project.staff.inputs import CheckboxList, Instant
from crm_project.staff.pages import render_page

SCOPE_NAMES = {
    "read": gettext_lazy("Read everything that its member can see"),
    "write": gettext_lazy("Write contacts and deals"),
    "pipelines": gettext_lazy("Write pipelines, lost reasons and custom fields"),
}


READ_ONLY = ("of_member", "begins", "scope_list", "state", "created_at", "last_used_at", "expires_at")


class TokenForm(StaffForm):
    scopes = forms.MultipleChoiceField(
        choices=[(scope, SCOPE_NAMES[scope]) for scope in ALL_SCOPES],
        widget=CheckboxList(),
        initial=list(ALL_SCOPES),
        label=gettext_lazy("Scopes"),
    )
    expires_at = Instant(
        required=False, label=gettext_lazy("Expires"), help_text=gettext_lazy("If empty, it never expires.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for name in ("scopes", "expires_at"):
                del self.fields[name]

    def change(self) -> dict[str, Any]:
        change = super().change()
        member = self.cleaned_data.get("member")
        return {**change, "member": member} if member else change


class Revoke(AdminAction):
    name = "revoke"
    label = gettext_lazy("Revoke")
    icon = "key_off"
    done = gettext_lazy("revoked")
    is_dangerous = True
    explanation = gettext_lazy("Programs that use this token lose access at once. This cannot be undone.")

    def may(self, admin: Any, request: HttpRequest) -> bool:
        return bool(admin.has_change_permission(request))

    def fits(self, row: ApiToken) -> bool:
        return row.revoked_at is None

    def run(self, actor: Actor, rows: Sequence[ApiToken], given: Mapping[str, Any]) -> None:
        for row in rows:
            services.revoke_token(actor=actor, token=row)


@admin.register(ApiToken)
class TokenAdmin(StaffModelAdmin):
    form = TokenForm
    empty_hint = gettext_lazy(
        "Programs that read or write your data sign in with a token. It can do no more than its member."
    )
    # Every member can have tokens: a token has the permissions of its member at most.
    edit_permission = Permission.VIEW
    select_related: ClassVar[Any] = ("member__user",)
    search_fields: ClassVar[Any] = ("name", "hint")
    ordering: ClassVar[Any] = ("-created_at", "-id")
    keyset_columns: ClassVar[Any] = ("created_at",)
    list_display: ClassVar[Any] = (
        "name",
        "of_member",
        "begins",
        "scope_list",
        "state",
        "last_used_at",
        "expires_at",
    )
    sortable_by: ClassVar[Any] = ()
    autocomplete_fields: ClassVar[Any] = ("member",)
    row_actions: ClassVar[Sequence[AdminAction]] = (Revoke(),)

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        if row is not None:
            return [(None, {"fields": ["name", *READ_ONLY]})]
        for_others = ["member"] if self.actor(request).member.role == Role.ADMIN else []
        return [(None, {"fields": ["name", *for_others, "scopes", "expires_at"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return READ_ONLY if obj is not None else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"member": self.actor(request).member.pk, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        token, request.new_secret = services.create_token(actor=self.actor(request), **form.change())  # type: ignore[attr-defined]
        vars(obj).update(vars(token))

    def update(self, actor: Actor, row: ApiToken, change: dict[str, Any]) -> ApiToken:
        return services.rename_token(actor=actor, token=row, name=change["name"])

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        """Display the secret once: it is not stored, not even in the session."""
        return render_page(
            self,
            request,
            "admin/accounts/apitoken/secret.html",
            title=_("API token created"),
            token=obj,
            secret=request.new_secret,  # type: ignore[attr-defined]
        )

    @admin.display(description=gettext_lazy("Member"))
    def of_member(self, token: ApiToken) -> str:
        return token.member.full_name

    @admin.display(description=gettext_lazy("Begins with"))
    def begins(self, token: ApiToken) -> str:
        return f"{token.hint}…"

    @admin.display(description=gettext_lazy("Scopes"))
    def scope_list(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)

    @admin.display(description=gettext_lazy("State"))
    def state(self, token: ApiToken) -> Any:
        if token.revoked_at:
            return display.status("lost", _("Revoked"))
        return display.status("won", _("Usable"))
