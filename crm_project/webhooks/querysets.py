"""Queries of the dispatcher: webhooks with something to do, deliveries that are due."""

import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from crm_project.journal.models import Counter

if TYPE_CHECKING:
    from crm_project.accounts.models import Member

# A dispatcher renews its lease during its work; without that it is considered dead after this time.
LEASE = datetime.timedelta(seconds=45)


class StateQuerySet(models.QuerySet[Any]):
    def free(self, now: datetime.datetime) -> Self:
        """Those that no dispatcher serves. A lease that ends later than one can is of a clock that was wrong."""
        return self.filter(
            Q(leased_until=None) | Q(leased_until__lt=now) | Q(leased_until__gt=now + 2 * LEASE)
        )

    def with_work(self, now: datetime.datetime) -> Self:
        """Those with unread events, due tries, rows to catch up or a range to replay; the longest waiting first."""
        from crm_project.webhooks.models import WebhookDelivery

        own: Any = WebhookDelivery.objects.filter(webhook=OuterRef("pk"))
        due = own.due(now)
        unread = Counter.objects.filter(
            organization=OuterRef("webhook__organization_id"), last__gt=OuterRef("position")
        )
        may_read = Q(not_before=None) | Q(not_before__lte=now)
        work = (
            (may_read & (Exists(unread) | Q(replay_until__isnull=False)))
            | Exists(due.filter(by_hand=False))
            | Exists(own.settled_but_holding())
        )
        return (
            self.filter(webhook__deleted_at=None)
            .filter((Q(webhook__is_active=True) & work) | Exists(due.filter(by_hand=True)))
            .order_by(F("leased_until").asc(nulls_first=True), "pk")
        )


class DeliveryQuerySet(models.QuerySet[Any]):
    def visible_to(self, member: "Member") -> Self:
        from crm_project.webhooks.models import Webhook

        return self.filter(webhook__in=Webhook.objects.visible_to(member))

    def due(self, now: datetime.datetime) -> Self:
        return self.filter(state="pending", next_attempt_at__lte=now)

    def holding(self) -> Self:
        """Those that mark their rows.

        Every one has a kind: with this condition SQLite, too, reads them from their own small index, and not all
        deliveries of the webhook.
        """
        return self.filter(holds=True, kind__gt="")

    def settled_but_holding(self) -> Self:
        return self.holding().exclude(state="pending")

    def unsettled(self) -> Self:
        """Those that are tried, apart from what was sent by hand. Their times come from an index, as in `due`."""
        return self.filter(state="pending", by_hand=False, next_attempt_at__isnull=False)

    def blocking(self) -> Self:
        """Those whose rows have to wait."""
        return self.filter(Q(holds=True) | Q(state="pending", by_hand=False))

    def blocked_rows(self) -> set[tuple[str, int]]:
        """The rows of `blocking` as (kind, row_id), by two queries that each have an index."""
        return {
            row
            for waiting in (self.holding(), self.unsettled())
            for row in waiting.order_by().values_list("kind", "row_id")
        }
