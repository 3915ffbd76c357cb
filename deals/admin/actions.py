"""Actions on deals: win, lose, reopen, move, hand over, duplicate, pause, resume, trash, restore."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.changes import ChangeSet
from crm_project.records.days import day_at
from crm_project.staff.actions import AdminAction, RestoreAction, expected_versions
from crm_project.staff.inputs import Day, PlainText, Select
from crm_project.staff.request_actor import today, visible
from deals import services
from deals.admin.forms import StageChoiceField
from deals.models import Deal, LostReason
from deals.rules import is_paused
from pipelines.models import Stage

Given = Mapping[str, Any]
# Days of a pause, unless others are chosen.
USUAL_PAUSE = 14


def change_all(actor: Actor, deals: Sequence[Deal], change_of: Any) -> None:
    """Change the deals, if they still have the versions that the page of the action has shown."""
    expected = expected_versions(deals)
    guards = ({"if_match": expected[deal.pk]} if deal.pk in expected else {} for deal in deals)
    changes = [(deal, {**change_of(deal), **guard}) for deal, guard in zip(deals, guards, strict=True)]
    services.update_deals(actor=actor, changes=changes)


class Win(AdminAction):
    name = "win"
    label = gettext_lazy("Win")
    icon = "emoji_events"
    done = gettext_lazy("won")
    explanation = gettext_lazy(
        "Moves the deal to the won stage of its pipeline, if there is one, and closes it as won today."
    )

    def fits(self, row: Deal) -> bool:
        return row.status != Deal.Statuses.WON

    def run(self, actor: Actor, rows: Sequence[Deal], given: Given) -> None:
        change_all(actor, rows, lambda deal: {"status": Deal.Statuses.WON})


class Lose(AdminAction):
    name = "lose"
    label = gettext_lazy("Lose")
    icon = "thumb_down"
    done = gettext_lazy("lost")
    explanation = gettext_lazy(
        "Moves the deal to the lost stage of its pipeline, if there is one, and closes it as lost today."
    )

    def fits(self, row: Deal) -> bool:
        return row.status != Deal.Statuses.LOST

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Deal]) -> dict[str, forms.Field]:
        reasons = visible(request, LostReason).order_by("name")
        field = forms.ModelChoiceField(
            reasons, required=False, label=_("Reason"), widget=Select(), empty_label=_("No reason")
        )
        return {"lost_reason": field}

    def run(self, actor: Actor, rows: Sequence[Deal], given: Given) -> None:
        reason = given["lost_reason"].pk if given["lost_reason"] else None
        change_all(actor, rows, lambda deal: {"status": Deal.Statuses.LOST, "lost_reason": reason})


class Reopen(AdminAction):
    name = "reopen"
    label = gettext_lazy("Reopen")
    icon = "undo"
    done = gettext_lazy("reopened")
    explanation = gettext_lazy(
        "Opens the deal again. From a won or lost stage it moves back to the open stage that it was in last."
    )

    def fits(self, row: Deal) -> bool:
        return row.status != Deal.Statuses.OPEN

    def run(self, actor: Actor, rows: Sequence[Deal], given: Given) -> None:
        change_all(actor, rows, lambda deal: {"status": Deal.Statuses.OPEN})


class Move(AdminAction):
    name = "move"
    label = gettext_lazy("Move")
    icon = "arrow_forward"
    done = gettext_lazy("moved")
    explanation = gettext_lazy(
        "Moving to a won or lost stage closes the deal. Moving from there to an open stage reopens it."
    )

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Deal]) -> dict[str, forms.Field]:
        current = {deal.stage_id for deal in rows}
        return {"stage": StageChoiceField(request, initial=current.pop() if len(current) == 1 else None)}

    def result(self, given: Given) -> str:
        stage = given["stage"]
        return _("moved to %(pipeline)s, %(stage)s") % {"pipeline": stage.pipeline.name, "stage": stage.name}

    def run(self, actor: Actor, rows: Sequence[Deal], given: Given) -> None:
        change_all(actor, rows, lambda deal: {"stage": given["stage"].pk})


class HandOver(AdminAction):
    name = "hand-over"
    label = gettext_lazy("Hand over")
    icon = "person_add"
    done = gettext_lazy("handed over")

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Deal]) -> dict[str, forms.Field]:
        members = visible(request, Member).active().select_related("user").order_by("user__full_name")  # type: ignore[attr-defined]
        return {
            "owner": forms.ModelChoiceField(
                members, label=_("New owner"), widget=Select(), empty_label=_("Select a member")
            )
        }

    def result(self, given: Given) -> str:
        return _("handed over to %(member)s") % {"member": given["owner"].full_name}

    def run(self, actor: Actor, rows: Sequence[Deal], given: Given) -> None:
        change_all(actor, rows, lambda deal: {"owner": given["owner"].pk})


# What a duplicate takes over.
COPIED = (
    "name amount amount_gross currency tax_rate bid_type bid_value bid_periods description origin url"
    " expected_close_date is_private"
).split()


class Duplicate(AdminAction):
    name = "duplicate"
    label = pgettext_lazy("verb", "Duplicate")
    icon = "file_copy"
    done = gettext_lazy("duplicated")
    explanation = gettext_lazy(
        "Adds an open deal with the same customer, people, amounts and description, in the first stage of the"
        " pipeline. You own it."
    )
    on_many = False
    is_on_all = True

    def run(self, actor: Actor, rows: Sequence[Deal], given: Given) -> None:
        services.create_deals(actor=actor, changes=[_copy(actor, deal) for deal in rows])

    def destination(self, admin: Any, changes: ChangeSet) -> str:
        created = next((event.row_id for event in changes.recorded if event.kind == Deal.row_kind), None)
        return reverse("admin:deals_deal_change", args=[created]) if created else ""


def _copy(actor: Actor, deal: Deal) -> dict[str, Any]:
    """The change for a duplicate. A gross amount that follows from the net one is computed again."""
    values = {name: getattr(deal, name) for name in COPIED}
    people = visible_people(actor, deal)
    stage = deal.stage.pipeline.stages.in_order().filter(kind=Stage.Kinds.OPEN).first() or deal.stage
    return {
        **{name: value for name, value in values.items() if value not in (None, "")},
        **people,
        "stage": stage.pk,
        "owner": actor.member.pk,
        "custom_fields": deal.custom_fields,
    }


def visible_people(actor: Actor, deal: Deal) -> dict[str, Any]:
    """The contacts of a deal that a copy of it may name."""
    live = Contact.objects.visible_to(actor.member)
    members = list(live.filter(pk__in=deal.members.values("pk")).values_list("pk", flat=True))
    named = {key for key in (deal.client_id, deal.contact_id) if key}
    seen = set(live.filter(pk__in=named).values_list("pk", flat=True))
    return {
        "client": deal.client_id if deal.client_id in seen else None,
        "contact": deal.contact_id if deal.contact_id in seen else None,
        "members": members,
    }


class Pause(AdminAction):
    name = "pause"
    label = gettext_lazy("Pause")
    icon = "pause_circle"
    done = gettext_lazy("paused")
    explanation = gettext_lazy(
        "Until the end of that day the deal is not named as stale, without a next step or past its close date. It"
        " stays open."
    )

    def fits(self, row: Deal) -> bool:
        return row.status == Deal.Statuses.OPEN

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Deal]) -> dict[str, forms.Field]:
        """With the pause of a single deal that is paused already."""
        now = today(actor)
        row = rows[0] if len(rows) == 1 and is_paused(rows[0], now) else None
        until = row.paused_until if row else now + datetime.timedelta(days=USUAL_PAUSE)
        day = Day(label=_("Paused until"), initial=until)
        day.widget.attrs["min"] = now.isoformat()
        reason = PlainText(label=_("Reason"), max_length=255, initial=row.pause_reason if row else "")
        return {"paused_until": day, "pause_reason": reason}

    def result(self, given: Given) -> str:
        day = formats.date_format(given["paused_until"], "DATE_FORMAT")
        return _("paused until %(day)s") % {"day": day}

    def run(self, actor: Actor, rows: Sequence[Deal], given: Given) -> None:
        change_all(actor, rows, lambda deal: given)


class Resume(AdminAction):
    name = "resume"
    label = pgettext_lazy("a paused deal", "Resume")
    icon = "play_circle"
    done = gettext_lazy("resumed")
    explanation = gettext_lazy("Ends the pause of the deal.")

    def fits(self, row: Deal) -> bool:
        if row.paused_until is None:
            return False
        return is_paused(row, day_at(timezone.now(), row.organization.time_zone))

    def run(self, actor: Actor, rows: Sequence[Deal], given: Given) -> None:
        change_all(actor, rows, lambda deal: {"paused_until": None})


class RestoreDeals(RestoreAction):
    """Restores deals; a stage is required if their own was removed."""

    def __init__(self) -> None:
        super().__init__(restore_deals)

    def fields(self, request: HttpRequest, actor: Actor, rows: Sequence[Deal]) -> dict[str, forms.Field]:
        text = _(
            "Required only if the stage of the deal was removed. Leave empty to restore it where it was."
        )
        return {"stage": StageChoiceField(request, required=False, help_text=text)}


def trash_deals(actor: Actor, rows: Sequence[Deal], given: Given) -> None:
    services.trash_deals(actor=actor, rows=rows, if_match=expected_versions(rows))


def restore_deals(actor: Actor, rows: Sequence[Deal], given: Given) -> None:
    stage = given["stage"].pk if given["stage"] else None
    services.restore_deals(actor=actor, rows=rows, stage=stage, if_match=expected_versions(rows))
