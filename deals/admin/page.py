"""The header of a deal's page: whom it is with, what it is worth, and where it really was."""

import datetime
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_project.staff import display
from deals.admin.forms import stages_of
from deals.models import Deal, DealState
from pipelines.models import Stage


@dataclass
class Journey:
    """The time that a deal has spent open in each stage, and the stage that it was open in last."""

    spent: dict[int, datetime.timedelta] = field(default_factory=lambda: defaultdict(datetime.timedelta))
    last_open: int | None = None


def journey_of(deal: Deal, now: datetime.datetime) -> Journey:
    """Read from the states of the deal; time in the trash is not counted."""
    journey = Journey()
    states = DealState.objects.filter(deal=deal).order_by("valid_from")
    for stage, status, deleted, since, until in states.values_list(
        "stage_id", "status", "deleted_at", "valid_from", "valid_to"
    ):
        if status == Deal.Statuses.OPEN and deleted is None:
            journey.spent[stage] += max((until or now) - since, datetime.timedelta())
            journey.last_open = stage
    return journey


def path_of(request: HttpRequest, deal: Deal) -> dict[str, Any]:
    """The open stages of the pipeline, each with the days that the deal was there, then the outcome."""
    journey = journey_of(deal, timezone.now())
    own = [stage for stage in stages_of(request) if stage.pipeline_id == deal.stage.pipeline_id]
    elsewhere = sorted(journey.spent.keys() - {stage.pk for stage in own})
    names = dict(Stage.objects.filter(pk__in=elsewhere).values_list("pk", "name")) if elsewhere else {}
    return {
        "pipeline": deal.stage.pipeline.name,
        "steps": list(_steps(own, deal, journey)),
        "elsewhere": [f"{names[pk]} ({_days(journey.spent[pk])})" for pk in elsewhere if pk in names],
        "outcome": _outcome(deal),
    }


def _steps(stages: Sequence[Stage], deal: Deal, journey: Journey) -> Iterator[dict[str, Any]]:
    is_open = deal.status == Deal.Statuses.OPEN
    for stage in stages:
        if stage.kind != Stage.Kinds.OPEN:
            continue
        was_here = stage.pk in journey.spent
        is_here = is_open and stage.pk == deal.stage_id
        ended_here = not is_open and stage.pk == journey.last_open
        yield {
            "name": stage.name,
            "color": stage.color,
            "text_color": display.text_color_on(stage.color),
            "days": _days(journey.spent[stage.pk]) if was_here else "",
            "state": "current" if is_here else "ended" if ended_here else "passed" if was_here else "ahead",
        }


def _days(spent: datetime.timedelta) -> str:
    # The unit of days is one letter, for lack of space.
    return _("%(days)s d") % {"days": spent.days}


def _outcome(deal: Deal) -> dict[str, Any] | None:
    """How the deal was closed, why and on which day; None for an open one."""
    if deal.status == Deal.Statuses.OPEN:
        return None
    return {
        "status": deal.status,
        "label": deal.get_status_display(),
        "reason": str(deal.lost_reason) if deal.lost_reason else "",
        "day": display.day(timezone.localdate(deal.closed_at)) if deal.closed_at else "",
    }
