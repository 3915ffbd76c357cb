"""The bodies of webhooks: the product's own, and those that dialects register."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from crm_project.accounts.models import Member
from crm_project.journal.api.serializers import EventSerializer
from crm_project.journal.event_types import types_of
from crm_project.journal.presenting import PresentedEvent

TEST_TYPE = "webhook.test"


@dataclass(frozen=True)
class Message:
    """One body; `type` is what the log shows."""

    type: str
    body: Mapping[str, Any]


# messages(presented events, the member who sees them) -> the messages of each event, in order
Format = Callable[[Sequence[PresentedEvent], Member], Sequence[Sequence[Message]]]


def own_messages(events: Sequence[PresentedEvent], member: Member) -> list[list[Message]]:
    """One message for each event: its type, its time, and the event as in the feed."""
    return [[_own_message(presented)] for presented in events]


def _own_message(presented: PresentedEvent) -> Message:
    data = EventSerializer(presented).data
    kind = types_of(presented.event)[0]
    return Message(kind, {"type": kind, "timestamp": data["at"], "data": data})


def test_message(timestamp: str) -> Message:
    return Message(TEST_TYPE, {"type": TEST_TYPE, "timestamp": timestamp, "data": {}})


OWN = "crm"
formats: dict[str, Format] = {OWN: own_messages}


def encoded(message: Message) -> str:
    """The text that is signed and sent."""
    return json.dumps(message.body, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))
