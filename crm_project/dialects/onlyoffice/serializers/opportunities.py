"""Opportunities: their representation, and the core's changes of deals."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any

from rest_framework import serializers

from contacts.models import Contact
from crm_project.dialects.kit.deal_contacts import contact_of
from crm_project.dialects.kit.fields import NumberField
from crm_project.dialects.kit.money import MoneyField
from crm_project.dialects.kit.rows import NumberedRowField
from crm_project.dialects.onlyoffice.serializers.contacts import OnlyofficeContactNested
from crm_project.dialects.onlyoffice.serializers.currencies import OnlyofficeCurrencyNested, currency
from crm_project.dialects.onlyoffice.serializers.custom_fields import (
    CustomFieldListField,
    CustomFieldValue,
    OnlyofficeCustomFieldNested,
    change_of,
    values_of,
)
from crm_project.dialects.onlyoffice.serializers.dates import SAME_INSTANT
from crm_project.dialects.onlyoffice.serializers.envelope import OnlyofficeListParameters
from crm_project.dialects.onlyoffice.serializers.params import (
    BID_NAMES,
    BID_TYPES,
    STAGE_KINDS,
    STAGE_NAMES,
    DayParam,
    FilterRowParam,
    InstantParam,
    LenientBooleanField,
    NamedNumberField,
    NumberedRowParam,
    OnlyofficeParameters,
    OptionalTextParam,
    PercentField,
    RequiredTextParam,
    RowListParam,
    RowParam,
    TextListParam,
    WholeNumberField,
)
from crm_project.dialects.onlyoffice.serializers.people import NO_ONE, OnlyofficePersonNested
from crm_project.dialects.onlyoffice.serializers.stages import TYPES, OnlyofficeStageNested, StagePresentation
from crm_project.dialects.onlyoffice.serializers.tags import OnlyofficeTagWrite
from crm_project.dialects.onlyoffice.serializers.values import (
    InstantOrUnsetField,
    MayEditField,
    OnlyofficeRead,
)
from crm_project.records.models import CustomField
from deals.models import Deal
from pipelines.models import Stage

FIXED = Deal.BidTypes.FIXED
SORTS = {
    "title": ("name",),
    "responsible": ("owner__user__full_name",),
    "stage": ("-stage__pipeline__is_default", "stage__pipeline_id", "stage__position"),
    "bidvalue": ("amount",),
    "dateandtime": ("expected_close_date",),
    "id": (),
}
STATUSES = {"open": ["open"], "won": ["won"], "lost": ["lost", "abandoned"]}
EXAMPLE_REQUEST = {
    "contactid": 1,
    "members": [1],
    "title": "Hotel catalogue",
    "description": "Twelve months",
    "responsibleid": "00000000-0000-0000-0000-000000000001",
    "bidType": 4,
    "bidValue": 1000,
    "bidCurrencyAbbr": "EUR",
    "perPeriodValue": 12,
    "stageid": 1,
    "successProbability": 65,
    "actualCloseDate": "0001-01-01T00:00:00.0000000Z",
    "expectedCloseDate": "2026-06-30T00:00:00.0000000Z",
    "customFieldList": [{"key": 1, "value": "Riga"}],
    "isPrivate": True,
    "accessList": ["00000000-0000-0000-0000-000000000001"],
    "isNotify": False,
}


class DealPresentation:
    """The vendor's view of a deal: one contact, which is also a participant, and a stage with the status."""

    def __init__(self, deal: Deal, definitions: Collection[CustomField], language: str) -> None:
        self.deal, self.definitions = deal, definitions
        self.currency = currency(deal.currency, language)
        self.stage = StagePresentation(deal.stage, status=deal.status)
        self.title = str(deal)

    @property
    def contact(self) -> Contact | None:
        found: Contact | None = contact_of(self.deal)
        return found

    @property
    def contact_slot(self) -> str:
        return "client" if self.deal.contact_id is None and self.deal.client_id is not None else "contact"

    @cached_property
    def members(self) -> list[Contact]:
        linked = [link.contact for link in self.deal.contact_links.all()]
        first = [self.contact] if self.contact else []
        client = self.deal.client
        first += [client] if client and client not in first else []
        return first + [contact for contact in linked if contact not in first]

    @property
    def money(self) -> tuple[str, Decimal, int]:
        """Type, value and periods of the bid."""
        deal = self.deal
        if deal.bid_type == FIXED:
            return FIXED, deal.amount or Decimal(0), 0
        return deal.bid_type, deal.bid_value or Decimal(0), deal.bid_periods or 0

    @property
    def bid_type(self) -> int:
        return BID_TYPES.index(self.money[0])

    @property
    def bid_value(self) -> Decimal:
        return self.money[1]

    @property
    def bid_periods(self) -> int:
        return self.money[2]

    @property
    def access_list(self) -> list[Any]:
        links = self.deal.access_links.all()
        return [link.member for link in links] if self.deal.is_private else []

    @property
    def custom_fields(self) -> list[CustomFieldValue]:
        return values_of(self.deal, self.definitions)


class OnlyofficeOpportunityRead(OnlyofficeRead):
    """An opportunity; the fields are in the vendor's order."""

    createBy = OnlyofficePersonNested(source="deal.created_by")
    created = InstantOrUnsetField(source="deal.created_at")
    members = OnlyofficeContactNested(many=True)
    contact = OnlyofficeContactNested()
    title = serializers.CharField()
    description = serializers.CharField(source="deal.description")
    responsible = OnlyofficePersonNested(source="deal.owner")
    bidType = serializers.IntegerField(source="bid_type")
    bidValue = NumberField(source="bid_value")
    bidCurrency = OnlyofficeCurrencyNested(source="currency")
    perPeriodValue = serializers.IntegerField(source="bid_periods")
    stage = OnlyofficeStageNested()
    successProbability = serializers.IntegerField(source="deal.effective_probability")
    actualCloseDate = InstantOrUnsetField(source="deal.closed_at")
    expectedCloseDate = InstantOrUnsetField(source="deal.expected_close_date")
    isPrivate = serializers.BooleanField(source="deal.is_private")
    accessList = OnlyofficePersonNested(source="access_list", many=True)
    canEdit = MayEditField()
    customFields = OnlyofficeCustomFieldNested(source="custom_fields", many=True)
    id = NumberedRowField("deal", source="deal")

    def to_representation(self, instance: DealPresentation) -> dict[str, Any]:
        data = super().to_representation(instance)
        if instance.deal.owner is None:
            data["responsible"] = NO_ONE
        return data


class OnlyofficeOpportunityWrite(OnlyofficeParameters):
    """The parameters of create and replace; absent ones have the vendor's defaults."""

    contactid = NumberedRowParam("contact", source="contact", default=None)
    members = RowListParam("contact")
    title = RequiredTextParam(source="name")
    description = OptionalTextParam(default="")
    responsibleid = RowParam("user", source="owner", default=None)
    bidType = NamedNumberField(BID_TYPES, BID_NAMES, source="bid_type", default=FIXED)
    bidValue = MoneyField(source="bid_value", required=False, allow_null=True)
    bidCurrencyAbbr = OptionalTextParam(source="currency")
    perPeriodValue = WholeNumberField(source="bid_periods", default=0)
    stageid = NumberedRowParam("stage", source="stage", default=None)
    successProbability = PercentField(source="probability", default=0)
    actualCloseDate = InstantParam(source="closed_at", default=None, allow_null=True)
    expectedCloseDate = DayParam(source="expected_close_date", default=None, allow_null=True)
    customFieldList = CustomFieldListField("deal")
    isPrivate = LenientBooleanField(source="is_private", default=False)
    accessList = RowListParam("user", source="access_list")
    isNotify = LenientBooleanField(source="notify_access_list", default=False)

    also = {"amount": "bidValue", "client": "contactid"}

    def validate_stageid(self, stage: int | None) -> int:
        if stage is None:
            raise serializers.ValidationError("Deal milestone is not found.", code="required")
        return stage


class OnlyofficeStageMove(OnlyofficeParameters):
    stageid = NumberedRowParam("stage", source="stage")


class OnlyofficeAccessWrite(OnlyofficeParameters):
    isPrivate = LenientBooleanField(source="is_private", default=False)
    accessList = RowListParam("user", source="access_list")


class OnlyofficeBulkAccessWrite(OnlyofficeAccessWrite):
    opportunityid = RowListParam("deal", source="deals", required=True, allow_null=False)


class OnlyofficeOpportunityIds(OnlyofficeParameters):
    opportunityids = RowListParam("deal", source="deals", required=True, allow_null=False)

    def validate_opportunityids(self, ids: list[int]) -> list[int]:
        if not ids:
            raise serializers.ValidationError("Send at least one.", code="required")
        return ids


class OnlyofficeOpportunityFilter(OnlyofficeListParameters):
    responsibleid = FilterRowParam("user")
    opportunityStagesid = FilterRowParam("stage")
    tags = TextListParam()
    contactid = FilterRowParam("contact")
    stageType = NamedNumberField(STAGE_KINDS, STAGE_NAMES, required=False, allow_null=True)
    contactAlsoIsParticipant = LenientBooleanField(required=False)
    fromDate = InstantParam(required=False, allow_null=True)
    toDate = InstantParam(required=False, allow_null=True)

    narrowing = (
        "responsibleid opportunityStagesid tags contactid stageType fromDate toDate filterValue".split()
    )


class OnlyofficeMatchingAccessWrite(OnlyofficeOpportunityFilter, OnlyofficeAccessWrite):
    """A filter, and the values to set for all matching rows."""


class OnlyofficeMatchingTagWrite(OnlyofficeOpportunityFilter, OnlyofficeTagWrite):
    """A filter, and a tag for all matching rows."""


class OnlyofficePrefixQuery(OnlyofficeListParameters):
    prefix = OptionalTextParam()
    contactID = FilterRowParam("contact")
    internalSearch = OptionalTextParam()


def without_effect(sent: Mapping[str, Any]) -> list[str]:
    """The parameters that say something only beside others: periods of a periodic bid, the list of a private row."""
    is_open = not sent["is_private"]
    found = {
        "perPeriodValue": sent["bid_type"] == FIXED and sent["bid_periods"],
        "accessList": is_open and sent.get("access_list"),
        "isNotify": sent["notify_access_list"] and (is_open or not sent.get("access_list")),
    }
    return [name for name, is_without in found.items() if is_without]


def creation(sent: Mapping[str, Any]) -> dict[str, Any]:
    """The core's change of a new deal."""
    change = {**_same_fields(sent), **_bid(sent), **_privacy(None, sent)}
    if not sent.get("owner"):
        raise serializers.ValidationError({"responsibleid": ["This field is required."]}, code="required")
    members = [*(sent.get("members") or []), *([sent["contact"]] if sent["contact"] else [])]
    return {**change, "contact": sent["contact"], "members": members}


def replacement(
    current: DealPresentation, sent: Mapping[str, Any], stage: Stage, default_currency: str
) -> dict[str, Any]:
    """The core's change of a replaced deal, without unchanged values."""
    deal = current.deal
    change = {
        "currency": default_currency,
        **_same_fields(sent, deal),
        **_move(deal, stage),
        **_privacy(current, sent),
    }
    if sent.get("owner") is None and deal.owner_id is not None:
        raise serializers.ValidationError({"responsibleid": ["This field is required."]}, code="required")
    if change["name"] == current.title:
        del change["name"]
    if sent["contact"] != (current.contact.pk if current.contact else None):
        slot = "contact" if sent["contact"] else current.contact_slot
        change[slot] = sent["contact"]
    if sent.get("members") and set(sent["members"]) != {contact.pk for contact in current.members}:
        linked = {link.contact_id for link in deal.contact_links.all()}
        change["members"] = [key for key in sent["members"] if key != deal.client_id or key in linked]
    if not _same_money(current.money, sent):
        change |= _bid({**sent, "bid_value": sent.get("bid_value") or Decimal(0)})
    if (
        deal.closed_at
        and change.get("closed_at")
        and abs(change["closed_at"] - deal.closed_at) < SAME_INSTANT
    ):
        del change["closed_at"]
    return change


def move(deal: Deal, stage: Stage) -> dict[str, Any]:
    """The core's change of a moved deal: the status of the stage, and no probability of its own."""
    return {"stage": stage.pk, "probability": None, **_status(deal, stage)}


def access(current: DealPresentation, sent: Mapping[str, Any], own: int) -> dict[str, Any]:
    """The core's change of the access list, to which the acting member is added."""
    change = _privacy(current, sent)
    if change.get("access_list"):
        change["access_list"] = list(dict.fromkeys([*change["access_list"], own]))
    return change


def _move(deal: Deal, stage: Stage) -> dict[str, Any]:
    return {} if stage.pk == deal.stage_id else {"stage": stage.pk, **_status(deal, stage)}


def _status(deal: Deal, stage: Stage) -> dict[str, Any]:
    """The status of the new stage, unless the vendor has the same type for the current one."""
    return {} if TYPES[deal.status] == TYPES[stage.kind] else {"status": stage.kind}


def _same_fields(sent: Mapping[str, Any], deal: Deal | None = None) -> dict[str, Any]:
    """The fields with the same meaning in the core; an absent currency or closing date is unchanged."""
    names = ("name", "description", "owner", "probability", "expected_close_date")
    change = {name: sent[name] for name in names}
    change["notify_access_list"] = sent["notify_access_list"] and "isNotify" not in without_effect(sent)
    if deal is None:
        change["stage"] = sent["stage"]
    change |= {name: sent[name] for name in ("currency", "closed_at") if sent.get(name)}
    change["custom_fields"] = change_of(deal, sent.get("custom_fields") or {})
    return change


def _bid(sent: Mapping[str, Any]) -> dict[str, Any]:
    if sent["bid_type"] == FIXED:
        return {"bid_type": FIXED, "amount": sent.get("bid_value")}
    value = sent.get("bid_value") or Decimal(0)
    return {"bid_type": sent["bid_type"], "bid_value": value, "bid_periods": sent["bid_periods"] or None}


def _same_money(current: tuple[str, Decimal, int], sent: Mapping[str, Any]) -> bool:
    periods = 0 if sent["bid_type"] == FIXED else sent["bid_periods"]
    return current == (sent["bid_type"], sent.get("bid_value") or Decimal(0), periods)


def _privacy(current: DealPresentation | None, sent: Mapping[str, Any]) -> dict[str, Any]:
    """The change of privacy. The access list of a public opportunity is empty, even if one was sent."""
    was_private = current is not None and current.deal.is_private
    if not sent["is_private"]:
        return {"is_private": False, "access_list": []} if was_private else {}
    listed = sent.get("access_list") or []
    before = {member.pk for member in current.access_list} if current else set()
    if was_private and set(listed) == before:
        return {}
    return {"is_private": True, "access_list": listed}
