"""Create or update by one key. Whoever comes second finds what the first one made."""

from collections.abc import Mapping, Sequence
from typing import Any

from contacts.querysets import fold_email
from crm_project.accounts.actors import Actor
from crm_project.accounts.rules import Permission
from crm_project.changes import change_set
from crm_project.errors import Conflict
from crm_project.records import references
from crm_project.records.apply import Change
from crm_project.records.locks import hold_keys
from crm_project.records.matching import matches
from crm_project.records.receipts import Receipt, match_key
from deals.models import Deal, DealReference
from deals.services.context import Context, look_up
from deals.services.write import write_deals

MATCH_KEYS = ("uuid", "external_reference", "contact_and_pipeline")


def upsert_deals(*, actor: Actor, changes: Sequence[Change]) -> list[Receipt[Deal]]:
    """`match_on` names the key, else the first of MATCH_KEYS that the change has; a key without a match creates."""
    actor.require(Permission.EDIT_DEALS)
    with change_set(actor):
        keys = [match_key(change, MATCH_KEYS) for change in changes]
        references.hold(DealReference, actor.organization_id, references.keys_of(changes))
        context = look_up(actor, changes)
        contacts = [_contact_id(change, context) for change in changes]
        by_contact = [
            contact for key, contact in zip(keys, contacts, strict=True) if key == "contact_and_pipeline"
        ]
        hold_keys(("deal_of_contact", actor.organization_id, contact) for contact in by_contact if contact)
        found = matches(actor, Deal.objects.visible_to(actor.member), DealReference, keys, changes)
        for index, (key, change, contact) in enumerate(zip(keys, changes, contacts, strict=True)):
            if key == "contact_and_pipeline":
                found[index] = _match(actor, change, contact, context)
        receipts = write_deals(actor, list(zip(found, changes, strict=True)), add_references=True)
        for receipt, key in zip(receipts, keys, strict=True):
            receipt.matched_on = None if receipt.outcome == "created" else key
        return receipts


def _contact_id(change: Change, context: Context) -> int | None:
    email = change.get("contact_email")
    contact = (
        context.people.get(fold_email(email))
        if isinstance(email, str)
        else context.contacts.get(change.get("contact"))
    )
    return contact.pk if contact else None


def _match(actor: Actor, change: Change, contact: int | None, context: Context) -> Deal | None:
    pipeline = context.catalogue.pipeline_of(stage=change.get("stage"), pipeline=change.get("pipeline"))
    if contact is None or pipeline is None:
        return None  # what is wrong with it is told when the deal is written
    among = Deal.objects.visible_to(actor.member).filter(contact=contact, stage__pipeline=pipeline)
    return _only(list(among.open().order_by("id"))) or _closed_already(among, change, context)


def _only(deals: Sequence[Deal]) -> Deal | None:
    if len(deals) < 2:
        return deals[0] if deals else None
    candidates = [{"uuid": str(deal.uuid), "name": str(deal)} for deal in deals]
    raise Conflict(
        f"{len(deals)} open deals of this contact in this pipeline; name one by its uuid.",
        code="ambiguous_match",
        candidates=candidates,
    )


def _closed_already(among: Any, change: Mapping[str, Any], context: Context) -> Deal | None:
    """A request that closes finds what an earlier one like it has closed."""
    stage = context.catalogue.stages.get(change.get("stage"))
    status = change.get("status") or (stage.kind if stage else Deal.Statuses.OPEN)
    if status == Deal.Statuses.OPEN:
        return None
    return among.filter(status=status).order_by("-closed_at", "-id").first()
