"""Writes of deals, lost reasons and their journey. Every write of a deal, whoever asks for it, goes through here."""

from collections.abc import Sequence
from typing import Any

from crm_project.accounts.actors import Actor
from crm_project.records.writing.columns import Change
from crm_project.records.writing.receipts import Receipt
from crm_project.versions import Versions
from deals.models import Deal
from deals.services.bulk import carry_out_deals, upsert_deal, upsert_deals
from deals.services.lost_reasons import (
    create_lost_reason,
    restore_lost_reason,
    trash_lost_reason,
    update_lost_reason,
)
from deals.services.merging import merge_contacts
from deals.services.trash import restore_deals, trash_deals
from deals.services.write import write_deals
from pipelines.models import Stage

__all__ = [
    "carry_out_deals",
    "create_deals",
    "create_lost_reason",
    "follow_deal",
    "merge_contacts",
    "move_deals",
    "restore_deals",
    "restore_lost_reason",
    "trash_deals",
    "trash_lost_reason",
    "update_deals",
    "update_lost_reason",
    "upsert_deal",
    "upsert_deals",
]


def create_deals(*, actor: Actor, changes: Sequence[Change]) -> list[Deal]:
    """Create deals, with their contacts where those are named by an e-mail that is new."""
    return [receipt.row for receipt in write_deals(actor, [(None, change) for change in changes])]


def update_deals(*, actor: Actor, changes: Sequence[tuple[Deal, Change]]) -> list[Receipt[Deal]]:
    """Apply each change to the deal it comes with, which counts only for its id."""
    return write_deals(actor, list(changes))


def move_deals(
    *, actor: Actor, deals: Sequence[Deal], stage: Stage, whole_organization: bool = False
) -> None:
    """Move deals to a stage; `whole_organization` includes those that the actor does not see."""
    rows = Deal.objects.of(actor.organization_id).live() if whole_organization else None
    write_deals(actor, [(deal, {"stage": stage.pk}) for deal in deals], rows=rows)


def follow_deal(
    *, actor: Actor, deal: Deal, member: Any, follows: bool, if_match: Versions | None = None
) -> Receipt[Deal]:
    """Add a member, named by id or uuid, to a deal's followers or take them off; doing it twice changes nothing."""
    change = {"add_followers" if follows else "remove_followers": [member], "if_match": if_match}
    return write_deals(actor, [(deal, change)])[0]
