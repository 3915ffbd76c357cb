"""The forms of the bodies of webhooks: the product's own, and those that dialects register."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from crm_project.accounts.models import Member
from crm_project.journal.presenting import PresentedEvent

TEST_TYPE = "webhook.test"


@dataclass(frozen=True)
class Message:
    """One body; `type` is what the log shows."""

    type: str
    body: Mapping[str, Any]


# messages(presented events, the member who sees them) -> the messages of each event, in order
Format = Callable[[Sequence[PresentedEvent], Member], Sequence[Sequence[Message]]]


def names() -> list[str]:
    return list(formats)


def test_message(timestamp: str) -> Message:
    return Message(TEST_TYPE, {"type": TEST_TYPE, "timestamp": timestamp, "data": {}})


OWN = "crm"
formats: dict[str, Format] = {}


def encoded(message: Message) -> str:
    """The text that is signed and sent."""
    return json.dumps(message.body, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))
