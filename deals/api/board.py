"""`/api/pipelines/{id}/board`: the deals of a pipeline by stage, as cards with sums, and the pages of a column."""

import datetime
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.api.compiled import Serializer
from crm_project.api.converters import row_lookup
from crm_project.api.errors import InvalidQuery
from crm_project.api.fields import AMOUNT_SCHEMA, StrictDate, StrictDateTime, StrictInteger, StrictUUID
from crm_project.api.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from crm_project.api.serializers import MemberSerializer
from crm_project.api.views import ScopedView, visible_rows
from crm_project.errors import NotFound
from crm_project.records.days import day_at, end_of_today
from deals import money
from deals.api.filters import DealFilter
from deals.api.past import COSTS, PARAMETER_COSTS
from deals.api.serializers import (
    DealAmountField,
    NamedSerializer,
    NextStepSerializer,
    ParticipantSerializer,
    StagePartSerializer,
)
from deals.board import DEFAULT_ORDERING, ORDERINGS, Column, columns_of, for_cards
from deals.models import Deal
from deals.rules import is_overdue, is_paused, is_stale, next_step
from pipelines.models import Pipeline, Stage

NO_CURSOR = "A board has no pages; the columns have. Take `next` of the column."
BOARD_PARAMETERS = {
    "page_size": {
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_PAGE_SIZE,
        "default": DEFAULT_PAGE_SIZE,
        "description": "The number of cards of each column.",
    },
    "ordering": {
        "type": "string",
        "default": DEFAULT_ORDERING,
        "description": f"The order of the cards in their column, with - in front for descending. One of:"
        f" {', '.join(ORDERINGS)}. Cards without a value are last. The order of a saved view applies if it is one of"
        " these.",
    },
}


class CardSerializer(Serializer):
    """A deal on the board."""

    uuid = StrictUUID()
    version = StrictInteger(help_text='The version of the deal, for `If-Match: "<version>"` of a write.')
    name = serializers.CharField(source="__str__", help_text="The name, else the number, else the customer.")
    status = serializers.ChoiceField(Deal.Statuses.choices)
    amount = DealAmountField(read_only=True)
    currency = serializers.CharField()
    probability = StrictInteger(source="effective_probability")
    customer = ParticipantSerializer(
        allow_null=True, help_text="The client, else the company of the contact, else the contact."
    )
    owner = MemberSerializer(allow_null=True)
    is_private = serializers.BooleanField()
    expected_close_date = StrictDate(allow_null=True)
    is_overdue = serializers.SerializerMethodField()
    stage_entered_at = StrictDateTime()
    days_in_stage = serializers.SerializerMethodField()
    is_stale = serializers.SerializerMethodField()
    paused_until = serializers.SerializerMethodField()
    next_step = serializers.SerializerMethodField()

    def get_is_stale(self, deal: Deal) -> bool:
        """Whether the deal is open, not paused, and longer in its stage than the stage's `stale_after_days`."""
        return is_stale(deal, self.context["view"].now, self.context["view"].today)

    @extend_schema_field({"type": ["string", "null"], "format": "date"})
    def get_paused_until(self, deal: Deal) -> str | None:
        """The last day of the pause; null if the deal is not paused, or no more."""
        until = deal.paused_until
        return until.isoformat() if until and is_paused(deal, self.context["view"].today) else None

    def get_is_overdue(self, deal: Deal) -> bool:
        """Whether the deal is open after its expected_close_date, in the time zone of the organization."""
        return is_overdue(deal, self.context["view"].today)

    @extend_schema_field(NextStepSerializer(allow_null=True))
    def get_next_step(self, deal: Deal) -> Any:
        """The open activity that is due first."""
        step = next_step(deal, self.context["view"].now, self.context["view"].end_of_today)
        return None if step is None else NextStepSerializer(step).data

    def get_days_in_stage(self, deal: Deal) -> int:
        """Whole days since stage_entered_at."""
        return deal.days_in_stage(self.context["view"].now)


class BoardTotalSerializer(Serializer):
    """Count and sums of a column's deals in one currency."""

    currency = serializers.CharField()
    count = serializers.IntegerField()
    amount = serializers.SerializerMethodField()
    weighted_amount = serializers.SerializerMethodField()
    amount_base = serializers.SerializerMethodField()
    without_rate = serializers.IntegerField(
        help_text="The number of deals whose amount has no rate, and so is not in `amount_base`."
    )

    @extend_schema_field(AMOUNT_SCHEMA)
    def get_amount_base(self, total: Mapping[str, Any]) -> str:
        """In the organization's currency, with four decimals."""
        return money.in_base(total["amount_base"])

    @extend_schema_field(AMOUNT_SCHEMA)
    def get_amount(self, total: Mapping[str, Any]) -> str:
        return money.formatted(total["amount"], total["currency"]) or "0"

    @extend_schema_field(AMOUNT_SCHEMA)
    def get_weighted_amount(self, total: Mapping[str, Any]) -> str:
        """By the probability in force; rounded half up to the currency's decimals."""
        return money.rounded(total["weighted_amount"], total["currency"])


class BoardStageSerializer(StagePartSerializer):
    probability = StrictInteger()
    uuid = StrictUUID()


class BoardColumnSerializer(Serializer):
    """A stage with all its deals summed up, and the first of them as cards."""

    stage = BoardStageSerializer()
    count = serializers.IntegerField()
    totals = BoardTotalSerializer(many=True)
    cards = CardSerializer(many=True, source="page.rows")
    next = serializers.SerializerMethodField()

    @extend_schema_field({"type": ["string", "null"], "format": "uri"})
    def get_next(self, column: Column) -> str | None:
        """The next page of the column."""
        cursor = column.page.next
        return None if cursor is None else str(self.context["view"].page_url(column.stage, cursor.encode()))


class BoardSerializer(Serializer):
    """The columns of a pipeline in the order of its stages."""

    pipeline = NamedSerializer()
    columns = BoardColumnSerializer(many=True)


class BoardViewSet(ScopedView):
    """The deals of one pipeline by stage."""

    queryset = Deal.objects.none()
    serializer_class = CardSerializer
    filterset_class = DealFilter
    filtered_actions = frozenset({"list", "board"})
    sparse_actions = frozenset({"list"})
    action_parameters: ClassVar[Mapping[str, Mapping[str, Any]]] = {"board": BOARD_PARAMETERS}
    costs = {"board": COSTS["summary"]}
    parameter_costs = PARAMETER_COSTS
    orderings = ORDERINGS
    default_ordering = DEFAULT_ORDERING
    leaves_out_orders = True

    @cached_property
    def now(self) -> datetime.datetime:
        return timezone.now()

    @cached_property
    def today(self) -> datetime.date:
        return day_at(self.now, self.actor.organization.time_zone)

    @cached_property
    def end_of_today(self) -> datetime.datetime:
        return end_of_today(self.now, self.actor.organization.time_zone)

    @cached_property
    def pipeline(self) -> Pipeline:
        pipelines = Pipeline.objects.visible_to(self.actor.member)
        pipeline: Pipeline | None = pipelines.filter(**row_lookup("pk", self.kwargs["pipeline_id"])).first()
        if pipeline is None:
            raise NotFound
        return pipeline

    @cached_property
    def stage(self) -> Stage:
        stages = Stage.objects.in_order().filter(pipeline=self.pipeline)
        stage: Stage | None = stages.filter(**row_lookup("pk", self.kwargs["stage_id"])).first()
        if stage is None:
            raise NotFound
        stage.pipeline = self.pipeline
        return stage

    def get_queryset(self) -> Any:
        """Open deals, unless the filter `status` asks for others: a board must not cost more with each closed deal."""
        rows = visible_rows(self)
        return rows if "status" in self.request.query_params else rows.open()

    def for_reading(self, rows: Any) -> Any:
        return for_cards(rows.filter(stage=self.stage.pk)).select_related("stage")

    @extend_schema(responses=BoardSerializer, summary="The board of a pipeline")
    def board(self, request: Request, **_: Any) -> Response:
        """Every stage with count, sums and the first cards of its deals, of which a deal has more fields.

        Takes the filters of `/api/deals`; the sums are those of `/api/deals/summary` with the same filters. Shows open
        deals, unless `status` is given. A card is moved by `PATCH /api/deals/{uuid}` with `stage_id`, or `status` won
        or lost, and the card's version in `If-Match`.
        """
        self.check_own_parameters(request)
        ordering, key, _, size, _ = self.pagination_class().parameters(request, self)
        pipeline: Pipeline = self.pipeline
        deals: Any = self.filter_queryset(self.get_queryset())
        columns = columns_of(pipeline, deals, size=size, key=key, ordering=ordering)
        board = {"pipeline": pipeline, "columns": columns}
        return Response(BoardSerializer(board, context=self.get_serializer_context()).data)

    @extend_schema(summary="The cards of one column of a board")
    def list(self, request: Request, **_: Any) -> Response:
        """Takes the same filters as the board, whose columns link to their next pages."""
        return super().list(request)

    def check_own_parameters(self, request: Request) -> None:
        if self.action != "board":
            return
        if "cursor" in request.query_params:
            raise InvalidQuery({"cursor": [NO_CURSOR]})
        self.pagination_class().parameters(request, self)

    def page_url(self, stage: Stage, cursor: str) -> str:
        """The URL of the column with the parameters of this request."""
        query = self.request.query_params.copy()
        query["cursor"] = cursor
        return f"{self.request.build_absolute_uri(self.request.path)}/{stage.pk}?{query.urlencode()}"
