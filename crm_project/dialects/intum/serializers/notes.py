"""Intum's notes, which are activities that were written down afterwards."""

import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from crm_project.activities.models import Activity
from crm_project.api.compiled import Serializer
from crm_project.api.fields import StrictChoice
from crm_project.dialects.intum.errors import INSTANT, TEXT
from crm_project.dialects.intum.serializers.fields import (
    BlankSkipped,
    IntumListQuery,
    IntumText,
    NumberAsText,
    token_field,
    written,
)
from crm_project.dialects.kit.fields import TextOrNullField
from crm_project.dialects.kit.ids import as_text
from crm_project.dialects.kit.instants import InstantField, parse_instant
from crm_project.dialects.kit.rows import NumberedRowField
from crm_project.dialects.kit.serializers import DialectSerializer
from crm_project.records.rules import LONG_TEXT

Types = Activity.Types
CLIENT, CONTACT, DEAL = "Crm::Client", "Crm::Contact", "Crm::Deal"
NOTEABLE = (CLIENT, CONTACT, DEAL)
KINDS = {
    "phone": Types.CALL,
    "call": Types.CALL,
    "email": Types.EMAIL,
    "mail": Types.EMAIL,
    "meeting": Types.MEETING,
    "note": Types.NOTE,
}
# A note without a kind is none of the others.
KIND_OF = {Types.CALL: "phone", Types.EMAIL: "email", Types.MEETING: "meeting"}
EXAMPLE_REQUEST = {
    "api_token": "TOKEN",
    "note": {
        "name": "Rozmowa z klientem",
        "content": "Prosi o ofertę w dwóch wariantach.",
        "kind": "phone",
        "note_at": "2026-03-05T14:00:00",
        "noteable_id": 123,
        "noteable_type": "Crm::Client",
    },
}


@extend_schema_field({"type": "string", "format": "date-time"})
class IntumInstant(BlankSkipped, serializers.Field[Any, Any, Any, Any]):
    """An instant, in the organization's time zone if it has no offset, or the beginning of a day."""

    default_error_messages = {"invalid": INSTANT}

    def to_internal_value(self, data: Any) -> datetime.datetime:
        instant = parse_instant(data, self.context["view"].zone)
        return self.fail("invalid") if instant is None else instant


class KindField(NumberAsText, serializers.CharField):
    """The type of the activity; a kind that has none is ignored and reported."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_null": True, **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return Types.NOTE if data is None else super().run_validation(data)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict | list | bool):
            self.fail("invalid")
        kind = super().to_internal_value(data).strip().lower()
        if kind not in KINDS:
            self.context["view"].ignore([self.field_name])
        return KINDS.get(kind, Types.NOTE)


@extend_schema_field({"type": ["integer", "string"]})
class NoteableIdField(serializers.Field[Any, Any, Any, Any]):
    """The id of the row whose kind is in `noteable_type`."""

    default_error_messages = {"invalid": TEXT}

    def to_internal_value(self, data: Any) -> str:
        text = as_text(data)
        if text is None:
            self.fail("invalid")
        return str(text)


class IntumNoteWrite(DialectSerializer):
    """A note in a request."""

    name = IntumText(source="subject")
    content = IntumText(source="text", max_length=LONG_TEXT)
    kind = KindField(source="type")
    note_at = IntumInstant(source="done_at", required=False)
    noteable_id = NoteableIdField()
    noteable_type = StrictChoice(NOTEABLE)


NoteBody: Any = inline_serializer("NoteBody", {"api_token": token_field(), "note": IntumNoteWrite()})


class IntumNoteRead(Serializer):
    id = NumberedRowField("activity", source="*")
    name = TextOrNullField(source="subject")
    content = TextOrNullField(source="text")
    kind = serializers.SerializerMethodField()
    note_at = InstantField(digits=3, local=True, utc="+00:00", source="done_at")
    noteable_id = serializers.SerializerMethodField()
    noteable_type = serializers.SerializerMethodField()

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), **written()}

    def get_kind(self, activity: Activity) -> str | None:
        return KIND_OF.get(Types(activity.type))

    @extend_schema_field({"type": ["integer", "string"]})
    def get_noteable_id(self, activity: Activity) -> Any:
        return self.context["view"].ids.id_of(activity.deal or activity.contact)

    def get_noteable_type(self, activity: Activity) -> str:
        return noteable_type(activity)


class IntumNoteQuery(IntumListQuery):
    """The filters of the list; a type and an id are sent together."""

    q = IntumText()
    noteable_id = serializers.CharField(required=False)
    noteable_type = StrictChoice(NOTEABLE, required=False)


def noteable_type(activity: Activity) -> str:
    """The kind of the row that a note is about: its deal, else its contact."""
    if activity.deal is not None:
        return DEAL
    return type_of(activity.contact)


def type_of(contact: Any) -> str:
    return CLIENT if contact.kind == contact.Kinds.COMPANY else CONTACT
