"""E-mail to the members of a deal's access list, after the commit."""

import logging
from collections.abc import Sequence

from django.core.mail import send_mail

from deals.models import DealAccess

log = logging.getLogger(__name__)


def notify_access_list(deal_ids: Sequence[int]) -> None:
    """Send one message to each member. A failure of the mail server is logged; the deal stays written."""
    links = DealAccess.objects.filter(deal__in=deal_ids, member__is_active=True).select_related(
        "deal__client", "deal__contact", "member__user"
    )
    for link in links:
        subject = f"You may see the deal {link.deal}".replace("\n", " ").replace("\r", " ")
        try:
            send_mail(subject, f"{subject}.\n", None, [link.member.email])
        except OSError:
            log.warning(
                "could not notify member %s of deal %s", link.member.uuid, link.deal.uuid, exc_info=True
            )
