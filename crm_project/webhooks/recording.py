"""The record of tries: the new state of each delivery, and the health of its endpoint."""

from datetime import timedelta
from random import SystemRandom
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from crm_project.webhooks.models import Webhook, WebhookDelivery, WebhookState
from crm_project.webhooks.rules import next_try, rest
from crm_project.webhooks.sending import SLOW_SECONDS, Try

States = WebhookDelivery.States
# The most seconds that an answer's Retry-After delays the next try.
LONGEST_RETRY_AFTER = 3600
chance = SystemRandom()


def store_try(webhook: Webhook, delivery: WebhookDelivery, result: Try) -> None:
    """Store the result with its delivery, and when it is tried again."""
    delivery.attempts += 1
    delivery.attempted_at, delivery.duration_ms = result.at, int(result.seconds * 1000)
    delivery.url, delivery.status = webhook.url, result.status
    delivery.error, delivery.answer = result.error, result.excerpt.replace("\x00", "")
    delivery.next_attempt_at = None
    if result.succeeded:
        delivery.state = States.DELIVERED
    elif delivery.by_hand or result.is_gone:
        delivery.state = States.FAILED
    else:
        _plan(webhook, delivery, result)
    delivery.by_hand = False
    delivery.save(
        update_fields=[
            *("attempts", "attempted_at", "duration_ms", "url", "status", "error", "answer"),
            *("next_attempt_at", "state", "holds", "by_hand"),
        ]
    )


def _plan(webhook: Webhook, delivery: WebhookDelivery, result: Try) -> None:
    """The next try, or none. Later events of the row that were stored with it are read again after it."""
    pause_until = next_try(
        delivery.attempts,
        settings.WEBHOOK_RETRIES,
        chance,
        at_least=min(result.retry_after, LONGEST_RETRY_AFTER),
    )
    delivery.state = States.PENDING if pause_until else States.FAILED
    delivery.next_attempt_at = result.at + pause_until if pause_until else None
    delivery.holds = True
    later = Q(sequence__gt=delivery.sequence) | Q(sequence=delivery.sequence, part__gt=delivery.part)
    WebhookDelivery.objects.filter(
        later,
        webhook=webhook,
        kind=delivery.kind,
        row_id=delivery.row_id,
        state=States.PENDING,
        attempts=0,
        by_hand=False,
    ).delete()


def health_after(state: WebhookState, last: Try, any_succeeded: bool) -> dict[str, Any]:
    """Set the health of the endpoint after some tries; returns the columns to store."""
    failures, failing_since = (0, None) if any_succeeded else (state.failures, state.failing_since)
    if not last.succeeded:
        failures, failing_since = failures + 1, failing_since or last.at
    wait = rest(failures)
    columns = {
        "failures": failures,
        "failing_since": failing_since,
        "not_before": timezone.now() + wait if wait else None,
        "is_slow": last.seconds > SLOW_SECONDS,
        "succeeded_at": last.at if last.succeeded else state.succeeded_at,
    }
    for name, value in columns.items():
        setattr(state, name, value)
    return columns


def has_failed_for_days(state: WebhookState) -> bool:
    since = state.failing_since
    return since is not None and timezone.now() - since >= timedelta(days=settings.WEBHOOK_FAILING_DAYS)
