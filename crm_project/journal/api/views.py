"""`/api/events`, and the histories of rows."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm_project.api.converters import row_lookup
from crm_project.api.errors import InvalidQuery
from crm_project.api.fields import UUID as UUID_PATTERN
from crm_project.api.pagination import MAX_PAGE_SIZE
from crm_project.api.views import ScopedView
from crm_project.errors import NotFound
from crm_project.journal import feed
from crm_project.journal.api.serializers import (
    EventSerializer,
    FeedSerializer,
    UndoneSerializer,
    known_kinds,
)
from crm_project.journal.models import Event
from crm_project.journal.presenting import present
from crm_project.journal.undo import undo
from crm_project.records.kinds import kinds
from crm_project.records.paging import Key
from crm_project.records.writing.columns import BIGGEST_ID

DEFAULT_LIMIT = 100
# A cursor of the feed: the epoch and the last number.
POSITION = re.compile(rf"({UUID_PATTERN.pattern})\.([0-9]{{1,19}})")


class HistoryView(ScopedView):
    """The events of one row, newest first."""

    queryset = Event.objects.none()
    serializer_class = EventSerializer
    orderings: ClassVar[Mapping[str, Key]] = {"sequence": Key("sequence")}
    default_ordering = "-sequence"
    # The kind of row; each route sets one.
    kind = ""

    @extend_schema(summary="List the events of one row, newest first")
    def list(self, request: Request, **lookup: Any) -> Response:
        """Each event has the member and the old and new values. A pipeline's history includes its stages' events."""
        [(field, value)] = lookup.items()
        row = kinds[self.kind].rows(self.actor.member).filter(**row_lookup(field, value)).first()
        if row is None:
            raise NotFound
        events: Any = self.paginate_queryset(Event.objects.history_of(row).with_actor())
        presented: Any = present(events, self.actor.member)
        return self.get_paginated_response(EventSerializer(presented, many=True).data)


class EventViewSet(ScopedView):
    """The feed: all events of the organization."""

    queryset = Event.objects.none()
    serializer_class = FeedSerializer
    costs = {"undo": 10}
    refused_reads: ClassVar[Mapping[str, tuple[int, ...]]] = {"feed": (409,)}
    action_parameters: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "feed": {
            "after": {
                "type": "integer",
                "minimum": 0,
                "default": 0,
                "description": "The `last` of the previous response.",
            },
            "epoch": {
                "type": "string",
                "format": "uuid",
                "description": "The `epoch` of the previous response: 409 `position_unknown` if it is no longer the"
                " feed's, as after the restore of a backup.",
            },
            "cursor": {
                "type": "string",
                "description": "The `next_cursor` of the previous response, in place of `after` and `epoch`.",
            },
            "limit": {
                "type": "integer",
                "minimum": 1,
                "maximum": MAX_PAGE_SIZE,
                "default": DEFAULT_LIMIT,
                "description": "The maximum number of events.",
            },
            "kind": {
                "type": "string",
                "description": "Only events of these kinds of row, such as `deal,contact`.",
            },
            "row": {
                "type": "string",
                "format": "uuid",
                "description": "Only events of the row with this uuid.",
            },
        }
    }

    @extend_schema(responses=FeedSerializer, summary="List the events of the organization in order")
    def feed(self, request: Request) -> Response:
        """Continue with `after` = `last` and `epoch`: every event comes exactly once, even during concurrent writes.

        409 `position_unknown`, with the present `epoch` and `last`, for another epoch and for a number beyond the end:
        a backup was restored. Read the rows again, then continue from there.
        """
        page = feed.read(self.actor.member, **self._feed_parameters(request.query_params))
        events = present(page.events, self.actor.member)
        answer = {"results": events, "epoch": page.epoch, "last": page.last, "more": page.more}
        answer["next_cursor"] = f"{page.epoch}.{page.last}"
        return Response(FeedSerializer(answer).data)

    @extend_schema(request=None, responses=UndoneSerializer, summary="Undo a change set")
    def undo(self, request: Request, sequence: int) -> Response:
        """Restores the previous values of every row of the event's change set, as a new change set.

        409 `undo_conflict`, with the fields, if they have been changed since; 409 `not_undoable` for events that
        cannot be undone; 409 `import_undo` for events of a large import, which `POST /api/imports/{uuid}/undo`
        undoes in the background: `import` is its uuid if you may undo it.
        """
        self.expect_no_body(request)
        result = undo(actor=self.actor, sequence=sequence)
        events = present(result.first_events(MAX_PAGE_SIZE), self.actor.member)
        answer = {"change_set": result.change_set, "undoes": result.undoes, "count": result.count}
        return Response(UndoneSerializer({**answer, "events": events}).data)

    def check_own_parameters(self, request: Request) -> None:
        if self.action == "feed":
            self._feed_parameters(request.query_params)

    def _feed_parameters(self, given: Mapping[str, str]) -> dict[str, Any]:
        errors: dict[str, list[str]] = {}
        if text := given.get("cursor"):
            position = POSITION.fullmatch(text)
            if position is None:
                errors["cursor"] = ["This cursor was not issued by this server."]
            elif "after" in given or "epoch" in given:
                errors["cursor"] = ["Must not be combined with after and epoch."]
            else:
                given = {**given, "epoch": position[1], "after": position[2]}
        parameters: dict[str, Any] = {
            "after": _whole(given, "after", 0, (0, BIGGEST_ID), errors),
            "limit": _whole(given, "limit", DEFAULT_LIMIT, (1, MAX_PAGE_SIZE), errors),
        }
        if "kind" in given:
            parameters["kinds"] = given["kind"].split(",")
            if not kinds.keys() >= {*parameters["kinds"]}:
                errors["kind"] = [f"Must be one or more of: {', '.join(known_kinds())}."]
        for name in ("row", "epoch"):
            if text := given.get(name):
                if UUID_PATTERN.fullmatch(text):
                    parameters[name] = UUID(text)
                else:
                    errors[name] = ["Must be a UUID."]
        if errors:
            raise InvalidQuery(errors)
        return parameters


def _whole(
    given: Mapping[str, str],
    name: str,
    default: int,
    bounds: tuple[int, int],
    errors: dict[str, list[str]],
) -> int:
    text, (low, high) = given.get(name, str(default)), bounds
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
    if not low <= value <= high:
        errors[name] = [f"Must be an integer from {low} to {high}."]
    return value
