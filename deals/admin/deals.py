"""Deals in the admin: the list, its filters, the page of a deal."""

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.db.models.lookups import In
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.currencies import CURRENCY_DECIMALS
from crm_project.languages.figures import number
from crm_project.staff import display
from crm_project.staff.actions import TrashAction
from crm_project.staff.base import Fieldsets, StaffModelAdmin
from crm_project.staff.filters import (
    AmountRange,
    ChangeSetFilter,
    DayRange,
    FormFilter,
    InstantRange,
    RowFilter,
    choice_filter,
    range_filter,
    yes_no_filter,
)
from crm_project.staff.forms import when
from crm_project.staff.inputs import Select
from crm_project.staff.request_actor import actor_of, member_choices, today
from deals import money, rules, services
from deals.admin import actions, board, reports
from deals.admin.forms import DealForm, StageChoiceField, currencies, may_share, stage_choices, stages_of
from deals.admin.page import path_of
from deals.admin.work import (
    WITH_CONTACT,
    day_before,
    deals_of,
    home_context,
    month_of,
    person_of,
    phone_of,
    takes_part,
)
from deals.models import Deal, LostReason
from deals.querysets import EFFECTIVE_FORECAST_CATEGORY, is_paused, is_stale
from deals.rows import for_listing
from deals.rules import is_overdue
from pipelines.models import ForecastCategories

MIXED_CURRENCIES = gettext_lazy(
    "Amounts are compared as numbers, whatever their currencies. Choose one in the filter “Currency”."
)

STATES_OF_STEPS = (
    ("overdue", pgettext_lazy("next step", "Overdue")),
    ("today", pgettext_lazy("next step", "Today")),
    ("planned", pgettext_lazy("next step", "Planned")),
)


def pipeline_choices(request: HttpRequest) -> list[tuple[int, str]]:
    return list(dict.fromkeys((stage.pipeline_id, stage.pipeline.name) for stage in stages_of(request)))


class StaleFilter(FormFilter):
    """Open deals that are not paused and longer in their stage than its limit."""

    title = gettext_lazy("Too long in one stage")
    is_fixed = True

    @classmethod
    def names(cls) -> list[str]:
        return ["stale"]

    def fields(self, request: HttpRequest) -> dict[str, forms.Field]:
        choices = [("", pgettext("deals", "All")), ("yes", _("Open deals"))]
        return {"stale": forms.ChoiceField(choices=choices, widget=Select())}

    def narrow(self, rows: Any, value: Any) -> Any:
        actor: Any = actor_of(self.request)
        return rows.filter(is_stale(actor.organization, timezone.now()))


class PausedFilter(FormFilter):
    """Open deals whose pause has not ended, or all others."""

    title = pgettext_lazy("deal", "Paused")
    is_fixed = True

    @classmethod
    def names(cls) -> list[str]:
        return ["paused"]

    def fields(self, request: HttpRequest) -> dict[str, forms.Field]:
        choices = [("", pgettext("deals", "All")), ("yes", _("Yes")), ("no", _("No"))]
        return {"paused": forms.ChoiceField(choices=choices, widget=Select(), label=self.title)}

    def narrow(self, rows: Any, value: Any) -> Any:
        actor: Any = actor_of(self.request)
        paused = is_paused(today(actor))
        return rows.filter(paused) if value["paused"] == "yes" else rows.exclude(paused)


class NextStepFilter(FormFilter):
    """By the open activity that is due first."""

    title = gettext_lazy("Next step")
    is_fixed = True

    @classmethod
    def names(cls) -> list[str]:
        return ["next_step"]

    def fields(self, request: HttpRequest) -> dict[str, forms.Field]:
        choices = [("", pgettext("deals", "All")), ("none", pgettext("next step", "None")), *STATES_OF_STEPS]
        return {"next_step": forms.ChoiceField(choices=choices, widget=Select(), label=self.title)}

    def narrow(self, rows: Any, value: Any) -> Any:
        actor: Any = actor_of(self.request)
        return rows.with_next_step([value["next_step"]], timezone.now(), actor.organization.time_zone)


class ForecastFilter(FormFilter):
    """The forecast category in force."""

    title = gettext_lazy("Forecast")
    is_fixed = True

    @classmethod
    def names(cls) -> list[str]:
        return ["forecast"]

    def fields(self, request: HttpRequest) -> dict[str, forms.Field]:
        choices = [("", pgettext("deals", "All")), *ForecastCategories.choices]
        return {"forecast": forms.ChoiceField(choices=choices, widget=Select(), label=self.title)}

    def narrow(self, rows: Any, value: Any) -> Any:
        return rows.filter(In(EFFECTIVE_FORECAST_CATEGORY, [value["forecast"]]))


class LostReasonFilter(RowFilter):
    """Trashed reasons included, which deals keep."""

    title = gettext_lazy("Lost reason")
    parameter = "lost_reason"
    model = LostReason

    def rows(self, request: HttpRequest) -> Any:
        actor: Any = actor_of(request)
        return LostReason.objects.seen_by(actor.member)


class WithContactFilter(RowFilter):
    title = pgettext_lazy("a contact", "With")
    parameter = WITH_CONTACT
    model = Contact

    def condition(self, row_id: int) -> Q:
        actor: Any = actor_of(self.request)
        return takes_part(actor, row_id)


@admin.register(Deal)
class DealAdmin(StaffModelAdmin):
    form = DealForm
    has_trash = True
    custom_kind = "deal"
    many: ClassVar[Any] = {
        "members": gettext_lazy("Participants"),
        "followers": gettext_lazy("Followers"),
        "access_list": gettext_lazy("Access list"),
    }
    guarded: ClassVar[Any] = ("next_deal",)
    panel_factories: ClassVar[Any] = {Contact: deals_of}
    select_related: ClassVar[Any] = (
        *("stage__pipeline", "owner__user", "client", "contact__company", "lost_reason"),
    )
    search_fields: ClassVar[Any] = ("search_text",)
    search_help_text = gettext_lazy("Name, number, description, contact or account")
    palette_icon = "handshake"
    empty_hint = gettext_lazy("Add the first one here, or import deals from a file.")
    ordering: ClassVar[Any] = ("-created_at", "-id")
    keyset_columns: ClassVar[Any] = (
        *("created_at", "amount", "expected_close_date", "name", "status", "stage_entered_at"),
    )
    list_display: ClassVar[Any] = (
        "title",
        "worth",
        "stage_chip",
        "state",
        "account",
        "owned_by",
        "closing",
        "time_in_stage",
    )
    list_display_links: ClassVar[Any] = ("title",)
    list_filter: ClassVar[Any] = (
        choice_filter(gettext_lazy("Status"), "status", Deal.Statuses.choices),
        choice_filter(gettext_lazy("Pipeline"), "pipeline", pipeline_choices, column="stage__pipeline"),
        choice_filter(gettext_lazy("Stage"), "stage", stage_choices),
        choice_filter(gettext_lazy("Owner"), "owner", member_choices),
        range_filter(AmountRange, gettext_lazy("Amount"), "amount"),
        choice_filter(gettext_lazy("Currency"), "currency", currencies("")),
        range_filter(DayRange, gettext_lazy("Expected close"), "expected_close_date"),
        range_filter(InstantRange, pgettext_lazy("deal", "Created"), "created_at"),
        range_filter(InstantRange, pgettext_lazy("deal", "Closed"), "closed_at"),
        StaleFilter,
        PausedFilter,
        NextStepFilter,
        ForecastFilter,
        LostReasonFilter,
        yes_no_filter(pgettext_lazy("deal", "Private"), "is_private"),
        WithContactFilter,
        ChangeSetFilter,
    )
    autocomplete_fields: ClassVar[Any] = ("contact", "client", "owner", "next_deal")
    conditional_fields: ClassVar[Any] = {
        "bid_value": when("bid_type", "!= 'fixed'"),
        "bid_periods": when("bid_type", "!= 'fixed'"),
        "lost_reason": when("status", "== 'lost' || status == 'abandoned'"),
        "closed_at": when("status", "!= 'open'"),
        "paused_until": when("status", "== 'open'"),
        "pause_reason": when("status", "== 'open'"),
    }
    has_tabs = True
    has_views = True
    column_names: ClassVar[Any] = {
        "title": "name",
        "worth": "amount",
        "stage_chip": "stage",
        "state": "status",
        "account": "client",
        "owned_by": "owner",
        "closing": "expected_close_date",
        "time_in_stage": "stage_entered_at",
    }
    row_actions: ClassVar[Any] = (
        actions.Win(),
        actions.Lose(),
        actions.Reopen(),
        actions.Move(),
        actions.HandOver(),
        actions.Duplicate(),
        actions.Pause(),
        actions.Resume(),
        TrashAction(actions.trash_deals, gettext_lazy("Deals in the trash can be restored for 30 days.")),
        actions.RestoreDeals(),
    )

    def get_urls(self) -> list[URLPattern]:
        return [*board.urls(self), *reports.urls(self), *super().get_urls()]

    def create(self, actor: Actor, change: dict[str, Any]) -> Deal:
        return services.create_deals(actor=actor, changes=[change])[0]

    def update(self, actor: Actor, row: Deal, change: dict[str, Any]) -> Deal:
        return services.update_deals(actor=actor, changes=[(row, change)])[0].row

    def fieldsets_for(self, request: HttpRequest, row: Any) -> Fieldsets:
        is_read_only = row is not None and not self.has_change_permission(request, row)
        main = [
            "name",
            "worth" if is_read_only else ("amount", "currency"),
            "stage",
            "client",
            "contact",
            "owner",
            "expected_close_date",
            "description",
        ]
        new_contact = ["contact_email", ("contact_first_name", "contact_last_name"), "contact_phone"]
        sharing = ["is_private", "access_list"] if may_share(request, row) else []
        tabs = {
            _("State"): [
                *("status", "lost_reason", "closed_at", "probability", "forecast_category"),
                *("paused_until", "pause_reason"),
            ],
            **({} if row else {_("New contact"): new_contact}),
            _("Money"): [
                "gross" if is_read_only else "amount_gross",
                "tax_rate",
                "bid_type",
                "price" if is_read_only else "bid_value",
                "bid_periods",
            ],
            _("People"): ["members", "followers", *sharing],
            _("Dates and numbers"): [
                "date",
                ("date_from", "date_to"),
                "number",
                "invoice_no",
                "url",
                "origin",
                "next_deal",
            ],
            _("References"): ["external_references", "department_id", "project_id", "task_id"],
        }
        named = [(title, {"fields": fields, "classes": ["tab"]}) for title, fields in tabs.items()]
        return [(None, {"fields": main}), *named]

    def extra_fields(self, request: HttpRequest, row: Any) -> dict[str, forms.Field]:
        fields = super().extra_fields(request, row)
        if not may_share(request, row):
            del fields["access_list"]
        initial = row.stage_id if row is not None else _first_stage(request)
        return {**fields, "stage": StageChoiceField(request, initial=initial)}

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        actor = self.actor(request)
        own = {
            "owner": actor.member.pk,
            "currency": actor.organization.currency,
            "stage": _first_stage(request),
        }
        return {**own, **super().get_changeform_initial_data(request)}

    def list_rows(self, request: HttpRequest, queryset: Any) -> Any:
        return for_listing(queryset, self.actor(request).member)

    def list_tabs(self, request: HttpRequest) -> list[dict[str, Any]]:
        actor = self.actor(request)
        first, next_month = month_of(today(actor))
        month = {
            "expected_close_date_from": first.isoformat(),
            "expected_close_date_to": day_before(next_month),
        }
        return [
            {
                "label": pgettext("deals", "My open"),
                "query": {"status": "open", "owner": str(actor.member.pk)},
            },
            {"label": pgettext("deals", "All open"), "query": {"status": "open"}},
            {"label": _("Closing this month"), "query": {"status": "open", **month}},
            {"label": pgettext("deals", "All"), "query": {}},
        ]

    def list_totals(self, changelist: Any) -> list[tuple[str, Any]]:
        """The number of deals, and their sum and weighted sum in each currency, the organization's first."""
        groups = changelist.queryset.totals("currency")
        own = self.actor(changelist.request).organization.currency
        groups.sort(key=lambda group: (group["currency"] != own, group["currency"]))
        count = sum(group["count"] for group in groups)
        return [
            (_("Deals"), number(count)),
            *((group["currency"], _sums(group)) for group in groups),
        ]

    def list_note(self, changelist: Any) -> str:
        used = changelist.used_parameters
        compares = changelist.keyset_ordering.endswith("amount") or {"amount_from", "amount_to"} & used
        return str(MIXED_CURRENCIES) if compares and "currency" not in used else ""

    def tools_for(self, request: HttpRequest) -> list[dict[str, str]]:
        link = {"label": _("Board"), "icon": "view_kanban", "url": board.url_for_list(request)}
        return [] if self.in_trash(request) else [link, *super().tools_for(request)]

    def home_context(self, request: HttpRequest) -> dict[str, Any]:
        return home_context(self.actor(request), request)

    def header(self, request: HttpRequest, row: Deal) -> dict[str, Any]:
        is_open = row.status == Deal.Statuses.OPEN
        closing = (
            (_("Expected close"), self.closing(row))
            if is_open
            else (pgettext("deal", "Closed"), _closed_on(row))
        )
        return {
            "template": "admin/deals/deal/header.html",
            "name": str(row),
            "customer": display.link(row.customer) if row.customer else _("No customer yet"),
            "worth": self.worth(row),
            "weighted": f"{row.effective_probability} %" if is_open else "",
            "path": path_of(request, row),
            "facts": [
                (_("Status"), self.state(row)),
                closing,
                (_("In this stage"), self._standing(request, row)),
                (_("Next step"), self.step(row)),
                *(
                    [(pgettext("deal", "Paused"), _pause_of(row))]
                    if rules.is_paused(row, today(self.actor(request)))
                    else []
                ),
                *([] if row.amount_gross is None else [(_("Gross amount"), self.gross(row))]),
                *self.people_facts(row),
            ],
        }

    def _standing(self, request: HttpRequest, row: Deal) -> Any:
        """The days in the stage, with the limit if they are more."""
        days = self.time_in_stage(row)
        if not rules.is_stale(row, timezone.now(), today(self.actor(request))):
            return days
        limit = _("limit %(days)s") % {"days": row.stage.days_until_stale}
        return format_html('<span class="crm-late">{}</span> <small>{}</small>', days, limit)

    def people_facts(self, row: Deal) -> list[tuple[str, Any]]:
        """The people of the deal and how to reach them."""
        person = person_of(row)
        facts = [
            (_("Contact"), display.link(row.contact)),
            (_("E-mail"), display.mail(person.email if person else "")),
            (_("Phone"), display.phone(phone_of(person))),
            (_("Owner"), self.owned_by(row)),
        ]
        return [*facts, (_("Link"), display.web(row.url))] if row.url else facts

    def palette_description(self, row: Deal) -> str:
        decimals = CURRENCY_DECIMALS.get(row.currency, 2)
        amount = "" if row.amount is None else f"{number(row.amount, decimals)} {row.currency}"
        parts = (_("Deal"), str(row.customer or ""), row.stage.name, amount)
        return " · ".join(part for part in parts if part)

    @admin.display(description=gettext_lazy("Deal"), ordering="name")
    def title(self, deal: Deal) -> Any:
        return display.titled(str(deal), "lock" if deal.is_private else "")

    @admin.display(description=gettext_lazy("Amount"), ordering="amount")
    def worth(self, deal: Deal) -> Any:
        return _money(deal.amount, deal)

    @admin.display(description=gettext_lazy("Gross amount"))
    def gross(self, deal: Deal) -> Any:
        return _money(deal.amount_gross, deal)

    @admin.display(description=gettext_lazy("Price per period"))
    def price(self, deal: Deal) -> Any:
        return _money(deal.bid_value, deal)

    @admin.display(description=gettext_lazy("Stage"))
    def stage_chip(self, deal: Deal) -> Any:
        return display.chip(deal.stage.name, deal.stage.color)

    @admin.display(description=gettext_lazy("Status"), ordering="status")
    def state(self, deal: Deal) -> Any:
        return display.status(deal.status, deal.get_status_display())

    @admin.display(description=gettext_lazy("Customer"))
    def account(self, deal: Deal) -> Any:
        return display.link(deal.customer)

    @admin.display(description=gettext_lazy("Owner"))
    def owned_by(self, deal: Deal) -> Any:
        return deal.owner.full_name if deal.owner else display.NOTHING

    @admin.display(description=gettext_lazy("Expected close"), ordering="expected_close_date")
    def closing(self, deal: Deal) -> Any:
        return display.day(deal.expected_close_date, late=is_overdue(deal, timezone.localdate()))

    @admin.display(description=gettext_lazy("Next step"))
    def step(self, deal: Deal) -> Any:
        return next_step_text(deal)

    @admin.display(description=gettext_lazy("In stage"), ordering="-stage_entered_at")
    def time_in_stage(self, deal: Deal) -> Any:
        return display.age(deal.stage_entered_at, timezone.now())


def next_step_text(deal: Deal) -> Any:
    """The day of the next open activity, marked if it is overdue."""
    if deal.next_activity is None:
        return display.NOTHING
    if deal.next_due_at is None:
        return _("without a date")
    return display.day(timezone.localdate(deal.next_due_at), late=deal.next_due_at < timezone.now())


def _sums(group: dict[str, Any]) -> Any:
    currency = group["currency"]
    decimals = CURRENCY_DECIMALS.get(currency, 2)
    weighted = money.rounded(group["weighted_amount"], currency)
    return format_html(
        "{} <small>{}</small>",
        number(group["amount"], decimals),
        _("%(amount)s weighted") % {"amount": number(Decimal(weighted), decimals)},
    )


def _money(amount: Any, deal: Deal) -> Any:
    return display.money(amount, deal.currency, CURRENCY_DECIMALS.get(deal.currency, 2))


def _first_stage(request: HttpRequest) -> int | None:
    """The first stage of the default pipeline, which is the service's default too."""
    first = next(iter(stages_of(request)), None)
    return first.pk if first and first.pipeline.is_default else None


def _pause_of(deal: Deal) -> str:
    day = display.day(deal.paused_until)
    return _("until %(day)s: %(reason)s") % {"day": day, "reason": deal.pause_reason}


def _closed_on(deal: Deal) -> Any:
    return display.day(timezone.localdate(deal.closed_at)) if deal.closed_at else display.NOTHING
