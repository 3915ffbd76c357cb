"""One try of one delivery: the signed request, and what its answer means."""

import datetime
import time
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop
from standardwebhooks import Webhook as Signer

from crm_project import __version__
from crm_project.encryption import decrypt
from crm_project.outbound import Answer, Failed, post
from crm_project.webhooks.models import Webhook, WebhookDelivery

GONE = 410
# An endpoint that needs longer is served beside the quick ones.
SLOW_SECONDS = 1.0


@dataclass(frozen=True)
class Try:
    """`status` is None if there was no answer; then `error` has the reason."""

    at: datetime.datetime
    seconds: float
    status: int | None = None
    error: str = ""
    excerpt: str = ""
    retry_after: int = 0

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        return self.status == GONE


def send(webhook: Webhook, delivery: WebhookDelivery, body: str) -> Try:
    """POST the body, signed with all secrets in force. Only an answer 2xx is a success; redirects are none."""
    at = timezone.now()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"CRM-Webhooks/{__version__}",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signatures(webhook, delivery.message_id, at, body),
    }
    began = time.monotonic()
    try:
        answer = post(webhook.url, body.encode(), headers, seconds=settings.WEBHOOK_TIMEOUT)
    except Failed as error:
        return Try(at, time.monotonic() - began, error=_reason(error))
    return Try(at, answer.seconds, answer.status, _refusal(answer), answer.excerpt, answer.retry_after or 0)


def signatures(webhook: Webhook, message_id: str, at: datetime.datetime, body: str) -> str:
    """One signature, or two during a rotation, as Standard Webhooks has them."""
    secrets = [webhook.secret]
    if webhook.previous_secret and webhook.previous_secret_until and at < webhook.previous_secret_until:
        secrets.append(webhook.previous_secret)
    return " ".join(Signer(decrypt(secret)).sign(message_id, at, body) for secret in secrets)


def _refusal(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        return gettext_noop("Redirects are not followed.")
    return "" if 200 <= answer.status < 300 else f"The endpoint answered {answer.status}."


def _reason(error: Failed) -> str:
    text = str(error) or type(error).__name__
    return text[:255].replace("\x00", "")
