"""The product's own form of a body, by Standard Webhooks: its type, its time, and the event as in the feed."""

from collections.abc import Sequence

from crm_project.accounts.models import Member
from crm_project.journal.event_types import types_of
from crm_project.journal.presenting import PresentedEvent
from crm_project.webhooks.formats import Message


def own_messages(events: Sequence[PresentedEvent], member: Member) -> list[list[Message]]:
    """One message for each event, whatever the number of its types."""
    # Imported late, since it lists the types of events of all apps.
    from crm_project.journal.api.serializers import EventSerializer

    messages = []
    for presented in events:
        data = EventSerializer(presented).data
        kind = types_of(presented.event)[0]
        messages.append([Message(kind, {"type": kind, "timestamp": data["at"], "data": data})])
    return messages
