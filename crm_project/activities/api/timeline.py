"""`/api/deals/{uuid}/timeline` and `/api/contacts/{uuid}/timeline`."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import prefetch_related_objects
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from crm_project.activities.api.serializers import ActivitySerializer
from crm_project.activities.models import Activity
from crm_project.activities.timeline import KINDS, Entry, Position, Section, read
from crm_project.api.compiled import Serializer
from crm_project.api.errors import InvalidQuery
from crm_project.api.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from crm_project.api.views import ScopedView
from crm_project.errors import NotFound
from crm_project.journal.api.serializers import EventActorSerializer, EventSerializer
from crm_project.records.kinds import kinds
from crm_project.records.paging import InvalidCursor

SECTIONS = [section.name.lower() for section in reversed(Section)]
EXAMPLE = {
    "next": None,
    "next_cursor": None,
    "results": [
        {
            "section": "past",
            "kind": "change",
            "at": "2026-11-29T09:30:00Z",
            "text": "Moved from Qualified to Proposal",
            "member": {"uuid": "5b2f6f0e-7a57-4d9a-9c4e-0d8a3b1f2c3d", "full_name": "Ann Mills"},
            "about": {"kind": "deal", "uuid": "0b6c2f1e-8f5e-4c59-9f0e-3d0a7f2f6c11", "name": "New roof"},
            "activity": None,
            "event": {
                "sequence": 812,
                "at": "2026-11-29T09:30:00Z",
                "actor": {"uuid": "5b2f6f0e-7a57-4d9a-9c4e-0d8a3b1f2c3d", "full_name": "Ann Mills"},
                "kind": "deal",
                "row": "0b6c2f1e-8f5e-4c59-9f0e-3d0a7f2f6c11",
                "version": 4,
                "action": "updated",
                "type": "deal.moved",
                "types": ["deal.moved", "deal.updated"],
                "change_set": "7e1d2c3b-4a5f-4e6d-8c7b-9a0b1c2d3e4f",
                "undoes": None,
                "changes": [
                    {
                        "field": "stage",
                        "from": {"id": 2, "name": "Qualified"},
                        "to": {"id": 3, "name": "Proposal"},
                    }
                ],
            },
        }
    ],
}


class TimelineAboutSerializer(Serializer):
    """The deal or contact that an entry is about."""

    kind = serializers.ChoiceField(["deal", "contact"])
    uuid = serializers.UUIDField()
    name = serializers.CharField()


class TimelineEntrySerializer(Serializer):
    """An activity or a change: one of `activity` and `event` is null."""

    section = serializers.ChoiceField(SECTIONS)
    kind = serializers.ChoiceField(KINDS)
    at = serializers.DateTimeField(
        allow_null=True, help_text="When it happened or, of a planned activity, when it is due."
    )
    text = serializers.CharField(
        help_text="In a salesperson's words, such as `Won` or the subject of a call."
    )
    member = EventActorSerializer(
        allow_null=True, help_text="Who made the change, or the owner of the activity."
    )
    about = TimelineAboutSerializer()
    activity = ActivitySerializer(allow_null=True)
    event = EventSerializer(allow_null=True)


@extend_schema_serializer(examples=[OpenApiExample("A deal that was moved", EXAMPLE, response_only=True)])
class TimelineSerializer(Serializer):
    """A page of a timeline. Continue with `next`, or with `cursor` = `next_cursor`."""

    next = serializers.URLField(allow_null=True)
    next_cursor = serializers.CharField(allow_null=True)
    results = TimelineEntrySerializer(many=True)


class TimelineView(ScopedView):
    """What is planned with a deal or a contact, and what has happened."""

    queryset = Activity.objects.none()
    serializer_class = TimelineSerializer
    # The kind of row; each route sets one.
    kind = ""
    action_parameters: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "timeline": {
            "kind": {
                "type": "string",
                "enum": list(KINDS),
                "description": "Only activities (without notes), only notes, or only changes.",
            },
            "cursor": {"type": "string", "description": "The `next_cursor` of the previous page."},
            "page_size": {
                "type": "integer",
                "minimum": 1,
                "maximum": MAX_PAGE_SIZE,
                "default": DEFAULT_PAGE_SIZE,
                "description": "The number of entries of a page.",
            },
        }
    }

    @extend_schema(responses=TimelineSerializer, summary="What is planned and what has happened")
    def timeline(self, request: Request, uuid: Any) -> Response:
        """Planned activities in the order of their deadlines, then pinned ones, then all else, newest first.

        Changes are the events of the history in a salesperson's words. The timeline of a contact has also what
        happened with its deals, that of a company what happened with its people and their deals; deals that you may
        not see are left out. Changes of activities are in the feed only.
        """
        row = kinds[self.kind].rows(self.actor.member).filter(uuid=uuid).first()
        if row is None:
            raise NotFound
        kind, size = self._parameters(request)
        page = read(self.actor.member, row, kind=kind, after=self._position(request, row, kind), size=size)
        activities = [entry.activity for entry in page.entries if entry.activity is not None]
        prefetch_related_objects(activities, "references")
        cursor = page.next.encode(row, kind) if page.next else None
        here = request.build_absolute_uri()
        answer = {
            "next": replace_query_param(here, "cursor", cursor) if cursor else None,
            "next_cursor": cursor,
            "results": [_represented(entry, row) for entry in page.entries],
        }
        return Response(TimelineSerializer(answer).data)

    def check_own_parameters(self, request: Request) -> None:
        self._parameters(request)

    def _parameters(self, request: Request) -> tuple[str, int]:
        given, wrong = request.query_params, {}
        kind, text = given.get("kind", ""), given.get("page_size", str(DEFAULT_PAGE_SIZE))
        if kind and kind not in KINDS:
            wrong["kind"] = [f"Must be one of: {', '.join(KINDS)}."]
        size = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
        if not 1 <= size <= MAX_PAGE_SIZE:
            wrong["page_size"] = [f"Must be a number from 1 to {MAX_PAGE_SIZE}."]
        for name in {"total", "deleted"} & given.keys():
            wrong[name] = ["A timeline does not take this parameter."]
        if wrong:
            raise InvalidQuery(wrong)
        return kind, size

    def _position(self, request: Request, row: Any, kind: str) -> Position | None:
        text = request.query_params.get("cursor")
        try:
            return Position.decode(text, row, kind) if text else None
        except InvalidCursor as error:
            raise InvalidQuery({wrong.field: [wrong.detail] for wrong in error.fields}) from None


def _represented(entry: Entry, row: Any) -> dict[str, Any]:
    section = entry.position.section.name.lower()
    if entry.change is not None:
        about = entry.about or row
        return {
            "section": section,
            "kind": "change",
            "at": entry.at,
            "text": entry.change.text,
            "member": entry.change.event.actor,
            "about": _about(about),
            "activity": None,
            "event": entry.change.presented,
        }
    activity = entry.activity
    return {
        "section": section,
        "kind": "note" if activity.type == Activity.Types.NOTE else "activity",
        "at": entry.at,
        "text": str(activity),
        "member": activity.owner,
        "about": _about(activity.deal or activity.contact),
        "activity": activity,
        "event": None,
    }


def _about(row: Any) -> dict[str, Any]:
    return {"kind": row.row_kind, "uuid": row.uuid, "name": str(row)}
