"""Filters of lists of deals."""

import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.lookups import In
from django.utils import timezone

from contacts.api.filters import EmailsFilter
from contacts.models import Contact
from crm_project.api.filter_values import DaysValue, PercentValue
from crm_project.api.filters import (
    BooleanFilter,
    ChangeSetFilter,
    ChoicesFilter,
    CurrencyFilter,
    EmptyFilter,
    IntegerFilter,
    IntegersFilter,
    MembersFilter,
    NumberFilter,
    Range,
    ReferencedFilterSet,
    SearchFilter,
    StrictFilterSet,
    TextFilter,
    UUIDsFilter,
    days,
    instants,
)
from crm_project.api.saved_views import ViewFilter
from crm_project.records.days import day_at
from deals.models import Deal, DealContact, DealState
from deals.querysets import (
    EFFECTIVE_FORECAST_CATEGORY,
    EFFECTIVE_PROBABILITY,
    is_next_step,
    is_paused,
    is_stale,
    with_any_contact,
)
from deals.rules import NEXT_STEPS
from pipelines.models import ForecastCategories, Stage


class PercentFilter(IntegerFilter):
    field_class = PercentValue


class ParticipantFilter(UUIDsFilter):
    """Contacts that take part in a deal."""

    links = DealContact.objects

    def condition(self, values: list[Any]) -> Q:
        taking_part = self.links.filter(contact__uuid__in=values).values("deal")
        return Q(pk__in=taking_part) if values else Q(pk__in=[])

    def without(self) -> Q:
        return ~Q(pk__in=self.links.filter(organization=self.parent.actor.organization_id).values("deal"))


class CompanyFilter(UUIDsFilter):
    """Companies and their people, in any part: as client, contact or participant."""

    def condition(self, values: list[Any]) -> Q:
        organization = self.parent.actor.organization_id
        named = Q(uuid__in=values) | Q(company__uuid__in=values, company__deleted_at=None)
        people = Contact.objects.of(organization).live().filter(named).values("pk")
        return with_any_contact(organization, people)


class StateFilter(StrictFilterSet):
    """The filters that both a deal and its past states have columns for."""

    status = ChoicesFilter(choices=Deal.Statuses.values)
    amount = Range(NumberFilter)
    probability = Range(PercentFilter)
    expected_close_date = days()
    closed_at = instants()
    pipeline = IntegersFilter("stage__pipeline")
    stage = IntegersFilter("stage")
    stage_kind = ChoicesFilter("stage__kind", choices=Stage.Kinds.values)
    owner = MembersFilter("owner__uuid", nullable=True)
    currency = CurrencyFilter()


class PastDealFilter(StateFilter):
    """The filters of lists of past states; all values are those of the states."""

    columns_of = DealState


class InForceFilter(PercentFilter):
    """A bound of the probability in force: that of the deal, of its stage, or of its status."""

    def filter(self, queryset: QuerySet[Any], value: int | None) -> QuerySet[Any]:
        if value is None:
            return queryset
        in_force = queryset.alias(probability_in_force=EFFECTIVE_PROBABILITY)
        bounded: QuerySet[Any] = in_force.filter(**{f"probability_in_force__{self.lookup_expr}": value})
        return bounded


class ForecastCategoryFilter(ChoicesFilter):
    """The category in force: that of the deal, else that of its stage."""

    def condition(self, values: list[Any]) -> Q:
        return Q(In(EFFECTIVE_FORECAST_CATEGORY, values))


class DaysInStageFilter(IntegerFilter):
    field_class = DaysValue

    def filter(self, queryset: QuerySet[Any], value: int | None) -> QuerySet[Any]:
        if value is None:
            return queryset
        return queryset.filter(stage_entered_at__lte=timezone.now() - datetime.timedelta(days=value))


class StaleFilter(BooleanFilter):
    """Open deals that are not paused, and longer in their stage than its limit."""

    def condition(self) -> Q:
        return is_stale(self.parent.actor.organization, timezone.now())

    def filter(self, queryset: QuerySet[Any], value: bool | None) -> QuerySet[Any]:
        if value is None:
            return queryset
        return queryset.filter(self.condition()) if value else queryset.exclude(self.condition())


class PausedFilter(StaleFilter):
    """Open deals whose pause has not ended."""

    def condition(self) -> Q:
        return is_paused(day_at(timezone.now(), self.parent.actor.organization.time_zone))


class NextDealEmptyFilter(EmptyFilter):
    """A next deal that the member may not see is absent, as in the answer."""

    def condition(self) -> Q:
        visible = Deal.objects.visible_to(self.parent.actor.member)
        return ~Q(next_deal__in=visible.order_by().values("pk")) | Q(next_deal=None)


class NextStepFilter(ChoicesFilter):
    """The state of the next open activity, by the time zone of the organization."""

    def condition(self, values: list[Any]) -> Q:
        return is_next_step(values, timezone.now(), self.parent.actor.organization.time_zone)


class DealFilter(ReferencedFilterSet, StateFilter):
    """Bounds are included; a well-formed id of no visible row gives an empty page."""

    custom_kind = "deal"
    columns_of = Deal

    uuid = UUIDsFilter("uuid", help_text="Batch read: without `page_size`, all of them are on one page.")
    amount_gross = Range(NumberFilter)
    amount_base = Range(NumberFilter)
    amount_base_empty = EmptyFilter(
        "amount_base",
        help_text="Whether there is no amount in the organization's currency: no amount, or no rate.",
    )
    probability = Range(InForceFilter)
    probability_empty = EmptyFilter("probability", help_text="Whether no probability is set by hand.")
    forecast_category = ForecastCategoryFilter(choices=ForecastCategories.values)
    forecast_category_empty = EmptyFilter(
        "forecast_category", help_text="Whether no forecast category is set by hand."
    )
    created_at = instants()
    updated_at = instants()
    date = days()
    days_in_stage_min = DaysInStageFilter(
        help_text="Deals that entered their stage at least this many days ago, closed ones included."
    )
    stale = StaleFilter(
        help_text="Open deals that are not paused and longer in their stage than its `stale_after_days`."
    )
    paused = PausedFilter(help_text="Open deals whose `paused_until` is today or later.")
    paused_until = days()
    contact = UUIDsFilter("contact__uuid", nullable=True)
    contact_email = EmailsFilter("contact")
    client = UUIDsFilter("client__uuid", nullable=True, help_text="Exactly the field; see `company`.")
    participant = ParticipantFilter("members", nullable=True)
    company = CompanyFilter(
        help_text="Deals of a company or of its people, as client, contact or participant."
    )
    origin = TextFilter()
    lost_reason = IntegersFilter("lost_reason", nullable=True)
    department_id = IntegersFilter(nullable=True)
    project_id = IntegersFilter(nullable=True)
    task_id = IntegersFilter(nullable=True)
    is_private = BooleanFilter("is_private")
    change_set = ChangeSetFilter(
        help_text="Rows that the change set of an event has written, or that of an import (`counts.change_set`)."
    )
    view = ViewFilter()
    next_step = NextStepFilter(
        "next_activity",
        choices=["none", *NEXT_STEPS],
        help_text="The state of the open activity that is due first; without a due date it is `planned`.",
    )
    next_deal_empty = NextDealEmptyFilter("next_deal")
    q = SearchFilter(
        method="filter_text",
        help_text="Every word occurs in name, description, number, or the name, e-mail or phone numbers of contact or"
        " client; without a client, in the name of the contact's company; phones in any spelling.",
    )

    def filter_text(self, rows: Any, name: str, value: str) -> Any:
        return rows.matching(value)
