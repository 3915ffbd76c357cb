"""Goals in the admin: their list with what has been attained, and their form."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import formats
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm_project.accounts.rules import Permission
from crm_project.currencies import CURRENCY_DECIMALS
from crm_project.goals.attainment import Attainment, attainments
from crm_project.goals.models import Goal
from crm_project.languages.figures import number
from crm_project.staff import display
from crm_project.staff.actions import RestoreAction, TrashAction
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.filters import DayRange, FormFilter, range_filter
from crm_project.staff.forms import StaffForm, references_field
from crm_project.staff.inputs import DecimalInput, Select
from crm_project.staff.request_actor import actor_of, member_choices, today
from deals import money

NOBODY = "none"


class GoalForm(StaffForm):
    help_texts: ClassVar[Mapping[str, Any]] = {
        "month": gettext_lazy("Any day of the month."),
        "member": gettext_lazy("Without a member, the goal is that of the whole organization."),
    }
    amount = DecimalInput(
        help_text=gettext_lazy("What the deals that are won in the month are to add up to.")
    )
    external_references = references_field()

    def initial_of(self, column: Any) -> Any:
        if column.name != "amount":
            return super().initial_of(column)
        actor: Any = actor_of(self.request)
        amount = money.formatted(self.instance.amount, actor.organization.currency)
        return amount and Decimal(amount)

    def change(self) -> dict[str, Any]:
        change = super().change()
        return {**change, "month": change["month"].replace(day=1)} if change.get("month") else change


class MemberFilter(FormFilter):
    title = gettext_lazy("Member")

    @classmethod
    def names(cls) -> list[str]:
        return ["member"]

    def fields(self, request: HttpRequest) -> dict[str, forms.Field]:
        choices = [("", _("All")), (NOBODY, _("Whole organization")), *member_choices(request)]
        return {"member": forms.ChoiceField(choices=choices, widget=Select(), label=self.title)}

    def narrow(self, rows: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return rows.filter(member=None if value["member"] == NOBODY else value["member"])


@admin.register(Goal)
class GoalAdmin(StaffModelAdmin):
    form = GoalForm
    select_related: ClassVar[Any] = ("member__user",)
    autocomplete_fields: ClassVar[Any] = ("member",)
    empty_hint = gettext_lazy("What each member, or the whole organization, is to win in a month.")
    edit_permission = Permission.EDIT_PIPELINES
    search_fields: ClassVar[Any] = ("member__user__full_name",)
    ordering: ClassVar[Any] = ("-month", "-id")
    list_display: ClassVar[Any] = ("month_name", "goal_of", "goal_amount", "attained", "percent", "deals")
    list_filter: ClassVar[Any] = (
        MemberFilter,
        range_filter(DayRange, gettext_lazy("Month"), "month"),
    )
    has_trash = True
    row_actions: ClassVar[Any] = (
        TrashAction(explanation=gettext_lazy("It can be restored for 30 days.")),
        RestoreAction(),
    )

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        return [(None, {"fields": [("month", "amount"), "member", "external_references"]})]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        for one in attainments(self.actor(request).member, changelist.result_list):
            one.goal.attainment = one  # type: ignore[attr-defined]
        return changelist

    def header(self, request: HttpRequest, row: Goal) -> dict[str, Any]:
        [one] = attainments(self.actor(request).member, [row])
        facts = [
            (_("Goal of"), name_of(row)),
            (_("Attained"), sum_of(one)),
            (_("Percent"), display.percent(one.percent)),
            (_("Deals"), deals_of(one)),
            (_("Id for the API"), str(row.uuid)),
        ]
        return {"template": "admin/facts.html", "facts": facts}

    def home_context(self, request: HttpRequest) -> dict[str, Any]:
        """The goals of this month: the member's own, and the organization's."""
        actor = self.actor(request)
        goals = Goal.objects.on_the_home_page(actor.member, today(actor).replace(day=1))
        return {"goals": [_card(one) for one in attainments(actor.member, list(goals))]}

    @admin.display(description=gettext_lazy("Month"), ordering="month")
    def month_name(self, row: Goal) -> str:
        return formats.date_format(row.month, "YEAR_MONTH_FORMAT")

    @admin.display(description=gettext_lazy("Goal of"))
    def goal_of(self, row: Goal) -> str:
        return name_of(row)

    @admin.display(description=gettext_lazy("Amount"))
    def goal_amount(self, row: Any) -> Any:
        return amount_of(row.attainment)

    @admin.display(description=gettext_lazy("Attained"))
    def attained(self, row: Any) -> Any:
        return sum_of(row.attainment)

    @admin.display(description=gettext_lazy("Percent"))
    def percent(self, row: Any) -> str:
        return display.percent(row.attainment.percent)

    @admin.display(description=gettext_lazy("Deals"))
    def deals(self, row: Any) -> Any:
        return deals_of(row.attainment)


def _card(one: Attainment) -> dict[str, Any]:
    deals = ngettext("%(count)s won deal", "%(count)s won deals", one.deals)
    return {
        "title": _("Your goal of this month")
        if one.goal.member_id
        else _("The organization's goal of this month"),
        "figure": format_html(_("{attained} of {goal}"), attained=sum_of(one), goal=amount_of(one)),
        "value": f"{min(one.percent, 100)}",
        "percent": display.percent(one.percent),
        "deals": deals % {"count": number(one.deals)},
        "note": without_rate_of(one) if one.without_rate else "",
        "url": deals_url(one),
    }


def name_of(goal: Goal) -> str:
    return str(goal.member.full_name) if goal.member else _("Whole organization")


def amount_of(one: Attainment) -> Any:
    return _money(one, one.goal.amount)


def sum_of(one: Attainment) -> Any:
    return _money(one, one.attained)


def _money(one: Attainment, amount: Decimal) -> Any:
    rounded = Decimal(money.rounded(amount, one.currency))
    return display.money(rounded, one.currency, CURRENCY_DECIMALS.get(one.currency, 2))


def deals_of(one: Attainment) -> Any:
    """The number of the deals, as a link to the list of them, and of those that are not in the sum."""
    count = display.anchor(deals_url(one), number(one.deals)) if one.deals else "0"
    return format_html("{} ({})", count, without_rate_of(one)) if one.without_rate else count


def without_rate_of(one: Attainment) -> str:
    return display.without_rate(one.without_rate)


def deals_url(one: Attainment) -> str:
    return f"{reverse('admin:deals_deal_changelist')}?{urlencode(one.filters)}"
