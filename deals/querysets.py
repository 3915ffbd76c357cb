"""QuerySet of deals: `Deal.objects.visible_to(member).open().closing_before(day)`."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from django.db.models import (
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.db.models.lookups import In

from crm_project.accounts.rules import Role
from crm_project.records.days import day_at, end_of_today
from crm_project.records.fields import MoneyField
from crm_project.records.querysets import RowQuerySet
from crm_project.records.text import fold
from pipelines.catalogue import cached_stages
from pipelines.models import DEFAULT_STALE_AFTER_DAYS

if TYPE_CHECKING:
    from crm_project.accounts.models import Member, Organization

# In percent. A closed deal has the probability of its status, an open one its own or that of its stage.
EFFECTIVE_PROBABILITY = Case(
    When(status="won", then=Value(100)),
    When(status__in=["lost", "abandoned"], then=Value(0)),
    When(probability=None, then=F("stage__probability")),
    default=F("probability"),
    output_field=IntegerField(),
)
# That of the deal, else that of its stage.
EFFECTIVE_FORECAST_CATEGORY = Coalesce("forecast_category", "stage__forecast_category")


def with_any_contact(organization_id: int, contacts: Any) -> Q:
    """Deals with any of these contacts as contact, client or participant; `contacts` is a subquery of their ids."""
    from deals.models import Deal, DealContact

    own = Deal.objects.of(organization_id).order_by()
    # A union, since PostgreSQL cannot use the three indexes for one condition with OR.
    found = (
        own.filter(contact__in=contacts)
        .values("pk")
        .union(
            own.filter(client__in=contacts).values("pk"),
            DealContact.objects.filter(contact__in=contacts).values("deal"),
        )
    )
    return Q(pk__in=found)


def is_next_step(states: Iterable[str], now: datetime.datetime, time_zone: str) -> Q:
    """The condition of `rules.next_step` in SQL."""
    today = end_of_today(now, time_zone)
    conditions = {
        "none": Q(next_activity=None),
        "overdue": Q(next_due_at__lt=now),
        "today": Q(next_due_at__gte=now, next_due_at__lte=today),
        "planned": Q(next_due_at__gt=today) | Q(next_due_at=None, next_activity__isnull=False),
    }
    return Q(*(conditions[state] for state in states), _connector=Q.OR)


def is_paused(today: datetime.date) -> Q:
    """The condition of `rules.is_paused` in SQL; `today` is that of the organization."""
    return Q(status="open", paused_until__gte=today)


def is_stale(organization: "Organization", now: datetime.datetime) -> Q:
    """The condition of `rules.is_stale` in SQL, which compares with one instant per limit and joins no stage."""
    limits: dict[int, list[int]] = {}
    for stage in cached_stages.of(organization).values():
        if stage.stale_after_days is not None:
            limits.setdefault(stage.stale_after_days, []).append(stage.pk)
    own = [pk for ids in limits.values() for pk in ids]
    too_long = _entered_before(now, DEFAULT_STALE_AFTER_DAYS) & ~Q(stage__in=own)
    for days, ids in sorted(limits.items()):
        too_long |= _entered_before(now, days) & Q(stage__in=ids)
    return Q(status="open") & ~is_paused(day_at(now, organization.time_zone)) & too_long


def _entered_before(now: datetime.datetime, days: int) -> Q:
    return Q(stage_entered_at__lt=now - datetime.timedelta(days=days))


class DealQuerySet(RowQuerySet[Any]):
    def shared_with(self, member: "Member") -> Self:
        """Without private deals, except for their owner, creator, access list and admins."""
        own = self.of(member.organization_id)
        if member.role == Role.ADMIN:
            return own
        listed = self.model.access_list.through.objects.filter(deal=OuterRef("pk"), member=member)
        return own.filter(Q(is_private=False) | Q(owner=member) | Q(created_by=member) | Exists(listed))

    def hidden_from(self, member: "Member") -> Self:
        """The complement of `shared_with` in the member's organization: few rows."""
        if member.role == Role.ADMIN:
            return self.none()
        listed = self.model.access_list.through.objects.filter(deal=OuterRef("pk"), member=member)
        private = self.of(member.organization_id).filter(is_private=True)
        return private.exclude(owner=member).exclude(created_by=member).exclude(Exists(listed))

    def open(self) -> Self:
        return self.filter(status="open")

    def slipped(self, today: datetime.date) -> Self:
        """Open deals that were sure, or nearly so, and whose day of closing has passed."""
        sure = In(EFFECTIVE_FORECAST_CATEGORY, ["commit", "best_case"])
        return self.open().closing_before(today).filter(sure)

    def with_next_step(self, states: Iterable[str], now: datetime.datetime, time_zone: str) -> Self:
        """Deals whose next step has one of these states: those of `rules.NEXT_STEPS`, or none."""
        return self.filter(is_next_step(states, now, time_zone))

    def closing_before(self, day: datetime.date) -> Self:
        return self.filter(expected_close_date__lt=day)

    def with_contact(self, contact_id: int) -> Self:
        """Deals with this contact as contact, client or participant."""
        taking_part = self.model.members.through.objects.filter(deal=OuterRef("pk"), contact=contact_id)
        return self.filter(Q(contact=contact_id) | Q(client=contact_id) | Exists(taking_part))

    def mainly_with(self, contact_id: int) -> Self:
        """Deals with this contact, or with this client and no contact."""
        return self.filter(Q(contact=contact_id) | Q(contact=None, client=contact_id))

    def ending_between(
        self, start: datetime.datetime | None, end: datetime.datetime | None, zone: datetime.tzinfo
    ) -> Self:
        """Closed in between, or open and expected to close then; both ends are included."""
        rows = self
        if start:
            day = start.astimezone(zone).date()
            rows = rows.filter(Q(closed_at__gte=start) | Q(closed_at=None, expected_close_date__gte=day))
        if end:
            day = end.astimezone(zone).date()
            rows = rows.filter(Q(closed_at__lte=end) | Q(closed_at=None, expected_close_date__lte=day))
        return rows

    def named_like(self, beginning: str) -> Self:
        """Deals whose name begins with this text, without case and accents. The search text begins with the name."""
        return self.exclude(name="").filter(search_text__startswith=fold(beginning))

    def for_reading(self, member: "Member") -> Self:
        """As plain rows, with all related rows of a response, in a fixed number of queries: see `deals.rows`."""
        from deals.rows import for_reading

        return for_reading(self, member)  # type: ignore[return-value]

    def after_write(self, deal: Any, member: "Member") -> Any:
        """The written deal as a plain row, with all related rows of a response: see `deals.rows`."""
        from deals.rows import after_write

        return after_write(deal, member)

    def with_status_since(self) -> Self:
        """Annotate `status_since`, the instant at which the deal's present status began."""
        from deals.models import DealState

        others = DealState.objects.filter(deal=OuterRef("pk")).exclude(status=OuterRef("status"))
        ended = others.order_by("-valid_from").values("valid_to")[:1]
        return self.annotate(status_since=Coalesce(Subquery(ended), F("created_at")))

    def totals(self, *by: str) -> list[dict[str, Any]]:
        """Count and sums per values of `by` (the status, unless others are named) and currency, exact.

        Amounts of different currencies are never added up; those in the organization's currency are `amount_base`.
        Grouped by stage, so that no deal is joined to its stage and the probability is applied to few sums.
        """
        own = Q(status="open", probability__isnull=False)
        groups = (
            self._sums(*(by or ("status",)), "currency", "status", "stage")
            .annotate(
                # Of deals with a probability of their own: their sums, and the same a hundred times weighted.
                own_amount=Sum("amount", filter=own),
                own_amount_base=Sum("amount_base", filter=own),
                own_hundredfold=Sum(times_probability("amount"), filter=own, output_field=MoneyField()),
                own_hundredfold_base=Sum(
                    times_probability("amount_base"), filter=own, output_field=MoneyField()
                ),
            )
            .annotate(stage_probability=stage_probability())
        )
        return _added_up(groups, (*(by or ("status",)), "currency"))

    def closed_totals(self, *by: str) -> list[dict[str, Any]]:
        """The `totals` of deals that are all closed: their probability is that of the status.

        They are read from the index of closed deals alone, which has no column that only open deals need.
        """
        by = by or ("status",)
        return _added_up(self._sums(*by, "currency", "status"), (*by, "currency"))

    def _sums(self, *by: str) -> Any:
        """The groups with the count and the sums that do not depend on a probability."""
        return (
            self.order_by()
            .values(*dict.fromkeys(by))
            .annotate(
                sum_count=Count("id"),
                sum_amount=Sum("amount"),
                sum_amount_gross=Sum("amount_gross"),
                sum_amount_gross_count=Count("amount_gross"),
                sum_amount_base=Sum("amount_base"),
                sum_base_count=Count("amount_base"),
                sum_without_rate=Count("id", filter=Q(amount__isnull=False, amount_base=None)),
            )
        )


def times_probability(column: str) -> Any:
    """A hundred times the weighted amount: the probability is in percent."""
    return ExpressionWrapper(F(column) * F("probability"), output_field=MoneyField())


def stage_probability() -> Subquery:
    """The probability of the stage, for rows that are grouped by stage."""
    from pipelines.models import Stage

    return Subquery(Stage.objects.filter(pk=OuterRef("stage")).values("probability"))


COUNTED = ("count", "amount_gross_count", "base_count", "without_rate")
SUMMED = ("amount", "amount_gross", "amount_base")


def _added_up(groups: Iterable[dict[str, Any]], by: Sequence[str]) -> list[dict[str, Any]]:
    """The groups of all statuses and stages, added up per value of `by`."""
    totals: dict[tuple[Any, ...], dict[str, Any]] = {}
    for group in groups:
        key = tuple(group[name] for name in by)
        total = totals.setdefault(key, {**dict(zip(by, key, strict=True)), **NOTHING})
        for name in (*COUNTED, *SUMMED):
            total[name] += group[f"sum_{name}"] or 0
        total["weighted_amount"] += _hundredfold(group, "") / 100
        total["weighted_amount_base"] += _hundredfold(group, "_base") / 100
    # Groups without a value come last.
    return [totals[key] for key in sorted(totals, key=lambda key: [(part is None, part) for part in key])]


NOTHING: Mapping[str, Any] = {
    **dict.fromkeys(COUNTED, 0),
    **dict.fromkeys((*SUMMED, "weighted_amount", "weighted_amount_base"), Decimal(0)),
}


def _hundredfold(group: Mapping[str, Any], suffix: str) -> Decimal:
    """The sum of a group's amounts, each times its effective probability in percent."""
    amount: Decimal = group[f"sum_amount{suffix}"] or Decimal(0)
    if group["status"] != "open":
        return amount * (100 if group["status"] == "won" else 0)
    rest: Decimal = amount - (group[f"own_amount{suffix}"] or 0)
    probability: int = group["stage_probability"]
    return rest * probability + (group[f"own_hundredfold{suffix}"] or 0)
