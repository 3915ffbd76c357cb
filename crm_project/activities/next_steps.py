"""The next open activity of each deal, in columns of the deal, so that a list or a board reads no activities.

They are derived: neither the version nor `updated_at` of the deal changes, and there is no event.
"""

from collections.abc import Iterable

from django.db.models import F

from crm_project.activities.models import Activity
from crm_project.records.bulk_sql import update_rows
from crm_project.records.locks import for_update
from deals.models import Deal


def refresh_next_steps(deal_ids: Iterable[int | None]) -> None:
    """Set the next step of the deals: the open activity that is due first, or one without a due date."""
    ids = {deal_id for deal_id in deal_ids if deal_id is not None}
    deals = list(for_update(Deal.objects.filter(pk__in=ids))) if ids else []
    if not deals:
        return
    # Read under the locks of the deals, so that the last of two writers sees the activities of both.
    live_open = Activity.objects.live().open().filter(deal__in=[deal.pk for deal in deals])
    ordered = live_open.order_by("deal", F("deadline").asc(nulls_last=True), "id")
    first: dict[int, tuple[object, object]] = {}
    for deal_id, deadline, uuid in ordered.values_list("deal", "deadline", "uuid"):
        first.setdefault(deal_id, (deadline, uuid))
    stale = []
    for deal in deals:
        step = first.get(deal.pk, (None, None))
        if step != (deal.next_due_at, deal.next_activity):
            deal.next_due_at, deal.next_activity = step
            stale.append(deal)
    if stale:
        update_rows(stale, ["next_due_at", "next_activity"])
