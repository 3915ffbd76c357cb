"""Lost reasons in the admin: a managed list."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.staff.actions import RestoreAction, TrashAction, each
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.forms import StaffForm, references_field
from deals import services
from deals.models import LostReason


class LostReasonForm(StaffForm):
    external_references = references_field()


@admin.register(LostReason)
class LostReasonAdmin(StaffModelAdmin):
    form = LostReasonForm
    empty_hint = gettext_lazy(
        "Add the reasons why deals are lost. Members choose one when they close a deal as lost."
    )
    edit_permission = Permission.EDIT_PIPELINES
    search_fields: ClassVar[Any] = ("name",)
    ordering: ClassVar[Any] = ("created_at", "id")
    keyset_columns: ClassVar[Any] = ("created_at", "name")
    list_display: ClassVar[Any] = ("name", "created_at")
    has_trash = True
    row_actions: ClassVar[Any] = (
        TrashAction(
            each(services.trash_lost_reason, "lost_reason"), gettext_lazy("Deals with this reason keep it.")
        ),
        RestoreAction(each(services.restore_lost_reason, "lost_reason")),
    )

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        return [(None, {"fields": ["name", "external_references"]})]

    def create(self, actor: Actor, change: dict[str, Any]) -> LostReason:
        return services.create_lost_reason(actor=actor, change=change)

    def update(self, actor: Actor, row: LostReason, change: dict[str, Any]) -> LostReason:
        return services.update_lost_reason(actor=actor, lost_reason=row, change=change)
