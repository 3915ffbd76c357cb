"""The mail about a webhook that the server has paused."""

import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext_lazy

from crm_project.accounts.models import Member
from crm_project.accounts.rules import Role
from crm_project.mail.services import queue_messages
from crm_project.mail.templates import Text, fill, link, register
from crm_project.webhooks.models import Webhook, WebhookState

TEMPLATE = "webhook_paused"
SUBJECT = gettext_noop("The webhook %(webhook)s is paused")
BODY = gettext_noop("""A webhook of %(organization)s is paused: nothing is sent to it any more.

Webhook: %(webhook)s
URL: %(url)s
Reason: %(reason)s
Last success: %(success)s

No event is lost: once it is active again, it goes on where it stopped. Activate it, or see its log: %(link)s
""")
NEVER = pgettext_lazy("last success", "none")


def connect() -> None:
    register(TEMPLATE, gettext_noop("Paused webhook"), webhook_paused)


def inform_of_pause(webhook: Webhook) -> None:
    """Queue a message to the manager; to all admins where the manager is no longer one."""
    admins = Member.objects.active().filter(organization=webhook.organization_id, role=Role.ADMIN)
    manager = admins.filter(pk=webhook.manager_id)
    recipients = (manager if manager.exists() else admins).select_related("user").order_by("pk")
    queue_messages(
        template=TEMPLATE,
        recipients=[
            (member.email, {"webhook": webhook.pk, "member": member.pk, "reason": webhook.paused_reason})
            for member in recipients
        ],
        organization_id=webhook.organization_id,
    )


def webhook_paused(message: Any) -> Text | None:
    """None if the webhook is active again or deleted, or the recipient is no admin any more."""
    ids = message.parameters
    member = Member.objects.active().filter(pk=ids["member"], role=Role.ADMIN).first()
    state = WebhookState.objects.select_related("webhook__organization").filter(
        webhook=ids["webhook"], webhook__deleted_at=None, webhook__paused_reason=ids["reason"]
    )
    row = state.first() if member is not None else None
    if row is None:
        return None
    webhook = row.webhook
    return fill(
        _(SUBJECT),
        _(BODY),
        webhook=webhook.description or webhook.url,
        organization=webhook.organization.name,
        url=webhook.url,
        reason=webhook.get_paused_reason_display(),
        success=_moment(row.succeeded_at, webhook.organization.time_zone),
        link=link(reverse("admin:webhooks_webhook_change", args=[webhook.pk])),
    )


def _moment(at: datetime.datetime | None, zone: str) -> str:
    return str(NEVER) if at is None else date_format(at.astimezone(ZoneInfo(zone)), "j F Y, H:i")
