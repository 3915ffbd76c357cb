"""What a webhook reads of the feed: the events that its member may see now, and their frozen bodies."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from crm_project.journal.feed import STRIDE, end_of
from crm_project.journal.models import Event
from crm_project.journal.presenting import present
from crm_project.webhooks.formats import Message, formats
from crm_project.webhooks.models import Webhook, WebhookDelivery
from crm_project.webhooks.rules import kinds_of, takes, takes_message

# Events that one query examines.
PAGE = 200


@dataclass(frozen=True)
class Page:
    """The next events for a webhook, and the number up to which the feed has been examined."""

    events: Sequence[Event]
    last: int


def read(webhook: Webhook, *, after: int, limit: int, until: int | None = None) -> Page:
    """The first events after a number that the webhook takes, at most `limit` of them."""
    # The counter is read first: every event up to its number is committed.
    newest = end_of(webhook.organization)[1]
    end = min(newest if until is None else min(newest, until), after + STRIDE)
    if end <= after:
        return Page([], after)
    found: list[Event] = []
    while True:
        page = list(
            _visible(webhook).filter(sequence__gt=after, sequence__lte=end).order_by("sequence")[:PAGE]
        )
        for event in page:
            after = event.sequence
            if takes(webhook, event):
                found.append(event)
            if len(found) == limit:
                return Page(found, after)
        if len(page) < PAGE:
            return Page(found, end)


def next_of_row(webhook: Webhook, delivery: WebhookDelivery, *, until: int) -> WebhookDelivery | None:
    """The message after a delivery among those of its row, unsaved: a further part of its event, or a later event."""
    rows = Event.objects.visible_to(webhook.member, among=[delivery.kind]).with_actor()
    rows = rows.filter(kind=delivery.kind, row_id=delivery.row_id)
    events = rows.filter(sequence__gte=delivery.sequence, sequence__lte=until).order_by("sequence")
    place = (delivery.sequence, delivery.part)
    for event in events.iterator(PAGE):
        if not takes(webhook, event):
            continue
        for message in freeze(webhook, [event]):
            if (message.sequence, message.part) > place:
                return message
    return None


def is_visible(webhook: Webhook, delivery: WebhookDelivery) -> bool:
    """Whether the member may see the event of the delivery now. A test has none."""
    if delivery.sequence is None:
        return True
    events = Event.objects.visible_to(webhook.member, among=[delivery.kind])
    return bool(events.filter(sequence=delivery.sequence).exists())


def freeze(webhook: Webhook, events: Sequence[Event]) -> list[WebhookDelivery]:
    """Unsaved deliveries of the events, with their bodies as of now."""
    epoch = end_of(webhook.organization)[0]
    messages = formats[webhook.format].messages(present(events, webhook.member), webhook.member)
    return [
        _frozen(webhook, event, part, message, epoch)
        for event, parts in zip(events, messages, strict=True)
        for part, message in enumerate(parts)
        if takes_message(webhook, message)
    ]


def _frozen(webhook: Webhook, event: Event, part: int, message: Message, epoch: uuid.UUID) -> WebhookDelivery:
    now = timezone.now()
    delivery = WebhookDelivery(
        uuid=uuid.uuid5(webhook.uuid, f"{epoch}/{event.sequence}/{part}"),
        organization_id=webhook.organization_id,
        webhook=webhook,
        sequence=event.sequence,
        part=part,
        type=message.type,
        kind=event.kind,
        row_id=event.row_id,
        row_uuid=event.row_uuid,
        created_at=now,
        next_attempt_at=now,
    )
    delivery.body = formats[webhook.format].encoded(message, delivery.message_id)
    return delivery


def frozen_again(webhook: Webhook, delivery: WebhookDelivery) -> str | None:
    """The body of a delivery whose own was erased; None if its event or its message exists no more."""
    events = Event.objects.visible_to(webhook.member, among=[delivery.kind])
    event = events.with_actor().filter(sequence=delivery.sequence).first()
    fresh = freeze(webhook, [event]) if event is not None else []
    return next((other.body for other in fresh if other.part == delivery.part), None)


def _visible(webhook: Webhook) -> Any:
    return Event.objects.visible_to(webhook.member, among=kinds_of(webhook.events)).with_actor()
