"""Intum's words for deals, contacts, clients and statuses."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from contacts.models import Contact
from crm_project.api.fields import CustomFieldsField, OptionalText, StrictDate, StrictInteger, TextField
from crm_project.dialects.wire import NumberedRowField, NumberField, UnsayableField, WireSerializer
from crm_project.records.models import DEFAULT_SYSTEM
from crm_project.records.rules import LONG_TEXT
from deals.models import Deal
from pipelines.models import Stage

CLOSED = {Deal.Statuses.WON: "win", Deal.Statuses.LOST: "lost", Deal.Statuses.ABANDONED: "lost"}
STATUSES = {
    "win": Deal.Statuses.WON,
    "lost": Deal.Statuses.LOST,
    "": Deal.Statuses.OPEN,
    None: Deal.Statuses.OPEN,
}
KINDS = {"win": Stage.Kinds.WON, "lost": Stage.Kinds.LOST, "": Stage.Kinds.OPEN, None: Stage.Kinds.OPEN}
BIGGEST: dict[str, Any] = {"min_value": -(2**63), "max_value": 2**63 - 1}
EXAMPLE_REQUEST = {
    "api_token": "TOKEN",
    "deal": {
        "name": "Wdrożenie systemu CRM",
        "total_amount_net": 10000.00,
        "total_amount_gross": 12300.00,
        "tax": "23",
        "currency": "PLN",
        "client_id": 123,
        "status_id": 1,
        "date": "2026-03-15",
    },
}


class InstantField(serializers.DateTimeField):
    """An instant in the organization's zone, with three digits of a second."""

    def to_representation(self, value: Any) -> str:
        zone = ZoneInfo(self.context["view"].actor.organization.time_zone)
        return str(value.astimezone(zone).isoformat(timespec="milliseconds"))


class ClosedField(serializers.ChoiceField):
    """`win`, `lost` or blank."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(["win", "lost"], required=False, allow_blank=True, allow_null=True, **kwargs)


class IntegerField(StrictInteger):
    """A whole number that the core keeps without knowing what it means."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_null": True, **BIGGEST, **kwargs})


def row_id(kind: str, source: str) -> NumberedRowField:
    return NumberedRowField(kind, source=source, required=False, allow_null=True)


def token_field() -> serializers.CharField:
    """The token, for clients that send it beside the object."""
    return serializers.CharField(required=False, write_only=True)


class DealWords(WireSerializer):
    """The fields of a deal as they are written."""

    name = OptionalText()
    description = OptionalText(max_length=LONG_TEXT)
    total_amount_net = NumberField(source="amount")
    total_amount_gross = NumberField(source="amount_gross")
    tax = TextField(source="tax_rate")
    currency = TextField(max_length=3, required=False)
    closed = ClosedField(source="status")
    date = StrictDate(required=False, allow_null=True)
    date_from = StrictDate(required=False, allow_null=True)
    date_to = StrictDate(required=False, allow_null=True)
    number = OptionalText()
    invoice_no = OptionalText()
    url = OptionalText(max_length=2000)
    origin = OptionalText()
    external_id = OptionalText(source="external_references")
    client_id = row_id("contact", "client")
    contact_id = row_id("contact", "contact")
    status_id = NumberedRowField("stage", source="stage", required=False)
    responsible_id = row_id("user", "owner")
    department_id = IntegerField()
    project_id = IntegerField()
    task_id = IntegerField()
    next_deal_id = row_id("deal", "next_deal")

    def get_fields(self) -> dict[str, Any]:
        # `fields` is a name that serializers keep for themselves.
        return {**super().get_fields(), "fields": CustomFieldsField(source="custom_fields", required=False)}


DealBody: Any = inline_serializer("DealBody", {"api_token": token_field(), "deal": DealWords()})


class ShownDeal(serializers.Serializer[Any]):
    """A deal as it is read: flat, with numbers for the amounts."""

    id = NumberedRowField("deal", source="*")
    name = serializers.CharField()
    description = serializers.CharField()
    total_amount_net = NumberField(source="amount", allow_null=True)
    total_amount_gross = serializers.SerializerMethodField()
    tax = serializers.CharField(source="tax_rate")
    currency = serializers.CharField()
    closed = serializers.SerializerMethodField()
    date = serializers.DateField(allow_null=True)
    date_from = serializers.DateField(allow_null=True)
    date_to = serializers.DateField(allow_null=True)
    number = serializers.CharField()
    invoice_no = serializers.CharField()
    url = serializers.CharField()
    origin = serializers.CharField()
    external_id = serializers.SerializerMethodField()
    client_id = NumberedRowField("contact", source="client", allow_null=True)
    contact_id = NumberedRowField("contact", source="contact", allow_null=True)
    status_id = NumberedRowField("stage", source="stage")
    responsible_id = NumberedRowField("user", source="owner", allow_null=True)
    department_id = serializers.IntegerField(allow_null=True)
    project_id = serializers.IntegerField(allow_null=True)
    task_id = serializers.IntegerField(allow_null=True)
    next_deal_id = NumberedRowField("deal", source="next_deal", allow_null=True)
    created_at = InstantField()
    updated_at = InstantField()

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "fields": CustomFieldsField(source="custom_fields")}

    def get_total_amount_gross(self, deal: Deal) -> Decimal | None:
        return deal.amount if deal.amount_gross is None else deal.amount_gross

    def get_closed(self, deal: Deal) -> str | None:
        return CLOSED.get(Deal.Statuses(deal.status))

    def get_external_id(self, deal: Deal) -> str | None:
        return external_id(deal, app_code(self.context["view"].actor))


def app_code(actor: Any) -> str:
    """The application in whose name the token speaks."""
    return (actor.token.app_code if actor.token else "") or DEFAULT_SYSTEM


def external_id(row: Any, system: str) -> str | None:
    """What the application calls the row; what nobody claimed is everybody's."""
    found: dict[str, str] = {}
    for reference in row.references.all():
        found.setdefault(reference.system, reference.external_id)
    return found.get(system, found.get(DEFAULT_SYSTEM))


def with_references(change: dict[str, Any], row: Any, system: str) -> dict[str, Any]:
    """Turn the `external_id` of a change into the row's references: only the application's own is replaced."""
    if "external_references" not in change:
        return change
    named = change["external_references"]
    held = [(kept.system, kept.external_id) for kept in row.references.all()] if row else []
    others = [key for key in held if key[0] != system]
    return {**change, "external_references": [*others, (system, named)] if named else others}


def with_status(change: dict[str, Any], deal: Deal | None) -> dict[str, Any]:
    """What `closed` says: blank is no word on create or beside a status, and abandoned shows as lost already."""
    if "status" not in change:
        return change
    closed = change["status"] or ""
    rest = {name: value for name, value in change.items() if name != "status"}
    if not closed and (deal is None or "stage" in change):
        return rest
    if deal is not None and CLOSED.get(Deal.Statuses(deal.status), "") == closed:
        return rest
    return {**rest, "status": STATUSES[closed]}


class DealQuery(WireSerializer):
    """The filters of the list, and its pages."""

    q = OptionalText()
    client_id = serializers.CharField(required=False)
    status_id = serializers.CharField(required=False)
    responsible_id = serializers.CharField(required=False)
    department_id = serializers.IntegerField(required=False, **BIGGEST)
    project_id = serializers.IntegerField(required=False, **BIGGEST)
    main_date_from = StrictDate(required=False)
    main_date_to = StrictDate(required=False)
    total_amount_gross_from = NumberField(required=False)
    total_amount_gross_to = NumberField(required=False)
    page = serializers.IntegerField(required=False, min_value=1, max_value=1_000_000)
    per_page = serializers.IntegerField(required=False, min_value=1, max_value=200)


class ContactQuery(WireSerializer):
    q = OptionalText()
    client_id = serializers.CharField(required=False)
    responsible_id = serializers.CharField(required=False)
    extracted_email = OptionalText()
    page = serializers.IntegerField(required=False, min_value=1, max_value=1_000_000)
    per_page = serializers.IntegerField(required=False, min_value=1, max_value=200)


class ContactWords(WireSerializer):
    """The fields of a contact or a client as they are written."""

    name = OptionalText()
    first_name = OptionalText()
    last_name = OptionalText()
    position = OptionalText(source="job_title")
    email = OptionalText(max_length=254)
    phone = OptionalText()
    mobile_phone = OptionalText(source="mobile")
    kind = serializers.ChoiceField(["buyer"], required=False, write_only=True, source="vendor_kind")
    client_id = row_id("contact", "company")
    responsible_id = row_id("user", "owner")
    external_id = OptionalText(source="external_references")
    street = OptionalText()
    post_code = OptionalText(source="postal_code")
    city = OptionalText()
    country = OptionalText()
    www = OptionalText(source="website", max_length=2000)
    description = OptionalText(max_length=LONG_TEXT)
    origin = OptionalText()
    note = UnsayableField()
    status_id = UnsayableField()
    department_id = UnsayableField()
    category_id = UnsayableField()

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "fields": CustomFieldsField(source="custom_fields", required=False)}


ContactBody: Any = inline_serializer("ContactBody", {"api_token": token_field(), "contact": ContactWords()})


class ShownContact(serializers.Serializer[Any]):
    id = NumberedRowField("contact", source="*")
    name = serializers.CharField(source="full_name")
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    position = serializers.CharField(source="job_title")
    email = serializers.CharField()
    phone = serializers.CharField()
    mobile_phone = serializers.CharField(source="mobile")
    kind = serializers.SerializerMethodField()
    client_id = NumberedRowField("contact", source="company", allow_null=True)
    responsible_id = NumberedRowField("user", source="owner", allow_null=True)
    external_id = serializers.SerializerMethodField()
    street = serializers.CharField()
    post_code = serializers.CharField(source="postal_code")
    city = serializers.CharField()
    country = serializers.CharField()
    www = serializers.CharField(source="website")
    description = serializers.CharField()
    origin = serializers.CharField()
    created_at = InstantField()
    updated_at = InstantField()

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "fields": CustomFieldsField(source="custom_fields")}

    def get_kind(self, contact: Contact) -> str:
        return "buyer"

    def get_external_id(self, contact: Contact) -> str | None:
        return external_id(contact, app_code(self.context["view"].actor))


def named(change: dict[str, Any], kind: str) -> dict[str, Any]:
    """A company has a name; a person's `name` is first and last name, unless these are told apart."""
    change.pop("vendor_kind", None)
    if kind == Contact.Kinds.COMPANY or "name" not in change:
        return change
    name = change.pop("name")
    if "first_name" in change or "last_name" in change:
        return change
    first, _, last = (name or "").strip().partition(" ")
    return {**change, "first_name": first, "last_name": last}


class StatusWords(WireSerializer):
    """The fields of a status as they are written."""

    name = TextField()
    color = TextField(max_length=7, required=False)
    closed = ClosedField(source="kind")
    category = UnsayableField()
    active = UnsayableField()
    priority = StrictInteger(source="position", required=False, min_value=0, max_value=10_000)


StatusBody: Any = inline_serializer("StatusBody", {"api_token": token_field(), "status": StatusWords()})


class ShownStatus(serializers.Serializer[Any]):
    id = NumberedRowField("stage", source="*")
    name = serializers.SerializerMethodField()
    category = serializers.SerializerMethodField()
    color = serializers.CharField()
    closed = serializers.SerializerMethodField()
    active = serializers.BooleanField(source="pipeline.is_active")
    priority = serializers.IntegerField(source="position")
    use_in_deals = serializers.SerializerMethodField()

    def get_name(self, stage: Stage) -> str:
        return stage.name if stage.pipeline.is_default else f"{stage.pipeline.name}: {stage.name}"

    def get_category(self, stage: Stage) -> str:
        return "in_progress" if stage.kind == Stage.Kinds.OPEN else "done"

    def get_closed(self, stage: Stage) -> str | None:
        return {Stage.Kinds.WON: "win", Stage.Kinds.LOST: "lost"}.get(Stage.Kinds(stage.kind))

    def get_use_in_deals(self, stage: Stage) -> bool:
        return True
