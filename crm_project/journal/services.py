"""The write of events at the end of a change set, and their replay, which tests use to prove them complete."""

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterable
from itertools import islice
from typing import Any

from django.db import connection, models
from django.utils import timezone

from crm_project.changes import ChangeSet, Recorded, stored
from crm_project.journal.models import Counter, Event
from crm_project.records.bulk_sql import insert_rows
from crm_project.records.instances import fast_instance

BATCH = 2_000


def write_events(changes: ChangeSet) -> None:
    """Number and insert the events, organization by organization; the counter's row is the last lock taken."""
    counts = Tally(recorded.organization_id for recorded in changes.recorded)
    for organization_id, count in sorted(counts.items()):
        last = take_sequences(organization_id, count)
        own = (recorded for recorded in changes.recorded if recorded.organization_id == organization_id)
        numbered = enumerate(own, last - count + 1)
        while batch := [event_of(changes, recorded, number) for number, recorded in islice(numbered, BATCH)]:
            insert_rows(batch)


def take_sequences(organization_id: int, count: int) -> int:
    """Allocate the next `count` numbers and return the last one. The counter's row is locked until the commit."""
    table = connection.ops.quote_name(Counter._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (organization_id, last) VALUES (%s, %s)"
            f" ON CONFLICT (organization_id) DO UPDATE SET last = {table}.last + excluded.last RETURNING last",
            [organization_id, count],
        )
        return int(cursor.fetchone()[0])


def event_of(changes: ChangeSet, recorded: Recorded, sequence: int = 0) -> Event:
    """The unsaved event of a recorded change. It gets its sequence when the change set ends."""
    actor = changes.actor
    event = fast_instance(
        Event,
        organization_id=recorded.organization_id,
        sequence=sequence,
        change_set=changes.uuid,
        undoes=changes.undoes,
        import_uuid=changes.import_uuid,
        at=timezone.now(),
        token_uuid=actor.token.uuid if actor and actor.token else None,
        kind=recorded.kind,
        action=recorded.action,
        row_id=recorded.row_id,
        row_uuid=recorded.row_uuid,
        row_version=recorded.version,
        changes=recorded.changes,
    )
    if actor and actor.organization_id == recorded.organization_id:
        event.actor = actor.member
    return event


def replayed_columns(model: type[models.Model], events: Iterable[Event]) -> dict[int, dict[str, Any]]:
    """The columns and lists of each row after its events, by the row's id."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    rows: dict[int, dict[str, Any]] = defaultdict(dict)
    for event in events:
        for name, (_, value) in stored(event.changes).items():
            rows[event.row_id][name] = fields[name].to_python(value) if name in fields else value
        rows[event.row_id]["version"] = event.row_version
    return rows
