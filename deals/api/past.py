"""The pipeline as it was: what `as_of` does to the list and the summary, and `changes`."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast
from zoneinfo import ZoneInfo

from django.db.models import F, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.api.errors import InvalidQuery
from crm_project.api.fields import StrictDateTime
from crm_project.api.filters import (
    ChoicesFilter,
    DayFilter,
    InstantFilter,
    InstantValue,
    IntegerFilter,
    NumberFilter,
    StrictFilterSet,
    TextFilter,
    UUIDFilter,
)
from crm_project.api.views import KeyedViewSet
from crm_project.records.paging import Key
from deals import money
from deals.models import Deal, DealState
from deals.past import CHANGES

AS_OF = {
    "type": "string",
    "description": "An instant, or a day, which means its end: the deals as they were then, with `as_of` beside their"
    " other fields. Pipeline, stage, status, amount, currency, owner, probability and both closing dates are those of"
    " then; names, privacy and the rest are those of today. A gross amount or a lost reason that does not belong to"
    " what was is null. Takes the filters status, stage, pipeline, owner, currency and those of amount,"
    " expected_close_date and closed_at, and is ordered by one of created_at, amount, expected_close_date,"
    " closed_at, name, status.",
}
BOUND = {
    "type": "string",
    "description": "An instant, or a day: `since` from its beginning, `until` to its end.",
}
DAY = datetime.timedelta(days=1)
TICK = datetime.timedelta(microseconds=1)
# What a deal takes from its past state.
STATE_COLUMNS = ("status", "amount", "currency", "probability", "expected_close_date", "closed_at")


class PastDealFilter(StrictFilterSet):
    """What states can answer, under the names of the present."""

    status = ChoicesFilter(choices=Deal.Statuses.values)
    amount_min = NumberFilter("amount", "gte")
    amount_max = NumberFilter("amount", "lte")
    expected_close_date_after = DayFilter("expected_close_date", "gte")
    expected_close_date_before = DayFilter("expected_close_date", "lte")
    closed_at_after = InstantFilter("closed_at", "gte")
    closed_at_before = InstantFilter("closed_at", "lte")
    pipeline = IntegerFilter("stage__pipeline")
    stage = IntegerFilter("stage")
    owner = UUIDFilter("owner__uuid")
    currency = TextFilter(method="filter_currency")

    def filter_currency(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(currency=value.upper())


class ChangesFilter(StrictFilterSet):
    """Of the deals as they are at the end of the time asked for."""

    pipeline = IntegerFilter("stage__pipeline")
    owner = UUIDFilter("owner__uuid")


class ChangeTotalSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    count = serializers.IntegerField()
    amount = serializers.SerializerMethodField()

    def get_amount(self, total: Mapping[str, Any]) -> str:
        return money.formatted(total["amount"], total["currency"]) or "0"


class ChangeCountSerializer(serializers.Serializer[Any]):
    """How many deals, and what they are worth; of grown and shrunk ones, by how much."""

    count = serializers.IntegerField()
    totals = ChangeTotalSerializer(many=True)


class ChangesSerializer(serializers.Serializer[Any]):
    """What is otherwise than it was. A deal counts for every change that it went through on balance."""

    since = StrictDateTime()
    until = StrictDateTime()

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), **{name: ChangeCountSerializer() for name in CHANGES}}


class PastDealsViewSet(KeyedViewSet):
    """Deals, now or as they were."""

    action_parameters: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "list": {"as_of": AS_OF},
        "summary": {"as_of": AS_OF},
        "changes": {
            "since": BOUND,
            "until": BOUND,
            "pipeline": {**IntegerFilter.schema, "description": "The id of the pipeline at `until`."},
            "owner": {**UUIDFilter.schema, "description": "The uuid of the owner at `until`."},
        },
    }
    past_orderings: ClassVar[Mapping[str, Key]] = {
        "created_at": Key(F("deal__created_at")),
        "amount": Key("amount", nullable=True),
        "expected_close_date": Key("expected_close_date", nullable=True),
        "closed_at": Key("closed_at", nullable=True),
        "name": Key("deal__name", text=True),
        "status": Key("status", text=True),
    }
    as_of: datetime.datetime | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """With `as_of` the view speaks of states: it takes other filters and orderings, and no others."""
        if "as_of" in request.query_params and self.action in ("list", "summary"):
            self.filterset_class, self.orderings = PastDealFilter, self.past_orderings  # type: ignore[misc]
        super().initial(request, *args, **kwargs)
        if "as_of" in request.query_params:
            self.as_of = self._instant("as_of", end=True)
            if "deleted" in request.query_params:
                raise InvalidQuery({"deleted": ["Not together with as_of."]})

    def get_queryset(self) -> Any:
        if self.as_of is None:
            return super().get_queryset()
        states = DealState.objects.visible_to(self.actor.member).live().as_of(self.as_of)
        if self.action != "list":
            return states
        # A deal had no state before it was created. The bound is given twice: only this form uses the list's index.
        return states.filter(deal__organization=self.actor.organization_id, deal__created_at__lte=self.as_of)

    def list(self, request: Request) -> Response:
        if self.as_of is None:
            return super().list(request)
        states = self.filter_queryset(self.get_queryset()).select_related("stage__pipeline", "owner__user")
        page: Any = self.paginate_queryset(states)
        shown = self.get_serializer(_as_they_were(page, self.actor.member), many=True).data
        instant = StrictDateTime().to_representation(self.as_of)
        return self.get_paginated_response([{**deal, "as_of": instant} for deal in shown])

    @extend_schema(responses=ChangesSerializer, summary="What has changed between two instants")
    @action(detail=False)
    def changes(self, request: Request) -> Response:
        """Added, won, lost, abandoned, reopened, grown, shrunk, slipped, moved, removed: with counts and sums.

        The state at `until` (now, if absent) is compared with that at `since`; `pipeline` and `owner` are those at
        `until`.
        """
        until = self._instant("until", end=True) or timezone.now()
        since = self._instant("since", end=False)
        if since is None:
            raise InvalidQuery({"since": ["An instant or a day is needed."]})
        if since > until:
            raise InvalidQuery({"since": ["This is after `until`."]})
        self.filterset_class = ChangesFilter
        states = DealState.objects.visible_to(self.actor.member)
        narrowed: Any = self.filter_queryset(states)
        found = narrowed.changes_between(since, until)
        counted = {
            name: {"count": sum(total["count"] for total in totals), "totals": totals}
            for name, totals in found.items()
        }
        return Response(ChangesSerializer({"since": since, "until": until, **counted}).data)

    def look_at_own(self, request: Request) -> None:
        wrong: dict[str, Any] = {}
        for name in ("as_of", "since", "until"):
            try:
                self._instant(name, end=False)
            except InvalidQuery as error:
                wrong |= cast(dict[str, Any], error.detail)
        if wrong:
            raise InvalidQuery(wrong)

    def _instant(self, name: str, *, end: bool) -> datetime.datetime | None:
        """The parameter's instant; a day is its first or its last one in the organization's zone."""
        text = self.request.query_params.get(name)
        if text is None:
            return None
        read = InstantValue().read(text)
        if read is None:
            raise InvalidQuery({name: [InstantValue.sentence]})
        if isinstance(read, datetime.datetime):
            return read
        zone = ZoneInfo(self.actor.organization.time_zone)
        try:
            begin = datetime.datetime.combine(read + DAY if end else read, datetime.time(), zone)
            begin = begin.astimezone(datetime.UTC)
        except OverflowError:
            raise InvalidQuery({name: [InstantValue.sentence]}) from None
        return begin - TICK if end else begin


def _as_they_were(states: Sequence[DealState], member: Any) -> list[Deal]:
    """The deals of a page of states, in its order, each with the state's columns in place of its own."""
    rows = Deal.objects.filter(pk__in=[state.deal_id for state in states]).for_reading(member)
    deals, entered = {deal.pk: deal for deal in rows}, _stages_entered(states)
    for state in states:
        deals[state.deal_id].stage_entered_at = entered[state.deal_id]
    return [_as_it_was(deals[state.deal_id], state) for state in states]


def _stages_entered(states: Sequence[DealState]) -> dict[int, datetime.datetime]:
    """When each deal entered the stage in which it then stood."""
    earlier = DealState.objects.filter(deal__in=[state.deal_id for state in states])
    latest = {state.deal_id: state.valid_from for state in states}
    stood: dict[int, tuple[int, datetime.datetime]] = {}
    for deal_id, stage_id, begun in earlier.order_by("valid_from").values_list(
        "deal_id", "stage_id", "valid_from"
    ):
        same = deal_id in stood and stood[deal_id][0] == stage_id
        if begun <= latest[deal_id] and not same:
            stood[deal_id] = (stage_id, begun)
    return {deal_id: begun for deal_id, (_, begun) in stood.items()}


def _as_it_was(deal: Deal, state: DealState) -> Deal:
    """What only belongs to the present amount, status or stage is unknown of another one."""
    if (deal.amount, deal.currency) != (state.amount, state.currency):
        deal.amount_gross, deal.bid_value, deal.bid_periods = None, None, None
        deal.bid_type = Deal.BidTypes.FIXED
    if deal.status != state.status:
        deal.lost_reason = None
    for name in STATE_COLUMNS:
        setattr(deal, name, getattr(state, name))
    deal.stage, deal.owner = state.stage, state.owner
    return deal
