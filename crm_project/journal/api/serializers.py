"""Serializers of events, of the feed and of undo."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.api.pagination import MAX_PAGE_SIZE
from crm_project.journal.event_types import known_types, types_of
from crm_project.journal.presenting import PresentedEvent
from crm_project.records.kinds import kinds

VALUE = {
    "description": "The field's value as in the row: a string, a number or a list. A related row is its id or uuid"
    ' with its name, or `{"hidden": true}` if you may not see it.',
}

EVENT_TYPE = serializers.ChoiceField(known_types())


class EventActorSerializer(Serializer):
    """The member who caused the event."""

    uuid = serializers.UUIDField()
    full_name = serializers.CharField()


class EventChangeSerializer(Serializer):
    """One field before and after. A custom field is `custom_fields.<key>`."""

    field = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        # `from` is a keyword, which a class body cannot declare.
        before = extend_schema_field(VALUE)(serializers.ReadOnlyField)(source="before")
        after = extend_schema_field(VALUE)(serializers.ReadOnlyField)(source="after")
        return {**super().get_fields(), "from": before, "to": after}


class EventSerializer(Serializer):
    """A change of one row. All events of a request share `change_set`; `undoes` is the change set that it undid."""

    def get_fields(self) -> dict[str, Any]:
        # A keyword, which a class body cannot declare.
        fields = super().get_fields()
        changes = fields.pop("changes")
        origin = serializers.UUIDField(
            source="event.import_uuid",
            allow_null=True,
            help_text="The import that recorded it. A row that an import creates has the type `created` alone.",
        )
        return {**fields, "import": origin, "changes": changes}

    sequence = serializers.IntegerField(source="event.sequence", help_text="Without gaps per organization.")
    at = serializers.DateTimeField(source="event.at")
    actor = EventActorSerializer(source="event.actor", allow_null=True)
    kind = serializers.CharField(source="event.kind")
    row = serializers.UUIDField(source="event.row_uuid", help_text="The uuid of the row.")
    version = serializers.IntegerField(
        source="event.row_version", help_text="The row's version after the event."
    )
    action = serializers.CharField(source="event.action")
    type = serializers.SerializerMethodField(help_text="The most specific of `types`, such as `deal.won`.")
    types = serializers.SerializerMethodField(
        help_text="All types of the event: a move that wins is `deal.won`, `deal.moved` and `deal.updated`."
    )
    change_set = serializers.UUIDField(source="event.change_set")
    undoes = serializers.UUIDField(source="event.undoes", allow_null=True)
    changes = EventChangeSerializer(many=True)

    @extend_schema_field(EVENT_TYPE)
    def get_type(self, presented: PresentedEvent) -> str:
        return types_of(presented.event)[0]

    @extend_schema_field(serializers.ListField(child=EVENT_TYPE))
    def get_types(self, presented: PresentedEvent) -> list[str]:
        return types_of(presented.event)


class FeedSerializer(Serializer):
    """Events in order. Continue with `cursor` = `next_cursor`, which also counts events that you may not see."""

    results = EventSerializer(many=True)
    epoch = serializers.UUIDField(
        help_text="Changes when a backup is restored. Send it back, so that a position from before is refused."
    )
    last = serializers.IntegerField()
    next_cursor = serializers.CharField(help_text="`epoch` and `last` as one value, for `cursor`.")
    more = serializers.BooleanField(help_text="Whether there may be more events now.")


class DoneEventSerializer(EventSerializer):
    """An event without its number, which it gets when the request ends."""

    sequence = None  # type: ignore[assignment]


class UndoneSerializer(Serializer):
    """The change set of an undo, which can itself be undone."""

    change_set = serializers.UUIDField()
    undoes = serializers.UUIDField()
    count = serializers.IntegerField(help_text="The number of rows that it changed.")
    events = DoneEventSerializer(
        many=True, help_text=f"The first {MAX_PAGE_SIZE} events; the feed has all of this `change_set`."
    )


def known_kinds() -> list[str]:
    return sorted(kinds)
