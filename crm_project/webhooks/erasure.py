"""What is deleted of deliveries: those whose time is over, and bodies with the data of a redacted contact."""

import datetime
from typing import Any

from django.conf import settings
from django.db.models import Q

from crm_project.activities.models import Activity
from crm_project.activities.querysets import personal_to
from crm_project.webhooks.models import WebhookDelivery
from deals.models import Deal, DealContact


def old_deliveries(now: datetime.datetime) -> Any:
    """Deliveries older than WEBHOOK_KEEP_DAYS, but for those that are still tried or hold their row."""
    before = now - datetime.timedelta(days=settings.WEBHOOK_KEEP_DAYS)
    settled = WebhookDelivery.objects.exclude(state=WebhookDelivery.States.PENDING)
    return settled.filter(created_at__lt=before, holds=False)


def forget_bodies(row: Any) -> None:
    """Erase the bodies and answers of the events of a redacted contact and of its deals.

    A delivery that is sent later gets a new body, from the journal as it is after the redaction.
    """
    own = WebhookDelivery.objects.filter(organization=row.organization_id)
    linked = DealContact.objects.filter(contact=row.pk).values("deal")
    deals = Deal.objects.filter(Q(contact=row.pk) | Q(client=row.pk) | Q(pk__in=linked)).values("pk")
    concerned = (
        Q(kind=row.row_kind, row_id=row.pk)
        | Q(kind=Activity.row_kind, row_id__in=Activity.objects.filter(personal_to(row.pk)).values("pk"))
        | Q(kind=Deal.row_kind, row_id__in=deals)
        # Deals that were linked with the contact earlier.
        | Q(body__contains=str(row.uuid))
    )
    own.filter(concerned).update(body=None, answer="")
