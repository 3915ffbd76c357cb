"""The acts of the board: a move of a card, which may win or lose its deal, and a new deal in a column.

The script of the board gets JSON; a form that is sent without it is answered by a redirect with a message.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_project.changes import ChangeSet, change_set
from crm_project.errors import DomainError, PreconditionFailed
from crm_project.journal.models import Event
from crm_project.journal.sentences import lines
from crm_project.staff import display
from crm_project.staff.actions import action_url, refusal_of, refusal_text, undo_url
from crm_project.staff.inputs import DecimalInput, PlainText, whole_number
from crm_project.staff.once import create_once
from crm_project.staff.request_actor import visible
from crm_project.versions import Versions
from deals import services
from deals.models import Deal, LostReason
from pipelines.models import Stage

if TYPE_CHECKING:
    from deals.admin.board import Board

GONE = gettext_lazy("This deal is no longer here: it was moved to the trash, or you may not see it any more.")
NO_STAGE = gettext_lazy("This stage was removed. Reload the board.")
CLOSES = gettext_lazy("This stage closes deals as lost now. Reload the board.")
# The events of a deal among which the move of somebody else is looked for.
LATEST = 20
# The words that report a win or a loss, by status.
CLOSINGS = {Deal.Statuses.WON: gettext_lazy("won"), Deal.Statuses.LOST: gettext_lazy("lost")}


def move(board: "Board") -> HttpResponse:
    """Move a card to a stage, or win or lose its deal, if the deal still has the version that the card has."""
    sent = board.request.POST
    deal = visible(board.request, Deal).filter(pk=whole_number(sent.get("deal", ""))).first()
    if deal is None:
        return answer(board, GONE, is_done=False, deal_id=whole_number(sent.get("deal", "")))
    target = _target(board, sent.get("to", ""))
    if target is None:
        return answer(board, NO_STAGE, is_done=False, deal_id=deal.pk)
    change, name, is_lost = target
    if is_lost:
        if "lost_reason" not in sent:
            return _ask_for_reason(board, deal)
        reason = visible(board.request, LostReason).filter(pk=whole_number(sent["lost_reason"])).first()
        change["lost_reason"] = reason.pk if reason else None
    change["if_match"] = Versions(frozenset({whole_number(sent.get("version", ""))}))
    try:
        with change_set(board.actor) as changes:
            services.update_deals(actor=board.actor, changes=[(deal, change)])
    except PreconditionFailed as error:
        return answer(board, _stale_text(board, deal, error), is_done=False, deal_id=deal.pk)
    except (DomainError, IntegrityError) as error:
        text = format_html(_("{} was not moved. {}"), _linked(deal), refusal_text(refusal_of(error)))
        return answer(board, text, is_done=False, deal_id=deal.pk)
    return answer(board, _done(board, deal, name, changes), is_done=True, deal_id=deal.pk)


def _target(board: "Board", to: str) -> tuple[dict[str, Any], str, bool] | None:
    """The change that moves a deal there, the words that report it, and whether it loses the deal."""
    if to in CLOSINGS:
        return {"status": to}, str(CLOSINGS[Deal.Statuses(to)]), to == Deal.Statuses.LOST
    stage = next((stage for stage in board.stages if str(stage.pk) == to), None)
    if stage is None:
        return None
    text = _("moved to %(stage)s") % {"stage": stage.name}
    return {"stage": stage.pk}, text, stage.kind == Stage.Kinds.LOST


def _ask_for_reason(board: "Board", deal: Deal) -> HttpResponse:
    """The page of the action, for a form without the script, which asks for the reason before it sends a card."""
    if _by_script(board):
        return answer(board, CLOSES, is_done=False, deal_id=deal.pk)
    return HttpResponseRedirect(
        action_url(board.admin, board.admin.row_action("lose"), [deal.pk], back=board.url)
    )


def _done(board: "Board", deal: Deal, result: str, changes: ChangeSet) -> SafeString:
    undo = undo_url(board.actor, changes)
    link = format_html(
        ' <a class="crm-link crm-undo-now" href="{}?{}">{}</a>',
        *(undo, urlencode({"next": board.url}), _("Undo")),
    )
    text = f"{result}." if changes.recorded else _("nothing to change.")
    return format_html('<span class="crm-report">{}: {}{}</span>', _linked(deal), text, link if undo else "")


def _stale_text(board: "Board", deal: Deal, error: PreconditionFailed) -> SafeString:
    """Who changed the deal since the card was read, and when; the move of it, if there was one."""
    events = Event.objects.history_of(deal).filter(row_version__gt=error.since).with_actor()
    latest = list(events.order_by("-sequence")[:LATEST])
    moves = [event for event in latest if {"stage_id", "status"} & event.changes.keys()]
    entry = next(iter(lines((moves or latest)[:1], board.actor.member)), None)
    if entry is None:
        return format_html(_("{} was not moved. {}"), _linked(deal), error.detail)
    at = formats.date_format(timezone.localtime(entry.at), "DATETIME_FORMAT")
    return format_html(
        _(
            "{} was not moved, because it was changed meanwhile by {} on {}: {}. The board shows it as it is now."
        ),
        *(_linked(deal), entry.who, at, entry.text),
    )


def _linked(deal: Deal) -> SafeString | str:
    return display.link(deal)


class AddForm(forms.Form):
    """A deal in few words. The contact is a row that was found by typing, or an e-mail address."""

    stage = forms.CharField()
    name = PlainText(max_length=255, label=gettext_lazy("Name"))
    amount = DecimalInput(required=False, label=gettext_lazy("Amount"))
    contact = forms.CharField(required=False)
    contact_text = forms.CharField(required=False, max_length=254, label=gettext_lazy("Contact"))


def add(board: "Board") -> HttpResponse:
    form = AddForm(board.request.POST)
    stage = next((stage for stage in board.stages if str(stage.pk) == board.request.POST.get("stage")), None)
    if stage is None:
        return answer(board, NO_STAGE, is_done=False)
    if not form.is_valid():
        wrong = " ".join(
            f"{form[name].label}: {' '.join(map(str, errors))}" for name, errors in form.errors.items()
        )
        return answer(board, wrong, is_done=False)
    try:
        deal_id, text = create(board, form.cleaned_data, stage)
    except (DomainError, IntegrityError) as error:
        return answer(board, refusal_text(refusal_of(error)), is_done=False)
    if not board.deals.filter(pk=deal_id).exists():
        text = format_html(_("{} The filters hide it."), text)
    return answer(board, text, is_done=True, deal_id=deal_id)


def create(board: "Board", given: Mapping[str, Any], stage: Stage) -> tuple[int, SafeString]:
    """Create the deal of an AddForm, once for each rendered form; its id and the message about it."""
    change = {**_new(board, given), "stage": stage.pk}
    deal_id, changes = create_once(
        actor=board.actor,
        request=board.request,
        create=lambda: services.create_deals(actor=board.actor, changes=[change])[0],
    )
    deal = visible(board.request, Deal).get(pk=deal_id)
    return deal_id, _done(board, deal, _("added to %(stage)s") % {"stage": stage.name}, changes)


def _new(board: "Board", given: Mapping[str, Any]) -> dict[str, Any]:
    """The change for a new deal, which belongs to the member."""
    new = {"name": given["name"], "amount": given["amount"], "owner": board.actor.member.pk}
    if given["contact"]:
        return {**new, "contact": whole_number(given["contact"])}
    return {**new, **_person(given["contact_text"])}


def _person(text: str) -> dict[str, str]:
    """The contact's fields in a text such as `Sophie Martin sophie@example.com`, of which each part may be absent."""
    words = text.split()
    address = next((word for word in words if "@" in word), "")
    names = [word for word in words if word != address]
    given = {
        "contact_email": address.strip("<>,;"),
        "contact_first_name": next(iter(names), ""),
        "contact_last_name": " ".join(names[1:]),
    }
    return {name: value for name, value in given.items() if value}


def _by_script(board: "Board") -> bool:
    return "application/json" in board.request.headers.get("Accept", "")


def answer(board: "Board", text: str | Promise, *, is_done: bool, deal_id: int = 0) -> HttpResponse:
    """The message, with the card and the figures of the columns as they are now."""
    if not _by_script(board):
        (messages.success if is_done else messages.error)(board.request, str(text))
        return HttpResponseRedirect(board.url)
    card, stage = board.card(deal_id) if deal_id else ("", None)
    return JsonResponse(
        {
            "is_done": is_done,
            "message": format_html("{}", text),
            "deal": deal_id,
            "card": card,
            "stage": stage,
            "heads": board.heads(),
        }
    )
