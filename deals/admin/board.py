"""The board: the deals of a pipeline as cards in the columns of its stages."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from crm_project.accounts.actors import Actor
from crm_project.currencies import CURRENCY_DECIMALS
from crm_project.languages.caching import cached_by_language
from crm_project.languages.figures import number
from crm_project.records.days import day_at, end_of_today
from crm_project.records.paging import Cursor, InvalidCursor, KeysetPage
from crm_project.staff import inputs
from crm_project.staff.filters import plain_address
from crm_project.staff.pages import remove_indentation, render_page
from crm_project.staff.request_actor import visible
from crm_project.staff.saved_views import view_of
from deals import money
from deals.admin import board_acts
from deals.admin.board_filters import BoardFilters, pipelines_of
from deals.board import ORDERINGS, Column, cards_of, columns_of, for_cards, totals_of
from deals.models import Deal, LostReason
from deals.rules import is_overdue, is_paused, is_stale, next_step
from pipelines.models import Pipeline, Stage

CARDS = 20
CURSOR = "cursor"
MOVING = "move"


@dataclass
class Board:
    """One pipeline's board for one request: its filters, and the parts of the page."""

    admin: Any
    request: HttpRequest
    actor: Actor
    pipeline: Pipeline

    @cached_property
    def filters(self) -> BoardFilters:
        return BoardFilters(self.admin, self.request)

    @cached_property
    def deals(self) -> Any:
        """The visible deals that the filters leave, of any pipeline."""
        return self.filters.narrow(visible(self.request, Deal))

    @cached_property
    def stages(self) -> list[Stage]:
        stages = list(Stage.objects.filter(pipeline=self.pipeline.pk).in_order())
        for stage in stages:
            stage.pipeline = self.pipeline
        return stages

    @property
    def may_edit(self) -> bool:
        return bool(self.admin.has_change_permission(self.request))

    @property
    def url(self) -> str:
        query = self.filters.query
        return f"{reverse('admin:deals_deal_board', args=[self.pipeline.pk])}{'?' if query else ''}{query}"

    def list_url(self, **more: Any) -> str:
        query = {**self.filters.list_query, "pipeline": self.pipeline.pk, **more}
        return f"{reverse('admin:deals_deal_changelist')}?{urlencode(query)}"

    def columns(self) -> list[dict[str, Any]]:
        """Every stage for open deals that may have some; closing stages if there are deals in them."""
        ordering = self.filters.ordering
        key = ORDERINGS[ordering.removeprefix("-")]
        found = columns_of(self.pipeline, self.deals, size=CARDS, key=key, ordering=ordering)
        self.__dict__["stages"] = [column.stage for column in found]
        is_open = self.filters.status == Deal.Statuses.OPEN
        return [
            self.column(column)
            for column in found
            if not is_open or column.count or column.stage.kind == Stage.Kinds.OPEN
        ]

    def column(self, column: Column) -> dict[str, Any]:
        return {
            "stage": column.stage,
            **self.head(column.stage, column.totals),
            **self.page(column.stage, column.page),
        }

    def head(self, stage: Stage, totals: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The figures of a column: one sum in the organization's currency, and those without rates by themselves."""
        return {
            "count": sum(total["count"] for total in totals),
            "url": self.list_url(stage=stage.pk),
            "sums": [_sums(total) for total in in_one_currency(totals, self.actor) if total["amount"]],
        }

    def page(self, stage: Stage, page: KeysetPage) -> dict[str, Any]:
        query = self.filters.query
        cursor = urlencode({CURSOR: page.next.encode()}) if page.next else ""
        more = f"{stage.pk}/?{query}{'&' if query else ''}{cursor}" if cursor else ""
        moving = inputs.whole_number(self.request.GET.get(MOVING, ""))
        cards = [self.one_card(deal, is_moving=deal.pk == moving) for deal in page.rows]
        return {"cards": cards, "more": more, "list_url": self.list_url(stage=stage.pk)}

    def heads(self) -> dict[int, str]:
        """The figures of all columns as HTML, by stage."""
        totals = totals_of(self.stages, self.deals)
        return {
            stage.pk: render_to_string(
                "admin/deals/board/head.html", self.head(stage, totals.get(stage.pk, []))
            )
            for stage in self.stages
        }

    def card(self, deal_id: int) -> tuple[str, int | None]:
        """The card as HTML and its stage, if the board still has it."""
        deal = for_cards(self.deals.filter(pk=deal_id, stage__in=[stage.pk for stage in self.stages])).first()
        if deal is None:
            return "", None
        context = {"cards": [self.one_card(deal)], "may_edit": self.may_edit}
        return render_to_string("admin/deals/board/cards.html", context), deal.stage_id

    def one_card(self, deal: Deal, *, is_moving: bool = False) -> dict[str, Any]:
        return _card(deal, timezone.now(), self.actor.organization.time_zone, is_moving=is_moving)

    def targets(self) -> list[tuple[str, str, str]]:
        """Where a card can be moved to by a select, as (value, kind, name)."""
        kinds = {stage.kind for stage in self.stages}
        statuses = [
            (kind.value, kind.value, str(kind.label))
            for kind in (Stage.Kinds.WON, Stage.Kinds.LOST)
            if kind not in kinds
        ]
        return [*((str(stage.pk), stage.kind, stage.name) for stage in self.stages), *statuses]


def in_one_currency(totals: Sequence[Mapping[str, Any]], actor: Actor) -> list[Mapping[str, Any]]:
    """The currencies whose deals all have rates as one total in the organization's, then the others, each by itself."""
    base, others = {"currency": actor.organization.currency, "amount": 0, "weighted_amount": 0}, []
    for total in totals:
        if total["without_rate"]:
            others.append(total)
        else:
            base["amount"] += total["amount_base"]
            base["weighted_amount"] += total["weighted_amount_base"]
    return [base, *others]


def _sums(total: Mapping[str, Any]) -> dict[str, str]:
    currency = total["currency"]
    decimals = CURRENCY_DECIMALS.get(currency, 2)
    weighted = total["weighted_amount"]
    return {
        "currency": currency,
        "amount": number(total["amount"], decimals),
        "weighted": number(type(weighted)(money.rounded(weighted, currency)), decimals),
    }


def _card(deal: Deal, now: datetime.datetime, time_zone: str, *, is_moving: bool = False) -> dict[str, Any]:
    """A card. What is due today, and what is paused, goes by the day of the organization, as in the API."""
    today = day_at(now, time_zone)
    closing, is_late = _short_day(deal.expected_close_date, today), is_overdue(deal, today)
    decimals = CURRENCY_DECIMALS.get(deal.currency, 2)
    step = next_step(deal, now, end_of_today(now, time_zone))
    return {
        "deal": deal,
        "key": str(deal.pk),
        "version": str(deal.version),
        "customer": deal.customer or "",
        "amount": "" if deal.amount is None else f"{number(deal.amount, decimals)} {deal.currency}",
        "closing": _overdue(closing) if is_late else closing,
        "is_overdue": is_late,
        "days": _days_in_stage(deal.days_in_stage(now)),
        "is_stale": is_stale(deal, now, today),
        "paused": _short_day(deal.paused_until, today) if is_paused(deal, today) else "",
        "owner": deal.owner.full_name if deal.owner else "",
        "is_moving": is_moving,
        "step": step,
        "next": step and _next_step(_short_day(step.due_at and timezone.localdate(step.due_at), today)),
    }


def _short_day(day: Any, today: Any) -> str:
    """`12 Dec`, with the year if it is another one."""
    return _formatted(day, "MONTH_DAY_FORMAT" if day.year == today.year else "DATE_FORMAT") if day else ""


@cached_by_language
def _formatted(day: datetime.date, day_format: str) -> str:
    return formats.date_format(day, day_format)


@cached_by_language
def _overdue(day: str) -> str:
    return _("%(day)s, overdue") % {"day": day}


@cached_by_language
def _next_step(day: str) -> str:
    return _("next step %(day)s") % {"day": day} if day else _("next step undated")


@cached_by_language
def _days_in_stage(days: int) -> str:
    return _("%(days)s d in stage") % {"days": days}


def urls(admin: Any) -> list[URLPattern]:
    def route(pattern: str, view: Any, name: str) -> URLPattern:
        found: URLPattern = path(pattern, admin.admin_site.admin_view(partial(view, admin)), name=name)
        return found

    return [
        route("board/", default_view, "deals_deal_board_default"),
        route("board/<int:pipeline_id>/", board_view, "deals_deal_board"),
        route("board/<int:pipeline_id>/<int:stage_id>/", cards_view, "deals_deal_board_cards"),
        route("board/<int:pipeline_id>/move/", move_view, "deals_deal_board_move"),
        route("board/<int:pipeline_id>/add/", add_view, "deals_deal_board_add"),
    ]


def url_for_list(request: HttpRequest) -> str:
    """The board of the list's or its view's pipeline, else of the default one, with the filters of the list."""
    query = request.GET.copy()
    pipeline, view = inputs.whole_number(query.pop("pipeline", [""])[-1]), view_of(request, Deal)
    if not pipeline and view is not None:
        pipeline = next(iter(pipelines_of(view)), 0)
    name, ids = ("deals_deal_board", [pipeline]) if pipeline else ("deals_deal_board_default", [])
    return f"{reverse(f'admin:{name}', args=ids)}{'?' if query else ''}{query.urlencode()}"


def board_of(admin: Any, request: HttpRequest, pipeline_id: int) -> Board:
    actor = admin.actor(request)
    pipeline = visible(request, Pipeline).filter(pk=min(pipeline_id, 2**63 - 1)).first()
    if pipeline is None:
        raise Http404
    return Board(admin, request, actor, pipeline)


def default_view(admin: Any, request: HttpRequest) -> HttpResponse:
    """Redirect to the default pipeline, else to the first one."""
    admin.actor(request)
    pipeline: Any = visible(request, Pipeline)
    pipeline = pipeline.default_first().first()
    if pipeline is None:
        return HttpResponseRedirect(reverse("admin:pipelines_pipeline_changelist"))
    query = request.GET.urlencode()
    return HttpResponseRedirect(
        f"{reverse('admin:deals_deal_board', args=[pipeline.pk])}{'?' if query else ''}{query}"
    )


def board_view(admin: Any, request: HttpRequest, pipeline_id: int) -> HttpResponse:
    board = board_of(admin, request, pipeline_id)
    if address := plain_address(request, admin.list_filter):
        return HttpResponseRedirect(address)
    columns, filters = board.columns(), board.filters
    pipelines: Any = visible(request, Pipeline)
    page = render_page(
        admin,
        request,
        "admin/deals/board/board.html",
        title=_("Board: %(pipeline)s") % {"pipeline": board.pipeline.name},
        board=board,
        filters=filters,
        sorts=filters.sorts.items(),
        left_out=filters.left_out(board.pipeline),
        columns=columns,
        pipelines=pipelines.default_first(),
        may_edit=board.may_edit,
        may_add=board.may_edit and board.pipeline.is_active,
        reasons=visible(request, LostReason).order_by("name") if board.may_edit else [],
        currency=board.actor.organization.currency,
        form_key=uuid4().hex,
        is_fullwidth="1",
    )
    page.add_post_render_callback(remove_indentation)
    return page


def cards_view(admin: Any, request: HttpRequest, pipeline_id: int, stage_id: int) -> HttpResponse:
    """A later page of a column, which the script adds to it."""
    board = board_of(admin, request, pipeline_id)
    stage = next((stage for stage in board.stages if stage.pk == stage_id), None)
    if stage is None:
        raise Http404
    ordering = board.filters.ordering
    key = ORDERINGS[ordering.removeprefix("-")]
    try:
        cursor = Cursor.decode(request.GET.get(CURSOR, ""), ordering)
        page = cards_of(stage, board.deals, size=CARDS, key=key, ordering=ordering, cursor=cursor)
    except InvalidCursor:
        raise Http404 from None
    context = {**board.page(stage, page), "may_edit": board.may_edit}
    return TemplateResponse(request, "admin/deals/board/cards.html", context)


def move_view(admin: Any, request: HttpRequest, pipeline_id: int) -> HttpResponse:
    return board_acts.move(_editable(admin, request, pipeline_id))


def add_view(admin: Any, request: HttpRequest, pipeline_id: int) -> HttpResponse:
    return board_acts.add(_editable(admin, request, pipeline_id))


def _editable(admin: Any, request: HttpRequest, pipeline_id: int) -> Board:
    if request.method != "POST" or not admin.has_change_permission(request):
        raise PermissionDenied
    return board_of(admin, request, pipeline_id)
