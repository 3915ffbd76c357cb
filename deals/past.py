"""Reads of past states: the pipeline as it was at an instant, and what became of it between two."""

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import (
    Count,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan

from crm_project.records.fields import MoneyField
from crm_project.records.kinds import kinds

if TYPE_CHECKING:
    from crm_project.accounts.models import Member

CLOSED = ("won", "lost", "abandoned")


class DealStateQuerySet(models.QuerySet[Any]):
    def visible_to(self, member: "Member") -> Self:
        """The states of deals that the member may see today, those in the trash included."""
        deal: Any = self.model._meta.get_field("deal").related_model
        hidden = kinds["deal"].visible.hidden(deal.objects.all(), member).filter(pk=OuterRef("deal"))
        own = self.filter(organization_id=member.organization_id)
        return own if hidden.query.is_empty() else own.filter(~Exists(hidden))

    def as_of(self, instant: datetime.datetime) -> Self:
        """The one state that each deal was in at that instant."""
        return self.filter(Q(valid_to=None) | Q(valid_to__gt=instant), valid_from__lte=instant)

    def live(self) -> Self:
        return self.filter(deleted_at=None)

    def totals(self) -> list[dict[str, Any]]:
        """Count and sums per status and currency, exact. A state keeps no gross amount."""
        weighted = ExpressionWrapper(F("amount") * F("probability"), output_field=MoneyField())
        groups = (
            self.order_by()
            .values("status", "currency")
            .annotate(
                count=Count("id"),
                sum_amount=Sum("amount"),
                hundredfold=Sum(weighted, output_field=MoneyField()),
            )
            .order_by("status", "currency")
        )
        return [
            {
                "status": group["status"],
                "currency": group["currency"],
                "count": group["count"],
                "amount": group["sum_amount"] or Decimal(0),
                "amount_gross": None,
                "weighted_amount": (group["hundredfold"] or Decimal(0)) / 100,
            }
            for group in groups
        ]

    def changes_between(
        self, since: datetime.datetime, until: datetime.datetime
    ) -> dict[str, list[dict[str, Any]]]:
        """What is otherwise at `until` than it was at `since`: per change, count and sum in each currency.

        A deal counts for every change that it went through on balance: one that came and was won is added and won, one
        that was won and reopened in between is neither. It counts with what it is worth at `until`, or was worth
        when it was removed.
        """
        then = Q(deal__states__valid_from__lte=since, deal__states__valid_to__gt=since)
        # A deal that has changed has a state that began in between, which an index finds.
        changed = self.as_of(until).filter(valid_from__gt=since)
        changed = changed.annotate(was=FilteredRelation("deal__states", condition=then))
        sums = {name: _sum(name) for name in CHANGES}
        groups = (
            changed.order_by()
            .values("currency")
            .annotate(
                **{f"{name}_count": Count("id", filter=when) for name, when in CHANGES.items()},
                **{f"{name}_amount": Sum(sums[name], filter=when) for name, when in CHANGES.items()},
            )
            .order_by("currency")
        )
        return _by_change(list(groups))


def _changes() -> dict[str, Q]:
    """What may have become of a deal. `was` is its state then, if it had one."""
    here = Q(deleted_at=None)
    new = Q(was__isnull=True) | Q(was__deleted_at__isnull=False)
    both = here & Q(was__isnull=False, was__deleted_at=None)
    still_open = both & Q(status="open", was__status="open")
    same_currency = both & Q(was__currency=F("currency"))
    statuses = {*CLOSED, "open"}
    closed = {
        status: here & Q(status=status) & (new | Q(was__status__in=sorted(statuses - {status})))
        for status in CLOSED
    }
    return {
        "added": here & new,
        **closed,
        "reopened": both & Q(status="open", was__status__in=CLOSED),
        "grown": same_currency & Q(_gt(F("amount"), F("was__amount"))),
        "shrunk": same_currency & Q(_gt(F("was__amount"), F("amount"))),
        "slipped": both & Q(status="open", expected_close_date__gt=F("was__expected_close_date")),
        "moved": still_open & ~Q(stage=F("was__stage")),
        "removed": Q(deleted_at__isnull=False, was__isnull=False, was__deleted_at=None),
    }


def _known(amount: F) -> Coalesce:
    """An amount that is not known yet counts for nothing."""
    return Coalesce(amount, Value(Decimal(0), output_field=MoneyField()), output_field=MoneyField())


def _gt(one: F, other: F) -> Any:
    return GreaterThan(_known(one), _known(other))


def _sum(name: str) -> Any:
    """What a change is worth: the difference, where it is one of the amount."""
    if name not in ("grown", "shrunk"):
        return F("amount")
    more, less = (F("amount"), F("was__amount")) if name == "grown" else (F("was__amount"), F("amount"))
    return ExpressionWrapper(_known(more) - _known(less), output_field=MoneyField())


def _by_change(groups: list[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [
            {
                "currency": group["currency"],
                "count": group[f"{name}_count"],
                "amount": group[f"{name}_amount"] or Decimal(0),
            }
            for group in groups
            if group[f"{name}_count"]
        ]
        for name in CHANGES
    }


CHANGES = _changes()
