"""QuerySet of exchange rates, and the rates of many days in one query."""

import datetime
import json
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, Self

from django.db import connection

from crm_project.records.fields import RATE_SCALE
from crm_project.records.querysets import RowQuerySet

# A currency, and the day whose rate counts.
Day = tuple[str, datetime.date]
# The day of what has the latest rate.
LATEST = datetime.date.max


class RateQuerySet(RowQuerySet[Any]):
    def after(self, currency: str, day: datetime.date) -> Self:
        """The live rates of a currency of later days."""
        return self.live().filter(currency=currency, date__gt=day)


def rates_on(organization_id: int, base: str, days: Collection[Day]) -> Mapping[Day, Decimal]:
    """The last rate on or before each day, in one query; days without one are left out."""
    wanted = sorted(set(days))
    if not wanted:
        return {}
    is_postgresql = connection.vendor == "postgresql"
    source = (
        "unnest(%s::text[], %s::date[]) AS wanted (currency, day)"
        if is_postgresql
        else "(SELECT json_extract(value, '$[0]') AS currency, json_extract(value, '$[1]') AS day"
        " FROM json_each(%s)) AS wanted"
    )
    rate = (
        "SELECT rate FROM rates_exchangerate WHERE organization_id = %s AND base = %s AND deleted_at IS NULL"
        " AND currency = wanted.currency AND date <= wanted.day ORDER BY date DESC LIMIT 1"
    )
    parts = zip(*wanted, strict=True)
    given = [list(part) for part in parts] if is_postgresql else [json.dumps(wanted, default=str)]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT ({rate}) FROM {source}", [organization_id, base, *given])
        found = [value for (value,) in cursor.fetchall()]
    return {
        day: value if is_postgresql else Decimal(value).scaleb(-RATE_SCALE)
        for day, value in zip(wanted, found, strict=True)
        if value is not None
    }
