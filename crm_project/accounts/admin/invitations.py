"""Invitations in the admin: sent, shown once as a link, withdrawn."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_project.accounts import invitations
from crm_project.accounts.actors import Actor
from crm_project.accounts.admin.members import ROLE_HELP
from crm_project.accounts.models import Invitation
from crm_project.accounts.rules import Permission
from crm_project.mail.services import has_mail_server
from crm_project.staff.actions import AdminAction
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.forms import StaffForm
from crm_project.staff.inputs import PlainText, TextInput
from crm_project.staff.pages import render_page

FIELDS = ("email", "full_name", "role", "job_title")


class InvitationForm(StaffForm):
    help_texts: ClassVar[Mapping[str, str | Promise]] = {"role": ROLE_HELP}
    email = forms.EmailField(widget=TextInput(), label=gettext_lazy("E-mail"))
    full_name = PlainText(required=False, max_length=255, label=gettext_lazy("Full name"))


class Withdraw(AdminAction):
    name = "withdraw"
    label = gettext_lazy("Withdraw")
    icon = "cancel_schedule_send"
    done = gettext_lazy("withdrawn")
    is_dangerous = True
    in_journal = False
    explanation = gettext_lazy(
        "The link of the invitation ends. Whoever has accepted already stays a member."
    )

    def run(self, actor: Actor, rows: Sequence[Invitation], given: Mapping[str, Any]) -> None:
        for row in rows:
            invitations.withdraw_invitation(actor=actor, invitation=row)


@admin.register(Invitation)
class InvitationAdmin(StaffModelAdmin):
    form = InvitationForm
    view_permission = edit_permission = Permission.ADMINISTER
    select_related: ClassVar[Any] = ("invited_by__user",)
    search_fields: ClassVar[Any] = ("full_name", "email")
    ordering: ClassVar[Any] = ("email",)
    list_display: ClassVar[Any] = ("email", "full_name", "role", "sender", "expires_at")
    sortable_by: ClassVar[Any] = ()
    empty_hint = gettext_lazy("Nobody is invited at the moment.")
    row_actions: ClassVar[Sequence[AdminAction]] = (Withdraw(),)

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        if row is not None:
            return [(None, {"fields": [*FIELDS, "sender", "expires_at"]})]
        text = (
            _("The person gets a link by e-mail, chooses a password or signs in, and then is a member.")
            if has_mail_server()
            else _(
                "You get a link to give to the person, who chooses a password or signs in, and then is a member."
            )
        )
        return [(None, {"fields": list(FIELDS), "description": text})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return (*FIELDS, "sender", "expires_at") if obj is not None else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            row, request.new_secret = invitations.invite_member(actor=self.actor(request), **form.change())  # type: ignore[attr-defined]
            vars(obj).update(vars(row))

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        """Say where the link was sent; without a mail server show it, this once."""
        query = urlencode({"token": request.new_secret})  # type: ignore[attr-defined]
        return render_page(
            self,
            request,
            "admin/accounts/invitation/link.html",
            title=_("Invitation"),
            invitation=obj,
            is_mailed=has_mail_server(),
            link=request.build_absolute_uri(f"{reverse('admin:accept_invitation')}?{query}"),
        )

    @admin.display(description=gettext_lazy("Invited by"))
    def sender(self, invitation: Invitation) -> str:
        return invitation.invited_by.full_name
