"""`/contacts/{id}/notes` and `/contacts/{id}/tasks`: activities of a contact."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.activities.models import Activity
from crm_project.activities.services import create_activities, trash_activities, update_activities
from crm_project.dialects.kit.activities import NOTE, TASK, are_logged, is_logged
from crm_project.dialects.leadconnector.serializers import activities as serializers
from crm_project.dialects.leadconnector.serializers.opportunities import Done
from crm_project.dialects.leadconnector.views.base import LeadConnectorView

# The vendor has no pages of notes and tasks.
MOST = 1000


class LeadConnectorActivityView(LeadConnectorView):
    """The base view of notes and tasks."""

    key: ClassVar[str]
    type: ClassVar[str]
    read_serializer: ClassVar[Any]

    def rows(self) -> Any:
        return Activity.objects.visible_to(self.actor.member).select_related("contact", "owner")

    def listed(self, contact_id: str, rows: Any) -> Response:
        """The newest ones of the contact."""
        found = rows.filter(contact=self.find("contact", contact_id)).order_by("-created_at", "-id")[:MOST]
        return Response({f"{self.key}s": self.serialize(self.read_serializer, found, many=True)})

    def one(self, activity: Activity, status: int = 200) -> Response:
        return Response({self.key: self.representation(activity)}, status)

    def representation(self, activity: Activity) -> Any:
        """The activity, read again from the database."""
        return self.serialize(self.read_serializer, self.rows().get(pk=activity.pk))

    def created(self, contact_id: str, serializer: Any) -> Response:
        contact = self.find("contact", contact_id)
        change = serializers.activity_change(self.read(serializer), None)
        whole = {**change, "type": self.type, "contact": contact.pk}
        return self.one(create_activities(actor=self.actor, changes=[whole])[0], self.create_status)

    def updated(self, activity: Activity, serializer: Any) -> Response:
        """Only fields whose values differ are read: clients send whole rows back."""
        sent = self.request.data
        if isinstance(sent, Mapping):
            sent = self.changed_fields(sent, self.representation(activity))
        change = serializers.activity_change(self.read(serializer, sent), activity)
        update_activities(actor=self.actor, changes=[(activity, change)])
        return self.one(activity)

    def trashed(self, activity: Activity) -> Response:
        trash_activities(actor=self.actor, rows=[activity])
        return Response(self.done)

    def activity(self, contact_id: str, row_id: str) -> Activity:
        """The activity of this id, if it is one of the contact, else 404."""
        contact, found = self.find("contact", contact_id), self.find("activity", row_id)
        activity: Activity = found
        if activity.contact_id != contact.pk or not self.fits(activity):
            raise NotFound
        return activity

    def fits(self, activity: Activity) -> bool:
        raise NotImplementedError


class LeadConnectorNoteView(LeadConnectorActivityView):
    """Notes of a contact, and the calls, meetings and e-mails that were written down afterwards."""

    key, type = "note", NOTE
    read_serializer = serializers.LeadConnectorNoteRead

    def fits(self, activity: Activity) -> bool:
        return is_logged(activity)

    @extend_schema(
        operation_id="dialects_leadconnector_contacts_notes_list",
        responses=serializers.Notes,
        summary="The newest notes of a contact",
    )
    def index(self, request: Request, contact_id: str) -> Response:
        return self.listed(contact_id, self.rows().filter(are_logged()))

    @extend_schema(
        request=serializers.LeadConnectorNoteCreate,
        responses={201: serializers.OneNote},
        summary="Create a note",
        examples=[OpenApiExample("Note", serializers.EXAMPLE_NOTE, request_only=True)],
    )
    def create(self, request: Request, contact_id: str) -> Response:
        return self.created(contact_id, serializers.LeadConnectorNoteCreate)

    @extend_schema(responses=serializers.OneNote, summary="One note")
    def retrieve(self, request: Request, contact_id: str, row_id: str) -> Response:
        return self.one(self.activity(contact_id, row_id))

    @extend_schema(
        request=serializers.LeadConnectorNoteUpdate,
        responses=serializers.OneNote,
        summary="Change the fields in the body",
    )
    def update(self, request: Request, contact_id: str, row_id: str) -> Response:
        return self.updated(self.activity(contact_id, row_id), serializers.LeadConnectorNoteUpdate)

    @extend_schema(request=None, responses=Done, summary="Move to the trash")
    def destroy(self, request: Request, contact_id: str, row_id: str) -> Response:
        return self.trashed(self.activity(contact_id, row_id))


class LeadConnectorTaskView(LeadConnectorActivityView):
    """Tasks of a contact, and its planned calls, meetings and e-mails."""

    key, type = "task", TASK
    read_serializer = serializers.LeadConnectorTaskRead

    def fits(self, activity: Activity) -> bool:
        """A call without a due date leaves the list when it is done, and is still found."""
        return activity.type != NOTE

    @extend_schema(
        operation_id="dialects_leadconnector_contacts_tasks_list",
        responses=serializers.Tasks,
        summary="The newest tasks of a contact",
    )
    def index(self, request: Request, contact_id: str) -> Response:
        return self.listed(contact_id, self.rows().exclude(are_logged()))

    @extend_schema(
        request=serializers.LeadConnectorTaskCreate,
        responses={201: serializers.OneTask},
        summary="Create a task",
        examples=[OpenApiExample("Task", serializers.EXAMPLE_TASK, request_only=True)],
    )
    def create(self, request: Request, contact_id: str) -> Response:
        return self.created(contact_id, serializers.LeadConnectorTaskCreate)

    @extend_schema(responses=serializers.OneTask, summary="One task")
    def retrieve(self, request: Request, contact_id: str, row_id: str) -> Response:
        return self.one(self.activity(contact_id, row_id))

    @extend_schema(
        request=serializers.LeadConnectorTaskUpdate,
        responses=serializers.OneTask,
        summary="Change the fields in the body",
    )
    def update(self, request: Request, contact_id: str, row_id: str) -> Response:
        return self.updated(self.activity(contact_id, row_id), serializers.LeadConnectorTaskUpdate)

    @extend_schema(
        request=serializers.LeadConnectorTaskCompletion,
        responses=serializers.OneTask,
        summary="Mark as done, or open again",
    )
    def complete(self, request: Request, contact_id: str, row_id: str) -> Response:
        activity = self.activity(contact_id, row_id)
        change = serializers.activity_change(self.read(serializers.LeadConnectorTaskCompletion), activity)
        update_activities(actor=self.actor, changes=[(activity, change)])
        return self.one(activity)

    @extend_schema(request=None, responses=Done, summary="Move to the trash")
    def destroy(self, request: Request, contact_id: str, row_id: str) -> Response:
        return self.trashed(self.activity(contact_id, row_id))
