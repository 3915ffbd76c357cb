"""The deals of contacts that are merged into another one."""

from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q

from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.records.writing.columns import Change
from deals.models import Deal, DealContact
from deals.services.write import write_deals

PORTION = 1000


def pass_on_deals(actor: Actor, sources: Sequence[Contact], target: Contact) -> None:
    """Move all live deals, also those that the actor may not see, PORTION at a time."""
    ids = [source.pk for source in sources]
    taking_part = Exists(DealContact.objects.filter(deal=OuterRef("pk"), contact__in=ids))
    live = Deal.objects.of(actor.organization_id).live()
    named = live.filter(Q(contact__in=ids) | Q(client__in=ids) | taking_part)
    deal_ids = list(named.order_by("id").values_list("pk", flat=True))
    for start in range(0, len(deal_ids), PORTION):
        deals = live.filter(pk__in=deal_ids[start : start + PORTION]).prefetch_related("contact_links")
        write_deals(actor, [(deal, _renamed(deal, ids, target.pk)) for deal in deals], rows=live)


def _renamed(deal: Any, sources: Collection[int], target: int) -> Change:
    """The change of the deal: the target in place of the sources."""
    change: dict[str, Any] = {
        name: target for name in ("contact", "client") if getattr(deal, f"{name}_id") in sources
    }
    members = [link.contact_id for link in deal.contact_links.all()]
    if not set(sources).isdisjoint(members):
        change["members"] = list(dict.fromkeys(target if pk in sources else pk for pk in members))
    return change
