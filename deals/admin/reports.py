"""The page of reports: forecast, funnel, results, lost reasons and members, each as a chart and as a table.

Amounts are in the organization's currency. Each figure that is a number of deals leads to the list of exactly these.
"""

import csv
import datetime
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, partial
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.currencies import CURRENCY_DECIMALS
from crm_project.languages.figures import csv_signs, decimal, number
from crm_project.records.rules import is_day
from crm_project.staff import display, inputs
from crm_project.staff.pages import render_page
from crm_project.staff.request_actor import member_choices, today, visible
from deals import metrics, money
from deals.hooks import hooks
from deals.metrics import Period, Totals
from deals.models import Deal, LostReason
from pipelines.models import ForecastCategories, Pipeline, Stage

DAY = datetime.timedelta(days=1)
WON = Deal.Statuses.WON
# The columns of a forecast, whose open deals are in categories.
CATEGORIES = ("won", "commit", "best_case", "pipeline")
# The theme's colours, which follow light and dark.
COLORS = {
    "won": "#16a34a",
    "commit": "#2563eb",
    "best_case": "#60a5fa",
    "pipeline": "#94a3b8",
    "entered": "#94a3b8",
    "passed": "#2563eb",
    "lost": "#dc2626",
}
# A spreadsheet reads a text with one of these at its beginning as a formula.
DANGEROUS = tuple("=+-@\t\r")


@dataclass(frozen=True)
class Cell:
    """A figure, and the address of the list of its deals."""

    text: str
    url: str = ""
    # What a spreadsheet gets, if that is not the text.
    plain: Any = None


@dataclass(frozen=True)
class Section:
    name: str
    title: str
    computed: str
    headers: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    chart: Mapping[str, Any] = field(default_factory=dict)
    without_rate: int = 0

    @property
    def chart_data(self) -> str:
        return json.dumps(self.chart)

    @property
    def notice(self) -> str:
        count = self.without_rate
        text = ngettext(
            "%(count)s deal has an amount in a currency without a rate, and is not in the sums.",
            "%(count)s deals have amounts in currencies without a rate, and are not in the sums.",
            count,
        )
        return text % {"count": count} if count else ""


@dataclass
class Report:
    """The report of one request: its period, pipeline and owner, and the sections."""

    request: HttpRequest
    actor: Actor

    @cached_property
    def period(self) -> Period:
        """Of the parameters; without them, or with wrong ones, the last three months and the next three."""
        first, zone = metrics.month_start(today(self.actor)), ZoneInfo(self.actor.organization.time_zone)
        given = [_day(self.request.GET.get(name, "")) for name in ("since", "until")]
        if given[0] and given[1] and given[0] <= given[1] < datetime.date.max:
            period = Period(given[0], given[1] + DAY, zone)
            if not period.is_too_long:
                return period
        since, until = metrics.month_start(first, -3), metrics.month_start(first, 3)
        return Period(since, until, zone)

    @cached_property
    def pipelines(self) -> list[Pipeline]:
        rows: Any = visible(self.request, Pipeline)
        return list(rows.default_first())

    @cached_property
    def pipeline(self) -> Pipeline | None:
        """The one of the parameter; None for all of them."""
        chosen = inputs.whole_number(self.request.GET.get("pipeline", ""))
        return next((pipeline for pipeline in self.pipelines if pipeline.pk == chosen), None)

    @cached_property
    def owners(self) -> list[tuple[int, str]]:
        return member_choices(self.request)

    @cached_property
    def owner(self) -> int | None:
        """The member of the parameter, whose deals alone count; None for all of them."""
        chosen = inputs.whole_number(self.request.GET.get("owner", ""))
        return chosen if chosen in dict(self.owners) else None

    @property
    def filters(self) -> dict[str, int]:
        """The parameters of the list of deals for those that count, beside those of each figure."""
        chosen = {"pipeline": self.pipeline and self.pipeline.pk, "owner": self.owner}
        return {name: value for name, value in chosen.items() if value}

    @cached_property
    def deals(self) -> Any:
        rows: Any = visible(self.request, Deal)
        rows = rows.filter(stage__pipeline=self.pipeline.pk) if self.pipeline else rows
        return rows.filter(owner=self.owner) if self.owner else rows

    @cached_property
    def goals(self) -> Mapping[datetime.date, tuple[Decimal, Decimal]]:
        """The goals of the organization or the member by month, with the percent attained; a pipeline has none."""
        if self.pipeline:
            return {}
        found = hooks.goals(self.actor.member, self.period, member=self.owner)
        return {month: (goal.amount, goal.percent) for month, (goal,) in found.items()}

    def goal(self, month: datetime.date) -> list[Cell]:
        """The goal of a month, and what is attained of it."""
        if month not in self.goals:
            return [Cell(display.NOTHING)] * 2
        amount, percent = self.goals[month]
        return [self.money(amount), Cell(display.percent(percent), plain=float(percent) / 100)]

    @property
    def last_day(self) -> datetime.date:
        return self.period.until - DAY

    @property
    def query(self) -> str:
        days = {"since": self.period.since.isoformat(), "until": self.last_day.isoformat()}
        return urlencode({**days, **self.filters})

    def sections(self) -> list[Section]:
        return [make(self) for make in SECTIONS.values()]

    def list_url(self, **filters: Any) -> str:
        return f"{reverse('admin:deals_deal_changelist')}?{urlencode({**self.filters, **filters})}"

    def count(self, totals: Totals, **filters: Any) -> Cell:
        found = metrics.count_of(totals)
        return Cell(number(found), self.list_url(**filters) if found and filters else "", found)

    def sum(self, totals: Totals, name: str = "amount_base") -> Cell:
        return self.money(metrics.base_of(totals, name))

    def money(self, amount: Any) -> Cell:
        currency = self.actor.organization.currency
        rounded = type(amount)(money.rounded(amount, currency))
        return Cell(number(rounded, CURRENCY_DECIMALS.get(currency, 2)), plain=rounded)

    def closed(
        self, status: str, first: datetime.date | None = None, last: datetime.date | None = None
    ) -> Any:
        """The filters of the list for the deals of a status that were closed on these days."""
        since, until = first or self.period.since, last or self.last_day
        return {"status": status, "closed_at_from": since.isoformat(), "closed_at_to": until.isoformat()}


def forecast(report: Report) -> Section:
    months = metrics.forecast(report.deals, report.period)
    labels = {"won": pgettext("deals", "Won"), **dict(ForecastCategories.choices)}
    rows = [_forecast_row(report, month) for month in months]
    everything = [total for month in months for name in CATEGORIES for total in month[name]]
    computed = _(
        "Won deals count in the month of their closing, open ones in that of their expected close, in the"
        " forecast category of the deal or else of its stage. Omitted deals are left out. Weighted is the sum"
        " of the open deals, each times its probability."
    )
    of_goals = _(
        "The goal is that of the organization, or of the chosen member; what was won in the whole month is"
        " attained of it."
    )
    return Section(
        "forecast",
        _("Forecast"),
        f"{computed} {of_goals}" if report.goals else computed,
        [
            _("Month"),
            *(text for name in CATEGORIES for text in (str(labels[name]), _("Amount"))),
            pgettext("amount", "Weighted"),
            *((_("Goal"), _("Attained")) if report.goals else ()),
        ],
        rows,
        _chart(
            [row[0].text for row in rows],
            [
                (str(labels[name]), name, [row[2 + 2 * n].plain for row in rows])
                for n, name in enumerate(CATEGORIES)
            ],
            stacked=True,
        ),
        metrics.without_rate_of(everything),
    )


def _forecast_row(report: Report, month: Mapping[str, Any]) -> list[Cell]:
    first = max(month["month"], report.period.since)
    last = min(metrics.month_start(month["month"], 1) - DAY, report.last_day)
    days = {"expected_close_date_from": first.isoformat(), "expected_close_date_to": last.isoformat()}
    cells = [Cell(formats.date_format(month["month"], "YEAR_MONTH_FORMAT"), plain=month["month"].isoformat())]
    for name in CATEGORIES:
        filters = (
            report.closed(WON, first, last) if name == "won" else {"status": "open", "forecast": name, **days}
        )
        cells += [report.count(month[name], **filters), report.sum(month[name])]
    weighted = report.sum(metrics.in_forecast(month), "weighted_amount_base")
    return [*cells, weighted, *(report.goal(month["month"]) if report.goals else ())]


def funnel(report: Report) -> Section:
    pipeline = report.pipeline or next(iter(report.pipelines), None)
    stages = list(Stage.objects.in_order().filter(pipeline=pipeline)) if pipeline else []
    entered, passed = pgettext("deals", "Entered"), pgettext("deals", "Passed")
    found = metrics.funnel(report.deals, stages, report.period)
    rows = [
        [
            Cell(one.stage.name),
            Cell(number(one.entered), plain=one.entered),
            Cell(number(one.passed), plain=one.passed),
            _percent(one.conversion),
            _days(one.median_days),
        ]
        for one in found
    ]
    return Section(
        "funnel",
        _("Funnel: %(pipeline)s") % {"pipeline": pipeline.name} if pipeline else _("Funnel"),
        _(
            "Entered are the deals that came to stand in the stage during the period. Passed are those of them"
            " that were won later, or stood in a later open stage, until today. The days are the median of the"
            " deals that left it."
        ),
        [_("Stage"), entered, passed, _("Conversion"), _("Median days")],
        rows,
        _chart(
            [row[0].text for row in rows],
            # The first series is drawn in front.
            [
                (passed, "passed", [row[2].plain for row in rows]),
                (entered, "entered", [row[1].plain for row in rows]),
            ],
        ),
    )


def results(report: Report) -> Section:
    found = metrics.results(report.deals, report.period)
    rows = [
        [Cell(label), report.count(totals, **filters), report.sum(totals)]
        for label, totals, filters in (
            (pgettext("deals", "Won"), found.won, report.closed("won")),
            (pgettext("deals", "Lost"), found.lost, report.closed("lost")),
            (pgettext("deals", "Abandoned"), found.abandoned, report.closed("abandoned")),
            (pgettext("deals", "Open now"), found.open, {"status": "open"}),
        )
    ]
    nothing, velocity = Cell(display.NOTHING), found.per_day
    figures = [
        [Cell(_("Win rate")), _percent(found.win_rate), nothing],
        [Cell(_("Median days from creation to winning")), _days(found.median_days), nothing],
        [Cell(_("Velocity a day")), nothing, nothing if velocity is None else report.money(velocity)],
    ]
    return Section(
        "results",
        _("Win rate and velocity"),
        _(
            "Deals count on the day of their closing. The win rate is the number of won deals divided by that of"
            " all closed ones. Velocity is the number of open deals × the average won amount × the win rate ÷ the"
            " median days to win."
        ),
        [_("Figure"), _("Deals"), _("Amount")],
        [*rows, *figures],
        without_rate=metrics.without_rate_of([*found.won, *found.lost, *found.abandoned, *found.open]),
    )


def lost_reasons(report: Report) -> Section:
    by_reason: dict[Any, Totals] = {}
    for total in metrics.lost_reasons(report.deals, report.period):
        by_reason.setdefault(total["lost_reason"], []).append(total)
    names = {reason.pk: reason.name for reason in LostReason.objects.seen_by(report.actor.member)}
    ordered = sorted(by_reason.items(), key=lambda item: -metrics.count_of(item[1]))
    days = {name: day for name, day in report.closed("").items() if name != "status"}
    rows = [
        [
            Cell(names[reason] if reason else _("No reason")),
            report.count(totals, **({"lost_reason": reason, **days} if reason else {})),
            report.sum(totals),
        ]
        for reason, totals in ordered
    ]
    return Section(
        "lost-reasons",
        _("Lost reasons"),
        _("The deals that were lost or abandoned in the period."),
        [_("Reason"), _("Deals"), _("Amount")],
        rows,
        _chart([row[0].text for row in rows], [(_("Deals"), "lost", [row[1].plain for row in rows])]),
        metrics.without_rate_of([total for totals in by_reason.values() for total in totals]),
    )


def members(report: Report) -> Section:
    found = metrics.members(report.deals, report.period)
    owners = {
        member.pk: member.full_name
        for member in Member.objects.visible_to(report.actor.member).select_related("user")
    }
    ordered = sorted(found.items(), key=lambda item: -metrics.base_of(item[1]["won"]))
    rows = []
    for owner, by_status in ordered:
        cells = [Cell(owners[owner] if owner else pgettext("owner", "Nobody"))]
        for status in ("open", "won", "lost"):
            filters = {"status": "open"} if status == "open" else report.closed(status)
            own = {**filters, "owner": owner} if owner else {}
            cells += [report.count(by_status[status], **own), report.sum(by_status[status])]
        won, lost = metrics.count_of(by_status["won"]), metrics.count_of(by_status["lost"])
        won_of = won + lost + metrics.count_of(by_status["abandoned"])
        rows.append([*cells, _percent(won / won_of if won_of else None)])
    return Section(
        "members",
        _("Members"),
        _("By the present owner: the open deals of now, and those that were won or lost in the period."),
        [
            _("Owner"),
            *(pgettext("deals", "Open"), _("Amount")),
            *(pgettext("deals", "Won"), _("Amount")),
            *(pgettext("deals", "Lost"), _("Amount")),
            _("Win rate"),
        ],
        rows,
        _chart(
            [row[0].text for row in rows], [(pgettext("deals", "Won"), "won", [row[4].plain for row in rows])]
        ),
        metrics.without_rate_of(
            [total for own in found.values() for totals in own.values() for total in totals]
        ),
    )


SECTIONS: Mapping[str, Callable[[Report], Section]] = {
    "forecast": forecast,
    "funnel": funnel,
    "results": results,
    "lost-reasons": lost_reasons,
    "members": members,
}


def _day(text: str) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if is_day(text) else None


def _percent(part: float | None) -> Cell:
    return Cell(display.NOTHING if part is None else display.percent(round(100 * part)), plain=part)


def _days(days: float | None) -> Cell:
    return Cell(display.NOTHING if days is None else decimal(days, 1), plain=days)


def _chart(
    labels: Sequence[str], series: Sequence[tuple[str, str, Sequence[Any]]], *, stacked: bool = False
) -> dict[str, Any]:
    """The data of Chart.js; none if all values are 0."""
    if not any(value for *others, values in series for value in values):
        return {}
    datasets = [
        {
            "label": label,
            "data": [float(value) for value in values],
            "backgroundColor": COLORS[color],
            "displayYAxis": True,
            "maxBarThickness": 48,
            **({"stack": "all"} if stacked else {}),
        }
        for label, color, values in series
    ]
    return {"labels": list(labels), "datasets": datasets}


def urls(admin: Any) -> list[URLPattern]:
    view = admin.admin_site.admin_view
    return [
        path("reports/", view(partial(reports_view, admin)), name="deals_deal_reports"),
        path("reports/<slug:name>.csv", view(partial(csv_view, admin)), name="deals_deal_report_csv"),
    ]


def reports_view(admin: Any, request: HttpRequest) -> HttpResponse:
    report = Report(request, admin.actor(request))
    return render_page(
        admin,
        request,
        "admin/deals/reports.html",
        title=_("Reports"),
        report=report,
        sections=report.sections(),
        currency=report.actor.organization.currency,
    )


def csv_view(admin: Any, request: HttpRequest, name: str) -> HttpResponse:
    """The table of a section, for spreadsheets."""
    report = Report(request, admin.actor(request))
    if name not in SECTIONS:
        raise Http404
    section, text = SECTIONS[name](report), io.StringIO()
    delimiter, decimal = csv_signs()
    lines = csv.writer(text, delimiter=delimiter)
    lines.writerow(section.headers)
    lines.writerows([_plain(cell, decimal) for cell in row] for row in section.rows)
    answer = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def _plain(cell: Cell, decimal: str) -> Any:
    """Texts that a spreadsheet would read as a formula are quoted, as in exports."""
    value = cell.text if cell.plain is None else cell.plain
    if isinstance(value, Decimal | float):
        return str(value).replace(".", decimal)
    return f"'{value}" if isinstance(value, str) and value[:1] in DANGEROUS else value
