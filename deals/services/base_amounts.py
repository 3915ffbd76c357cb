"""`amount_base`: the amount of a deal in the currency of its organization, derived from the organization's rates.

An open deal has the latest rate, a closed one the last rate on or before the day of its closing. Null without a rate,
and if the product exceeds what an amount can be.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from crm_project.accounts.models import Organization
from crm_project.rates.querysets import LATEST, Day, rates_on
from crm_project.records.bulk_sql import update_rows
from crm_project.records.locks import for_update
from crm_project.records.writing.store import Draft
from crm_project.write_queue import write_transaction
from deals.models import AMOUNT_LIMIT, Deal
from deals.money import BASE_UNIT

# What the amount in the organization's currency follows from.
SOURCES = ("amount", "currency", "closed_at")
PORTION = 1000


def set_base_amounts(organization: Organization, drafts: Sequence[Draft]) -> None:
    """Set `amount_base` of new deals, and of those whose sources have changed; no query without other currencies."""
    _set(
        organization,
        [
            draft.row
            for draft in drafts
            if any(draft.before.get(name, draft) != getattr(draft.row, name) for name in SOURCES)
        ],
    )


def recompute(organization: Organization, currency: str, since: datetime.date | None) -> None:
    """Set `amount_base` of the deals of a currency (all if blank) that are open or were closed on this day or later.

    A portion at a time, without versions and events. Trashed deals included, since they may be restored.
    """
    deals = Deal.objects.of(organization.pk).filter(amount__isnull=False).order_by("pk")
    deals = deals.filter(currency=currency) if currency else deals
    zone, last = ZoneInfo(organization.time_zone), 0
    if since is not None:
        begin = datetime.datetime.combine(since, datetime.time(), zone)
        deals = deals.exclude(closed_at__lt=begin)
    while ids := list(deals.filter(pk__gt=last).values_list("pk", flat=True)[:PORTION]):
        with write_transaction():
            rows = list(for_update(Deal.objects.filter(pk__in=ids)))
            before = {row.pk: row.amount_base for row in rows}
            _set(organization, rows)
            update_rows([row for row in rows if row.amount_base != before[row.pk]], ["amount_base"])
        last = ids[-1]


def _set(organization: Organization, deals: Iterable[Any]) -> None:
    base, zone = organization.currency, ZoneInfo(organization.time_zone)
    others = []
    for deal in deals:
        if deal.amount is None or deal.currency == base:
            deal.amount_base = deal.amount
        else:
            others.append((deal, (deal.currency, _day(deal, zone))))
    rates = rates_on(organization.pk, base, {day for _, day in others})
    for deal, day in others:
        deal.amount_base = _product(deal.amount, day, rates)


def _day(deal: Any, zone: ZoneInfo) -> datetime.date:
    return LATEST if deal.closed_at is None else deal.closed_at.astimezone(zone).date()


def _product(amount: Decimal, day: Day, rates: Mapping[Day, Decimal]) -> Decimal | None:
    if day not in rates:
        return None
    product = (amount * rates[day]).quantize(BASE_UNIT, ROUND_HALF_UP)
    return product if product < AMOUNT_LIMIT else None
