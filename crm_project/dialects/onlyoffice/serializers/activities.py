"""Tasks and events of the history, which are activities."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_project.activities.models import Activity
from crm_project.api.compiled import Serializer
from crm_project.dialects.kit.fields import (
    ConstantInteger,
    ConstantText,
    EmptyListField,
    IgnoredField,
    UnsupportedField,
)
from crm_project.dialects.kit.ids import as_text
from crm_project.dialects.kit.rows import NumberedRowField
from crm_project.dialects.onlyoffice.serializers.contacts import OnlyofficeContactNested
from crm_project.dialects.onlyoffice.serializers.envelope import OnlyofficeListParameters
from crm_project.dialects.onlyoffice.serializers.params import (
    NOTHING,
    FilterRowParam,
    InstantParam,
    LenientBooleanField,
    NumberedRowParam,
    OnlyofficeParameters,
    OptionalTextParam,
    RequiredTextParam,
    RowParam,
    WholeNumberField,
)
from crm_project.dialects.onlyoffice.serializers.people import PICTURE, OnlyofficePersonNested
from crm_project.dialects.onlyoffice.serializers.values import (
    InstantOrUnsetField,
    MayEditField,
    OnlyofficeRead,
    format_or_unset,
)

Types = Activity.Types


@dataclass(frozen=True)
class Category:
    id: int
    type: str
    title: str
    color: str


# The numbers of categories are the same in tasks and in the history, as in the vendor's one table of list items.
NOTE = Category(1, Types.NOTE, "Note", "#fd7e14")
EMAIL = Category(2, Types.EMAIL, "Email", "#0d6efd")
CALL = Category(3, Types.CALL, "Call", "#198754")
MEETING = Category(4, Types.MEETING, "Meeting", "#6f42c1")
TASK = Category(5, Types.TASK, "Task", "#6c757d")
HISTORY = (NOTE, EMAIL, CALL, MEETING)
TASKS = (TASK, CALL, EMAIL, MEETING)
BY_TYPE = {category.type: category for category in (*HISTORY, TASK)}
ENTITIES = {"contact": "contact", "opportunity": "deal", "case": ""}
SORTS = {
    "title": ("subject", "text"),
    "category": ("type",),
    "deadline": ("due",),
    "contact": ("contact__full_name",),
    "contactmanager": ("contact__owner__user__full_name",),
    "id": (),
}
EVENT_SORTS = {
    "created": ("done_at",),
    "createby": ("owner__user__full_name",),
    "category": ("type",),
    "content": ("subject", "text"),
    "id": (),
}


class OnlyofficeCategoryRead(OnlyofficeRead):
    id = serializers.IntegerField()
    title = serializers.CharField()
    description = ConstantText("")
    color = serializers.CharField()
    sortOrder = serializers.IntegerField(source="id")
    imagePath = ConstantText(PICTURE)


@extend_schema_field(OnlyofficeCategoryRead)
class CategoryField(serializers.Field[Any, Any, Any, Any]):
    """The category of a type of activity."""

    def to_representation(self, value: Any) -> Any:
        return OnlyofficeCategoryRead(BY_TYPE[value]).data


class DueField(InstantOrUnsetField):
    """The instant or the day on which an activity is due; a day is its midnight in the organization's time zone."""

    def get_attribute(self, instance: Any) -> Any:
        return (instance.due_at or instance.due_on,)


class OnlyofficeEntityNested(Serializer):
    """The opportunity of an activity."""

    entityType = ConstantText("opportunity")
    entityId = NumberedRowField("deal", source="*")
    entityTitle = serializers.CharField(source="__str__")


class OnlyofficeTaskRead(OnlyofficeRead):
    created = InstantOrUnsetField(source="created_at")
    contact = OnlyofficeContactNested()
    title = serializers.CharField(source="__str__")
    description = serializers.CharField(source="text")
    deadLine = DueField()
    alertValue: Any = ConstantInteger(0)
    responsible = OnlyofficePersonNested(source="owner")
    isClosed = serializers.SerializerMethodField()
    category = CategoryField(source="type")
    entity = OnlyofficeEntityNested(source="deal")
    canEdit = MayEditField()
    id = NumberedRowField("activity", source="*")

    def get_isClosed(self, activity: Activity) -> bool:
        return not activity.is_open


class OnlyofficeEventRead(OnlyofficeRead):
    createBy = OnlyofficePersonNested(source="owner")
    created = InstantOrUnsetField(source="done_at")
    content = serializers.SerializerMethodField()
    category = CategoryField(source="type")
    contact = OnlyofficeContactNested()
    entity = OnlyofficeEntityNested(source="deal")
    canEdit = MayEditField()
    files: Any = EmptyListField()
    id = NumberedRowField("activity", source="*")

    def get_content(self, activity: Activity) -> str:
        """All texts of the activity, since an event has one."""
        return "\n".join(text for text in (activity.subject, activity.text, activity.result) if text.strip())


class DueParam(InstantParam):
    """An instant, or a day if it is midnight as written."""

    def value(self, instant: datetime.datetime) -> datetime.datetime | datetime.date:
        if instant.time() == datetime.time():
            return instant.date()
        return instant.astimezone(datetime.UTC)


class CategoryParam(WholeNumberField):
    """A category; its validated value is the type of the activity."""

    default_error_messages = {"does_not_exist": "There is no such category."}

    def __init__(self, categories: tuple[Category, ...], **kwargs: Any) -> None:
        self.categories = categories
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        number = super().to_internal_value(data)
        if number == 0 and not self.required:
            return None
        found = next((category for category in self.categories if category.id == number), None)
        if found is None:
            self.fail("does_not_exist")
        return found.type


class EntityTypeParam(OptionalTextParam):
    """The kind of row that `entityid` names."""

    default_error_messages = {
        "unknown": "One of: {names}.",
        "not_supported": "This server has no cases.",
    }

    def __init__(self, *names: str, **kwargs: Any) -> None:
        self.names = names
        super().__init__(**{"required": False, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        name = super().to_internal_value(data).strip().lower()
        if name == "case":
            self.fail("not_supported")
        if name not in self.names:
            self.fail("unknown", names=", ".join(self.names))
        return ENTITIES[name]


@extend_schema_field({"type": ["integer", "string"]})
class EntityIdParam(serializers.Field[Any, Any, Any, Any]):
    """The id of a row whose kind is in `entityType`."""

    default_error_messages = {"invalid": "Must be an id."}

    def to_internal_value(self, data: Any) -> str | None:
        text = as_text(data)
        if text is None:
            self.fail("invalid")
        return None if data in NOTHING else text


class OnlyofficeEntityWrite(OnlyofficeParameters):
    """Parameters with a contact and an opportunity."""

    contactid = NumberedRowParam("contact", source="contact", default=None)
    entityType = EntityTypeParam("opportunity", source="entity_type")
    entityid = EntityIdParam(source="entity_id", required=False)

    also = {"deal": "entityid"}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The parameters with the opportunity as `deal`."""
        kind, key = attrs.pop("entity_type", None), attrs.pop("entity_id", None)
        if key is not None and not kind:
            raise serializers.ValidationError({"entityid": ["Send entityType, too."]}, code="required")
        if kind and key is None:
            self.context["view"].ignore(["entityType"])
        deal = self.context["view"].ids.resolve("deal", key) if key is not None else None
        if key is not None and deal is None:
            raise serializers.ValidationError({"entityid": ["There is no such deal."]}, code="does_not_exist")
        return {**attrs, "deal": deal and deal.pk}


class OnlyofficeTaskWrite(OnlyofficeEntityWrite):
    """The parameters of create and replace; absent ones have the vendor's defaults."""

    title = RequiredTextParam(source="subject")
    description = OptionalTextParam(source="text", default="")
    deadline = DueParam(source="due_at", default=None, allow_null=True)
    responsibleid = RowParam("user", source="owner", default=None)
    categoryid = CategoryParam(TASKS, source="type")
    isNotify = IgnoredField()
    alertValue = IgnoredField()

    also = {"deal": "entityid", "due_on": "deadline"}


class OnlyofficeEventWrite(OnlyofficeEntityWrite):
    content = RequiredTextParam(source="text")
    categoryid = CategoryParam(HISTORY, source="type")
    created = InstantParam(source="done_at", default=None, allow_null=True)
    fileId = UnsupportedField()
    notifyUserList = IgnoredField()

    also = {"deal": "entityid", "subject": "content"}


class OnlyofficeActivityFilter(OnlyofficeListParameters):
    entityType = EntityTypeParam("contact", "opportunity", source="entity_type")
    entityid = EntityIdParam(source="entity_id", required=False)
    fromDate = InstantParam(required=False, allow_null=True)
    toDate = InstantParam(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("entity_id") is not None and not attrs.get("entity_type"):
            raise serializers.ValidationError({"entityType": ["This field is required."]}, code="required")
        return attrs


class OnlyofficeTaskFilter(OnlyofficeActivityFilter):
    responsibleid = FilterRowParam("user")
    categoryid = CategoryParam(TASKS, source="type", required=False)
    isClosed = LenientBooleanField(required=False, allow_null=True)


class OnlyofficeEventFilter(OnlyofficeActivityFilter):
    createBy = FilterRowParam("user")
    categoryid = CategoryParam(HISTORY, source="type", required=False)


def task_change(sent: Mapping[str, Any], activity: Activity | None, zone: datetime.tzinfo) -> dict[str, Any]:
    """The core's change of a new or a replaced task, without unchanged values.

    What the task shows instead of a missing title or deadline may be sent back.
    """
    change = dict(sent)
    due: datetime.date | None = change.pop("due_at")
    shown = (activity.due_at or activity.due_on) if activity else None
    if activity is not None and change["subject"] == str(activity):
        del change["subject"]
    if due is None and (activity is None or shown is not None):
        raise serializers.ValidationError({"deadline": ["This field is required."]}, code="required")
    if due is not None and format_or_unset(due, zone) != format_or_unset(shown, zone):
        change |= {"due_at": due} if isinstance(due, datetime.datetime) else {"due_on": due}
    return change
