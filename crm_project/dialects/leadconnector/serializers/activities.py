"""LeadConnector's notes and tasks of contacts, which are activities."""

import datetime
from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from crm_project.activities.models import Activity
from crm_project.api.compiled import Serializer
from crm_project.api.fields import OptionalText, TextField
from crm_project.dialects.kit.activities import completion, due_change
from crm_project.dialects.kit.fields import IgnoredField, TextOrNullField
from crm_project.dialects.kit.instants import InstantField, parse_instant
from crm_project.dialects.kit.rows import RowField
from crm_project.dialects.kit.serializers import DialectSerializer
from crm_project.dialects.leadconnector.serializers.fields import RowOrBlankField
from crm_project.records.rules import LONG_TEXT, is_day

EXAMPLE_NOTE = {
    "userId": "082goXVW3lIExEQPOnd3",
    "body": "Asks for an offer with two variants.",
    "title": "Call of Monday",
    "pinned": True,
}
EXAMPLE_TASK = {
    "title": "Send the offer",
    "body": "With two variants",
    "dueDate": "2027-03-05T11:00:00Z",
    "completed": False,
    "assignedTo": "082goXVW3lIExEQPOnd3",
}


class FilledText(TextField):
    """A text that is not white space alone."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not text.strip():
            self.fail("blank")
        return text


@extend_schema_field({"type": "string"})
class DueDateField(serializers.Field[Any, Any, Any, Any]):
    """An instant, in the organization's time zone if it has no offset, or a day; in answers the end of that day."""

    default_error_messages = {"invalid": "Must be a date in ISO 8601: 2027-03-05T11:00:00Z."}

    def to_internal_value(self, data: Any) -> datetime.datetime | datetime.date:
        if is_day(data):
            return datetime.date.fromisoformat(data)
        instant = parse_instant(data, self.context["view"].zone)
        return self.fail("invalid") if instant is None else instant


class LeadConnectorNoteUpdate(DialectSerializer):
    """Absent fields are unchanged."""

    body = FilledText(source="text", max_length=LONG_TEXT, required=False)
    title = OptionalText(source="subject")
    userId = RowOrBlankField("user", source="owner")
    pinned = serializers.BooleanField(source="is_pinned", required=False)
    color = IgnoredField()


class LeadConnectorNoteCreate(LeadConnectorNoteUpdate):
    body = FilledText(source="text", max_length=LONG_TEXT)


class LeadConnectorTaskCompletion(DialectSerializer):
    completed = serializers.BooleanField(source="done")


class LeadConnectorTaskUpdate(DialectSerializer):
    """Absent fields are unchanged."""

    title = TextField(source="subject", required=False)
    body = OptionalText(source="text", max_length=LONG_TEXT)
    dueDate = DueDateField(source="due_at", required=False)
    completed = serializers.BooleanField(source="done", required=False)
    assignedTo = RowOrBlankField("user", source="owner")


class LeadConnectorTaskCreate(LeadConnectorTaskUpdate):
    title = TextField(source="subject")
    dueDate = DueDateField(source="due_at")
    completed = serializers.BooleanField(source="done")


class LeadConnectorNoteRead(Serializer):
    id = RowField("activity", source="*")
    body = serializers.CharField(source="text")
    title = TextOrNullField(source="subject")
    pinned = serializers.BooleanField(source="is_pinned")
    userId = RowField("user", source="owner", allow_null=True)
    contactId = RowField("contact", source="contact", allow_null=True)
    dateAdded = InstantField(digits=3, source="created_at")


class LeadConnectorTaskRead(Serializer):
    id = RowField("activity", source="*")
    title = serializers.CharField(source="__str__")
    body = serializers.CharField(source="text")
    assignedTo = RowField("user", source="owner", allow_null=True)
    dueDate = InstantField(digits=3, source="deadline", allow_null=True)
    completed = serializers.SerializerMethodField()
    contactId = RowField("contact", source="contact", allow_null=True)

    def get_completed(self, activity: Activity) -> bool:
        return not activity.is_open


def activity_change(sent: Mapping[str, Any], activity: Activity | None) -> dict[str, Any]:
    """The core's change of an activity."""
    change = dict(sent)
    due, is_done = change.pop("due_at", None), change.pop("done", None)
    if due is not None:
        change |= due_change(due, activity)
    if is_done is not None:
        change |= completion(is_done, activity)
    return change


OneNote: Any = inline_serializer("OneNote", {"note": LeadConnectorNoteRead()})
Notes: Any = inline_serializer("Notes", {"notes": LeadConnectorNoteRead(many=True)})
OneTask: Any = inline_serializer("OneTask", {"task": LeadConnectorTaskRead()})
Tasks: Any = inline_serializer("Tasks", {"tasks": LeadConnectorTaskRead(many=True)})
