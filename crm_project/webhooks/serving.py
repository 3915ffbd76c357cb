"""The service of one webhook by one dispatcher: read on, try, record.

A failed delivery holds the later events of its own row alone. They are not stored: the row is marked (`holds`), and
its events are read again once the delivery is settled. Tests, resends and replayed ranges are tried once, whatever
else waits.
"""

import logging
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from copy import copy
from typing import Any

from django.db import DatabaseError, close_old_connections
from django.utils import timezone
from django.utils.translation import gettext_noop

from crm_project.webhooks.formats import test_body
from crm_project.webhooks.models import Webhook, WebhookDelivery, WebhookState
from crm_project.webhooks.querysets import LEASE
from crm_project.webhooks.reading import Page, freeze, frozen_again, is_visible, next_of_row, read
from crm_project.webhooks.recording import has_failed_for_days, health_after, store_try
from crm_project.webhooks.rules import DOWN_AFTER
from crm_project.webhooks.sending import Try, send
from crm_project.webhooks.services import may_be_served, pause
from crm_project.write_queue import write_transaction

log = logging.getLogger(__name__)
States = WebhookDelivery.States
# Deliveries that are stored at once: a dispatcher that dies sends those again that it did not record.
BATCH = 50
# Seconds after which a dispatcher leaves an endpoint to the next turn, renews its lease, and records successes.
TURN = 20.0
RENEW = 5.0
RECORD = 1.0


class Stopped(Exception):
    """The webhook was paused, deleted or replayed, or another dispatcher has it: nothing more is recorded."""


def claim(webhook_id: int) -> uuid.UUID | None:
    """Take a webhook that no dispatcher serves."""
    now, lease = timezone.now(), uuid.uuid4()
    with write_transaction():
        free = WebhookState.objects.free(now).filter(pk=webhook_id)
        taken = free.update(lease=lease, leased_until=now + LEASE)
    return lease if taken else None


class Turn:
    """The work of a dispatcher for one webhook until there is none left or the time is over."""

    def __init__(self, webhook_id: int, lease: uuid.UUID) -> None:
        self.webhook_id = webhook_id
        self.lease = lease
        self.began = self.renewed = self.recorded = time.monotonic()
        self.done: list[tuple[WebhookDelivery, Try]] = []
        self.sent = 0

    def run(self) -> int:
        """Returns the number of tries."""
        with suppress(Stopped):
            try:
                self._load()
                self._refuse_without_access()
                self._work()
                self._record()
            except DatabaseError:
                log.warning("a webhook waits for the database", exc_info=True)
                close_old_connections()
                # What is not recorded is sent again.
                self._record()
        with write_transaction():
            self._mine().update(leased_until=timezone.now())
        return self.sent

    def _refuse_without_access(self) -> None:
        if may_be_served(self.webhook):
            return
        pause(self.webhook, Webhook.Pauses.MEMBER)
        with write_transaction():
            by_hand = WebhookDelivery.objects.filter(webhook=self.webhook, state=States.PENDING, by_hand=True)
            by_hand.update(
                state=States.FAILED, by_hand=False, next_attempt_at=None, error=Webhook.Pauses.MEMBER.label
            )
        raise Stopped

    def _mine(self) -> Any:
        return WebhookState.objects.filter(pk=self.webhook_id, lease=self.lease)

    def _load(self) -> None:
        state = (
            self._mine()
            .select_related("webhook__organization", "webhook__member__user", "webhook__member__organization")
            .select_related("webhook__manager__user")
            .first()
        )
        if state is None or state.webhook.deleted_at is not None:
            raise Stopped
        self.state: WebhookState = state
        self.webhook: Webhook = state.webhook

    def _work(self) -> None:
        while not self._is_over():
            batch = self._next_batch()
            if not batch:
                return
            failed: set[tuple[str, int | None]] = set()
            for delivery in batch:
                if (delivery.kind, delivery.row_id) in failed and not delivery.by_hand:
                    continue  # Deleted with the failure before it, and read again after that.
                self._renew()
                if self._is_over() or not (self.webhook.is_active or delivery.by_hand):
                    return
                if not self._try(delivery):
                    failed.add((delivery.kind, delivery.row_id))
            self._record()

    def _is_over(self) -> bool:
        return time.monotonic() - self.began > TURN

    def _renew(self) -> None:
        if time.monotonic() - self.renewed < RENEW:
            return
        self._record()
        with write_transaction():
            if not self._mine().update(leased_until=timezone.now() + LEASE):
                raise Stopped
        self.renewed = time.monotonic()
        self._load()
        self._refuse_without_access()

    def _next_batch(self) -> list[WebhookDelivery]:
        now = timezone.now()
        due = WebhookDelivery.objects.filter(webhook=self.webhook).due(now)
        own = list(due.filter(by_hand=True).order_by("pk")[:BATCH])
        if own or not self.webhook.is_active:
            return own
        # Stored by a dispatcher that died before it tried them: nothing may be read before they are settled.
        first = list(due.filter(attempts=0).order_by("sequence", "part")[:BATCH])
        if first:
            return first
        size = 1 if self.state.failures >= DOWN_AFTER else BATCH if not self.state.failures else 5
        retries = list(due.order_by("next_attempt_at")[:5])
        rests = self.state.not_before is not None and self.state.not_before > now
        return [
            *sorted(retries, key=lambda delivery: (delivery.sequence, delivery.part)),
            *self._caught_up(),
            *([] if rests else [*self._read_on(size), *self._replayed(size)]),
        ]

    def _read_on(self, size: int) -> list[WebhookDelivery]:
        page = read(self.webhook, after=self.state.position, limit=size)
        if page.last == self.state.position:
            return []
        blocked = WebhookDelivery.objects.filter(webhook=self.webhook).blocked_rows()
        events = [event for event in page.events if (event.kind, event.row_id) not in blocked]
        fresh = freeze(self.webhook, events) if events else []
        with write_transaction():
            if not self._mine().update(position=page.last):
                raise Stopped
            fresh = self._stored(fresh)
        self.state.position = page.last
        return fresh

    def _caught_up(self) -> list[WebhookDelivery]:
        """The next message of each row whose failed delivery is settled; the mark moves to it."""
        found: list[WebhookDelivery] = []
        settled = WebhookDelivery.objects.filter(webhook=self.webhook).settled_but_holding()
        for delivery in settled.order_by("sequence", "part")[:BATCH]:
            fresh = next_of_row(self.webhook, delivery, until=self.state.position)
            with write_transaction():
                if not self._mine().exists():
                    raise Stopped
                WebhookDelivery.objects.filter(pk=delivery.pk).update(holds=False)
                found += self._stored([fresh] if fresh else [], holds=True)
        return found

    def _replayed(self, size: int) -> list[WebhookDelivery]:
        """The next events of a range that is sent once more."""
        state = self.state
        if state.replay_until is None:
            return []
        page: Page = read(
            self.webhook, after=state.replay_position or 0, limit=size, until=state.replay_until
        )
        ended = page.last >= state.replay_until
        state.replay_position, state.replay_until = page.last, None if ended else state.replay_until
        fresh = freeze(self.webhook, page.events) if page.events else []
        with write_transaction():
            moved = self._mine().update(
                replay_position=state.replay_position, replay_until=state.replay_until
            )
            if not moved:
                raise Stopped
            return self._stored(fresh, by_hand=True)

    def _stored(self, fresh: Sequence[WebhookDelivery], **marks: bool) -> list[WebhookDelivery]:
        """Insert deliveries; those of a replay that exist already start again, with their frozen bodies."""
        if not fresh:
            return []
        numbers = {delivery.sequence for delivery in fresh}
        known = {
            (row.sequence, row.part): row
            for row in WebhookDelivery.objects.filter(webhook=self.webhook, sequence__in=numbers)
        }
        rows = []
        for delivery in fresh:
            row = known.get((delivery.sequence, delivery.part), delivery)
            row.holds = marks.get("holds", row.holds)
            row.by_hand = marks.get("by_hand", False)
            if row is not delivery:
                row.attempts = 0 if row.state != States.PENDING else row.attempts
                row.state, row.next_attempt_at = States.PENDING, timezone.now()
                row.save(update_fields=["attempts", "state", "holds", "by_hand", "next_attempt_at"])
            rows.append(row)
        WebhookDelivery.objects.bulk_create([row for row in rows if row.pk is None])
        return rows

    def _try(self, delivery: WebhookDelivery) -> bool:
        if not is_visible(self.webhook, delivery):
            self._settle_unsent(
                delivery, States.HIDDEN, gettext_noop("Its member may not see the row any more.")
            )
            return True
        body = delivery.body or self._body_again(delivery)
        if body is None:
            self._settle_unsent(delivery, States.HIDDEN, gettext_noop("There is no such event any more."))
            return True
        result = send(self.webhook, delivery, body)
        self.sent += 1
        self.done.append((delivery, result))
        if not result.succeeded or self.state.failures or time.monotonic() - self.recorded > RECORD:
            self._record()
        if result.is_gone:
            pause(self.webhook, Webhook.Pauses.GONE)
            raise Stopped
        return result.succeeded

    def _body_again(self, delivery: WebhookDelivery) -> str | None:
        if delivery.sequence is None:
            body: str | None = test_body(delivery.created_at.isoformat().replace("+00:00", "Z"))
        else:
            body = frozen_again(self.webhook, delivery)
        with write_transaction():
            WebhookDelivery.objects.filter(pk=delivery.pk).update(body=body)
        return body

    def _settle_unsent(self, delivery: WebhookDelivery, state: str, error: str) -> None:
        with write_transaction():
            WebhookDelivery.objects.filter(pk=delivery.pk).update(
                state=state, error=error, next_attempt_at=None, by_hand=False
            )

    def _record(self) -> None:
        """Store the results since the last call in one transaction."""
        done = self.done
        self.recorded = time.monotonic()
        if not done:
            return
        with write_transaction():
            if not self._mine().exists():
                raise Stopped
            for delivery, result in done:
                # A copy: the transaction may fail and be repeated.
                store_try(self.webhook, copy(delivery), result)
            health = health_after(self.state, done[-1][1], any(result.succeeded for _, result in done))
            self._mine().update(**health)
        self.done = []
        if has_failed_for_days(self.state):
            pause(self.webhook, Webhook.Pauses.FAILING)
            raise Stopped
