"""The texts of mail about deals."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy, pgettext

from crm_project.accounts.models import Member
from crm_project.mail.templates import Text, fill, link, register
from deals.models import Deal
from deals.money import formatted

SUBJECT = gettext_lazy("%(sender)s has shared the deal “%(deal)s” with you")
BODY = gettext_lazy("""%(sender)s has given you access to a deal of %(organization)s.

Deal: %(deal)s
Amount: %(amount)s

Open it: %(link)s
""")


def connect() -> None:
    register("deal_shared", gettext_lazy("Shared deal"), deal_shared)


def deal_shared(message: Any) -> Text | None:
    """None if the recipient may not see the deal any more."""
    ids = message.parameters
    members = Member.objects.select_related("user", "organization").in_bulk([ids["member"], ids["sender"]])
    member, sender = members[ids["member"]], members[ids["sender"]]
    deal = Deal.objects.visible_to(member).filter(pk=ids["deal"]).first() if member.has_access else None
    if deal is None:
        return None
    amount = formatted(deal.amount, deal.currency)
    return fill(
        SUBJECT,
        BODY,
        sender=sender.full_name,
        organization=member.organization.name,
        deal=deal.name,
        amount=f"{amount} {deal.currency}" if amount else pgettext("amount", "not set"),
        link=link(reverse("admin:deals_deal_change", args=[deal.pk])),
    )
