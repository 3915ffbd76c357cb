"""The declarations of deals and lost reasons, and how the journal presents amounts and moves."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from crm_project.accounts.rules import Permission
from crm_project.journal.catalogue import CatalogueUndoer
from crm_project.journal.models import Event
from crm_project.journal.presenting import Change, PresentedEvent
from crm_project.journal.sentences import words
from crm_project.records.kinds import Everyone, Kind, Private, Services, register
from crm_project.records.writing.reference_data import one_by_one
from deals import money, services
from deals.models import (
    Deal,
    DealAccess,
    DealContact,
    DealFollower,
    DealReference,
    DealState,
    LostReason,
    LostReasonReference,
)
from deals.querysets import DealQuerySet
from deals.services.bulk import MATCH
from deals.services.revert import DealUndoer

# Fields that the clause of a move or a closing covers.
JOURNEY = {"stage", "status", "closed_at", "stage_entered_at", "lost_reason"}
CLOSINGS = {
    "won": pgettext_lazy("event", "Won"),
    "lost": pgettext_lazy("event", "Lost"),
    "abandoned": pgettext_lazy("event", "Abandoned"),
}


def connect() -> None:
    register(_lost_reason(), _deal())


def _lost_reason() -> Kind:
    return Kind(
        LostReason,
        visible=Everyone(),
        rank=70,
        permission=Permission.EDIT_PIPELINES,
        services=one_by_one(
            "lost_reason",
            create=services.create_lost_reason,
            update=services.update_lost_reason,
            trash=services.trash_lost_reason,
            restore=services.restore_lost_reason,
        ),
        references=LostReasonReference,
        lists={"external_references": ""},
        constraints={"deals_lostreason_live_name": "name_taken"},
        is_reference_data=True,
        in_catalogue=True,
        undoer=CatalogueUndoer(LostReason, LostReasonReference, unique=["name"]),
    )


def _deal() -> Kind:
    return Kind(
        Deal,
        visible=Private(DealQuerySet.shared_with, complement=DealQuerySet.hidden_from, by_role=True),
        rank=80,
        permission=Permission.EDIT_DEALS,
        services=Services(
            create=services.create_deals,
            update=services.update_deals,
            trash=services.trash_deals,
            restore=services.restore_deals,
            carry_out=services.carry_out_deals,
        ),
        named_by="uuid",
        related=("contact", "client"),
        references=DealReference,
        lists={
            "members": "contact",
            "followers": "user",
            "access_list": "user",
            "external_references": "",
        },
        parts=(DealAccess, DealContact, DealFollower, DealState),
        guarded=frozenset({"next_deal"}),
        match_keys=MATCH,
        # In the API a member is a login, and the contacts of a deal are its participants.
        api_names={"members": "participants"},
        polish=_show_amounts,
        event_types={
            **{status: partial(_became, status) for status in ("won", "lost", "abandoned")},
            "reopened": _was_reopened,
            "moved": _was_moved,
        },
        clauses=_journey,
        undoer=DealUndoer(),
    )


def _became(status: str, changes: Mapping[str, Any]) -> bool:
    """Also true of a deal that was created with the status."""
    return "status" in changes and changes["status"][1] == status


def _was_reopened(changes: Mapping[str, Any]) -> bool:
    return _became("open", changes) and changes["status"][0] is not None


def _was_moved(changes: Mapping[str, Any]) -> bool:
    return "stage_id" in changes and changes["stage_id"][0] is not None


def _show_amounts(events: Sequence[PresentedEvent]) -> None:
    """Format each amount with the decimals of the deal's currency at the time of the event."""
    with_amounts = [
        presented
        for presented in events
        if any(change.field in money.AMOUNT_FIELDS for change in presented.changes)
    ]
    named = _currencies_named([presented.event for presented in with_amounts])
    for presented in with_amounts:
        units = _currencies(presented.event, named)
        for change in presented.changes:
            if change.field in money.AMOUNT_FIELDS:
                change.before, change.after = (
                    money.formatted(Decimal(value), unit) if value is not None else None
                    for value, unit in zip((change.before, change.after), units, strict=True)
                )
                change.units = units


Named = dict[int, list[tuple[int, str]]]


def _currencies_named(events: Sequence[Event]) -> Named:
    """The changes of currency of each deal by event number, for deals with an event that has no currency itself."""
    asked = {event.row_id for event in events if "currency" not in event.changes}
    named: Named = defaultdict(list)
    if asked:
        naming = Event.objects.of(events[0].organization_id).filter(
            kind="deal", row_id__in=asked, changes__has_key="currency"
        )
        for row_id, sequence, currency in naming.order_by("sequence").values_list(
            "row_id", "sequence", "changes__currency"
        ):
            named[row_id].append((sequence, currency[1]))
    return named


def _currencies(event: Event, named: Named) -> tuple[str, str]:
    """The currency of the deal before and after the event. The creation of a deal has its first currency."""
    if "currency" in event.changes:
        before, after = event.changes["currency"]
        return before or after, after
    # An event that is not stored yet has no number; it is later than all stored ones.
    past = [code for number, code in named[event.row_id] if not event.sequence or number < event.sequence]
    return (past[-1], past[-1]) if past else ("", "")


def _journey(presented: PresentedEvent) -> tuple[list[str], set[str]]:
    """One clause for a move or a change of status, one for another owner, and one for a pause."""
    stage, status, reason = presented.of("stage"), presented.of("status"), presented.of("lost_reason")
    handing, covered = _handing(presented.of("owner"))
    pausing, of_pause = _pausing(presented)
    clauses, covered = [*handing, *pausing], covered | of_pause
    if not stage and not status:
        return clauses, covered | {"stage_entered_at"}
    covered |= JOURNEY if "probability" in presented.event.changes else JOURNEY | {"probability"}
    move = {"before": words(stage.before), "after": words(stage.after)} if stage else {}
    if not status:
        return [_("Moved from %(before)s to %(after)s") % move, *clauses], covered
    if status.after == "open":
        return [_("Reopened in %(after)s") % move if stage else _("Reopened"), *clauses], covered
    why = words(reason.after) if reason and reason.after else ""
    is_other = stage is not None and words(stage.after).lower() != status.after
    return [_closing(status.after, why, move if is_other else {}), *clauses], covered


def _closing(status: str, reason: str, move: Mapping[str, str]) -> str:
    """`Lost: Price, moved from New to Refused`; the reason and the move may be absent."""
    values = {"closing": CLOSINGS[status], "reason": reason, **move}
    if reason and move:
        return _("%(closing)s: %(reason)s, moved from %(before)s to %(after)s") % values
    if move:
        return _("%(closing)s, moved from %(before)s to %(after)s") % values
    return _("%(closing)s: %(reason)s") % values if reason else str(CLOSINGS[status])


def _pausing(presented: PresentedEvent) -> tuple[list[str], set[str]]:
    """A pause with its reason, or its end, unless the deal was closed with it."""
    until, reason = presented.of("paused_until"), presented.of("pause_reason")
    if until is None:
        return [], set()
    if until.after is None:
        status = presented.of("status")
        is_closed = status is not None and status.after != "open"
        return [] if is_closed or until.before is None else [_("Resumed")], {"paused_until", "pause_reason"}
    values = {"day": words(until.after), "reason": words(reason.after) if reason else ""}
    text = _("Paused until %(day)s: %(reason)s") if values["reason"] else _("Paused until %(day)s")
    return [text % values], {"paused_until", "pause_reason"}


def _handing(owner: Change | None) -> tuple[list[str], set[str]]:
    if owner is None or not owner.after:
        return [], set()
    names = {"before": words(owner.before), "after": words(owner.after)}
    text = _("Handed from %(before)s to %(after)s") if owner.before else _("Handed to %(after)s")
    return [text % names], {"owner"}
