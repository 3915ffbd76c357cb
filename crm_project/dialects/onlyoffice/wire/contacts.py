"""Contacts: people and companies, as opportunities show them and as they are by themselves."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts.models import Contact
from crm_project.dialects.onlyoffice.wire.contact_infos import (
    TYPES,
    AddressPart,
    InfoPart,
    addresses,
    common_data,
    infos,
)
from crm_project.dialects.onlyoffice.wire.custom_fields import (
    CustomFieldListParam,
    CustomFieldPart,
    change_of,
    values_of,
)
from crm_project.dialects.onlyoffice.wire.envelope import ListParameters
from crm_project.dialects.onlyoffice.wire.params import (
    FilterPerson,
    FilterRow,
    InstantParam,
    KnownRows,
    LongText,
    NamedNumber,
    NeededRow,
    NumberedRowParam,
    Parameters,
    RowsParam,
    TextsParam,
    Title,
    Truth,
    WholeNumber,
)
from crm_project.dialects.onlyoffice.wire.people import PICTURE
from crm_project.dialects.onlyoffice.wire.tags import Tag, TagsPart
from crm_project.dialects.onlyoffice.wire.values import Always, InstantField, MayEdit, Shown
from crm_project.dialects.wire import NumberedRowField, UnsayableField

SORTS = {
    "displayname": "full_name",
    "firstname": "first_name",
    "lastname": "last_name",
    "created": "created_at",
    "history": "updated_at",
    "contacttype": (),
    "id": (),
}
VIEWS = ("all", "company", "person", "withopportunity")
# Which contacts a client selects from, and the kind of row whose participants they may be.
SELECTIONS = (
    Q(kind="company"),
    Q(kind="person"),
    Q(kind="person", company=None),
    Q(company=None),
)
OPPORTUNITY = ("1", "opportunity")


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


class ShownContact(ContactPart):
    """A person has a name in two parts, a job and a company; a company has one name."""

    created = InstantField(source="created_at")
    about = serializers.CharField(source="description")
    commonData = serializers.SerializerMethodField()
    addresses = serializers.SerializerMethodField()
    customFields = serializers.SerializerMethodField()
    tags = TagsPart()
    taskCount = Always(0)
    haveLateTasks = Always(False)
    firstName = serializers.CharField(source="first_name")
    lastName = serializers.CharField(source="last_name")
    title = serializers.CharField(source="job_title")
    company = ContactPart()
    companyName = serializers.CharField(source="name")

    @extend_schema_field(InfoPart(many=True))
    def get_commonData(self, contact: Contact) -> list[dict[str, Any]]:
        return common_data(contact)

    @extend_schema_field(AddressPart(many=True))
    def get_addresses(self, contact: Contact) -> list[dict[str, Any]]:
        return addresses(contact)

    def get_customFields(self, contact: Contact) -> list[dict[str, Any]]:
        values = values_of(contact, self.context["view"].definitions("contact"))
        return list(CustomFieldPart(values, many=True, context=self.context).data)

    def to_representation(self, instance: Contact) -> dict[str, Any]:
        shown = super().to_representation(instance)
        foreign = (
            ("companyName",) if instance.kind == "person" else ("firstName", "lastName", "title", "company")
        )
        return {name: value for name, value in shown.items() if name not in foreign}


class ContactWithPhone(ContactPart):
    phone = serializers.SerializerMethodField()

    @extend_schema_field(InfoPart)
    def get_phone(self, contact: Contact) -> dict[str, Any] | None:
        return next(iter(infos(contact, ["phone"])), None)


class ContactWithEmail(ContactPart):
    email = serializers.SerializerMethodField()

    @extend_schema_field(InfoPart)
    def get_email(self, contact: Contact) -> dict[str, Any] | None:
        return next(iter(infos(contact, ["email"])), None)


class ContactItem(serializers.Serializer[Any]):
    """A contact beside its next task; there are no tasks here."""

    contact = ShownContact(source="*")


class EmailSearch(Parameters):
    term = LongText(default="")
    maxCount = WholeNumber(default=0)


class ContactFilter(ListParameters):
    contactListView = NamedNumber(VIEWS, VIEWS, required=False, allow_null=True)
    responsibleid = FilterPerson("user")
    fromDate = InstantParam(required=False, allow_null=True)
    toDate = InstantParam(required=False, allow_null=True)
    tags = TextsParam()
    contactStage = WholeNumber(required=False, allow_null=True)
    contactType = WholeNumber(required=False, allow_null=True)
    isShared = Truth(required=False, allow_null=True)

    narrowing = (
        "contactListView responsibleid fromDate toDate tags contactStage contactType filterValue".split()
    )


class ContactPrefix(ListParameters):
    """`searchType`: -1 all, 0 companies, 1 people, 2 people without a company, 3 companies and those people."""

    prefix = LongText(default="")
    searchType = WholeNumber(default=-1)
    entityType = LongText()
    entityID = FilterRow("deal")

    def validate_searchType(self, number: int) -> int:
        if not -1 <= number < len(SELECTIONS):
            raise serializers.ValidationError("From -1 to 3.", code="out_of_range")
        return number


class ByInfo(ListParameters):
    infoType = NamedNumber(TYPES, TYPES)
    data: Any = LongText(default="")
    category = LongText()
    isPrimary = Truth(required=False, allow_null=True)


class ForMail(Parameters):
    contactids = KnownRows("contact")


class ContactIds(Parameters):
    contactids = RowsParam("contact", source="contacts", required=True, allow_null=False)

    def validate_contactids(self, ids: list[int]) -> list[int]:
        if not ids:
            raise serializers.ValidationError("Name at least one.", code="required")
        return ids


class Merge(Parameters):
    fromcontactid = NeededRow("contact", source="source")
    tocontactid = NeededRow("contact", source="target")


class ContactAccess(Parameters):
    """Whoever manages a contact owns it here; to hide it from the others cannot be kept."""

    isShared = Truth(default=False)
    isPrivate = Truth(default=False)
    managerList = RowsParam("user", source="owners")

    also = {"owner": "managerList"}

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        owners = sent.get("owners") or []
        hidden = {"isPrivate": sent["isPrivate"], "isShared": owners and not sent["isShared"]}
        if len(owners) > 1:
            sentence = "This server keeps one manager of a contact."
            raise serializers.ValidationError({"managerList": [sentence]}, code="max_length")
        if any(hidden.values()):
            sentence = "This server shows every contact to the whole organization."
            wrong = {name: [sentence] for name, is_wrong in hidden.items() if is_wrong}
            raise serializers.ValidationError(wrong, code="not_supported")
        return sent


class ContactAccessOfMany(ContactAccess):
    contactid = RowsParam("contact", source="contacts", required=True, allow_null=False)


class ContactAccessOfMatching(ContactFilter, ContactAccess):
    """A filter, and what to set for all that it finds."""

    isShared = Truth(default=True)


class TagOfMatchingContacts(ContactFilter, Tag):
    """A filter, and a tag for all that it finds."""


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


class QuickCompanies(Parameters):
    companyName = TextsParam(source="names", required=True, allow_null=False)


class QuickPerson(Parameters):
    """First name and last name, as the vendor pairs them."""

    key = LongText(source="first_name", default="")
    value = LongText(source="last_name", default="")

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(self.named(data))


class QuickPeople(Parameters):
    data: Any = QuickPerson(many=True, source="people")


class PersonOfCompany(Parameters):
    personId = NeededRow("contact", source="person")


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
