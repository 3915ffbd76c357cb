"""The forms of the bodies of webhooks: the product's own, and those that dialects register."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from crm_project.accounts.models import Member
from crm_project.journal.presenting import PresentedEvent

TEST_TYPE = "webhook.test"
OWN = "crm"


@dataclass(frozen=True)
class Message:
    """One body; `type` is what the log shows.

    `events` are the types of events that the message stands for, where an event is several messages: an endpoint
    gets it only if it has one of them. Without any it gets it with the event. `id_field` is the field of the body, if
    there is one, that has the id of the message.
    """

    type: str
    body: Mapping[str, Any]
    events: Collection[str] = ()
    id_field: str = ""


def compact(body: Mapping[str, Any]) -> str:
    return json.dumps(body, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class Format:
    """`messages(presented events, the member who sees them)` returns the messages of each event, in order.

    An event may have none. `encode` returns the JSON text of a body.
    """

    label: str
    messages: Callable[[Sequence[PresentedEvent], Member], Sequence[Sequence[Message]]]
    encode: Callable[[Mapping[str, Any]], str] = compact

    def encoded(self, message: Message, message_id: str) -> str:
        """The text that is signed and sent."""
        own_id = {message.id_field: message_id} if message.id_field else {}
        return self.encode({**message.body, **own_id})


formats: dict[str, Format] = {}


def names() -> list[str]:
    return list(formats)


def test_body(timestamp: str) -> str:
    """The text of a test, the same in each format."""
    return compact({"type": TEST_TYPE, "timestamp": timestamp, "data": {}})
