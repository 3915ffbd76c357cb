"""Intum's contacts and clients."""

from collections.abc import Iterable, Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from contacts.models import Contact
from crm_project.api.compiled import Serializer
from crm_project.api.fields import CustomFieldsField
from crm_project.dialects.intum.errors import TEXT
from crm_project.dialects.intum.serializers.fields import (
    IntumCustomFields,
    IntumListQuery,
    IntumRequiredText,
    IntumRow,
    IntumText,
    token_field,
    written,
)
from crm_project.dialects.intum.serializers.references import app_code, external_id
from crm_project.dialects.kit import tags
from crm_project.dialects.kit.fields import ConstantText, TextOrNullField, UnsupportedField
from crm_project.dialects.kit.names import split_name
from crm_project.dialects.kit.rows import NumberedRowField
from crm_project.dialects.kit.serializers import DialectSerializer
from crm_project.records.rules import LONG_TEXT


class IntumContactQuery(IntumListQuery):
    """The filters of the list. Contacts have no status here: a filter by status finds nothing."""

    q = IntumText()
    client_id = serializers.CharField(required=False)
    responsible_id = serializers.CharField(required=False)
    status_id = serializers.CharField(required=False)
    extracted_email = IntumText()


@extend_schema_field(OpenApiTypes.STR)
class IntumTagsField(serializers.Field[Any, Any, Any, Any]):
    """Comma-separated tags, stored as a list in a custom field. An empty string removes them."""

    default_error_messages = {"invalid": TEXT}

    def __init__(self, **kwargs: Any) -> None:
        source = f"custom_fields.{tags.KEY}"
        super().__init__(**{"source": source, "required": False, "allow_null": True, **kwargs})

    def to_internal_value(self, data: Any) -> list[str] | None:
        names = data.split(",") if isinstance(data, str) else data
        if not tags.are_tags(names):
            self.fail("invalid")
        return list(dict.fromkeys(name.strip() for name in names if name.strip())) or None

    def get_attribute(self, instance: Contact) -> list[str]:
        return tags.tags_of(instance)

    def to_representation(self, value: list[str]) -> str:
        return ",".join(value)


class IntumOtherCustomFields(CustomFieldsField):
    """The custom fields without the tags, which have a field of their own."""

    def to_representation(self, value: Any) -> dict[str, Any]:
        return {key: item for key, item in value.items() if not (key == tags.KEY and tags.are_tags(item))}


class IntumContactWrite(DialectSerializer):
    """A contact or a client in a request."""

    name = IntumText()
    first_name = IntumText()
    last_name = IntumText()
    position = IntumText(source="job_title")
    email = IntumText(max_length=254)
    phone = IntumText()
    mobile_phone = IntumText(source="mobile")
    kind = serializers.ChoiceField(["buyer"], required=False, write_only=True, source="vendor_kind")
    client_id = IntumRow("contact", source="company")
    responsible_id = IntumRow("user", source="owner")
    external_id = IntumText(source="external_references")
    street = IntumText()
    post_code = IntumText(source="postal_code")
    city = IntumText()
    country = IntumText()
    www = IntumText(source="website", max_length=2000)
    description = IntumText(max_length=LONG_TEXT)
    origin = IntumText()
    tags = IntumTagsField()
    note = UnsupportedField()
    status_id = UnsupportedField()
    department_id = UnsupportedField()
    category_id = UnsupportedField()

    def get_fields(self) -> dict[str, Any]:
        # Before the fields that are stored in it.
        return {"fields": IntumCustomFields(source="custom_fields", required=False), **super().get_fields()}


ContactBody: Any = inline_serializer(
    "ContactBody", {"api_token": token_field(), "contact": IntumContactWrite()}
)
UpsertBody: Any = inline_serializer(
    "UpsertBody",
    {
        "api_token": token_field(),
        "app_code": serializers.CharField(required=False),
        "external_id": serializers.CharField(),
        "client": IntumContactWrite(),
    },
)
ClientBody: Any = inline_serializer("ClientBody", {"api_token": token_field(), "client": IntumContactWrite()})


class IntumUpsertKey(DialectSerializer):
    """The keys beside the client in the body of an upsert."""

    app_code = IntumText()
    external_id = IntumRequiredText()


class IntumContactRead(Serializer):
    id = NumberedRowField("contact", source="*")
    name = serializers.CharField(source="full_name")
    first_name = TextOrNullField()
    last_name = TextOrNullField()
    position = TextOrNullField(source="job_title")
    email = TextOrNullField()
    phone = TextOrNullField()
    mobile_phone = TextOrNullField(source="mobile")
    kind = ConstantText("buyer")
    client_id = NumberedRowField("contact", source="company", allow_null=True)
    responsible_id = NumberedRowField("user", source="owner", allow_null=True)
    external_id = serializers.SerializerMethodField()
    street = TextOrNullField()
    post_code = TextOrNullField(source="postal_code")
    city = TextOrNullField()
    country = TextOrNullField()
    www = TextOrNullField(source="website")
    description = TextOrNullField()
    origin = TextOrNullField()
    tags = IntumTagsField(read_only=True)

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "fields": IntumOtherCustomFields(source="custom_fields"), **written()}

    def to_representation(self, instance: Contact) -> dict[str, Any]:
        """Declared custom fields are also at the top level, like the vendor's additional fields."""
        values = instance.custom_fields
        additional = {key: values.get(key) for key in self.context["view"].additional}
        return {**additional, **super().to_representation(instance)}

    def get_external_id(self, contact: Contact) -> str | None:
        return external_id(contact, app_code(self.context["view"].actor))


def with_custom_fields_nested(sent: Any, additional: Iterable[str]) -> Any:
    """The body with the declared custom fields moved from the top level into `fields`."""
    found = {key: sent[key] for key in additional if key in sent}
    fields = sent.get("fields") or {}
    if not found or not isinstance(fields, Mapping):
        return sent
    rest = {name: value for name, value in sent.items() if name not in found}
    return {**rest, "fields": {**fields, **found}}


def with_names(change: dict[str, Any], kind: str, *, creating: bool) -> dict[str, Any]:
    """The change with the names of its kind: a person's `name` is split unless its parts are sent, and a new row
    without a name is named after its e-mail address or phone number."""
    change.pop("vendor_kind", None)
    is_nameless = not any(change.get(name) for name in ("name", "first_name", "last_name"))
    if creating and is_nameless:
        change["name"] = change.get("email") or change.get("phone") or ""
    if kind == Contact.Kinds.COMPANY or "name" not in change:
        return change
    name = change.pop("name")
    if "first_name" in change or "last_name" in change:
        return change
    return {**change, **split_name(name or "")}
