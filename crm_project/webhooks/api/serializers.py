"""Serializers of webhooks and of their deliveries."""

from typing import Any

from rest_framework import serializers

from crm_project.api.compiled import Serializer
from crm_project.api.fields import (
    OptionalText,
    StrictBoolean,
    StrictChoice,
    StrictDateTime,
    StrictInteger,
    StrictUUID,
    TextField,
)
from crm_project.api.serializers import MemberSerializer, StrictSerializer
from crm_project.outbound import MAX_URL
from crm_project.webhooks.formats import names
from crm_project.webhooks.models import Webhook, WebhookDelivery
from crm_project.webhooks.rules import known_events


class WebhookSerializer(StrictSerializer):
    """An endpoint of another system. Only the answers to its creation and to a rotation have its secret."""

    uuid = StrictUUID(read_only=True)
    url = TextField(max_length=MAX_URL, help_text="https, and a host outside the network.")
    description = OptionalText()
    events = serializers.ListField(
        child=StrictChoice(known_events()), min_length=1, max_length=200, help_text="Types of events, or `*`."
    )
    fields: Any = serializers.ListField(
        child=TextField(),
        required=False,
        max_length=100,
        help_text="If not empty, of updates only those that change one of these fields.",
    )
    format = StrictChoice(names(), required=False, help_text="The form of the bodies.")
    skip_own = StrictBoolean(
        required=False,
        help_text="Leave out what the token did that created the webhook; of a webhook that was created in the"
        " admin, what its user did through any token.",
    )
    is_active = StrictBoolean(required=False)
    paused_reason = serializers.ChoiceField(
        Webhook.Pauses.choices,
        read_only=True,
        allow_blank=True,
        help_text="Why the server paused it. To activate it again, set `is_active`.",
    )
    user = MemberSerializer(source="member", read_only=True, help_text="It gets what this member may see.")
    user_uuid: Any = StrictUUID(source="member", write_only=True, required=False)
    position = serializers.IntegerField(
        source="state.position", read_only=True, help_text="The `sequence` up to which it has read the feed."
    )
    failing_since = StrictDateTime(source="state.failing_since", read_only=True, allow_null=True)
    succeeded_at = StrictDateTime(source="state.succeeded_at", read_only=True, allow_null=True)
    previous_secret_until = StrictDateTime(
        read_only=True, allow_null=True, help_text="Until then the secret before the rotation signs, too."
    )
    created_at = StrictDateTime(read_only=True)
    updated_at = StrictDateTime(read_only=True)


class WebhookWithSecretSerializer(WebhookSerializer):
    """A webhook with its secret, which no later response contains."""

    secret = serializers.CharField(read_only=True)


class DeliverySerializer(Serializer):
    """One message and its last try."""

    uuid = StrictUUID()
    message_id = serializers.CharField(help_text="The header `webhook-id`, the same in each try.")
    type = serializers.CharField()
    sequence = serializers.IntegerField(allow_null=True, help_text="The event; null for a test.")
    row = serializers.UUIDField(source="row_uuid", allow_null=True)
    state = serializers.ChoiceField(WebhookDelivery.States.choices)
    attempts = serializers.IntegerField()
    next_attempt_at = StrictDateTime(allow_null=True)
    created_at = StrictDateTime()
    attempted_at = StrictDateTime(allow_null=True)
    duration_ms = serializers.IntegerField(allow_null=True)
    url = serializers.CharField()
    status = serializers.IntegerField(allow_null=True, help_text="Null if there was no answer.")
    error = serializers.CharField()
    request = serializers.CharField(source="body", allow_null=True, help_text="The body that was sent.")
    answer = serializers.CharField(help_text="The beginning of the body of the answer.")


class ReplaySerializer(StrictSerializer):
    """`since` a position, or `from` an instant and perhaps `to` another one."""

    since = StrictInteger(required=False, min_value=0, help_text="Events after this `sequence`.")

    def get_fields(self) -> dict[str, Any]:
        # `from` is a keyword, which a class body cannot declare.
        start = StrictDateTime(required=False, source="start")
        end = StrictDateTime(
            required=False, source="end", help_text="With an end, each event of the range is tried once."
        )
        return {**super().get_fields(), "from": start, "to": end}


def with_secret(webhook: Any, secret: str) -> dict[str, Any]:
    return {**WebhookSerializer(webhook).data, "secret": secret}
