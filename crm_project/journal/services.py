"""Writing of events at the end of a change set, and the replay that proves them complete."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import connection, models
from django.utils import timezone

from crm_project.changes import ChangeSet, Recorded
from crm_project.journal.models import Counter, Event


def write_events(changes: ChangeSet) -> None:
    """Number and insert the events, organization by organization; the counter's row is the last lock taken."""
    by_organization: dict[int, list[Recorded]] = defaultdict(list)
    for recorded in changes.recorded:
        by_organization[recorded.organization_id].append(recorded)
    for organization_id, rows in sorted(by_organization.items()):
        last = take_sequences(organization_id, len(rows))
        Event.objects.bulk_create(
            event_of(changes, recorded, sequence)
            for sequence, recorded in enumerate(rows, last - len(rows) + 1)
        )


def take_sequences(organization_id: int, count: int) -> int:
    """Give out the next `count` numbers; answers the last of them. The counter's row is locked until the commit."""
    table = connection.ops.quote_name(Counter._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (organization_id, last) VALUES (%s, %s)"
            f" ON CONFLICT (organization_id) DO UPDATE SET last = {table}.last + excluded.last RETURNING last",
            [organization_id, count],
        )
        return int(cursor.fetchone()[0])


def event_of(changes: ChangeSet, recorded: Recorded, sequence: int = 0) -> Event:
    """What was recorded as the event that it becomes; its number is known when the change set ends."""
    actor = changes.actor
    return Event(
        organization_id=recorded.organization_id,
        sequence=sequence,
        change_set=changes.uuid,
        undoes=changes.undoes,
        at=timezone.now(),
        actor=actor.member if actor and actor.organization_id == recorded.organization_id else None,
        token_uuid=actor.token.uuid if actor and actor.token else None,
        kind=recorded.kind,
        action=recorded.action,
        row_id=recorded.row_id,
        row_uuid=recorded.row_uuid,
        row_version=recorded.version,
        changes=recorded.changes,
    )


def replayed_columns(model: type[models.Model], events: Iterable[Event]) -> dict[int, dict[str, Any]]:
    """Each row's columns and lists as its events leave them, keyed by the row's id."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    rows: dict[int, dict[str, Any]] = defaultdict(dict)
    for event in events:
        for name, (_, value) in event.changes.items():
            rows[event.row_id][name] = fields[name].to_python(value) if name in fields else value
        rows[event.row_id]["version"] = event.row_version
    return rows
