"""The past of deals: the list and the summary with `as_of`, and the comparison of two instants."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, wraps
from typing import Any, ClassVar, cast
from zoneinfo import ZoneInfo

from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.api.compiled import Serializer
from crm_project.api.errors import InvalidQuery
from crm_project.api.fields import StrictDateTime
from crm_project.api.filter_values import InstantValue
from crm_project.api.sparse import represented
from crm_project.api.views import ScopedView
from crm_project.records.paging import Key
from deals import money
from deals.api.expansions import DEAL_EXPANSIONS
from deals.api.filters import PastDealFilter, StateFilter
from deals.api.serializers import DealSerializer, summary_of
from deals.models import Deal, DealState
from deals.past import CHANGES

AS_OF = {
    "type": "string",
    "description": "An instant with its UTC offset, or a date, which stands for the end of that day. The deals are"
    " those of that instant, each with `as_of` as an additional field. Pipeline, stage, status, amount, currency,"
    " owner, probability, expected_close_date and closed_at have their values of that instant; names, privacy and all"
    " other fields have their present values. The amount in the organization's currency is by the rates of that day,"
    " as they are known now. The gross amount is null if the amount was another one, and the lost reason if the status"
    " was another one. Accepts the filters status, stage, stage_kind, pipeline, owner and currency"
    " and those of amount, probability, expected_close_date and closed_at; ordering is one of created_at, amount,"
    " expected_close_date, closed_at, name, status.",
}
# What requests count in the rate limits: those that read many rows, and those of the past.
COSTS = {"summary": 10, "changes": 10}
PARAMETER_COSTS = {"total": 5, "as_of": 5}
AS_OF_PARAMETERS = {"list": {"as_of": AS_OF}, "summary": {"as_of": AS_OF}}
CHANGES_PARAMETERS = {
    "since": {
        "type": "string",
        "description": "The beginning, included: an instant with its UTC offset, or a date, which stands for the first"
        " instant of that day.",
    },
    "until": {
        "type": "string",
        "description": "The end, excluded: an instant with its UTC offset, or a date, which stands for the first"
        " instant of that day. The default is now. `since=2026-10-01&until=2026-11-01` is the month of October.",
    },
}
DAY = datetime.timedelta(days=1)
TICK = datetime.timedelta(microseconds=1)
# The columns that a deal takes from its past state.
STATE_COLUMNS = (
    *("status", "amount", "amount_base", "currency", "probability", "expected_close_date", "closed_at"),
)


class ChangesFilter(StateFilter):
    """The values at `until`; of wins, losses and abandoned deals, the present ones."""

    columns_of = DealState


class ChangeTotalSerializer(Serializer):
    currency = serializers.CharField()
    count = serializers.IntegerField()
    amount = serializers.SerializerMethodField()

    def get_amount(self, total: Mapping[str, Any]) -> str:
        return money.formatted(total["amount"], total["currency"]) or "0"


class ChangeCountSerializer(Serializer):
    """The number of deals and the sums of their amounts; of grown and shrunk deals, of the differences."""

    count = serializers.IntegerField()
    totals = ChangeTotalSerializer(many=True)


class ChangesSerializer(Serializer):
    """The differences between two instants. A deal counts for every change that is left on balance."""

    since = StrictDateTime()
    until = StrictDateTime()

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), **{name: ChangeCountSerializer() for name in CHANGES}}


class DealStateViewSet(ScopedView):
    """Deals as they were at `as_of`: the list and the summary of their states of that instant."""

    queryset = DealState.objects.none()
    serializer_class = DealSerializer
    filterset_class = PastDealFilter
    filtered_actions = frozenset({"list", "summary"})
    sparse_actions = frozenset({"list"})
    expansions = DEAL_EXPANSIONS
    action_parameters: ClassVar[Mapping[str, Mapping[str, Any]]] = AS_OF_PARAMETERS
    costs = COSTS
    parameter_costs = PARAMETER_COSTS
    orderings = {
        "created_at": Key(F("deal__created_at")),
        "amount": Key("amount", nullable=True),
        "expected_close_date": Key("expected_close_date", nullable=True),
        "closed_at": Key("closed_at", nullable=True),
        "name": Key("deal__name", text=True),
        "status": Key("status", text=True),
    }

    @cached_property
    def as_of(self) -> datetime.datetime:
        """The instant of the parameter; requests without it go to another view."""
        return cast(datetime.datetime, instant_parameter(self, "as_of", end=True))

    def get_queryset(self) -> Any:
        states = DealState.objects.visible_to(self.actor.member).live().as_of(self.as_of)
        states = states.with_amount_base(self.actor.organization, self.as_of)
        if self.action != "list":
            return states
        # A deal had no state before it was created. The bound is given twice: only this form uses the list's index.
        return states.filter(deal__organization=self.actor.organization_id, deal__created_at__lte=self.as_of)

    def list(self, request: Request, **_: Any) -> Response:
        self.check_own_parameters(request)
        states = self.filter_queryset(self.get_queryset()).select_related("stage__pipeline", "owner__user")
        page: Any = self.paginate_queryset(states)
        deals = represented(self, _past_deals(page, self.actor.member))
        as_of = {"as_of": StrictDateTime().to_representation(self.as_of)}
        extra = {} if "fields" in request.query_params else as_of
        return self.get_paginated_response([{**deal, **extra} for deal in deals])

    def summary(self, request: Request) -> Response:
        self.check_own_parameters(request)
        return Response(summary_of(self.filter_queryset(self.get_queryset())))

    def check_own_parameters(self, request: Request) -> None:
        refuse_parameters(self, "as_of")
        if "deleted" in request.query_params:
            raise InvalidQuery({"deleted": ["Must not be combined with as_of."]})


class DealChangesView(ScopedView):
    """The comparison of the deals of two instants."""

    queryset = DealState.objects.none()
    serializer_class = ChangesSerializer
    filterset_class = ChangesFilter
    filtered_actions = frozenset({"changes"})
    action_parameters: ClassVar[Mapping[str, Mapping[str, Any]]] = {"changes": CHANGES_PARAMETERS}
    costs = COSTS

    def get_queryset(self) -> Any:
        return DealState.objects.visible_to(self.actor.member)

    @extend_schema(responses=ChangesSerializer, summary="What has changed between two instants")
    def changes(self, request: Request) -> Response:
        """Added, won, lost, abandoned, reopened, grown, shrunk, slipped, moved, removed: with counts and sums.

        Business time counts: a deal is added when it was created, and won, lost or abandoned at its `closed_at`,
        whenever that was recorded; the sums of the latter equal those of `/deals/summary` with the same bounds of
        `closed_at`. For the other changes, the state at `until` is compared with that at `since`. The filters apply to
        the state at `until`, and to the present values of deals that are won, lost or abandoned.
        """
        until = instant_parameter(self, "until", end=False) or timezone.now()
        since = instant_parameter(self, "since", end=False)
        if since is None:
            raise InvalidQuery(
                {"since": ["This parameter is required: a date, or an instant with its UTC offset."]}
            )
        if since > until:
            raise InvalidQuery({"since": ["Must not be after `until`."]})
        states: Any = self.filter_queryset(self.get_queryset())
        counted = {
            name: {"count": sum(total["count"] for total in totals), "totals": totals}
            for name, totals in states.changes_between(since, until).items()
        }
        return Response(ChangesSerializer({"since": since, "until": until, **counted}).data)

    def check_own_parameters(self, request: Request) -> None:
        refuse_parameters(self, "since", "until")


def now_or_as_of(now: Callable[..., Any], past: Callable[..., Any]) -> Callable[..., Any]:
    """A view that passes reads with `as_of` to `past` and all other requests to `now`.

    It carries the attributes of `now`, so that routes and OpenAPI have one operation.
    """

    @wraps(now)
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        is_past = request.method in SAFE_METHODS and "as_of" in request.GET
        return (past if is_past else now)(request, *args, **kwargs)

    return view


def refuse_parameters(view: ScopedView, *names: str) -> None:
    """Raise one InvalidQuery for all of these parameters that are not an instant or a day."""
    wrong: dict[str, Any] = {}
    for name in names:
        try:
            instant_parameter(view, name, end=False)
        except InvalidQuery as error:
            wrong |= cast(dict[str, Any], error.detail)
    if wrong:
        raise InvalidQuery(wrong)


def instant_parameter(view: ScopedView, name: str, *, end: bool) -> datetime.datetime | None:
    """The parameter's instant. A day is its first microsecond in the organization's zone, or at the `end` its last."""
    text = view.request.query_params.get(name)
    if text is None:
        return None
    read = InstantValue().read(text)
    if read is None:
        raise InvalidQuery({name: [InstantValue.sentence]})
    if isinstance(read, datetime.datetime):
        return read
    zone = ZoneInfo(view.actor.organization.time_zone)
    try:
        begin = datetime.datetime.combine(read + DAY if end else read, datetime.time(), zone)
        begin = begin.astimezone(datetime.UTC)
    except OverflowError:
        raise InvalidQuery({name: [InstantValue.sentence]}) from None
    return begin - TICK if end else begin


def _past_deals(states: Sequence[DealState], member: Any) -> list[Deal]:
    """The deals of a page of states, in its order, each with the state's columns in place of its own."""
    rows = Deal.objects.filter(pk__in=[state.deal_id for state in states]).for_reading(member)
    deals, entered = {deal.pk: deal for deal in rows}, _stages_entered(states)
    for state in states:
        deals[state.deal_id].stage_entered_at = entered[state.deal_id]
    return [_past_deal(deals[state.deal_id], state) for state in states]


def _stages_entered(states: Sequence[DealState]) -> dict[int, datetime.datetime]:
    """When each deal entered the stage of its state."""
    earlier = DealState.objects.filter(deal__in=[state.deal_id for state in states])
    latest = {state.deal_id: state.valid_from for state in states}
    entered: dict[int, tuple[int, datetime.datetime]] = {}
    for deal_id, stage_id, begun in earlier.order_by("valid_from").values_list(
        "deal_id", "stage_id", "valid_from"
    ):
        same = deal_id in entered and entered[deal_id][0] == stage_id
        if begun <= latest[deal_id] and not same:
            entered[deal_id] = (stage_id, begun)
    return {deal_id: begun for deal_id, (_, begun) in entered.items()}


def _past_deal(deal: Deal, state: DealState) -> Deal:
    """Set the state's columns, and clear what belongs to another amount or status."""
    if (deal.amount, deal.currency) != (state.amount, state.currency):
        deal.amount_gross, deal.bid_value, deal.bid_periods = None, None, None
        deal.bid_type = Deal.BidTypes.FIXED
    if deal.status != state.status:
        deal.lost_reason = None
    for name in STATE_COLUMNS:
        setattr(deal, name, getattr(state, name))
    deal.stage, deal.owner = state.stage, state.owner
    return deal
