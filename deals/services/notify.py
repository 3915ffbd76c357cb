"""Mail to the members of a deal's access list."""

from collections.abc import Sequence

from crm_project.accounts.actors import Actor
from crm_project.mail.services import queue_messages
from deals.models import DealAccess


def notify_access_list(actor: Actor, deal_ids: Sequence[int]) -> None:
    """Queue a message to each active member but the actor, in the transaction of the write."""
    links = DealAccess.objects.filter(
        deal__in=deal_ids, member__is_active=True, member__user__is_active=True
    ).exclude(member=actor.member)
    queue_messages(
        template="deal_shared",
        recipients=[
            (link.member.email, {"deal": link.deal_id, "member": link.member_id, "sender": actor.member.pk})
            for link in links.select_related("member__user").order_by("deal_id", "id")
        ],
        organization_id=actor.organization_id,
    )
