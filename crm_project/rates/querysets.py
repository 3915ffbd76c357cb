"""QuerySet of exchange rates, the rates of many days in one query, and the product of an amount and a rate in SQL."""

import datetime
import json
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, Self

from django.db import connection
from django.db.models import Func

from crm_project.records.fields import RATE_SCALE, SCALE, MoneyField
from crm_project.records.querysets import RowQuerySet

# A currency, and the day whose rate counts.
Day = tuple[str, datetime.date]
# The day of what has the latest rate.
LATEST = datetime.date.max


class RateQuerySet(RowQuerySet[Any]):
    def after(self, currency: str, day: datetime.date) -> Self:
        """The live rates of a currency of later days."""
        return self.live().filter(currency=currency, date__gt=day)

    def until(self, base: str, currency: Any, day: Any) -> Self:
        """The live rates of a currency on or before a day, the latest first."""
        return self.live().filter(base=base, currency=currency, date__lte=day).order_by("-date")

    def currencies(self, base: str) -> list[str]:
        """The currencies that have a live rate."""
        rates = self.live().filter(base=base).order_by("currency")
        return list(rates.values_list("currency", flat=True).distinct())


class AmountInBase(Func):
    """The product of an amount and a rate, rounded half up to the decimals that are stored."""

    arity = 2
    output_field = MoneyField()

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        return self.as_sql(
            compiler, connection, template=f"ROUND(%(expressions)s, {SCALE})", arg_joiner=" * "
        )

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = f"rounded_product(%(expressions)s, {10**RATE_SCALE})"
        return self.as_sql(compiler, connection, template=template, **extra)


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
