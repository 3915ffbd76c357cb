"""Outgoing mail in the admin: what was sent, what waits, and what was given up and why."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.mail.models import Message
from crm_project.mail.services import send_again
from crm_project.staff import display
from crm_project.staff.actions import AdminAction
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.filters import YesNoFilter
from crm_project.staff.request_actor import is_operator

COLUMNS = ("recipient", "what", "created_at", "state_text", "sent_at", "attempts", "problem")
TONES = {"sent": "good", "waiting": "info", "given up": "bad"}
STATES = {
    "sent": gettext_lazy("sent"),
    "waiting": gettext_lazy("waiting"),
    "given up": gettext_lazy("given up"),
}


class SendAgain(AdminAction):
    name = "send-again"
    label = gettext_lazy("Send again")
    icon = "forward_to_inbox"
    done = gettext_lazy("queued")
    in_journal = False
    explanation = gettext_lazy("The message is sent as soon as the mail server accepts it.")

    def may(self, admin: Any, request: HttpRequest) -> bool:
        return bool(admin.has_view_permission(request))

    def fits(self, row: Message) -> bool:
        return row.sent_at is None

    def run(self, actor: Actor, rows: Sequence[Message], given: Mapping[str, Any]) -> None:
        send_again(messages=rows)


class GivenUpFilter(YesNoFilter):
    title = gettext_lazy("Given up")
    parameter = "given_up"

    def narrow(self, rows: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return rows.filter(failed_at__isnull=value[self.parameter] != "yes")


@admin.register(Message)
class MessageAdmin(StaffModelAdmin):
    """Pages for admins of the organization, and for operators, who see the messages of no organization."""

    view_permission = edit_permission = Permission.ADMINISTER
    ordering: ClassVar[Any] = ("-created_at", "-id")
    keyset_columns: ClassVar[Any] = ("created_at",)
    search_fields: ClassVar[Any] = ("recipient",)
    list_display: ClassVar[Any] = ("recipient", "what", "created_at", "state_text", "attempts", "problem")
    list_filter: ClassVar[Any] = (GivenUpFilter,)
    sortable_by: ClassVar[Any] = ()
    empty_hint = gettext_lazy("Invitations and notices of deals are listed here for two weeks.")
    row_actions: ClassVar[Sequence[AdminAction]] = (SendAgain(),)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request) or super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        return [(None, {"fields": list(COLUMNS)})]

    @admin.display(description=gettext_lazy("Message"))
    def what(self, row: Message) -> str:
        return row.label

    @admin.display(description=gettext_lazy("State"))
    def state_text(self, row: Message) -> SafeString:
        return format_html(
            '<span class="crm-tone crm-tone-{}">{}</span>', TONES[row.state], STATES[row.state]
        )

    @admin.display(description=gettext_lazy("Error"))
    def problem(self, row: Message) -> str:
        """What the mail server has answered, or our own reason."""
        return _(row.error) if row.error else display.NOTHING
