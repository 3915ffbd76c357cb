"""Contacts, clients and representatives of `/api/v1`."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from contacts.models import Contact
from crm_project.api.compiled import Serializer
from crm_project.api.fields import CustomFieldsField, OptionalText, StrictChoice, TextField
from crm_project.dialects.kit.fields import (
    ConstantBoolean,
    ConstantInteger,
    NullField,
    TextOrNullField,
    UnsupportedField,
)
from crm_project.dialects.kit.instants import InstantField
from crm_project.dialects.kit.rows import RowField
from crm_project.dialects.kit.serializers import DialectSerializer
from crm_project.records.rules import LONG_TEXT
from crm_project.records.writing.columns import BIGGEST_ID

Change = dict[str, Any]
CLIENT_TYPES = {"company": Contact.Kinds.COMPANY, "individual": Contact.Kinds.PERSON}
KINDS: dict[str, str] = {kind: name for name, kind in CLIENT_TYPES.items()}


class ClientTypeField(StrictChoice):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(list(CLIENT_TYPES), **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        return CLIENT_TYPES[super().to_internal_value(data)]

    def to_representation(self, value: Any) -> str:
        return KINDS[value]


class XalantisCountryNested(Serializer):
    """A country, which is only a name."""

    id = NullField()
    name = serializers.CharField(source="country")

    def get_attribute(self, instance: Any) -> Any:
        return instance if instance.country else None


class XalantisClientRead(Serializer):
    """A client: a company, or a person without a company."""

    uuid = RowField("contact", source="*")
    id = serializers.IntegerField(source="pk")
    client_type = ClientTypeField(source="kind")
    legal_name = TextOrNullField(source="name")
    name = TextOrNullField(source="full_name")
    first_name = TextOrNullField()
    last_name = TextOrNullField()
    email = TextOrNullField()
    phone = TextOrNullField()
    company = TextOrNullField(source="name")
    website = TextOrNullField()
    legal_form = NullField()
    registration_number = NullField()
    vat_number = NullField()
    share_capital = ConstantInteger(0)
    id_type = NullField()
    id_number = NullField()
    address = TextOrNullField(source="street")
    address_line_2 = NullField()
    city = TextOrNullField()
    postal_code = TextOrNullField()
    state = NullField()
    full_address = serializers.SerializerMethodField()
    logo_url = NullField()
    settings = NullField()
    industry = NullField()
    notes = TextOrNullField(source="description")
    country = XalantisCountryNested(source="*", allow_null=True)
    custom_fields = CustomFieldsField()
    created_at = InstantField(digits=6)
    updated_at = InstantField(digits=6)

    def get_full_address(self, client: Contact) -> str | None:
        town = " ".join(part for part in (client.postal_code, client.city) if part)
        return ", ".join(part for part in (client.street, town, client.country) if part) or None


class XalantisContactRead(Serializer):
    uuid = RowField("contact", source="*")
    full_name = TextOrNullField()
    first_name = TextOrNullField()
    last_name = TextOrNullField()
    email = TextOrNullField()
    phone = TextOrNullField()
    mobile = TextOrNullField()
    job_title = TextOrNullField()
    department = TextOrNullField()
    status = NullField()
    address = TextOrNullField(source="street")
    city = TextOrNullField()
    country = TextOrNullField()
    postal_code = TextOrNullField()
    linkedin_url = NullField()
    twitter_url = NullField()
    source = TextOrNullField(source="origin")  # type: ignore[assignment]
    notes = TextOrNullField(source="description")
    custom_fields = CustomFieldsField()
    client = XalantisClientRead(source="company", allow_null=True)
    created_at = InstantField(digits=6)
    updated_at = InstantField(digits=6)


class XalantisRepresentativeRead(Serializer):
    """A representative: a person of a company."""

    id = serializers.IntegerField(source="pk")
    uuid = RowField("contact", source="*")
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    email = TextOrNullField()
    phone = TextOrNullField()
    title = serializers.CharField(source="job_title")
    can_sign = ConstantBoolean(False)
    is_primary = ConstantBoolean(False)
    valid_from = NullField()
    valid_until = NullField()
    created_at = InstantField(digits=6)


class ClientIdField(RowField):
    """A client by its `id`, or by its `uuid`."""

    def to_internal_value(self, data: Any) -> int:
        text = str(data)
        if isinstance(data, bool) or not (text.isascii() and text.isdigit() and len(text) < 20):
            return super().to_internal_value(data)
        key = min(int(text), BIGGEST_ID)
        if not Contact.objects.visible_to(self.ids.actor.member).filter(pk=key).exists():
            self.fail("does_not_exist", kind="client")
        return key


class XalantisAddressWrite(DialectSerializer):
    phone = OptionalText()
    address = OptionalText(source="street")
    postal_code = OptionalText()
    city = OptionalText()
    custom_fields = CustomFieldsField(required=False)


class XalantisContactWrite(XalantisAddressWrite):
    first_name = TextField()
    last_name = OptionalText()
    email = TextField(max_length=254)
    mobile = OptionalText()
    job_title = OptionalText()
    department = OptionalText()
    country = OptionalText()
    client_id = ClientIdField("contact", source="company", required=False, allow_null=True)
    status = UnsupportedField()
    linkedin_url = UnsupportedField()
    twitter_url = UnsupportedField()


class XalantisRepresentativeWrite(DialectSerializer):
    first_name = TextField()
    last_name = TextField()
    title = TextField(source="job_title")
    email = OptionalText(max_length=254)
    phone = OptionalText()
    can_sign = UnsupportedField()
    is_primary = UnsupportedField()
    valid_from = UnsupportedField()
    valid_until = UnsupportedField()


class CountryCodeField(OptionalText):
    default_error_messages = {"no_code": "Must be a country code of two letters."}

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data).strip().upper()
        if text and not (len(text) == 2 and text.isascii() and text.isalpha()):
            self.fail("no_code")
        return text


class XalantisClientWrite(XalantisAddressWrite):
    """A client in a request; `client_change` converts it."""

    client_type = ClientTypeField(source="kind")
    company = OptionalText()
    first_name = OptionalText()
    last_name = OptionalText()
    name = OptionalText(max_length=511)
    email = OptionalText(max_length=254)
    website = OptionalText(max_length=2000)
    notes = OptionalText(source="description", max_length=LONG_TEXT)
    country_code = CountryCodeField(source="country")
    legal_form = UnsupportedField()
    registration_number = UnsupportedField()
    vat_number = UnsupportedField()
    id_type = UnsupportedField()
    id_number = UnsupportedField()
    address_line_2 = UnsupportedField()
    state = UnsupportedField()
    industry_id = UnsupportedField()
    share_capital = UnsupportedField()


NOT_FOR: dict[str, str] = {
    Contact.Kinds.COMPANY: "This is not a field of a company.",
    Contact.Kinds.PERSON: "This is not a field of an individual.",
}
REQUIRED = ErrorDetail("This field is required.", "required")
NEEDED: dict[str, tuple[str, ...]] = {
    Contact.Kinds.COMPANY: ("company",),
    Contact.Kinds.PERSON: ("first_name", "last_name"),
}


def client_change(sent: Change, client: Contact | None) -> Change:
    """The core's change of a client, or of a new one if `client` is None."""
    kind = client.kind if client else sent["kind"]
    wrong = _wrong(sent, kind, client)
    if wrong:
        raise serializers.ValidationError(wrong)
    change = {name: value for name, value in sent.items() if name not in ("company", "name", "kind")}
    if kind == Contact.Kinds.COMPANY and (name := sent.get("company") or sent.get("name")):
        change["name"] = name
    return change if client else {**change, "kind": kind}


def _wrong(sent: Change, kind: str, client: Contact | None) -> dict[str, list[Any]]:
    if client and sent.get("kind", kind) != kind:
        return {"client_type": ["The type of a client cannot be changed."]}
    missing = [name for name in NEEDED[kind] if client is None and not sent.get(name)]
    if missing:
        return {name: [REQUIRED] for name in missing}
    others = [name for needed in NEEDED.values() for name in needed if needed != NEEDED[kind]]
    foreign = {name: [NOT_FOR[kind]] for name in others if sent.get(name)}
    return foreign or _renamed(sent, kind, client)


def _renamed(sent: Change, kind: str, client: Contact | None) -> dict[str, list[Any]]:
    """Refuse a `name` that differs from the company or from first and last name: only one name is stored."""
    parts = [sent.get(part, getattr(client, part, "")) for part in NEEDED[kind]]
    made, name = " ".join(filter(None, parts)), sent.get("name")
    fits = not name or name == made or (kind == Contact.Kinds.COMPANY and not made)
    return {} if fits else {"name": ["This server stores only one name of a client."]}
