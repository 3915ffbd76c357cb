"""The shape of an event: who did what to which row, and when."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_project.api.pagination import MAX_PAGE_SIZE
from crm_project.journal.presenting import PresentedEvent
from crm_project.records.kinds import kinds

VALUE = {
    "description": "The field's value as the row shows it: a text, a number, a list; a row as its id or uuid and its"
    ' name; `{"hidden": true}` for a row that you may not see.',
}


class EventActorSerializer(serializers.Serializer[Any]):
    """The member who did it."""

    uuid = serializers.UUIDField()
    full_name = serializers.CharField()


class EventChangeSerializer(serializers.Serializer[Any]):
    """One field before and after. A custom field is `custom_fields.<key>`."""

    field = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        # `from` is no name that a class body can declare.
        before = extend_schema_field(VALUE)(serializers.ReadOnlyField)(source="before")
        after = extend_schema_field(VALUE)(serializers.ReadOnlyField)(source="after")
        return {**super().get_fields(), "from": before, "to": after}


class EventSerializer(serializers.Serializer[PresentedEvent]):
    """One row's change. `change_set` is shared by all that one request did; `undoes` names the one it took back."""

    sequence = serializers.IntegerField(source="event.sequence", help_text="Without gaps per organization.")
    at = serializers.DateTimeField(source="event.at")
    actor = EventActorSerializer(source="event.actor", allow_null=True)
    kind = serializers.CharField(source="event.kind")
    row = serializers.UUIDField(source="event.row_uuid", help_text="The uuid of the row.")
    version = serializers.IntegerField(
        source="event.row_version", help_text="The row's version from then on."
    )
    action = serializers.CharField(source="event.action")
    change_set = serializers.UUIDField(source="event.change_set")
    undoes = serializers.UUIDField(source="event.undoes", allow_null=True)
    changes = EventChangeSerializer(many=True)


class FeedSerializer(serializers.Serializer[Any]):
    """Events in order. Ask again with `after` = `last`; hidden events leave gaps, and `last` is beyond them."""

    results = EventSerializer(many=True)
    last = serializers.IntegerField()
    more = serializers.BooleanField(help_text="Whether there may be more already.")


class DoneEventSerializer(EventSerializer):
    """An event that gets its number when the request ends."""

    sequence = None  # type: ignore[assignment]


class UndoneSerializer(serializers.Serializer[Any]):
    """What an undo did: as a change set of its own, which can be undone in turn."""

    change_set = serializers.UUIDField()
    undoes = serializers.UUIDField()
    count = serializers.IntegerField(help_text="How many rows it has changed.")
    events = DoneEventSerializer(
        many=True, help_text=f"The first {MAX_PAGE_SIZE}; the feed has all, under this `change_set`."
    )


def known_kinds() -> list[str]:
    return sorted(kinds)
