"""Exchange rates in the admin."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.rates import services
from crm_project.rates.models import ExchangeRate
from crm_project.staff.actions import RestoreAction, TrashAction, each
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.filters import DayRange, range_filter
from crm_project.staff.forms import StaffForm, references_field
from crm_project.staff.inputs import DecimalInput


class ExchangeRateForm(StaffForm):
    help_texts: ClassVar[dict[str, str]] = {
        "date": "The rate counts from this day until that of the next one."
    }
    rate = DecimalInput(help_text="What one unit of the currency is worth in the organization's currency.")
    external_references = references_field()


@admin.register(ExchangeRate)
class ExchangeRateAdmin(StaffModelAdmin):
    form = ExchangeRateForm
    empty_hint = "With rates, deals in all currencies are added up in that of the organization."
    edit_permission = Permission.EDIT_PIPELINES
    search_fields: ClassVar[Any] = ("currency",)
    ordering: ClassVar[Any] = ("-date", "-id")
    list_display: ClassVar[Any] = ("currency", "date", "value")
    list_filter: ClassVar[Any] = (range_filter(DayRange, "Date", "date"),)
    has_trash = True
    row_actions: ClassVar[Any] = (
        TrashAction(each(services.trash_exchange_rate, "exchange_rate"), "The rate before it counts then."),
        RestoreAction(each(services.restore_exchange_rate, "exchange_rate")),
    )

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        return [(None, {"fields": [("currency", "rate"), "date", "external_references"]})]

    def create(self, actor: Actor, change: dict[str, Any]) -> ExchangeRate:
        return services.create_exchange_rate(actor=actor, change=change)

    def update(self, actor: Actor, row: ExchangeRate, change: dict[str, Any]) -> ExchangeRate:
        return services.update_exchange_rate(actor=actor, exchange_rate=row, change=change)

    @admin.display(description="Rate")
    def value(self, row: ExchangeRate) -> str:
        return f"{row.rate.normalize():f} {row.base}"
