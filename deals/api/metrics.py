"""`/api/deals/metrics`, and the forecast and the funnel of a pipeline: the figures of `deals.metrics`."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, cast
from zoneinfo import ZoneInfo

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.accounts.models import Member
from crm_project.api.compiled import Serializer
from crm_project.api.converters import row_lookup
from crm_project.api.errors import InvalidQuery
from crm_project.api.fields import AMOUNT_SCHEMA, StrictDate, StrictUUID
from crm_project.api.filter_values import DayValue
from crm_project.api.serializers import MemberSerializer
from crm_project.api.views import ScopedView
from crm_project.errors import NotFound
from crm_project.records.days import day_at
from deals import metrics, money
from deals.api.filters import DealFilter, PastDealFilter
from deals.api.past import AS_OF, COSTS, instant_parameter, refuse_parameters
from deals.api.serializers import NamedSerializer, StagePartSerializer
from deals.hooks import MonthGoal, hooks
from deals.metrics import BUCKETS, Period, Totals
from deals.models import Deal, DealState, LostReason
from pipelines.models import Pipeline, Stage

# The dimensions of groups and what they are in the query; those of past states are fewer.
DIMENSIONS: Mapping[str, str] = {
    "pipeline": "stage__pipeline",
    "stage": "stage",
    "stage_kind": "stage__kind",
    "status": "status",
    "owner": "owner",
    "currency": "currency",
    "forecast_category": "category",
    "lost_reason": "lost_reason",
    "origin": "origin",
}
PAST_DIMENSIONS = ("pipeline", "stage", "stage_kind", "status", "owner", "currency")
DATES = ("closed_at", "created_at", "expected_close_date")
MEASURES = ("count", "amount", "weighted_amount", "amount_gross")
MOST_GROUPS = 1000
DAY = datetime.timedelta(days=1)

PERIOD_PARAMETERS: Mapping[str, Any] = {
    "since": {"type": "string", "format": "date", "description": "The first day of the period."},
    "until": {
        "type": "string",
        "format": "date",
        "description": "The day after the last one of the period, which has at most 24 months.",
    },
}
METRICS_PARAMETERS: Mapping[str, Any] = {
    "group_by": {
        "type": "string",
        "examples": list(DIMENSIONS),
        "description": f"One or two of {', '.join(DIMENSIONS)}, comma-separated. The default is one group of all.",
    },
    "date": {
        "type": "string",
        "enum": list(DATES),
        "default": DATES[0],
        "description": "The date that `since`, `until` and `bucket` mean.",
    },
    "bucket": {
        "type": "string",
        "enum": list(BUCKETS),
        "description": "Also groups by the week, month, quarter or year of `date`, named by its first day; needs"
        " `since` and `until`.",
    },
    "measures": {
        "type": "string",
        "examples": list(MEASURES),
        "description": f"Some of {', '.join(MEASURES)}, comma-separated. The default is all of them.",
    },
    "as_of": AS_OF,
    **PERIOD_PARAMETERS,
}


class CurrencySumSerializer(Serializer):
    """Count and sums of the deals of one currency."""

    currency = serializers.CharField()
    count = serializers.IntegerField()
    amount = serializers.CharField()
    weighted_amount = serializers.CharField()
    amount_gross = serializers.CharField(allow_null=True)


class SumsSerializer(Serializer):
    """The number of deals and their sums: per currency, and in the organization's currency."""

    count = serializers.SerializerMethodField()
    amount_base = serializers.SerializerMethodField()
    weighted_amount_base = serializers.SerializerMethodField()
    without_rate = serializers.SerializerMethodField()
    totals = serializers.SerializerMethodField()

    def get_count(self, totals: Totals) -> int:
        return metrics.count_of(totals)

    @extend_schema_field({**AMOUNT_SCHEMA, "description": "Of the deals with a rate."})
    def get_amount_base(self, totals: Totals) -> str:
        return _base(totals, "amount_base")

    @extend_schema_field({**AMOUNT_SCHEMA, "description": "By the probability in force, rounded half up."})
    def get_weighted_amount_base(self, totals: Totals) -> str:
        return _base(totals, "weighted_amount_base")

    def get_without_rate(self, totals: Totals) -> int:
        """The number of deals whose amount has no rate: they are in no sum in the organization's currency."""
        return metrics.without_rate_of(totals)

    @extend_schema_field(CurrencySumSerializer(many=True))
    def get_totals(self, totals: Totals) -> list[dict[str, Any]]:
        columns = {name: metrics.per_currency(totals, name) for name in ("amount", "weighted_amount")}
        gross = {one["currency"]: one["amount"] for one in metrics.per_currency(totals, "amount_gross")}
        return [
            {
                "currency": own["currency"],
                "count": own["count"],
                "amount": money.formatted(own["amount"], own["currency"]),
                "weighted_amount": money.rounded(weighted["amount"], own["currency"]),
                "amount_gross": money.formatted(gross[own["currency"]], own["currency"]),
            }
            for own, weighted in zip(columns["amount"], columns["weighted_amount"], strict=True)
        ]


def _base(totals: Totals, name: str) -> str:
    return money.in_base(metrics.base_of(totals, name))


class GroupSerializer(Serializer):
    """The values of a group: those of `group_by`, and the first day of its `bucket`."""

    pipeline = NamedSerializer(required=False)
    stage = StagePartSerializer(required=False)
    stage_kind = serializers.ChoiceField(Stage.Kinds.choices, required=False)
    status = serializers.ChoiceField(Deal.Statuses.choices, required=False)
    owner = MemberSerializer(required=False, allow_null=True)
    currency = serializers.CharField(required=False)
    forecast_category = serializers.CharField(required=False)
    lost_reason = NamedSerializer(required=False, allow_null=True)
    origin = serializers.CharField(required=False)
    period = StrictDate(required=False)


class MetricSerializer(SumsSerializer):
    """A group and its measures."""

    group = GroupSerializer()


class MetricsSerializer(Serializer):
    """The groups that have deals, in the order of their keys."""

    currency = serializers.CharField(help_text="The organization's, of the sums `…_base`.")
    results = MetricSerializer(many=True)


class MonthGoalSerializer(Serializer):
    """A goal of the month, as `/api/goals` has it: it counts the deals of all pipelines, without any filter."""

    uuid = StrictUUID()
    member = MemberSerializer(allow_null=True, help_text="Null for the whole organization.")
    amount = serializers.SerializerMethodField()
    attained = serializers.SerializerMethodField()
    attained_percent = serializers.SerializerMethodField()
    deals = serializers.IntegerField(help_text="The number of won deals.")
    without_rate = serializers.IntegerField(
        help_text="The number of won deals whose amount has no rate: they are not in `attained`."
    )

    @extend_schema_field({**AMOUNT_SCHEMA, "description": "In the organization's currency."})
    def get_amount(self, goal: MonthGoal) -> Any:
        return money.formatted(goal.amount, self.context["currency"])

    @extend_schema_field({**AMOUNT_SCHEMA, "description": "The sum of the won deals with a rate."})
    def get_attained(self, goal: MonthGoal) -> str:
        return money.in_base(goal.attained)

    @extend_schema_field({"type": "number", "description": "`attained` in percent of `amount`."})
    def get_attained_percent(self, goal: MonthGoal) -> float:
        return float(goal.percent)


class ForecastMonthSerializer(Serializer):
    """The deals won in a month, and the open ones expected to close in it, by forecast category."""

    month = StrictDate(help_text="Its first day.")
    won = SumsSerializer()
    commit = SumsSerializer()
    best_case = SumsSerializer()
    pipeline = SumsSerializer()
    omitted = SumsSerializer()
    weighted = serializers.SerializerMethodField()
    goals = MonthGoalSerializer(
        many=True, help_text="Of the organization, then of the members; those that you may see."
    )

    @extend_schema_field(SumsSerializer)
    def get_weighted(self, month: Mapping[str, Any]) -> Any:
        """The open deals of commit, best_case and pipeline together."""
        return SumsSerializer(metrics.in_forecast(month)).data


class PeriodSerializer(Serializer):
    since = StrictDate()
    until = StrictDate(help_text="The day after the last one.")
    currency = serializers.CharField(help_text="The organization's, of the sums `…_base`.")


class ForecastSerializer(PeriodSerializer):
    months = ForecastMonthSerializer(many=True)


class PassageSerializer(Serializer):
    """How the deals that entered a stage in the period went on."""

    stage = StagePartSerializer()
    entered = serializers.IntegerField()
    passed = serializers.IntegerField(help_text="Won, or in a later open stage, at any time after that.")
    conversion = serializers.FloatField(allow_null=True, help_text="`passed` divided by `entered`.")
    median_days = serializers.FloatField(allow_null=True, help_text="Of the deals that have left the stage.")


class FunnelSerializer(PeriodSerializer):
    """The open stages in order, and the closings of the period."""

    stages = PassageSerializer(many=True)
    won = SumsSerializer(source="results.won")
    lost = SumsSerializer(source="results.lost")
    abandoned = SumsSerializer(source="results.abandoned")
    win_rate = serializers.FloatField(
        source="results.win_rate", allow_null=True, help_text="The won ones of all closed ones."
    )
    median_days_to_win = serializers.FloatField(
        source="results.median_days", allow_null=True, help_text="From the creation to the closing."
    )
    velocity = serializers.SerializerMethodField()

    @extend_schema_field({"type": ["string", "null"]})
    def get_velocity(self, funnel: Mapping[str, Any]) -> str | None:
        """In the organization's currency, a day: open deals × average won amount × win rate ÷ days to win."""
        value = funnel["results"].per_day
        return None if value is None else money.in_base(value)


class FiguresView(ScopedView):
    """A view of figures over the filtered deals of a period."""

    queryset: Any = Deal.objects.none()
    filterset_class = DealFilter
    costs = {**COSTS, "metrics": 10, "forecast": 10, "funnel": 10}

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.actor.organization.time_zone)

    @property
    def today(self) -> datetime.date:
        return day_at(timezone.now(), self.actor.organization.time_zone)

    def get_queryset(self) -> Any:
        return Deal.objects.visible_to(self.actor.member)

    def period(self, since: datetime.date | None = None, until: datetime.date | None = None) -> Period | None:
        """The period of the parameters, or of these defaults; InvalidQuery names each wrong one."""
        days: dict[str, datetime.date | None] = {"since": since, "until": until}
        wrong: dict[str, Any] = {}
        for name in days:
            if (text := self.request.query_params.get(name)) is not None:
                days[name] = DayValue().read(text)
                wrong |= {} if days[name] else {name: [DayValue.sentence]}
        if wrong:
            raise InvalidQuery(wrong)
        if days["since"] is None and days["until"] is None:
            return None
        if days["since"] is None or days["until"] is None:
            missing = "since" if days["since"] is None else "until"
            raise InvalidQuery({missing: ["`since` and `until` belong together."]})
        return self._checked(Period(days["since"], days["until"], self.zone))

    def _checked(self, period: Period) -> Period:
        if period.since >= period.until:
            raise InvalidQuery({"until": ["Must be after `since`."]})
        try:
            too_long, _ = period.is_too_long, period.instants
        except (ValueError, OverflowError):
            raise InvalidQuery({"since": ["Date out of range."]}) from None
        if too_long:
            raise InvalidQuery({"until": ["A period has at most 24 months."]})
        return period


class MetricsView(FiguresView):
    """Count and sums by dimensions and time."""

    serializer_class = MetricsSerializer
    filtered_actions = frozenset({"metrics"})
    action_parameters: ClassVar[Mapping[str, Mapping[str, Any]]] = {"metrics": METRICS_PARAMETERS}
    dimensions: ClassVar[Sequence[str]] = tuple(DIMENSIONS)
    dates: ClassVar[Sequence[str]] = DATES

    @extend_schema(responses=MetricsSerializer, summary="Count and sums by dimensions and time")
    def metrics(self, request: Request) -> Response:
        """Takes the filters of `/api/deals`; the sums are those of `/api/deals/summary` with the same filters.

        At most 1,000 groups. With `as_of`, the dimensions are pipeline, stage, stage_kind, status, owner and currency,
        and the filters those of the list with `as_of`.
        """
        self.check_own_parameters(request)
        by, period = self.names("group_by", self.dimensions, most=2), self.period()
        found = metrics.grouped(
            self.filter_queryset(self.get_queryset()),
            [DIMENSIONS[name] for name in by],
            period=period,
            column=self.date,
            bucket=self.request.query_params.get("bucket", ""),
        )
        results = self._results(by, found)
        shown = self.names("measures", MEASURES, most=len(MEASURES)) or MEASURES
        body = {
            "currency": self.actor.organization.currency,
            "results": [_measured(result, shown) for result in results],
        }
        return Response(body)

    @property
    def date(self) -> str:
        return self.request.query_params.get("date", self.dates[0])

    def check_own_parameters(self, request: Request) -> None:
        query, wrong = request.query_params, {}
        for name, known in (("date", self.dates), ("bucket", tuple(BUCKETS))):
            if query.get(name, known[0]) not in known:
                wrong[name] = [f"Must be one of: {', '.join(known)}."]
        if "bucket" in query and "since" not in query:
            wrong["since"] = ["A `bucket` needs `since` and `until`."]
        for check in (
            lambda: self.names("group_by", self.dimensions, most=2),
            lambda: self.names("measures", MEASURES, most=len(MEASURES)),
            self.period,
        ):
            try:
                check()
            except InvalidQuery as error:
                wrong = {**error.detail, **wrong}  # type: ignore[dict-item]
        if wrong:
            raise InvalidQuery(wrong)

    def names(self, parameter: str, known: Sequence[str], *, most: int) -> list[str]:
        text = self.request.query_params.get(parameter)
        names = text.split(",") if text else []
        if len(names) > most or len(set(names)) < len(names) or not set(names) <= set(known):
            raise InvalidQuery({parameter: [f"At most {most} of these, each once: {', '.join(known)}."]})
        return names

    def _results(self, by: Sequence[str], found: Totals) -> list[dict[str, Any]]:
        """The groups in order, each with its totals; names are read once for each dimension."""
        groups: dict[tuple[Any, ...], Totals] = {}
        for total in found:
            key = (
                *(total[DIMENSIONS[name]] for name in by),
                *([total["period"]] if "period" in total else []),
            )
            groups.setdefault(key, []).append(total)
        if len(groups) > MOST_GROUPS:
            raise InvalidQuery({"group_by": [f"More than {MOST_GROUPS} groups: narrow them by filters."]})
        naming = [(name, self._naming(name)) for name in by]
        if "bucket" in self.request.query_params:
            naming.append(("period", StrictDate().to_representation))
        return [
            {
                "group": {name: show(value) for (name, show), value in zip(naming, key, strict=True)},
                **SumsSerializer(totals).data,
            }
            for key, totals in groups.items()
        ]

    def _naming(self, dimension: str) -> Callable[[Any], Any]:
        """How a value of a dimension is shown."""
        member = self.actor.member
        if dimension in ("stage", "pipeline"):
            stages = {stage.pk: stage for stage in Stage.objects.seen_by(member).select_related("pipeline")}
            if dimension == "stage":
                return lambda pk: StagePartSerializer(stages[pk]).data
            pipelines = {stage.pipeline_id: stage.pipeline for stage in stages.values()}
            return lambda pk: NamedSerializer(pipelines[pk]).data
        if dimension == "owner":
            owners = Member.objects.visible_to(member).select_related("user").in_bulk()
            return lambda pk: None if pk is None else MemberSerializer(owners[pk]).data
        if dimension == "lost_reason":
            reasons = LostReason.objects.seen_by(member).in_bulk()
            return lambda pk: None if pk is None else NamedSerializer(reasons[pk]).data
        return lambda value: value


def _measured(result: dict[str, Any], shown: Sequence[str]) -> dict[str, Any]:
    """The result with the chosen measures alone."""
    hidden = set(MEASURES) - set(shown)
    hidden |= {f"{name}_base" for name in hidden}
    if not {"amount", "weighted_amount"} & set(shown):
        hidden.add("without_rate")
    kept = {name: value for name, value in result.items() if name not in hidden}
    if set(shown) == {"count"}:
        del kept["totals"]
        return kept
    kept["totals"] = [
        {name: value for name, value in total.items() if name not in hidden} for total in kept["totals"]
    ]
    return kept


class PastMetricsView(MetricsView):
    """The metrics of the states of an instant."""

    queryset: Any = DealState.objects.none()
    filterset_class = PastDealFilter
    dimensions = PAST_DIMENSIONS
    dates = ("closed_at", "expected_close_date")

    def get_queryset(self) -> Any:
        as_of = cast(datetime.datetime, instant_parameter(self, "as_of", end=True))
        states = DealState.objects.visible_to(self.actor.member).live().as_of(as_of)
        return states.with_amount_base(self.actor.organization, as_of)

    def check_own_parameters(self, request: Request) -> None:
        refuse_parameters(self, "as_of")
        super().check_own_parameters(request)


class PipelineFiguresView(FiguresView):
    """The forecast and the funnel of one pipeline."""

    serializer_class = ForecastSerializer
    filtered_actions = frozenset({"forecast", "funnel"})
    action_parameters: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "forecast": PERIOD_PARAMETERS,
        "funnel": PERIOD_PARAMETERS,
    }

    @cached_property
    def pipeline(self) -> Pipeline:
        pipelines = Pipeline.objects.visible_to(self.actor.member)
        pipeline: Pipeline | None = pipelines.filter(**row_lookup("pk", self.kwargs["pipeline_id"])).first()
        if pipeline is None:
            raise NotFound
        return pipeline

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(stage__pipeline=self.pipeline.pk)

    @extend_schema(responses=ForecastSerializer, summary="The forecast of a pipeline by month")
    def forecast(self, request: Request, **_: Any) -> Response:
        """Takes the filters of `/api/deals`. Without a period: this month and the two after it.

        Open deals count in the month of `expected_close_date`, by their forecast category; won ones in that of
        `closed_at`. `goals` are those of the organization and its members: they belong to no pipeline, so neither the
        pipeline nor the filters narrow what is attained of them, and a month counts as a whole.
        """
        period = self._asked()
        deals: Any = self.filter_queryset(self.get_queryset())
        goals = hooks.goals(self.actor.member, period)
        months = [
            {**month, "goals": goals.get(month["month"], [])} for month in metrics.forecast(deals, period)
        ]
        body = {**self._frame(period), "months": months}
        return Response(ForecastSerializer(body, context={"currency": body["currency"]}).data)

    @extend_schema(responses=FunnelSerializer, summary="The funnel of a pipeline")
    def funnel(self, request: Request, **_: Any) -> Response:
        """Takes the filters of `/api/deals`. Without a period: this month and the two before it, until today."""
        period = self._asked()
        deals: Any = self.filter_queryset(self.get_queryset())
        stages = Stage.objects.visible_to(self.actor.member).in_order()
        own = stages.filter(pipeline=self.pipeline)
        body = {
            **self._frame(period),
            "stages": metrics.funnel(deals, own, period),
            "results": metrics.results(deals, period),
        }
        return Response(FunnelSerializer(body).data)

    def check_own_parameters(self, request: Request) -> None:
        self._asked()

    def _asked(self) -> Period:
        today = self.today
        if self.action == "forecast":
            default = metrics.month_start(today), metrics.month_start(today, 3)
        else:
            default = metrics.month_start(today, -2), today + DAY
        named = {"since", "until"} & self.request.query_params.keys()
        period = self.period() if named else self.period(*default)
        assert period is not None
        return period

    def _frame(self, period: Period) -> dict[str, Any]:
        currency = self.actor.organization.currency
        return {"since": period.since, "until": period.until, "currency": currency}
