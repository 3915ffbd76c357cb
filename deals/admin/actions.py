"""What can be done to deals: win, lose, reopen, move, hand over."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import HttpRequest

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.staff.actions import AdminAction, RestoreAct
from crm_project.staff.inputs import Select
from crm_project.staff.request_actor import visible
from deals import services
from deals.admin.forms import StageChoiceField
from deals.models import Deal, LostReason
from pipelines.models import Stage

Given = Mapping[str, Any]


def change_all(actor: Actor, deals: Sequence[Deal], change_of: Any) -> None:
    services.update_deals(actor=actor, changes=[(deal, change_of(deal)) for deal in deals])


def entries(actor: Actor, deals: Sequence[Deal], kind: str) -> dict[int, int]:
    """Each pipeline's first stage of a kind."""
    pipelines = {deal.stage.pipeline_id for deal in deals}
    stages = Stage.objects.visible_to(actor.member).filter(pipeline__in=pipelines, kind=kind)
    return {stage.pipeline_id: stage.pk for stage in stages.order_by("-position")}


class Win(AdminAction):
    name = "win"
    label = "Win"
    icon = "emoji_events"
    done = "won"
    explanation = "Moves to the pipeline's won stage, if it has one, and closes as won today."

    def fits(self, row: Deal) -> bool:
        return row.status != Deal.Statuses.WON

    def run(self, actor: Actor, rows: Sequence[Deal], given: Given) -> None:
        stages = entries(actor, rows, Stage.Kinds.WON)
        change_all(actor, rows, lambda deal: _close(deal, stages, Deal.Statuses.WON, {}))


class Lose(AdminAction):
    name = "lose"
    label = "Lose"
    icon = "thumb_down"
    done = "lost"
    explanation = "Moves to the pipeline's lost stage, if it has one, and closes as lost today."

    def fits(self, row: Deal) -> bool:
        return row.status != Deal.Statuses.LOST

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Deal]) -> dict[str, forms.Field]:
        reasons = visible(request, LostReason).order_by("name")
        field = forms.ModelChoiceField(
            reasons, required=False, label="Reason", widget=Select(), empty_label="No reason"
        )
        return {"lost_reason": field}

    def run(self, actor: Actor, rows: Sequence[Deal], given: Given) -> None:
        reason = given["lost_reason"].pk if given["lost_reason"] else None
        stages = entries(actor, rows, Stage.Kinds.LOST)
        change_all(
            actor, rows, lambda deal: _close(deal, stages, Deal.Statuses.LOST, {"lost_reason": reason})
        )


def _close(deal: Deal, stages: Mapping[int, int], status: str, more: dict[str, Any]) -> dict[str, Any]:
    stage = stages.get(deal.stage.pipeline_id)
    return {**({"stage": stage} if stage else {}), "status": status, **more}


class Reopen(AdminAction):
    name = "reopen"
    label = "Reopen"
    icon = "undo"
    done = "open again"
    explanation = "Opens again; from a won or lost stage it goes back to the pipeline's first open stage."

    def fits(self, row: Deal) -> bool:
        return row.status != Deal.Statuses.OPEN

    def run(self, actor: Actor, rows: Sequence[Deal], given: Given) -> None:
        stages = entries(actor, rows, Stage.Kinds.OPEN)

        def change_of(deal: Deal) -> dict[str, Any]:
            closing = deal.stage.kind != Stage.Kinds.OPEN
            goal = stages.get(deal.stage.pipeline_id) if closing else None
            return {"status": Deal.Statuses.OPEN, **({"stage": goal} if goal else {})}

        change_all(actor, rows, change_of)


class Move(AdminAction):
    name = "move"
    label = "Move"
    icon = "arrow_forward"
    done = "moved"
    explanation = "A won or lost stage closes the deal; leaving one for an open stage reopens it."

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Deal]) -> dict[str, forms.Field]:
        here = {deal.stage_id for deal in rows}
        return {"stage": StageChoiceField(request, initial=here.pop() if len(here) == 1 else None)}

    def run(self, actor: Actor, rows: Sequence[Deal], given: Given) -> None:
        services.move_deals(actor=actor, deals=rows, stage=given["stage"])


class HandOver(AdminAction):
    name = "hand-over"
    label = "Hand over"
    icon = "person_add"
    done = "handed over"

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Deal]) -> dict[str, forms.Field]:
        members = (
            visible(request, Member).filter(is_active=True).select_related("user").order_by("user__full_name")
        )
        return {
            "owner": forms.ModelChoiceField(
                members, label="New owner", widget=Select(), empty_label="Select a member"
            )
        }

    def run(self, actor: Actor, rows: Sequence[Deal], given: Given) -> None:
        change_all(actor, rows, lambda deal: {"owner": given["owner"].pk})


class RestoreDeals(RestoreAct):
    """Asks for a stage, which is needed where the old one is gone."""

    def __init__(self) -> None:
        super().__init__(restore_deals)

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Deal]) -> dict[str, forms.Field]:
        text = "Only if the deal's own stage is gone, or to put it somewhere else."
        return {"stage": StageChoiceField(request, required=False, help_text=text)}


def trash_deals(actor: Actor, rows: Sequence[Deal], given: Given) -> None:
    services.trash_deals(actor=actor, rows=rows)


def restore_deals(actor: Actor, rows: Sequence[Deal], given: Given) -> None:
    stage = given["stage"].pk if given["stage"] else None
    services.restore_deals(actor=actor, rows=rows, stage=stage)
