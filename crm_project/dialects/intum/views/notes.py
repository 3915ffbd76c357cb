"""`/crm/notes.json`."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import ErrorDetail, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.activities.models import Activity
from crm_project.activities.services import create_activities, trash_activities, update_activities
from crm_project.dialects.intum.serializers import notes as serializers
from crm_project.dialects.intum.views.base import IntumView
from crm_project.dialects.kit.activities import are_logged, is_logged


class IntumNoteView(IntumView):
    """Notes of deals, clients and contacts."""

    wrapper = "note"
    queries = {"index": serializers.IntumNoteQuery}

    @extend_schema(
        parameters=[serializers.IntumNoteQuery],
        responses=serializers.IntumNoteRead(many=True),
        summary="List notes",
    )
    def index(self, request: Request) -> Response:
        query = self.query
        rows = self.rows().filter(are_logged()).matching(query.get("q") or "")
        sent = query.keys() & {"noteable_type", "noteable_id"}
        if len(sent) == 2:
            found = self._noteable(query["noteable_type"], query["noteable_id"])
            rows = rows.filter(**found) if found else rows.none()
        else:
            self.ignore(sent)
        page = self.page(rows.order_by("-created_at", "-id"))
        self.ids.prefetch(activity.deal or activity.contact for activity in page)
        return Response(self.serialize(serializers.IntumNoteRead, page, many=True))

    @extend_schema(
        request=serializers.NoteBody,
        responses={201: serializers.IntumNoteRead},
        summary="Create a note",
        examples=[OpenApiExample("Create", serializers.EXAMPLE_REQUEST, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        change = self._completed(self.read(serializers.IntumNoteWrite, self.sent()), None)
        whole = {"type": Activity.Types.NOTE, "done": True, "owner": self.actor.member.pk, **change}
        activity = create_activities(actor=self.actor, changes=[whole])[0]
        return Response(self.representation(activity), self.create_status)

    @extend_schema(responses=serializers.IntumNoteRead, summary="Show a note")
    def retrieve(self, request: Request, row: str) -> Response:
        return Response(self.representation(self._note(row)))

    @extend_schema(request=serializers.NoteBody, responses=serializers.IntumNoteRead, summary="Change a note")
    def update(self, request: Request, row: str) -> Response:
        activity = self._note(row)
        changed = self.changed(serializers.IntumNoteWrite, self.representation(activity))
        update_activities(actor=self.actor, changes=[(activity, self._completed(changed, activity))])
        return Response(self.representation(activity))

    @extend_schema(responses=serializers.IntumNoteRead, summary="Delete a note")
    def destroy(self, request: Request, row: str) -> Response:
        activity = self._note(row)
        data = self.representation(activity)
        trash_activities(actor=self.actor, rows=[activity])
        return Response(data, self.delete_status)

    def rows(self) -> Any:
        return Activity.objects.visible_to(self.actor.member).select_related("deal", "contact")

    def representation(self, activity: Activity) -> Any:
        """The note, read again from the database."""
        return self.serialize(serializers.IntumNoteRead, self.rows().get(pk=activity.pk))

    def _note(self, row: str) -> Activity:
        activity: Activity = self.find("activity", row)
        if not is_logged(activity):
            raise NotFound
        return activity

    def _completed(self, change: dict[str, Any], activity: Activity | None) -> dict[str, Any]:
        """The core's change, with the row that the note is about. Of a moved note, the other one stays."""
        kind, key = change.pop("noteable_type", None), change.pop("noteable_id", None)
        if kind is None and key is None:
            return change
        before = {}
        if activity is not None:
            kind = kind or serializers.noteable_type(activity)
            key = key or str(self.ids.id_of(activity.deal or activity.contact))
            before = {"deal": None} if activity.deal_id else {"contact": None}
        found = self._noteable(kind, key)
        if not found:
            raise ValidationError({"noteable_id": [ErrorDetail("", "does_not_exist")]})
        return {**change, **before, **found}

    def _noteable(self, kind: str, key: Any) -> dict[str, int]:
        """The column and the id of a row of this type; empty if there is none."""
        is_deal = kind == serializers.DEAL
        row = self.ids.resolve("deal" if is_deal else "contact", key)
        if row is None or not (is_deal or serializers.type_of(row) == kind):
            return {}
        return {"deal" if is_deal else "contact": row.pk}
