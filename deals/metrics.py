"""Figures of sales: what the API and the pages of reports compute, over the deals that a member may see.

Every function takes deals that are narrowed already (`Deal.objects.visible_to(member)` and the filters of a list), and
reads a fixed number of grouped queries. Wins and losses count on the day of `closed_at`, in the organization's zone.
Sums are per currency, each with its part in the organization's currency: see `DealQuerySet.totals`.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import (
    Aggregate,
    DateField,
    F,
    FloatField,
    Func,
    Q,
)
from django.db.models.functions import TruncMonth, TruncQuarter, TruncWeek, TruncYear

from deals.models import Deal
from deals.querysets import EFFECTIVE_FORECAST_CATEGORY, DealQuerySet
from pipelines.models import ForecastCategories, Stage

LONGEST_MONTHS = 24
DAY_SECONDS = 24 * 3600
BUCKETS: Mapping[str, Any] = {
    "week": TruncWeek,
    "month": TruncMonth,
    "quarter": TruncQuarter,
    "year": TruncYear,
}
DAY_COLUMNS = frozenset({"expected_close_date"})
Totals = list[dict[str, Any]]


def month_start(day: datetime.date, months: int = 0) -> datetime.date:
    """The first day of the month that is `months` later."""
    index = day.year * 12 + day.month - 1 + months
    return datetime.date(index // 12, index % 12 + 1, 1)


@dataclass(frozen=True)
class Period:
    """The days from `since` (included) to `until` (excluded) in a zone; at most 24 months."""

    since: datetime.date
    until: datetime.date
    zone: datetime.tzinfo

    @property
    def is_too_long(self) -> bool:
        return self.until > month_start(self.since, LONGEST_MONTHS) + datetime.timedelta(self.since.day - 1)

    @property
    def instants(self) -> tuple[datetime.datetime, datetime.datetime]:
        midnight = datetime.time()
        since, until = (
            datetime.datetime.combine(day, midnight, self.zone).astimezone(datetime.UTC)
            for day in (self.since, self.until)
        )
        return since, until

    @property
    def months(self) -> list[datetime.date]:
        """The first day of each month of which a day is in the period."""
        first = month_start(self.since)
        count = (self.until.year - first.year) * 12 + self.until.month - first.month
        months = [month_start(first, index) for index in range(count + 1)]
        return [month for month in months if month < self.until]

    def holds(self, column: str) -> Q:
        """The condition for a day or an instant in the period."""
        since, until = (self.since, self.until) if column in DAY_COLUMNS else self.instants
        return Q(**{f"{column}__gte": since, f"{column}__lt": until})

    def bucket(self, column: str, size: str) -> Any:
        """The first day of the week, month, quarter or year of a column."""
        zone = None if column in DAY_COLUMNS else self.zone
        return BUCKETS[size](column, tzinfo=zone, output_field=DateField())


class Median(Aggregate):
    """The median of the values of a group, as a float; None for a group without one."""

    template = "percentile_cont(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="GROUP_CONCAT(%(expressions)s)", **extra)

    def convert_value(self, value: Any, expression: Any, connection: Any) -> float | None:
        """SQLite has no median: there the values come as a list."""
        return median(map(float, value.split(","))) if isinstance(value, str) else value


class Seconds(Func):
    """The seconds between two instants."""

    arity = 2
    output_field = FloatField()

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        # Not EXTRACT, which makes a slow numeric.
        return self.as_sql(
            compiler, connection, template="date_part('epoch', %(expressions)s)", arg_joiner=" - "
        )

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        later, earlier = self.get_source_expressions()
        days = [Func(part, function="julianday") for part in (later, earlier)]
        copied = self.copy()
        copied.set_source_expressions(days)
        return Func.as_sql(
            copied, compiler, connection, template="((%(expressions)s) * 86400)", arg_joiner=" - "
        )


def grouped(
    deals: Any, by: Sequence[str], *, period: Period | None = None, column: str = "", bucket: str = ""
) -> Totals:
    """Count and sums per values of `by`, and per `bucket` of the column as `period` if there is one."""
    if period is not None:
        deals = deals.filter(period.holds(column))
    deals = _in_categories(deals, by)
    # Who has an instant of closing is closed.
    totals = type(deals).closed_totals if period is not None and column == "closed_at" else type(deals).totals
    if not bucket or period is None:
        return list(totals(deals, *by))
    return list(totals(deals.annotate(period=period.bucket(column, bucket)), *by, "period"))


def _in_categories(deals: Any, by: Sequence[str]) -> Any:
    return deals.annotate(category=EFFECTIVE_FORECAST_CATEGORY) if "category" in by else deals


def closed_in(deals: DealQuerySet, period: Period) -> DealQuerySet:
    """An open deal has no instant of closing: see the constraint of the model."""
    return deals.filter(period.holds("closed_at"))


def forecast(deals: DealQuerySet, period: Period) -> list[dict[str, Any]]:
    """For each month: the totals of the deals that were won in it, and of the open ones expected to close in it.

    The open deals are in one category each; `weighted` are those of all categories but the omitted ones.
    """
    won = grouped(
        deals.filter(status=Deal.Statuses.WON),
        (),
        period=period,
        column="closed_at",
        bucket="month",
    )
    expected = grouped(
        deals.open(), ("category",), period=period, column="expected_close_date", bucket="month"
    )
    of_month: dict[tuple[Any, str], Totals] = defaultdict(list)
    for total in won:
        of_month[total["period"], "won"].append(total)
    for total in expected:
        of_month[total["period"], total["category"]].append(total)
    return [
        {"month": month, **{name: of_month[month, name] for name in ("won", *ForecastCategories.values)}}
        for month in period.months
    ]


def in_forecast(month: Mapping[str, Any]) -> Totals:
    """The totals of the open deals of a month that are not omitted."""
    named = [name for name in ForecastCategories.values if name != ForecastCategories.OMITTED]
    return [total for name in named for total in month[name]]


@dataclass(frozen=True)
class Passage:
    """How the deals that entered an open stage in a period went on. `median_days` is of those that left it."""

    stage: Stage
    entered: int = 0
    passed: int = 0
    median_days: float | None = None

    @property
    def conversion(self) -> float | None:
        return self.passed / self.entered if self.entered else None


def funnel(deals: DealQuerySet, stages: Iterable[Stage], period: Period) -> list[Passage]:
    """The passages of the open stages of one pipeline.

    A deal enters a stage when it comes to stand in it, open; it has passed it if it was won later, or stood in a later
    open stage of the pipeline. It leaves the stage with another stage, its closing or its removal.
    """
    open_stages = [stage for stage in stages if stage.kind == Stage.Kinds.OPEN]
    found = {row["stage"]: row for row in _passages(deals, open_stages, period)}
    return [_passage(stage, found.get(stage.pk, {})) for stage in open_stages]


def _passage(stage: Stage, row: Mapping[str, Any]) -> Passage:
    seconds = row.get("seconds")
    days = None if seconds is None else seconds / DAY_SECONDS
    return Passage(stage, row.get("entered", 0), row.get("passed", 0), days)


def _passages(deals: DealQuerySet, stages: Sequence[Stage], period: Period) -> list[dict[str, Any]]:
    """Per stage: entered, passed, and the median seconds of the stays that have ended.

    Raw SQL: Django cannot nest window functions, and subqueries for each state take seconds for a large quarter.
    """
    if not stages:
        return []
    try:
        visible, parameters = deals.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return []
    ranks = {stage.pk: rank for rank, stage in enumerate(stages, 1)}
    since, until = map(connection.ops.adapt_datetimefield_value, period.instants)
    bounds = [stages[0].organization_id, since, until]
    with connection.cursor() as cursor:
        cursor.execute(
            _passages_sql(visible, ranks, connection.vendor),
            [*bounds, *bounds, *bounds[::2], *bounds, *parameters, since, until],
        )
        return [
            {"stage": stage, "entered": entered, "passed": passed, "seconds": _median_of(value)}
            for stage, entered, passed, value in cursor.fetchall()
        ]


def _passages_sql(visible: str, ranks: Mapping[int, int], vendor: str) -> str:
    """`place` is the stage of an open live deal, else 0; `rank` how far a state is in the pipeline, won the most.

    States of the period, the ones before them, and the later ones of the same deals are read from the index
    `deals_dealstate_moves` and sorted once, from the last to the first.
    """
    cases = " ".join(f"WHEN {int(stage)} THEN {int(rank)}" for stage, rank in ranks.items())
    seconds = (
        # Not EXTRACT, which makes a slow numeric.
        "date_part('epoch', left_at - valid_from)"
        if vendor == "postgresql"
        else "((julianday(left_at) - julianday(valid_from)) * 86400)"
    )
    median = (
        f"percentile_cont(0.5) WITHIN GROUP (ORDER BY {seconds})"
        if vendor == "postgresql"
        else f"GROUP_CONCAT({seconds})"
    )
    columns = "deal_id, valid_from, stage_id, status, deleted_at"
    own = "FROM deals_dealstate WHERE organization_id = %s AND"
    return f"""
        WITH recent AS (
            SELECT {columns} {own} valid_to >= %s AND valid_from < %s
            UNION ALL SELECT {columns} {own} valid_to IS NULL AND valid_from >= %s AND valid_from < %s
            UNION ALL SELECT {columns} {own} valid_from >= %s
                AND deal_id IN (SELECT deal_id {own} valid_from >= %s AND valid_from < %s)
        ),
        states AS (
            SELECT deal_id, valid_from,
                CASE WHEN status = 'open' AND deleted_at IS NULL THEN stage_id ELSE 0 END AS place,
                CASE WHEN deleted_at IS NOT NULL THEN 0 WHEN status = 'won' THEN {len(ranks) + 1}
                    ELSE CASE stage_id {cases} ELSE 0 END END AS rank
            FROM recent WHERE deal_id IN ({visible})
        ),
        compared AS (
            SELECT states.*, LEAD(place) OVER later AS previous, MAX(rank) OVER later AS reached
            FROM states
            WINDOW later AS (PARTITION BY deal_id ORDER BY valid_from DESC
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        ),
        moves AS (
            SELECT compared.*, LAG(valid_from) OVER (PARTITION BY deal_id ORDER BY valid_from DESC) AS left_at
            FROM compared WHERE previous IS NULL OR previous <> place
        )
        SELECT place, COUNT(DISTINCT deal_id),
            COUNT(DISTINCT CASE WHEN reached > rank THEN deal_id END), {median}
        FROM moves
        WHERE rank > 0 AND place <> 0 AND valid_from >= %s AND valid_from < %s
        GROUP BY place
    """


def _median_of(value: Any) -> float | None:
    """SQLite has no median: there the values come as a list."""
    if isinstance(value, str):
        return median(map(float, value.split(",")))
    return None if value is None else float(value)


@dataclass(frozen=True)
class Results:
    """The closings of a period, the days from creation to winning, and the open deals of now.

    `per_day` is the sales velocity: what the open deals are worth a day, at the average amount, the win rate and the
    median of the days to win.
    """

    won: Totals
    lost: Totals
    abandoned: Totals
    open: Totals
    median_days: float | None

    @property
    def win_rate(self) -> float | None:
        """Of the deals that were won, lost or abandoned, the part that was won."""
        closed = sum(map(count_of, (self.won, self.lost, self.abandoned)))
        return count_of(self.won) / closed if closed else None

    @property
    def average_won(self) -> Decimal | None:
        """The average of the won deals whose amount in the organization's currency is known."""
        known = sum(total["base_count"] for total in self.won)
        return base_of(self.won) / known if known else None

    @property
    def per_day(self) -> Decimal | None:
        parts = self.average_won, self.win_rate, self.median_days
        if None in parts or not self.median_days:
            return None
        average, rate = self.average_won or Decimal(0), Decimal(self.win_rate or 0)
        return count_of(self.open) * average * rate / Decimal(self.median_days)


def results(deals: DealQuerySet, period: Period) -> Results:
    closed = closed_in(deals, period)
    by_status: dict[str, Totals] = defaultdict(list)
    for total in [*closed.closed_totals(), *deals.open().totals()]:
        by_status[total["status"]].append(total)
    seconds = closed.filter(status=Deal.Statuses.WON).order_by()
    found = seconds.aggregate(seconds=Median(Seconds(F("closed_at"), F("created_at"))))["seconds"]
    return Results(
        **{status: by_status[status] for status in Deal.Statuses.values},
        median_days=None if found is None else found / DAY_SECONDS,
    )


def lost_reasons(deals: DealQuerySet, period: Period) -> Totals:
    """The totals of lost and abandoned deals per lost reason."""
    closed = closed_in(deals, period).exclude(status=Deal.Statuses.WON)
    return list(closed.closed_totals("lost_reason"))


def members(deals: DealQuerySet, period: Period) -> dict[Any, dict[str, Totals]]:
    """For each owner, None for no one: the totals of the open deals of now, and of those closed in the period."""
    found: dict[Any, dict[str, Totals]] = {}
    for total in [
        *deals.open().totals("owner", "status"),
        *closed_in(deals, period).closed_totals("owner", "status"),
    ]:
        own = found.setdefault(total["owner"], {status: [] for status in Deal.Statuses.values})
        own[total["status"]].append(total)
    return found


def count_of(totals: Totals) -> int:
    return sum(total["count"] for total in totals)


def base_of(totals: Totals, name: str = "amount_base") -> Decimal:
    """The sum in the organization's currency of the deals with a rate."""
    return sum((total[name] or Decimal(0) for total in totals), Decimal(0))


def without_rate_of(totals: Totals) -> int:
    """The number of deals with an amount that has no rate, and so is not in `base_of`."""
    return sum(total["without_rate"] for total in totals)


def per_currency(totals: Totals, name: str = "amount") -> list[dict[str, Any]]:
    """Count and sum of each currency."""
    found: dict[str, dict[str, Any]] = {}
    for total in totals:
        own = found.setdefault(
            total["currency"], {"currency": total["currency"], "count": 0, "amount": Decimal(0)}
        )
        own["count"] += total["count"]
        own["amount"] += total[name] or 0
    return [found[currency] for currency in sorted(found)]
