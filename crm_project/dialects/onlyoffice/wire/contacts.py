"""Contacts: people and companies, as opportunities show them and as they are by themselves."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from contacts.models import Contact
from crm_project.dialects.onlyoffice.wire.custom_fields import (
    CustomFieldListParam,
    CustomFieldPart,
    change_of,
    values_of,
)
from crm_project.dialects.onlyoffice.wire.envelope import ListParameters
from crm_project.dialects.onlyoffice.wire.params import (
    FilterPerson,
    InstantParam,
    LongText,
    NumberedRowParam,
    Parameters,
    RowsParam,
    Title,
    Truth,
    WholeNumber,
)
from crm_project.dialects.onlyoffice.wire.people import PICTURE
from crm_project.dialects.onlyoffice.wire.values import Always, InstantField, MayEdit, Shown
from crm_project.dialects.wire import NumberedRowField, UnsayableField

SORTS = {
    "displayname": "full_name",
    "firstname": "first_name",
    "lastname": "last_name",
    "created": "created_at",
    "id": "id",
}
VIEWS = ("company", "person", "withopportunity")
# infoType and category of what the core keeps of a contact, with the number by which it is named here.
INFOS = {
    "email": (1, 1, 1, "Work"),
    "phone": (2, 0, 1, "Work"),
    "mobile": (3, 0, 2, "Mobile"),
    "website": (4, 2, 1, "Work"),
}
INFO_TYPES = ("phone", "email", "website")
MOBILE = ("2", "mobile")


class ContactPart(Shown):
    """A contact, as an opportunity shows it. Every contact is shared with the whole organization."""

    displayName = serializers.CharField(source="full_name")
    isCompany = serializers.SerializerMethodField()
    isPrivate: Any = Always(False)
    isShared: Any = Always(True)
    shareType: Any = Always(1)
    smallFotoUrl = Always(PICTURE)
    mediumFotoUrl = Always(PICTURE)
    canEdit = MayEdit()
    canDelete = MayEdit()
    id = NumberedRowField("contact", source="*")

    def get_isCompany(self, contact: Contact) -> bool:
        return bool(contact.kind == "company")


class InfoPart(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    infoType = serializers.IntegerField()
    category = serializers.IntegerField()
    data: Any = serializers.CharField()
    categoryName = serializers.CharField()
    isPrimary = serializers.BooleanField()


class AddressPart(serializers.Serializer[Any]):
    street = serializers.CharField()
    city = serializers.CharField()
    zip = serializers.CharField()
    country = serializers.CharField()
    isPrimary = serializers.BooleanField()


class ShownContact(ContactPart):
    """A person has a name in two parts, a job and a company; a company has one name."""

    created = InstantField(source="created_at")
    about = serializers.CharField(source="description")
    commonData = serializers.SerializerMethodField()
    addresses = serializers.SerializerMethodField()
    customFields = serializers.SerializerMethodField()
    tags = Always([])
    taskCount = Always(0)
    haveLateTasks = Always(False)
    firstName = serializers.CharField(source="first_name")
    lastName = serializers.CharField(source="last_name")
    title = serializers.CharField(source="job_title")
    company = ContactPart()
    companyName = serializers.CharField(source="name")

    def get_commonData(self, contact: Contact) -> list[dict[str, Any]]:
        return infos(contact)

    def get_addresses(self, contact: Contact) -> list[dict[str, Any]]:
        parts = {
            "street": contact.street,
            "city": contact.city,
            "zip": contact.postal_code,
            "country": contact.country,
        }
        return [{**parts, "isPrimary": True}] if any(parts.values()) else []

    def get_customFields(self, contact: Contact) -> list[dict[str, Any]]:
        values = values_of(contact, self.context["view"].definitions("contact"))
        return list(CustomFieldPart(values, many=True, context=self.context).data)

    def to_representation(self, instance: Contact) -> dict[str, Any]:
        shown = super().to_representation(instance)
        foreign = (
            ("companyName",) if instance.kind == "person" else ("firstName", "lastName", "title", "company")
        )
        return {name: value for name, value in shown.items() if name not in foreign}


def infos(contact: Contact) -> list[dict[str, Any]]:
    """What the contact can be reached by; each has one place here, and its number."""
    names = ("id", "infoType", "category", "categoryName")
    return [
        {
            **dict(zip(names, place, strict=True)),
            "data": getattr(contact, name),
            "isPrimary": name != "mobile",
        }
        for name, place in INFOS.items()
        if getattr(contact, name)
    ]


class ContactItem(serializers.Serializer[Any]):
    """A contact beside its next task; there are no tasks here."""

    contact = ShownContact(source="*")


class EmailSearch(Parameters):
    term = LongText(default="")
    maxCount = WholeNumber(default=0)


class ContactFilter(ListParameters):
    contactListView = LongText()
    responsibleid = FilterPerson("user")
    fromDate = InstantParam(required=False, allow_null=True)
    toDate = InstantParam(required=False, allow_null=True)
    tags = serializers.JSONField(required=False, allow_null=True)
    contactStage = WholeNumber(required=False, allow_null=True)
    contactType = WholeNumber(required=False, allow_null=True)
    isShared = LongText()


class ShareType(WholeNumber):
    """0 says nothing and 1 is how all contacts are; to share for reading only cannot be kept."""

    default_error_messages = {"not_supported": "This server cannot share a contact for reading only."}

    def to_internal_value(self, data: Any) -> int:
        words = {"none": 0, "readwrite": 1, "read": 2}
        number = super().to_internal_value(words.get(data.lower(), data) if isinstance(data, str) else data)
        if number not in (0, 1):
            self.fail("not_supported")
        return number


class WrittenContact(Parameters):
    about = LongText(source="description", default="")
    shareType = ShareType(required=False, allow_null=True, source="share_type")
    managerList = RowsParam("user", source="owners")
    customFieldList = CustomFieldListParam("contact")
    photo = UnsayableField()

    also = {"owner": "managerList"}

    def validate_managerList(self, owners: list[int] | None) -> list[int]:
        if owners and len(owners) > 1:
            raise serializers.ValidationError(
                "This server keeps one manager of a contact.", code="max_length"
            )
        return owners or []


class WrittenPerson(WrittenContact):
    firstName = LongText(source="first_name", default="")
    lastName = LongText(source="last_name", default="")
    jobTitle = LongText(source="job_title", default="")
    companyId = NumberedRowParam("contact", source="company", default=None)


class WrittenCompany(WrittenContact):
    companyName = Title(source="name")
    personList = RowsParam("contact", source="people")


class NewPersonOfCompany(Parameters):
    personId = NumberedRowParam("contact", source="person", required=True, allow_null=False)


class Info(Parameters):
    """`infoType` and `category` by number or by name."""

    infoType = LongText(source="info_type")
    data: Any = Title()
    category = LongText()
    isPrimary = Truth(required=False)


def change_of_contact(row: Contact | None, sent: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent as the core's change; managers and user fields that are not named stay."""
    rest = ("share_type", "owners", "custom_fields", "people")
    change = {name: value for name, value in sent.items() if name not in rest}
    if sent.get("owners"):
        change["owner"] = sent["owners"][0]
    change["custom_fields"] = change_of(row, sent.get("custom_fields") or {})
    return change


def require_name(row: Contact | None, sent: Mapping[str, Any]) -> None:
    """A person has both names, unless it has been without one."""
    names = {"firstName": "first_name", "lastName": "last_name"}
    blank = [
        name
        for name, source in names.items()
        if not sent.get(source) and (row is None or getattr(row, source))
    ]
    if blank:
        raise serializers.ValidationError(
            {name: ["This field is required."] for name in blank}, code="required"
        )


def info_name(sent: Mapping[str, Any]) -> str:
    """Where the core keeps it; what it has no place for is refused."""
    kind = (sent.get("info_type") or "").strip().lower()
    kind = INFO_TYPES[int(kind)] if kind.isdigit() and int(kind) < len(INFO_TYPES) else kind
    if kind not in INFO_TYPES:
        sentence = "This server keeps e-mail addresses, phone numbers and web sites."
        raise serializers.ValidationError({"infoType": [sentence]}, code="not_supported")
    is_mobile = kind == "phone" and (sent.get("category") or "").strip().lower() in MOBILE
    return "mobile" if is_mobile else kind
