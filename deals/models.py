"""Deals with their participants, followers, access lists, lost reasons and past states."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from contacts.models import Contact
from crm_project.accounts.models import Member, Organization
from crm_project.records.constraints import organization_key, same_organization
from crm_project.records.expressions import CodePoints
from crm_project.records.fields import MoneyField, RowForeignKey
from crm_project.records.indexes import SearchIndex
from crm_project.records.models import ExternalReference, Row, reference_constraints, reference_indexes
from crm_project.records.querysets import RowQuerySet
from crm_project.records.text import RELATED, own_text, search_text
from deals.past import DealStateQuerySet
from deals.querysets import DealQuerySet
from pipelines.models import ForecastCategories, Stage

AMOUNT_LIMIT = 10**12


class LostReason(Row):
    row_kind: ClassVar[str] = "lost_reason"

    name = models.CharField(max_length=255)

    objects: Any = RowQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            organization_key("deals_lostreason"),
            models.UniqueConstraint(
                fields=["organization", "name"],
                condition=Q(deleted_at=None),
                name="deals_lostreason_live_name",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "created_at", "id"], name="deals_lostreason_oldest")
        ]

    def __str__(self) -> str:
        return self.name


class Deal(Row):
    class Statuses(models.TextChoices):
        OPEN = "open", pgettext_lazy("deal", "Open")
        WON = "won", pgettext_lazy("deal", "Won")
        LOST = "lost", pgettext_lazy("deal", "Lost")
        ABANDONED = "abandoned", pgettext_lazy("deal", "Abandoned")

    class BidTypes(models.TextChoices):
        FIXED = "fixed", pgettext_lazy("price", "Fixed")
        HOUR = "hour", pgettext_lazy("price", "Hour")
        DAY = "day", pgettext_lazy("price", "Day")
        WEEK = "week", pgettext_lazy("price", "Week")
        MONTH = "month", pgettext_lazy("price", "Month")
        YEAR = "year", pgettext_lazy("price", "Year")

    row_kind: ClassVar[str] = "deal"
    derived: ClassVar[frozenset[str]] = Row.derived | {"amount_base", "next_due_at", "next_activity"}

    name = models.CharField(max_length=255, blank=True)
    description = models.TextField(blank=True)
    amount = MoneyField(null=True, blank=True)
    # In the organization's currency; null without a rate. Set by `services.base_amounts`.
    amount_base = MoneyField(null=True, blank=True, editable=False)
    amount_gross = MoneyField(null=True, blank=True)
    tax_rate = models.CharField(max_length=255, blank=True)
    currency = models.CharField(max_length=3)
    bid_type = models.CharField(max_length=8, choices=BidTypes, default=BidTypes.FIXED)
    bid_value = MoneyField(null=True, blank=True)
    bid_periods = models.PositiveIntegerField(null=True, blank=True)
    status = models.CharField(max_length=16, choices=Statuses, default=Statuses.OPEN)
    probability = models.PositiveSmallIntegerField(null=True, blank=True)
    # Null stands for that of the stage, as that of `probability` does.
    forecast_category = models.CharField(  # noqa: DJ001
        max_length=16, choices=ForecastCategories, null=True, blank=True
    )
    stage = RowForeignKey(Stage)
    contact = RowForeignKey(Contact, null=True, blank=True, related_name="deals")
    client = RowForeignKey(Contact, null=True, blank=True, related_name="client_deals")
    owner = RowForeignKey(Member, null=True, blank=True)
    is_private = models.BooleanField(default=False)
    lost_reason = RowForeignKey(LostReason, null=True, blank=True)
    expected_close_date = models.DateField(null=True, blank=True)
    # The last day of a pause; an open deal has a reason beside it, a closed one neither.
    paused_until = models.DateField(null=True, blank=True)
    pause_reason = models.CharField(max_length=255, blank=True, default="", db_default="")
    closed_at = models.DateTimeField(null=True, blank=True)
    date = models.DateField(null=True, blank=True)
    date_from = models.DateField(null=True, blank=True)
    date_to = models.DateField(null=True, blank=True)
    number = models.CharField(max_length=255, blank=True)
    invoice_no = models.CharField(max_length=255, blank=True)
    url = models.CharField(max_length=2000, blank=True)
    origin = models.CharField(max_length=255, blank=True)
    department_id = models.BigIntegerField(null=True, blank=True)
    project_id = models.BigIntegerField(null=True, blank=True)
    task_id = models.BigIntegerField(null=True, blank=True)
    next_deal = RowForeignKey("self", null=True, blank=True)
    custom_fields = models.JSONField(default=dict, blank=True)
    stage_entered_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = RowForeignKey(Member, null=True, blank=True, editable=False)
    search_text = models.TextField(blank=True, editable=False)
    # The open activity that is due first, and its deadline; null for a deal without one, or without a due date.
    next_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    next_activity = models.UUIDField(null=True, blank=True, editable=False)

    members = models.ManyToManyField(Contact, through="DealContact", related_name="+")
    followers = models.ManyToManyField(Member, through="DealFollower", related_name="+")
    access_list = models.ManyToManyField(Member, through="DealAccess", related_name="+")

    objects = DealQuerySet.as_manager()

    # What a write has left in the lists of `deals.links`, if the row is as the database has it.
    lists: Mapping[str, Sequence[Any]] | None = None

    class Meta:
        constraints: ClassVar = [
            organization_key("deals_deal"),
            *same_organization(
                "deals_deal", "stage", "contact", "client", "owner", "lost_reason", "next_deal", "created_by"
            ),
            models.CheckConstraint(
                condition=Q(amount=None) | Q(amount__gte=0, amount__lt=AMOUNT_LIMIT), name="deals_deal_amount"
            ),
            models.CheckConstraint(
                condition=Q(amount_gross=None)
                | Q(amount__isnull=False, amount_gross__gte=F("amount"), amount_gross__lt=AMOUNT_LIMIT),
                name="deals_deal_amount_gross",
            ),
            models.CheckConstraint(
                condition=Q(status="open", closed_at=None)
                | Q(status__in=["won", "lost", "abandoned"], closed_at__isnull=False),
                name="deals_deal_closed_at",
            ),
            models.CheckConstraint(
                condition=Q(lost_reason=None) | Q(status__in=["lost", "abandoned"]),
                name="deals_deal_lost_reason",
            ),
            models.CheckConstraint(
                condition=Q(probability=None) | Q(probability__lte=100), name="deals_deal_probability"
            ),
            models.CheckConstraint(
                condition=Q(bid_type="fixed", bid_value=None, bid_periods=None)
                | (~Q(bid_type="fixed") & Q(bid_value__isnull=False)),
                name="deals_deal_bid",
            ),
            # Without the status: a release that knows no pauses closes paused deals.
            models.CheckConstraint(
                condition=Q(paused_until=None, pause_reason="")
                | (Q(paused_until__isnull=False) & ~Q(pause_reason="")),
                name="deals_deal_pause",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["organization", "-created_at", "-id"],
                condition=Q(deleted_at=None),
                name="deals_deal_newest",
            ),
            models.Index(
                fields=["organization", "status", "-created_at", "-id"],
                condition=Q(deleted_at=None),
                name="deals_deal_status_newest",
            ),
            models.Index(
                fields=["stage", "-created_at", "-id"],
                condition=Q(deleted_at=None),
                name="deals_deal_stage_newest",
            ),
            # For the board, whose cost must not depend on the closed deals.
            models.Index(
                fields=["stage", "-stage_entered_at", "-id"],
                condition=Q(deleted_at=None, status="open"),
                name="deals_deal_board",
            ),
            models.Index(
                fields=["organization", "-updated_at", "-id"],
                condition=Q(deleted_at=None),
                name="deals_deal_updated",
            ),
            models.Index(
                fields=["organization", "amount", "id"],
                condition=Q(deleted_at=None),
                name="deals_deal_by_amount",
            ),
            models.Index(
                fields=["organization", "amount_base", "id"],
                condition=Q(deleted_at=None),
                name="deals_deal_by_amount_base",
            ),
            # All columns that sums of open deals read, so that they are read from the index alone.
            models.Index(
                fields=[
                    *(
                        "organization",
                        "stage",
                        "status",
                        "currency",
                        "owner",
                        "expected_close_date",
                        "forecast_category",
                    ),
                    *("probability", "amount", "amount_base", "amount_gross"),
                    *("is_private", "created_by", "stage_entered_at", "id"),
                ],
                condition=Q(deleted_at=None, status="open"),
                name="deals_deal_open_sums",
            ),
            # The same for sums of deals that were closed in a period.
            models.Index(
                fields=[
                    *("organization", "closed_at", "status", "currency", "owner", "lost_reason", "stage"),
                    *(
                        "amount",
                        "amount_base",
                        "amount_gross",
                        "is_private",
                        "created_by",
                        "created_at",
                        "id",
                    ),
                ],
                condition=Q(deleted_at=None, closed_at__isnull=False),
                name="deals_deal_closed_sums",
            ),
            models.Index(
                fields=["organization", "expected_close_date", "id"],
                condition=Q(deleted_at=None),
                name="deals_deal_expected_close",
            ),
            models.Index(
                fields=["organization", "closed_at", "id"],
                condition=Q(deleted_at=None),
                name="deals_deal_by_closing",
            ),
            models.Index(
                F("organization"),
                CodePoints("name"),
                F("id"),
                condition=Q(deleted_at=None),
                name="deals_deal_by_name",
            ),
            models.Index(
                fields=["organization", "status", "id"],
                condition=Q(deleted_at=None),
                name="deals_deal_by_status",
            ),
            models.Index(
                fields=["organization", "deleted_at"],
                condition=Q(deleted_at__isnull=False),
                name="deals_deal_trash",
            ),
            models.Index(
                fields=["organization", "-created_at", "-id"],
                condition=Q(deleted_at=None, owner=None),
                name="deals_deal_unowned",
            ),
            # Partial indexes: few deals have these values.
            models.Index(
                fields=["organization", "next_due_at", "id"],
                condition=Q(deleted_at=None, next_due_at__isnull=False),
                name="deals_deal_next_due",
            ),
            models.Index(
                fields=["organization", "paused_until", "id"],
                condition=Q(deleted_at=None, paused_until__isnull=False),
                name="deals_deal_paused_until",
            ),
            models.Index(
                fields=["organization", "date"],
                condition=Q(deleted_at=None, date__isnull=False),
                name="deals_deal_date",
            ),
            models.Index(
                fields=["organization", "origin"],
                condition=Q(deleted_at=None) & ~Q(origin=""),
                name="deals_deal_origin",
            ),
            models.Index(
                fields=["organization", "department_id"],
                condition=Q(deleted_at=None, department_id__isnull=False),
                name="deals_deal_department",
            ),
            models.Index(
                fields=["organization", "project_id"],
                condition=Q(deleted_at=None, project_id__isnull=False),
                name="deals_deal_project",
            ),
            # For lists with `as_of`, which include deals that were trashed later.
            models.Index(fields=["organization", "-created_at"], name="deals_deal_ever_newest"),
            models.Index(
                fields=["organization", "id"], condition=Q(is_private=True), name="deals_deal_private"
            ),
            models.Index(fields=["contact"], name="deals_deal_contact_idx"),
            # For the check of the foreign key when a deal is deleted.
            models.Index(
                fields=["organization", "next_deal"],
                condition=Q(next_deal__isnull=False),
                name="deals_deal_next_deal_idx",
            ),
            models.Index(fields=["client"], name="deals_deal_client_idx"),
            models.Index(fields=["owner", "-created_at", "-id"], name="deals_deal_owner_newest"),
            SearchIndex(name="deals_deal_search"),
        ]

    def __str__(self) -> str:
        return self.name or self.number or str(self.client or self.contact or self.uuid)

    @property
    def effective_probability(self) -> int:
        """The probability in force, in percent, as `querysets.EFFECTIVE_PROBABILITY` computes it in SQL."""
        if self.status == self.Statuses.WON:
            return 100
        if self.status != self.Statuses.OPEN:
            return 0
        return self.stage.probability if self.probability is None else self.probability

    @property
    def effective_forecast_category(self) -> str:
        """The forecast category in force, as `querysets.EFFECTIVE_FORECAST_CATEGORY` computes it in SQL."""
        return self.stage.forecast_category if self.forecast_category is None else self.forecast_category

    @property
    def customer(self) -> Contact | None:
        """Who the deal is with: its client, else the company of its contact, else the contact."""
        client: Contact | None = self.client
        if client is not None or self.contact is None:
            return client
        company: Contact | None = self.contact.company
        return company if company is not None and company.deleted_at is None else self.contact

    def days_in_stage(self, now: datetime.datetime) -> int:
        return max(0, (now - self.stage_entered_at).days)

    def refresh_derived(self) -> None:
        self.search_text = deal_search_text(self)


def deal_search_text(deal: Any) -> str:
    """The search text of the deal, of its contact, and of its company (the client, else the contact's company)."""
    own = search_text([deal.name, deal.description, deal.number])
    contact, client = deal.contact, deal.client
    if client is None:
        return own + (contact.search_text.replace(RELATED, "") if contact else "")
    people = [row for row in dict.fromkeys((contact, client)) if row]
    return own + "".join(own_text(row.search_text) for row in people)


class DealContact(models.Model):
    """A participant of a deal."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    deal = RowForeignKey(Deal, related_name="contact_links")
    contact = RowForeignKey(Contact)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["deal", "contact"], name="deals_dealcontact_once"),
            *same_organization("deals_dealcontact", "deal", "contact"),
        ]
        indexes: ClassVar = [models.Index(fields=["contact"], name="deals_dealcontact_contact")]


class DealFollower(models.Model):
    """A member who is informed of a deal."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    deal = RowForeignKey(Deal, related_name="follower_links")
    member = RowForeignKey(Member)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["deal", "member"], name="deals_dealfollower_once"),
            *same_organization("deals_dealfollower", "deal", "member"),
        ]


class DealAccess(models.Model):
    """A member who may see a private deal."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    deal = RowForeignKey(Deal, related_name="access_links")
    member = RowForeignKey(Member)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["deal", "member"], name="deals_dealaccess_once"),
            *same_organization("deals_dealaccess", "deal", "member"),
        ]


class DealState(models.Model):
    """Columns and effective probability of a deal from `valid_from` until `valid_to` (null for the current state)."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    deal = RowForeignKey(Deal, related_name="states")
    stage = RowForeignKey(Stage)
    status = models.CharField(max_length=16)
    amount = MoneyField(null=True)
    currency = models.CharField(max_length=3)
    owner = RowForeignKey(Member, null=True)
    probability = models.PositiveSmallIntegerField()
    expected_close_date = models.DateField(null=True)
    closed_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)

    objects = DealStateQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["deal"], condition=Q(valid_to=None), name="deals_dealstate_one_current"
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="deals_dealstate_range"
            ),
            *same_organization("deals_dealstate", "deal", "stage", "owner"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "valid_from"], name="deals_dealstate_from"),
            models.Index(fields=["deal", "-valid_from"], name="deals_dealstate_of_deal"),
            # All columns that the funnel reads of the states since the beginning of a period.
            models.Index(
                fields=["organization", "valid_to", "valid_from", "deal", "stage", "status", "deleted_at"],
                name="deals_dealstate_moves",
            ),
            # For lists with `as_of` in the order of amounts or closing dates: about one state in ten matches the day.
            models.Index(fields=["organization", "amount", "id"], name="deals_dealstate_by_amount"),
            models.Index(
                fields=["organization", "expected_close_date", "id"], name="deals_dealstate_by_close"
            ),
            # For lists with `as_of` and a filter by stage, owner or closing.
            models.Index(fields=["stage", "valid_from"], name="deals_dealstate_in_stage"),
            models.Index(fields=["owner", "valid_from"], name="deals_dealstate_of_owner"),
            models.Index(
                fields=["organization", "closed_at"],
                condition=Q(closed_at__isnull=False),
                name="deals_dealstate_closed",
            ),
        ]


class LostReasonReference(ExternalReference):
    kind: ClassVar[str] = "lost_reason"
    row: Any = RowForeignKey(LostReason, related_name="references", db_index=True)

    class Meta(ExternalReference.Meta):
        constraints: ClassVar = reference_constraints("deals_lostreasonreference")


class DealReference(ExternalReference):
    kind: ClassVar[str] = "deal"
    row: Any = RowForeignKey(Deal, related_name="references", db_index=True)

    class Meta(ExternalReference.Meta):
        constraints: ClassVar = reference_constraints("deals_dealreference")
        indexes: ClassVar = reference_indexes("deals")
