"""Serializers of notifications and of their switches."""

from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.api.fields import StrictBoolean, StrictDateTime, StrictInteger, StrictUUID
from crm_project.api.serializers import MemberSerializer, StrictSerializer
from crm_project.notifications.models import Notification
from crm_project.notifications.querysets import MODELS


class SubjectSerializer(Serializer):
    """The row that a notification is about."""

    kind = serializers.ChoiceField(list(MODELS), source="row_kind")
    uuid = StrictUUID()
    name = serializers.CharField(source="__str__")


class NotificationSerializer(Serializer):
    """What happened, for one member."""

    uuid = StrictUUID(source="notification.uuid")
    kind = serializers.ChoiceField(Notification.Kinds.choices, source="notification.kind")
    row = SubjectSerializer()
    text = serializers.CharField(source="summary", help_text="What happened to the row, in English.")
    user = MemberSerializer(source="who", allow_null=True, help_text="Who did it; null if nobody did.")
    sequence = serializers.IntegerField(
        source="notification.sequence", allow_null=True, help_text="The event, if there is one."
    )
    created_at = StrictDateTime(source="notification.created_at")
    read_at = StrictDateTime(source="notification.read_at", allow_null=True)


class MarkedSerializer(Serializer):
    """How many notifications were unread."""

    read = serializers.IntegerField()


class ChannelsSerializer(StrictSerializer):
    """The bell lists a notification, mail sends it."""

    bell = StrictBoolean(required=False)
    mail = StrictBoolean(required=False)


class SettingsSerializer(StrictSerializer):
    """The channels of each kind, and the morning digest."""

    deal_handed = ChannelsSerializer(required=False)
    deal_closed = ChannelsSerializer(required=False)
    deal_changed = ChannelsSerializer(required=False)
    activity_due = ChannelsSerializer(required=False)
    import_finished = ChannelsSerializer(required=False)
    digest = StrictBoolean(
        required=False, help_text="A mail in the morning with what is due, what has slipped and what was won."
    )
    digest_hour = StrictInteger(
        required=False,
        min_value=0,
        max_value=23,
        help_text="The hour of the digest in the organization's zone.",
    )
