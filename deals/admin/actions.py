"""Actions on deals: win, lose, reopen, move, hand over, trash, restore."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import HttpRequest

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.staff.actions import AdminAction, RestoreAction
from crm_project.staff.inputs import Select
from crm_project.staff.request_actor import visible
from deals import services
from deals.admin.forms import StageChoiceField
from deals.models import Deal, LostReason

Given = Mapping[str, Any]


def change_all(actor: Actor, deals: Sequence[Deal], change_of: Any) -> None:
    services.update_deals(actor=actor, changes=[(deal, change_of(deal)) for deal in deals])


class Win(AdminAction):
    name = "win"
    label = "Win"
    icon = "emoji_events"
    done = "won"
    explanation = (
        "Moves the deal to the won stage of its pipeline, if there is one, and closes it as won today."
    )

    def fits(self, row: Deal) -> bool:
        return row.status != Deal.Statuses.WON

    def run(self, actor: Actor, rows: Sequence[Deal], given: Given) -> None:
        change_all(actor, rows, lambda deal: {"status": Deal.Statuses.WON})


class Lose(AdminAction):
    name = "lose"
    label = "Lose"
    icon = "thumb_down"
    done = "lost"
    explanation = (
        "Moves the deal to the lost stage of its pipeline, if there is one, and closes it as lost today."
    )

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
        change_all(actor, rows, lambda deal: {"status": Deal.Statuses.LOST, "lost_reason": reason})


class Reopen(AdminAction):
    name = "reopen"
    label = "Reopen"
    icon = "undo"
    done = "reopened"
    explanation = (
        "Opens the deal again. From a won or lost stage it moves back to the open stage that it was in last."
    )

    def fits(self, row: Deal) -> bool:
        return row.status != Deal.Statuses.OPEN

    def run(self, actor: Actor, rows: Sequence[Deal], given: Given) -> None:
        change_all(actor, rows, lambda deal: {"status": Deal.Statuses.OPEN})


class Move(AdminAction):
    name = "move"
    label = "Move"
    icon = "arrow_forward"
    done = "moved"
    explanation = (
        "Moving to a won or lost stage closes the deal. Moving from there to an open stage reopens it."
    )

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Deal]) -> dict[str, forms.Field]:
        current = {deal.stage_id for deal in rows}
        return {"stage": StageChoiceField(request, initial=current.pop() if len(current) == 1 else None)}

    def result(self, given: Given) -> str:
        stage = given["stage"]
        return f"moved to {stage.pipeline.name}, {stage.name}"

    def run(self, actor: Actor, rows: Sequence[Deal], given: Given) -> None:
        services.move_deals(actor=actor, deals=rows, stage=given["stage"])


class HandOver(AdminAction):
    name = "hand-over"
    label = "Hand over"
    icon = "person_add"
    done = "handed over"

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Deal]) -> dict[str, forms.Field]:
        members = visible(request, Member).active().select_related("user").order_by("user__full_name")  # type: ignore[attr-defined]
        return {
            "owner": forms.ModelChoiceField(
                members, label="New owner", widget=Select(), empty_label="Select a member"
            )
        }

    def result(self, given: Given) -> str:
        return f"handed over to {given['owner'].full_name}"

    def run(self, actor: Actor, rows: Sequence[Deal], given: Given) -> None:
        change_all(actor, rows, lambda deal: {"owner": given["owner"].pk})


class RestoreDeals(RestoreAction):
    """Restores deals; a stage is required if their own was removed."""

    def __init__(self) -> None:
        super().__init__(restore_deals)

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Deal]) -> dict[str, forms.Field]:
        text = "Required only if the stage of the deal was removed. Leave empty to restore it where it was."
        return {"stage": StageChoiceField(request, required=False, help_text=text)}


def trash_deals(actor: Actor, rows: Sequence[Deal], given: Given) -> None:
    services.trash_deals(actor=actor, rows=rows)


def restore_deals(actor: Actor, rows: Sequence[Deal], given: Given) -> None:
    stage = given["stage"].pk if given["stage"] else None
    services.restore_deals(actor=actor, rows=rows, stage=stage)
