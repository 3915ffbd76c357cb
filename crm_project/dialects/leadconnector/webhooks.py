"""The bodies of LeadConnector's webhooks, as the vendor publishes them.

One event may be several messages: a move is an `OpportunityUpdate` and an `OpportunityStageUpdate`. A body is the row
as it is when the message is first sent, with the ids of the dialect. Fields without a value are left out, since no
field of the published schemas may be null.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from contacts.models import Contact
from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.api.compiled import Serializer
from crm_project.dialects.kit.fields import EmptyListField, NumberField, TextOrNullField
from crm_project.dialects.kit.instants import InstantField, format_instant
from crm_project.dialects.kit.renderers import ExactJSONRenderer
from crm_project.dialects.kit.representing import Representation
from crm_project.dialects.kit.rows import RowField
from crm_project.dialects.leadconnector.serializers.custom_field_backed import (
    CustomFieldBackedDay,
    CustomFieldBackedFlag,
    CustomFieldBackedObject,
    CustomFieldBackedText,
    LeadConnectorOtherCustomFields,
    LeadConnectorTagsField,
)
from crm_project.dialects.leadconnector.serializers.fields import LocationField
from crm_project.dialects.leadconnector.serializers.opportunities import CompanyNameField, ContactIdField
from crm_project.dialects.leadconnector.views.base import SYSTEM
from crm_project.journal.models import Event
from crm_project.journal.presenting import PresentedEvent
from crm_project.webhooks.formats import Message
from deals.models import Deal

# The message of each action on a row. A restored row is a new one to a receiver that has deleted it.
ACTIONS = {
    "created": "Create",
    "restored": "Create",
    "updated": "Update",
    "redacted": "Update",
    "trashed": "Delete",
}
# The types of events that stand for a change of the status.
STATUS = ("deal.won", "deal.lost", "deal.abandoned", "deal.reopened")
# Beside an update: the message for the change of a column, and the types of events that it stands for.
OPPORTUNITY_UPDATES = {
    "status": ("OpportunityStatusUpdate", STATUS),
    "stage_id": ("OpportunityStageUpdate", ("deal.moved",)),
    "owner_id": ("OpportunityAssignedToUpdate", ()),
    "amount": ("OpportunityMonetaryValueUpdate", ()),
}
# The same for the values of custom fields that the vendor's fields represent.
CONTACT_UPDATES = {
    "tags": "ContactTagUpdate",
    "dnd": "ContactDndUpdate",
    "dnd_settings": "ContactDndUpdate",
}
DND = "ContactDndUpdate"


class LeadConnectorBirthday(CustomFieldBackedDay):
    """A day as the instant of its beginning, as in the published examples."""

    def to_representation(self, value: Any) -> str:
        return f"{value}T00:00:00.000Z"


class LeadConnectorOpportunityEvent(Serializer):
    locationId = LocationField()
    id = RowField("deal", source="*")
    assignedTo = RowField("user", source="owner", allow_null=True)
    contactId = ContactIdField()
    monetaryValue = NumberField(source="amount", allow_null=True)
    name = serializers.CharField()
    pipelineId = RowField("pipeline", source="stage.pipeline")
    pipelineStageId = RowField("stage", source="stage")
    source: Any = TextOrNullField(source="origin")
    status = serializers.CharField()
    dateAdded = InstantField(digits=3, source="created_at")


class LeadConnectorContactEvent(Serializer):
    locationId = LocationField()
    id = RowField("contact", source="*")
    address1 = TextOrNullField(source="street")
    city = TextOrNullField()
    companyName = CompanyNameField()
    country = TextOrNullField()
    source: Any = TextOrNullField(source="origin")
    dateAdded = InstantField(digits=3, source="created_at")
    dateOfBirth = LeadConnectorBirthday("date_of_birth")
    dnd = CustomFieldBackedFlag("dnd")
    dndSettings = CustomFieldBackedObject("dnd_settings")
    email = TextOrNullField()
    name = serializers.CharField(source="full_name")
    firstName = TextOrNullField(source="first_name")
    lastName = TextOrNullField(source="last_name")
    phone = TextOrNullField()
    postalCode = TextOrNullField(source="postal_code")
    state = CustomFieldBackedText("state")
    tags = LeadConnectorTagsField()
    website = TextOrNullField()
    attachments = EmptyListField()
    assignedTo = RowField("user", source="owner", allow_null=True)
    customFields = LeadConnectorOtherCustomFields("contact", source="custom_fields", shown_as="value")


Bodies = Mapping[tuple[str, int], dict[str, Any]]


def messages(events: Sequence[PresentedEvent], member: Member) -> list[list[Message]]:
    """The messages of each event; none for other kinds of row, and for a row that is gone for good."""
    bodies = _bodies([presented.event for presented in events], member)
    return [_messages(presented.event, bodies) for presented in events]


def encode(body: Mapping[str, Any]) -> str:
    """The JSON text, with amounts as exact numbers."""
    return ExactJSONRenderer().render(dict(body)).decode()


def _bodies(events: Sequence[Event], member: Member) -> Bodies:
    """The rows of the events that the member may see, live or in the trash."""
    representation = Representation(Actor(member), SYSTEM)
    deals = Deal.objects.seen_by(member).select_related("stage__pipeline", "contact", "client", "owner")
    contacts = Contact.objects.seen_by(member).select_related("company", "owner")
    bodies: dict[tuple[str, int], dict[str, Any]] = {}
    for rows, serializer in ((deals, LeadConnectorOpportunityEvent), (contacts, LeadConnectorContactEvent)):
        kind = rows.model.row_kind
        found = list(rows.filter(pk__in={event.row_id for event in events if event.kind == kind}))
        for row, body in zip(found, representation.serialize(serializer, found), strict=True):
            bodies[kind, row.pk] = {name: value for name, value in body.items() if value is not None}
    return bodies


def _messages(event: Event, bodies: Bodies) -> list[Message]:
    body, verb = bodies.get((event.kind, event.row_id)), ACTIONS.get(event.action)
    if body is None or verb is None:
        return []
    noun, updates = ("Opportunity", _deal_updates) if event.kind == "deal" else ("Contact", _contact_updates)
    # An endpoint that asks for the special updates alone gets no general one.
    own = f"{event.kind}.{'deleted' if verb == 'Delete' else event.action}"
    found = [_message(f"{noun}{verb}", event, body, [own])]
    more = updates(event) if event.action == "updated" else []
    return found + [_message(name, event, body, types or [own]) for name, types in more]


def _message(name: str, event: Event, body: Mapping[str, Any], types: Sequence[str]) -> Message:
    fields = {field: value for field, value in body.items() if field != "dndSettings" or name == DND}
    at = format_instant(event.at, digits=3)
    return Message(name, {"type": name, "timestamp": at, **fields}, events=tuple(types), id_field="webhookId")


def _deal_updates(event: Event) -> list[tuple[str, Sequence[str]]]:
    return [update for column, update in OPPORTUNITY_UPDATES.items() if column in event.changes]


def _contact_updates(event: Event) -> list[tuple[str, Sequence[str]]]:
    values: Sequence[Mapping[str, Any] | None] = event.changes.get("custom_fields") or ({}, {})
    before, after = (value or {} for value in values)
    changed = [name for key, name in CONTACT_UPDATES.items() if before.get(key) != after.get(key)]
    return [(name, ()) for name in dict.fromkeys(changed)]
