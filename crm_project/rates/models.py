"""Dated exchange rates of an organization: what a unit of another currency is worth in its own."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from crm_project.rates.querysets import RateQuerySet
from crm_project.records.constraints import organization_key
from crm_project.records.fields import RateField, RowForeignKey
from crm_project.records.models import ExternalReference, Row, reference_constraints


class ExchangeRate(Row):
    """`rate` units of `base`, the organization's currency, for one unit of `currency`, from `date` on."""

    row_kind: ClassVar[str] = "exchange_rate"

    currency = models.CharField(max_length=3)
    # A rate counts only while this is the organization's currency.
    base = models.CharField(max_length=3, editable=False)
    date = models.DateField()
    rate = RateField()

    objects: Any = RateQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            organization_key("rates_exchangerate"),
            models.UniqueConstraint(
                fields=["organization", "base", "currency", "date"],
                condition=Q(deleted_at=None),
                name="rates_exchangerate_live_day",
            ),
            models.CheckConstraint(condition=Q(rate__gt=0), name="rates_exchangerate_rate"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "created_at", "id"], name="rates_exchangerate_oldest"),
            models.Index(fields=["organization", "date", "id"], name="rates_exchangerate_by_date"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.date}"


class ExchangeRateReference(ExternalReference):
    kind: ClassVar[str] = "exchange_rate"
    row: Any = RowForeignKey(ExchangeRate, related_name="references", db_index=True)

    class Meta(ExternalReference.Meta):
        constraints: ClassVar = reference_constraints("rates_exchangeratereference")
