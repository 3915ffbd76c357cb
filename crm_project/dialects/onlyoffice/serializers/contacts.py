"""Contacts: people and companies, nested in opportunities and on their own."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts.models import Contact
from crm_project.dialects.kit.fields import (
    ConstantBoolean,
    ConstantInteger,
    ConstantText,
    EmptyListField,
    UnsupportedField,
)
from crm_project.dialects.kit.rows import NumberedRowField
from crm_project.dialects.onlyoffice.serializers.contact_infos import (
    TYPES,
    OnlyofficeAddressNested,
    OnlyofficeInfoNested,
    addresses,
    common_data,
    infos,
)
from crm_project.dialects.onlyoffice.serializers.currencies import OnlyofficeCurrencyNested, currency
from crm_project.dialects.onlyoffice.serializers.custom_fields import (
    CustomFieldListField,
    OnlyofficeCustomFieldNested,
    change_of,
    values_of,
)
from crm_project.dialects.onlyoffice.serializers.envelope import OnlyofficeListParameters
from crm_project.dialects.onlyoffice.serializers.params import (
    FilterRowParam,
    InstantParam,
    KnownRowListParam,
    LenientBooleanField,
    NamedNumberField,
    NumberedRowParam,
    OnlyofficeParameters,
    OptionalTextParam,
    RequiredRowParam,
    RequiredTextParam,
    RowListParam,
    TextListParam,
    WholeNumberField,
)
from crm_project.dialects.onlyoffice.serializers.people import PICTURE
from crm_project.dialects.onlyoffice.serializers.tags import OnlyofficeTagsField, OnlyofficeTagWrite
from crm_project.dialects.onlyoffice.serializers.values import (
    InstantOrUnsetField,
    MayEditField,
    OnlyofficeRead,
)

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
# The contacts of each `searchType`, and the names of the kind of row whose participants it may be limited to.
SELECTIONS = (
    Q(kind="company"),
    Q(kind="person"),
    Q(kind="person", company=None),
    Q(company=None),
)
OPPORTUNITY = ("1", "opportunity")


@extend_schema_field(OnlyofficeCurrencyNested)
class OwnCurrencyField(serializers.Field[Any, Any, Any, Any]):
    """The organization's currency, since a contact has none of its own."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, "source": "*", **kwargs})

    def to_representation(self, value: Any) -> dict[str, Any]:
        organization = self.context["view"].actor.organization
        return currency(organization.currency, organization.language)


class OnlyofficeContactNested(OnlyofficeRead):
    """A contact nested in an opportunity. All contacts are shared with the whole organization."""

    displayName = serializers.CharField(source="full_name")
    isCompany = serializers.SerializerMethodField()
    isPrivate: Any = ConstantBoolean(False)
    isShared: Any = ConstantBoolean(True)
    shareType: Any = ConstantInteger(1)
    smallFotoUrl = ConstantText(PICTURE)
    mediumFotoUrl = ConstantText(PICTURE)
    accessList = EmptyListField()
    currency = OwnCurrencyField()
    canEdit = MayEditField()
    canDelete = MayEditField()
    id = NumberedRowField("contact", source="*")

    def get_isCompany(self, contact: Contact) -> bool:
        return bool(contact.kind == "company")


class OnlyofficeContactRead(OnlyofficeContactNested):
    """A contact. A person has first and last name, a job title and a company; a company has one name."""

    # The view counts the open tasks of the contacts before.
    counts_tasks = True

    created = InstantOrUnsetField(source="created_at")
    about = serializers.CharField(source="description")
    commonData = serializers.SerializerMethodField()
    addresses = serializers.SerializerMethodField()
    customFields = serializers.SerializerMethodField()
    tags = OnlyofficeTagsField()
    taskCount = serializers.SerializerMethodField()
    haveLateTasks = serializers.SerializerMethodField()
    firstName = serializers.CharField(source="first_name")
    lastName = serializers.CharField(source="last_name")
    title = serializers.CharField(source="job_title")
    company = OnlyofficeContactNested()
    companyName = serializers.CharField(source="name")

    @extend_schema_field(OnlyofficeInfoNested(many=True))
    def get_commonData(self, contact: Contact) -> list[dict[str, Any]]:
        return common_data(contact)

    @extend_schema_field(OnlyofficeAddressNested(many=True))
    def get_addresses(self, contact: Contact) -> list[dict[str, Any]]:
        return addresses(contact)

    def get_customFields(self, contact: Contact) -> list[dict[str, Any]]:
        values = values_of(contact, self.context["view"].definitions("contact").values())
        return list(OnlyofficeCustomFieldNested(values, many=True, context=self.context).data)

    def get_taskCount(self, contact: Contact) -> int:
        return int(self.context["view"].open_tasks[contact.pk][0])

    def get_haveLateTasks(self, contact: Contact) -> bool:
        return bool(self.context["view"].open_tasks[contact.pk][1])

    def to_representation(self, instance: Contact) -> dict[str, Any]:
        data = super().to_representation(instance)
        foreign = (
            ("companyName",) if instance.kind == "person" else ("firstName", "lastName", "title", "company")
        )
        return {name: value for name, value in data.items() if name not in foreign}


class OnlyofficeContactWithPhoneRead(OnlyofficeContactNested):
    phone = serializers.SerializerMethodField()

    @extend_schema_field(OnlyofficeInfoNested)
    def get_phone(self, contact: Contact) -> dict[str, Any] | None:
        return next(iter(infos(contact, ["phone"])), None)


class OnlyofficeContactWithEmailRead(OnlyofficeContactNested):
    email = serializers.SerializerMethodField()

    @extend_schema_field(OnlyofficeInfoNested)
    def get_email(self, contact: Contact) -> dict[str, Any] | None:
        return next(iter(infos(contact, ["email"])), None)


class OnlyofficeContactItemRead(OnlyofficeRead):
    """A contact; its next task, which the vendor puts beside it, is absent."""

    counts_tasks = True

    contact = OnlyofficeContactRead(source="*")


class OnlyofficeEmailQuery(OnlyofficeParameters):
    term = OptionalTextParam(default="")
    maxCount = WholeNumberField(default=0)


class OnlyofficeContactFilter(OnlyofficeListParameters):
    contactListView = NamedNumberField(VIEWS, VIEWS, required=False, allow_null=True)
    responsibleid = FilterRowParam("user")
    fromDate = InstantParam(required=False, allow_null=True)
    toDate = InstantParam(required=False, allow_null=True)
    tags = TextListParam()
    contactStage = WholeNumberField(required=False, allow_null=True)
    contactType = WholeNumberField(required=False, allow_null=True)
    isShared = LenientBooleanField(required=False, allow_null=True)

    narrowing = (
        "contactListView responsibleid fromDate toDate tags contactStage contactType filterValue".split()
    )


class OnlyofficeContactPrefixQuery(OnlyofficeListParameters):
    """`searchType`: -1 all, 0 companies, 1 people, 2 people without a company, 3 companies and those people."""

    prefix = OptionalTextParam(default="")
    searchType = WholeNumberField(default=-1)
    entityType = OptionalTextParam()
    entityID = FilterRowParam("deal")

    def validate_searchType(self, number: int) -> int:
        if not -1 <= number < len(SELECTIONS):
            raise serializers.ValidationError("From -1 to 3.", code="out_of_range")
        return number


class OnlyofficeInfoQuery(OnlyofficeListParameters):
    infoType = NamedNumberField(TYPES, TYPES)
    data: Any = OptionalTextParam(default="")
    category = OptionalTextParam()
    isPrimary = LenientBooleanField(required=False, allow_null=True)


class OnlyofficeMailQuery(OnlyofficeParameters):
    contactids = KnownRowListParam("contact")


class OnlyofficeContactIds(OnlyofficeParameters):
    contactids = RowListParam("contact", source="contacts", required=True, allow_null=False)

    def validate_contactids(self, ids: list[int]) -> list[int]:
        if not ids:
            raise serializers.ValidationError("Send at least one.", code="required")
        return ids


class OnlyofficeMergeWrite(OnlyofficeParameters):
    fromcontactid = RequiredRowParam("contact", source="source")
    tocontactid = RequiredRowParam("contact", source="target")


class OnlyofficeContactAccessWrite(OnlyofficeParameters):
    """The manager of a contact is its owner; to hide a contact from others is refused."""

    isShared = LenientBooleanField(default=False)
    isPrivate = LenientBooleanField(default=False)
    managerList = RowListParam("user", source="owners")

    also = {"owner": "managerList"}

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        owners = sent.get("owners") or []
        hidden = {"isPrivate": sent["isPrivate"], "isShared": owners and not sent["isShared"]}
        if len(owners) > 1:
            sentence = "A contact can have only one manager."
            raise serializers.ValidationError({"managerList": [sentence]}, code="max_length")
        if any(hidden.values()):
            sentence = "All contacts are visible to the whole organization."
            wrong = {name: [sentence] for name, is_wrong in hidden.items() if is_wrong}
            raise serializers.ValidationError(wrong, code="not_supported")
        return sent


class OnlyofficeBulkContactAccessWrite(OnlyofficeContactAccessWrite):
    contactid = RowListParam("contact", source="contacts", required=True, allow_null=False)


class OnlyofficeMatchingContactAccessWrite(OnlyofficeContactFilter, OnlyofficeContactAccessWrite):
    """A filter, and the values to set for all matching rows."""

    isShared = LenientBooleanField(default=True)


class OnlyofficeMatchingContactTagWrite(OnlyofficeContactFilter, OnlyofficeTagWrite):
    """A filter, and a tag for all matching rows."""


class ShareTypeField(WholeNumberField):
    """0 has no effect and 1 is true of all contacts; sharing for reading only is refused."""

    default_error_messages = {"not_supported": "This server cannot share a contact for reading only."}

    def to_internal_value(self, data: Any) -> int:
        codes = {"none": 0, "readwrite": 1, "read": 2}
        number = super().to_internal_value(codes.get(data.lower(), data) if isinstance(data, str) else data)
        if number not in (0, 1):
            self.fail("not_supported")
        return number


class OnlyofficeContactWrite(OnlyofficeParameters):
    about = OptionalTextParam(source="description", default="")
    shareType = ShareTypeField(required=False, allow_null=True, source="share_type")
    managerList = RowListParam("user", source="owners")
    customFieldList = CustomFieldListField("contact")
    photo = UnsupportedField()

    also = {"owner": "managerList"}

    def validate_managerList(self, owners: list[int] | None) -> list[int] | None:
        if owners and len(owners) > 1:
            raise serializers.ValidationError("A contact can have only one manager.", code="max_length")
        return owners


class OnlyofficePersonWrite(OnlyofficeContactWrite):
    firstName = OptionalTextParam(source="first_name", default="")
    lastName = OptionalTextParam(source="last_name", default="")
    jobTitle = OptionalTextParam(source="job_title", default="")
    companyId = NumberedRowParam("contact", source="company", default=None)


class OnlyofficeCompanyWrite(OnlyofficeContactWrite):
    companyName = RequiredTextParam(source="name")
    personList = RowListParam("contact", source="people")


class OnlyofficeQuickCompaniesWrite(OnlyofficeParameters):
    companyName = TextListParam(source="names", required=True, allow_null=False)


class OnlyofficeQuickPersonNestedWrite(OnlyofficeParameters):
    """A first name as `key` and a last name as `value`."""

    key = OptionalTextParam(source="first_name", default="")
    value = OptionalTextParam(source="last_name", default="")

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(self.renamed(data))


class OnlyofficeQuickPeopleWrite(OnlyofficeParameters):
    data: Any = OnlyofficeQuickPersonNestedWrite(many=True, source="people")


class OnlyofficeCompanyPersonWrite(OnlyofficeParameters):
    personId = RequiredRowParam("contact", source="person")


def change_of_contact(row: Contact | None, sent: Mapping[str, Any]) -> dict[str, Any]:
    """The core's change of a contact; absent managers and user fields are unchanged."""
    rest = ("share_type", "owners", "custom_fields", "people")
    change = {name: value for name, value in sent.items() if name not in rest}
    if (owners := sent.get("owners")) is not None:
        change["owner"] = next(iter(owners), None)
    change["custom_fields"] = change_of(row, sent.get("custom_fields") or {})
    return change


def require_name(row: Contact | None, sent: Mapping[str, Any]) -> None:
    """Require both names of a person; a name that is empty already may stay so."""
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
