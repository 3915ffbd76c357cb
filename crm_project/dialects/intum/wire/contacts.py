"""Intum's words for contacts and clients."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from contacts.models import Contact
from crm_project.api.fields import CustomFieldsField
from crm_project.dialects.intum.wire.fields import FieldsField, InstantField, Query, Row, Text, token_field
from crm_project.dialects.intum.wire.references import app_code, external_id
from crm_project.dialects.wire import NumberedRowField, UnsayableField, WireSerializer
from crm_project.records.rules import LONG_TEXT


class ContactQuery(Query):
    """The filters of the list. Contacts have no status here: whoever asks for one finds nothing."""

    q = Text()
    client_id = serializers.CharField(required=False)
    responsible_id = serializers.CharField(required=False)
    status_id = serializers.CharField(required=False)
    extracted_email = Text()


class ContactWords(WireSerializer):
    """The fields of a contact or a client as they are written."""

    name = Text()
    first_name = Text()
    last_name = Text()
    position = Text(source="job_title")
    email = Text(max_length=254)
    phone = Text()
    mobile_phone = Text(source="mobile")
    kind = serializers.ChoiceField(["buyer"], required=False, write_only=True, source="vendor_kind")
    client_id = Row("contact", source="company")
    responsible_id = Row("user", source="owner")
    external_id = Text(source="external_references")
    street = Text()
    post_code = Text(source="postal_code")
    city = Text()
    country = Text()
    www = Text(source="website", max_length=2000)
    description = Text(max_length=LONG_TEXT)
    origin = Text()
    note = UnsayableField()
    status_id = UnsayableField()
    department_id = UnsayableField()
    category_id = UnsayableField()

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "fields": FieldsField(source="custom_fields", required=False)}


ContactBody: Any = inline_serializer("ContactBody", {"api_token": token_field(), "contact": ContactWords()})
ClientBody: Any = inline_serializer("ClientBody", {"api_token": token_field(), "client": ContactWords()})


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
