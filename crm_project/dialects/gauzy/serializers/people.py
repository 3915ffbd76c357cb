"""Gauzy's organization contacts, users and employees; the last two are members."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from contacts.models import Contact
from crm_project.accounts.rules import Permission, Role
from crm_project.api.compiled import Serializer
from crm_project.api.fields import OptionalText, StrictChoice, TextField
from crm_project.dialects.gauzy.serializers.entities import OURS, GauzyEntityRead
from crm_project.dialects.kit.fields import (
    EmptyListField,
    FirstNameField,
    FixedField,
    LastNameField,
    NullField,
    UnsupportedField,
)
from crm_project.dialects.kit.names import split_name
from crm_project.dialects.kit.rows import RowField
from crm_project.dialects.kit.serializers import DialectSerializer
from crm_project.records.rules import LONG_TEXT

# The custom field with the type of a contact, declared or not; no value means a client.
CLIENT, OTHER_TYPES = "CLIENT", ("CUSTOMER", "LEAD", "VENDOR", "PARTNER")
TYPE_KEY = "contact_type"
ROLES: dict[str, str] = {
    Role.VIEWER: "VIEWER",
    Role.REP: "EMPLOYEE",
    Role.MANAGER: "MANAGER",
    Role.ADMIN: "ADMIN",
}
PERMISSIONS = {
    "VIEW_SALES_PIPELINES": Permission.VIEW,
    "EDIT_SALES_PIPELINES": Permission.EDIT_PIPELINES,
    "ORG_CONTACT_VIEW": Permission.VIEW,
    "ORG_CONTACT_EDIT": Permission.EDIT_DEALS,
}


class GauzyUserRead(Serializer):
    """A member, as a user of the tenant."""

    id = RowField("user", source="*")
    email = serializers.CharField()
    name = serializers.CharField(source="full_name")
    firstName = FirstNameField()
    lastName = LastNameField()
    imageUrl = NullField()
    tenantId = RowField("organization", source="organization")
    role = serializers.SerializerMethodField()

    def get_role(self, member: Any) -> dict[str, str]:
        return {"name": ROLES[member.role]}


class GauzyEmployeeNested(Serializer):
    """A member, as an employee of the organization."""

    id = RowField("user", source="*")
    userId = RowField("user", source="*")
    organizationId = RowField("organization", source="organization")
    tenantId = RowField("organization", source="organization")
    fullName = serializers.CharField(source="full_name")
    isActive = serializers.BooleanField(source="is_active")


class GauzyOwnOrganizationNested(Serializer):
    id = RowField("organization", source="*")
    organizationId = RowField("organization", source="*")
    name = serializers.CharField()


class GauzyCurrentUserRead(GauzyUserRead):
    """The actor's member, as user and as employee, with its organization."""

    preferredLanguage = serializers.CharField(source="organization.language")
    employeeId = RowField("user", source="*")
    employee = GauzyEmployeeNested(source="*")
    defaultOrganizationId = RowField("organization", source="organization")
    lastOrganizationId = RowField("organization", source="organization")
    organizations = serializers.SerializerMethodField()
    tenant = GauzyOwnOrganizationNested(source="organization")

    def get_organizations(self, member: Any) -> list[Any]:
        return [GauzyOwnOrganizationNested(member.organization, context=self.context).data]


class GauzyAddressNested(Serializer):
    """The address of a contact, which is an entity of its own in Gauzy."""

    id = RowField("contact", source="*")
    name = serializers.CharField(source="full_name")
    firstName = serializers.CharField(source="first_name")
    lastName = serializers.CharField(source="last_name")
    country = serializers.CharField()
    city = serializers.CharField()
    address = serializers.CharField(source="street")
    address2 = NullField()
    postcode = serializers.CharField(source="postal_code")
    regionCode = NullField()
    fax = NullField()
    fiscalInformation = NullField()
    website = serializers.CharField()
    latitude = NullField()
    longitude = NullField()


@extend_schema_field({"type": "array", "items": {"type": "object"}})
class MembersField(serializers.Field[Any, Any, Any, Any]):
    """The owner of a contact, as a list of at most one. Input: employees, or their ids."""

    default_error_messages = {
        "invalid": "Must be a list of employees.",
        "several": "A contact can have only one member.",
        "does_not_exist": "There is no such employee.",
    }

    def to_internal_value(self, data: Any) -> int | None:
        if not isinstance(data, list):
            self.fail("invalid")
        if len(data) > 1:
            self.fail("several")
        named = [item.get("id") if isinstance(item, dict) else item for item in data]
        rows = [self.context["view"].ids.resolve("user", value) for value in named]
        if None in rows:
            self.fail("does_not_exist")
        return rows[0].pk if rows else None


class GauzyOwnerList(serializers.ListSerializer[Any]):
    """A list of the owner, or of none."""

    def get_attribute(self, instance: Contact) -> list[Any]:
        return [instance.owner] if instance.owner else []


class GauzyMemberNested(GauzyEmployeeNested):
    user = GauzyUserRead(source="*")

    class Meta:
        list_serializer_class = GauzyOwnerList


class GauzyContactRead(GauzyEntityRead):
    kind = "contact"
    related = {
        "contact": lambda: GauzyAddressNested(source="*"),
        "members": lambda: GauzyMemberNested(many=True),
        "projects": EmptyListField,
        "tags": EmptyListField,
        **OURS,
    }
    name = serializers.CharField(source="full_name")
    primaryEmail = serializers.CharField(source="email")
    primaryPhone = serializers.CharField(source="phone")
    notes = serializers.CharField(source="description")
    contactType = serializers.SerializerMethodField()
    contactId = RowField("contact", source="*")
    inviteStatus = NullField()
    imageUrl = NullField()
    imageId = NullField()
    budget = NullField()
    budgetType = NullField()

    def get_contactType(self, contact: Contact) -> str:
        return contact_type(contact.custom_fields)


def contact_type(custom_fields: Mapping[str, Any]) -> str:
    value = custom_fields.get(TYPE_KEY)
    return value if value in OTHER_TYPES else CLIENT


class ContactTypeField(StrictChoice):
    """The type of a contact; a client is stored as no value."""

    def __init__(self, **kwargs: Any) -> None:
        named = {"source": f"custom_fields.{TYPE_KEY}", "required": False}
        super().__init__([CLIENT, *OTHER_TYPES], **{**named, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        sent = super().to_internal_value(data)
        return None if sent == CLIENT else sent


def of_type(value: Any) -> Q:
    if value == CLIENT:
        path = f"custom_fields__{TYPE_KEY}"
        return Q(**{f"{path}__isnull": True}) | ~Q(**{f"{path}__in": OTHER_TYPES})
    return Q(**{f"custom_fields__{TYPE_KEY}": value}) if value in OTHER_TYPES else Q(pk=None)


class GauzyAddressWrite(DialectSerializer):
    country = OptionalText()
    city = OptionalText()
    address = OptionalText(source="street")
    postcode = OptionalText(source="postal_code")
    website = OptionalText(max_length=2000)
    address2 = UnsupportedField()
    regionCode = UnsupportedField()
    fax = UnsupportedField()
    fiscalInformation = UnsupportedField()


class GauzyContactWrite(DialectSerializer):
    """A contact in a request."""

    name = TextField()
    primaryEmail = OptionalText(source="email", max_length=254)
    primaryPhone = OptionalText(source="phone")
    notes = OptionalText(source="description", max_length=LONG_TEXT)
    contact = GauzyAddressWrite(required=False, allow_null=True)
    members = MembersField(source="owner", required=False)
    contactType = ContactTypeField()
    # The unit of a budget has no meaning without the budget.
    budgetType = FixedField("hours", "cost")
    budget = UnsupportedField()
    inviteStatus = FixedField("NOT_INVITED")
    imageUrl = UnsupportedField()
    imageId = UnsupportedField()
    tags = UnsupportedField()
    projects = UnsupportedField()
    isActive = FixedField(True)
    isArchived = UnsupportedField()


def contact_change(change: dict[str, Any], kind: str) -> dict[str, Any]:
    """The core's change of a contact: the address is not nested, and a person's name has two parts."""
    address = change.pop("contact", None) or {}
    if "custom_fields" in change:
        change["free_custom_fields"] = [TYPE_KEY]
    if kind == Contact.Kinds.PERSON and "name" in change:
        change |= split_name(change.pop("name"))
    return {**change, **address}


class GauzyEmployeeContactNested(Serializer):
    """A contact in the list of an employee's contacts."""

    id = RowField("contact", source="*")
    name = serializers.CharField(source="full_name")
    imageUrl = NullField()


class GauzyAssignmentWrite(DialectSerializer):
    """The contacts to assign to an employee and to take away."""

    member = serializers.JSONField()
    addedEntityIds = serializers.ListField(required=False, max_length=1000)
    removedEntityIds = serializers.ListField(required=False, max_length=1000)


Login: Any = inline_serializer(
    "Login", {"email": serializers.EmailField(), "password": serializers.CharField()}
)
Tokens: Any = inline_serializer(
    "Tokens", {"token": serializers.CharField(), "refresh_token": serializers.CharField()}
)
Refresh: Any = inline_serializer("Refresh", {"refresh_token": serializers.CharField()})
