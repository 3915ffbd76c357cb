"""A webhook of Alice, and the receiver that it leads to."""

import datetime
from typing import Any

from django.test import override_settings
from django.utils import timezone

from crm_project.webhooks import services
from crm_project.webhooks.dispatcher import dispatch_here
from crm_project.webhooks.models import Webhook, WebhookDelivery, WebhookState
from tests.base import BaseTestCase
from tests.webhooks.receiver import Receiver, receiving


@override_settings(OUTBOUND_ALLOWED_HOSTS=frozenset({"127.0.0.1"}), WEBHOOK_TIMEOUT=1.0)
class WebhookTestCase(BaseTestCase):
    receiver: Receiver

    def setUp(self) -> None:
        super().setUp()
        self.receiver = self.enterContext(receiving())

    def webhook(self, actor: Any = None, **change: Any) -> Any:
        """An endpoint at the receiver; `secret` is set on the row."""
        change = {"url": self.receiver.url, "events": ["*"], **change}
        row, secret = services.create_webhook(actor=actor or self.alice, change=change)
        row.plain_secret = secret
        return row

    def dispatch(self) -> int:
        return dispatch_here()

    def received(self, webhook: Any) -> list[Any]:
        """The bodies in the order of their arrival, each verified."""
        return [request.verified(webhook.plain_secret) for request in self.receiver.requests]

    def types(self, webhook: Any) -> list[str]:
        return [body["type"] for body in self.received(webhook)]

    def deliveries(self, webhook: Any) -> list[WebhookDelivery]:
        return list(WebhookDelivery.objects.filter(webhook=webhook).order_by("sequence", "part"))

    def states(self, webhook: Any) -> list[str]:
        return [delivery.state for delivery in self.deliveries(webhook)]

    def let_pass(self, webhook: Any) -> None:
        """Make every planned try due, and end every rest."""
        past = timezone.now() - datetime.timedelta(seconds=1)
        WebhookDelivery.objects.filter(webhook=webhook, next_attempt_at__isnull=False).update(
            next_attempt_at=past
        )
        WebhookState.objects.filter(webhook=webhook).update(not_before=None)

    def reread(self, webhook: Any) -> Webhook:
        return Webhook.objects.select_related("state").get(pk=webhook.pk)
