"""Rules of webhooks: which events an endpoint gets, when a failed delivery is tried again, when an endpoint rests."""

import datetime
from collections.abc import Collection, Sequence
from random import Random

from crm_project.changes import names_of
from crm_project.journal.event_types import known_types, types_of
from crm_project.journal.models import Event
from crm_project.records.kinds import kinds
from crm_project.webhooks.formats import Message
from crm_project.webhooks.models import EVERYTHING, Webhook

# After this many failures in a row an endpoint is considered down: it gets one event, then rests.
DOWN_AFTER = 10
LONGEST_REST = 60
JITTER = 0.1


def takes(webhook: Webhook, event: Event) -> bool:
    """Whether the endpoint gets the event, visibility aside."""
    if webhook.skip_own and is_own(webhook, event):
        return False
    if EVERYTHING not in webhook.events and not set(types_of(event)) & set(webhook.events):
        return False
    return not webhook.fields or event.action != "updated" or bool(set(webhook.fields) & fields_of(event))


def takes_message(webhook: Webhook, message: Message) -> bool:
    """Whether the endpoint gets this message of an event that it takes."""
    return EVERYTHING in webhook.events or not message.events or bool({*message.events} & {*webhook.events})


def is_own(webhook: Webhook, event: Event) -> bool:
    """Done by the token that created the webhook; if none did, by its member through any token."""
    if webhook.token_uuid is not None:
        return event.token_uuid == webhook.token_uuid
    return event.token_uuid is not None and event.actor_id == webhook.member_id


def fields_of(event: Event) -> set[str]:
    """The names of the changed fields in the API; of a custom field also `custom_fields.<key>`."""
    fields = kinds[event.kind].fields
    names = {fields[name].name for name in names_of(event.changes) if name in fields}
    before, after = event.changes.get("custom_fields") or ({}, {})
    before, after = before or {}, after or {}
    keys = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    return names | {f"custom_fields.{key}" for key in keys}


def kinds_of(events: Collection[str]) -> list[str]:
    """The kinds of row whose events the types name."""
    if EVERYTHING in events:
        return list(kinds)
    return sorted({name.partition(".")[0] for name in events})


def known_fields(events: Collection[str]) -> set[str]:
    """The fields by which events of these types can be filtered; any custom field is one, too."""
    return {field.name for name in kinds_of(events) if name in kinds for field in kinds[name].fields.values()}


def known_events() -> list[str]:
    return [EVERYTHING, *known_types()]


def next_try(
    attempts: int, retries: Sequence[float], chance: Random, *, at_least: float = 0
) -> datetime.timedelta | None:
    """The pause after this many tries, with jitter; None if the delivery is given up."""
    if attempts > len(retries):
        return None
    pause = max(retries[attempts - 1], at_least)
    return datetime.timedelta(seconds=pause * chance.uniform(1 - JITTER, 1 + JITTER))


def rest(failures: int) -> datetime.timedelta:
    """How long an endpoint that is down rests before it gets the next event."""
    seconds = min(2 ** min(failures - DOWN_AFTER, 10), LONGEST_REST) if failures >= DOWN_AFTER else 0
    return datetime.timedelta(seconds=seconds)
