"""Services of deals and lost reasons: the only functions that write them, for the API, the admin and dialects."""

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
from deals.services.merging import pass_on_deals
from deals.services.trash import restore_deals, trash_deals
from deals.services.write import write_deals
from pipelines.models import Stage

__all__ = [
    "carry_out_deals",
    "create_deals",
    "create_lost_reason",
    "follow_deal",
    "move_deals",
    "pass_on_deals",
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
    """Create deals, and a contact for each new e-mail address in `contact_email`."""
    return [receipt.row for receipt in write_deals(actor, [(None, change) for change in changes])]


def update_deals(*, actor: Actor, changes: Sequence[tuple[Deal, Change]]) -> list[Receipt[Deal]]:
    """Apply each change to its deal, of which only the id is used."""
    return write_deals(actor, list(changes))


def move_deals(
    *, actor: Actor, deals: Sequence[Deal], stage: Stage, whole_organization: bool = False
) -> None:
    """Move deals to a stage; `whole_organization` includes deals that the actor may not see."""
    rows = Deal.objects.of(actor.organization_id).live() if whole_organization else None
    write_deals(actor, [(deal, {"stage": stage.pk}) for deal in deals], rows=rows)


def follow_deal(
    *, actor: Actor, deal: Deal, member: Any, follows: bool, if_match: Versions | None = None
) -> Receipt[Deal]:
    """Add a member (id or uuid) to the deal's followers, or remove the member. Idempotent."""
    change = {"add_followers" if follows else "remove_followers": [member], "if_match": if_match}
    return write_deals(actor, [(deal, change)])[0]
