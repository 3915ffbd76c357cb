"""Serializers of contacts."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from contacts.duplicates import REASONS
from contacts.models import Contact
from contacts.services import MATCH_KEYS
from contacts.services.merging import MOST_SOURCES
from crm_project.api.compiled import Serializer
from crm_project.api.fields import (
    CustomFieldsField,
    OptionalText,
    StrictChoice,
    StrictDateTime,
    StrictUUID,
    TextField,
    TextList,
    UUIDList,
)
from crm_project.api.serializers import MemberSerializer, ReferenceListField, StrictSerializer, take_shorthand
from crm_project.records.rules import LONG_TEXT

EXAMPLE = {"first_name": "Sophie", "last_name": "Martin", "email": "sophie.martin@example.com"}


class CompanyPartSerializer(Serializer):
    uuid = StrictUUID()
    full_name = serializers.CharField()


@extend_schema_serializer(examples=[OpenApiExample("A person", EXAMPLE, request_only=True)])
class ContactSerializer(StrictSerializer):
    """A person has first_name and last_name, a company has name; full_name is derived from them."""

    uuid = StrictUUID(read_only=True)
    kind = StrictChoice(Contact.Kinds.choices, required=False)
    full_name = serializers.CharField(read_only=True)
    first_name = OptionalText()
    last_name = OptionalText()
    name = OptionalText()
    email = OptionalText(max_length=254)
    phone = OptionalText()
    mobile = OptionalText()
    further_emails = TextList(child=TextField(max_length=254), help_text="E-mail addresses beside `email`.")
    further_phones = TextList(child=TextField(), help_text="Numbers beside `phone` and `mobile`.")
    job_title = OptionalText()
    department = OptionalText()
    company = serializers.SerializerMethodField()
    owner = MemberSerializer(read_only=True, allow_null=True)
    website = OptionalText(max_length=2000)
    street = OptionalText()
    postal_code = OptionalText()
    city = OptionalText()
    country = OptionalText()
    description = OptionalText(max_length=LONG_TEXT)
    origin = OptionalText()
    external_references = ReferenceListField()
    custom_fields = CustomFieldsField(required=False)
    created_at = StrictDateTime(read_only=True)
    updated_at = StrictDateTime(read_only=True)

    company_uuid = StrictUUID(source="company", write_only=True, required=False, allow_null=True)
    owner_uuid = StrictUUID(source="owner", write_only=True, required=False, allow_null=True)
    external_id = OptionalText(write_only=True)
    external_system = TextField(write_only=True, required=False)

    @extend_schema_field(CompanyPartSerializer(allow_null=True))
    def get_company(self, contact: Contact) -> Any:
        """Null while the company is in the trash."""
        company = contact.company
        return CompanyPartSerializer(company).data if company and company.deleted_at is None else None

    def validate(self, attrs: Mapping[str, Any]) -> dict[str, Any]:
        return take_shorthand(attrs, self.instance)


class MergeSerializer(StrictSerializer):
    """The contacts that are merged into that of the path."""

    contact_uuids = UUIDList(required=True, min_length=1, max_length=MOST_SOURCES)
    fields: Any = serializers.DictField(
        child=StrictUUID(),
        required=False,
        help_text="The contact whose value is kept, by field, such as `email`, `owner` or `custom_fields.<key>`."
        " Without a choice that of the path keeps its value, or gets the first one if it has none.",
    )


class DuplicateSerializer(ContactSerializer):
    """A contact, and what it has in common with that of the path."""

    reasons = serializers.ListField(child=serializers.ChoiceField(REASONS), read_only=True)


class DuplicatesSerializer(Serializer):
    results = DuplicateSerializer(many=True)


class UpsertContactSerializer(ContactSerializer):
    """A contact with the key that finds it."""

    uuid = StrictUUID(required=False)
    match_on = StrictChoice(MATCH_KEYS, write_only=True, required=False)


class ContactReceiptSerializer(ContactSerializer):
    """The contact, and the outcome of the upsert."""

    outcome = serializers.ChoiceField(["created", "updated", "unchanged"], read_only=True)
    new = serializers.BooleanField(read_only=True)
    matched_on = serializers.ChoiceField(MATCH_KEYS, read_only=True, allow_null=True)
    changed = serializers.ListField(child=serializers.CharField(), read_only=True)
