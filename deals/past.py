"""QuerySet of past states: the deals as of an instant, and the changes between two instants."""

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import (
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Least, NullIf, TruncDate
from django.db.models.lookups import GreaterThan

from crm_project.rates.models import ExchangeRate
from crm_project.rates.querysets import AmountInBase, rates_on
from crm_project.records.fields import MoneyField, RateField
from crm_project.records.kinds import kinds
from deals.querysets import times_probability

if TYPE_CHECKING:
    from crm_project.accounts.models import Member, Organization

CLOSED = ("won", "lost", "abandoned")


class DealStateQuerySet(models.QuerySet[Any]):
    def visible_to(self, member: "Member") -> Self:
        """The states of the deals that the member may see now, including trashed deals."""
        deal: Any = self.model._meta.get_field("deal").related_model
        hidden = kinds["deal"].visible.hidden(deal.objects.all(), member).filter(pk=OuterRef("deal"))
        own = self.filter(organization_id=member.organization_id)
        return own if hidden.query.is_empty() else own.filter(~Exists(hidden))

    def as_of(self, instant: datetime.datetime) -> Self:
        """The state of each deal at that instant."""
        return self.filter(Q(valid_to=None) | Q(valid_to__gt=instant), valid_from__lte=instant)

    def live(self) -> Self:
        return self.filter(deleted_at=None)

    def with_amount_base(self, organization: "Organization", instant: datetime.datetime) -> Self:
        """Annotate `amount_base`, by the rules of a deal's: an open deal has the last rate of the instant's day.

        Two queries read the rates of that day. A closed deal has the rate of its closing, whenever one asks: it is
        looked up for each state that differs from the present deal.
        """
        from deals.models import AMOUNT_LIMIT

        base, zone = organization.currency, ZoneInfo(organization.time_zone)
        rates = ExchangeRate.objects.of(organization.pk)
        day = instant.astimezone(zone).date()
        that_day = rates_on(organization.pk, base, {(currency, day) for currency in rates.currencies(base)})
        whens = [When(currency=one, then=Value(rate, RateField())) for (one, _), rate in that_day.items()]
        of_closing = rates.until(base, OuterRef("currency"), OuterRef("closing_day")).values("rate")[:1]
        rate = Case(
            When(closed_at=None, then=Case(*whens, output_field=RateField())), default=Subquery(of_closing)
        )
        limit = Value(Decimal(AMOUNT_LIMIT), MoneyField())
        product = NullIf(Least(AmountInBase("amount", rate), limit), limit)
        present = Q(**{f"deal__{name}": F(name) for name in ("amount", "currency", "closed_at")})
        return self.annotate(
            closing_day=TruncDate("closed_at", tzinfo=zone),
            amount_base=Case(
                When(currency=base, then="amount"),
                When(present, then="deal__amount_base"),
                default=product,
                output_field=MoneyField(),
            ),
        )

    def totals(self, *by: str) -> list[dict[str, Any]]:
        """Count and sums per values of `by` (the status, unless others are named) and currency, exact.

        The states have their `amount_base`. They keep no gross amount.
        """
        by = by or ("status",)
        groups = (
            self.order_by()
            .values(*dict.fromkeys((*by, "currency")))
            .annotate(
                count=Count("id"),
                sum_amount=Sum("amount"),
                hundredfold=Sum(times_probability("amount"), output_field=MoneyField()),
                sum_amount_base=Sum("amount_base"),
                hundredfold_base=Sum(times_probability("amount_base"), output_field=MoneyField()),
                base_count=Count("amount_base"),
                without_rate=Count("id", filter=Q(amount__isnull=False, amount_base=None)),
            )
            .order_by(*by, "currency")
        )
        return [
            {
                **{name: group[name] for name in (*by, "currency")},
                "count": group["count"],
                "amount": group["sum_amount"] or Decimal(0),
                "amount_gross": None,
                "amount_gross_count": 0,
                "weighted_amount": (group["hundredfold"] or Decimal(0)) / 100,
                "amount_base": group["sum_amount_base"] or Decimal(0),
                "weighted_amount_base": (group["hundredfold_base"] or Decimal(0)) / 100,
                "base_count": group["base_count"],
                "without_rate": group["without_rate"],
            }
            for group in groups
        ]

    def closed_totals(self, *by: str) -> list[dict[str, Any]]:
        """The `totals` of states that are all closed. A state has its probability in force, whatever its status."""
        return self.totals(*by)

    def changes_between(
        self, since: datetime.datetime, until: datetime.datetime
    ) -> dict[str, list[dict[str, Any]]]:
        """Count and sum of each kind of change in each currency, from `since` (included) to `until` (excluded).

        A deal counts as added at its creation, and as won, lost or abandoned at its `closed_at`, whenever that was
        recorded. For closings the present values of the deal count, so that each closing is in exactly one period.
        All other changes are net: a deal that was moved and moved back is not moved. A deal counts with its amount at
        `until`, or at its removal.
        """
        then = Q(deal__states__valid_from__lt=since, deal__states__valid_to__gte=since)
        # A changed deal has a state that began in the period, for which there is an index.
        changed = self.filter(
            Q(valid_to=None) | Q(valid_to__gte=until), valid_from__gte=since, valid_from__lt=until
        )
        changed = changed.annotate(was=FilteredRelation("deal__states", condition=then))
        created = Q(deal__created_at__gte=since, deal__created_at__lt=until)
        compared = {**COMPARED, "added": Q(deleted_at=None) & created}
        closed = self.live().filter(valid_to=None, closed_at__gte=since, closed_at__lt=until)
        found = {**_grouped(changed, compared), **_grouped(closed, {name: Q(status=name) for name in CLOSED})}
        return {name: found[name] for name in CHANGES}


def _grouped(states: Any, changes: Mapping[str, Q]) -> dict[str, list[dict[str, Any]]]:
    """Count and sum of each change per currency, in one query."""
    groups = list(
        states.order_by()
        .values("currency")
        .annotate(
            **{f"{name}_count": Count("id", filter=when) for name, when in changes.items()},
            **{f"{name}_amount": Sum(_sum(name), filter=when) for name, when in changes.items()},
        )
        .order_by("currency")
    )
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
        for name in changes
    }


def _compared() -> dict[str, Q]:
    """The changes between two states of a deal. `was` is the earlier one."""
    both = Q(deleted_at=None, was__isnull=False, was__deleted_at=None)
    still_open = both & Q(status="open", was__status="open")
    same_currency = both & Q(was__currency=F("currency"))
    return {
        "reopened": both & Q(status="open", was__status__in=CLOSED),
        "grown": same_currency & Q(_gt(F("amount"), F("was__amount"))),
        "shrunk": same_currency & Q(_gt(F("was__amount"), F("amount"))),
        "slipped": both & Q(status="open", expected_close_date__gt=F("was__expected_close_date")),
        "moved": still_open & ~Q(stage=F("was__stage")),
        "removed": Q(deleted_at__isnull=False, was__isnull=False, was__deleted_at=None),
    }


def _known(amount: F) -> Coalesce:
    """The amount, or 0 if it is null."""
    return Coalesce(amount, Value(Decimal(0), output_field=MoneyField()), output_field=MoneyField())


def _gt(one: F, other: F) -> Any:
    return GreaterThan(_known(one), _known(other))


def _sum(name: str) -> Any:
    """The amount of a change: the difference for a change of the amount, else the deal's amount."""
    if name not in ("grown", "shrunk"):
        return F("amount")
    more, less = (F("amount"), F("was__amount")) if name == "grown" else (F("was__amount"), F("amount"))
    return ExpressionWrapper(_known(more) - _known(less), output_field=MoneyField())


COMPARED = _compared()
CHANGES = ("added", *CLOSED, *COMPARED)
