"""The `changes` of a 412: who changed which fields of the row since the client read it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q

from crm_project.api.serializers import changed_names
from crm_project.changes import names_of, organization_of
from crm_project.errors import PreconditionFailed
from crm_project.journal.models import Event

# The latest changes of a row that changed more often.
LIMIT = 100


def changes_since(
    errors: Sequence[PreconditionFailed], wire_names: Mapping[str, str]
) -> list[list[dict[str, Any]]]:
    """For each error the changes since its version, oldest first, in one query for all errors."""
    rows = [(error.row, error.since) for error in errors if error.row is not None]
    if not rows:
        return [[] for _ in errors]
    first = rows[0][0]
    later = Q(row_id__in=[row.pk for row, _ in rows], row_version__gt=min(since for _, since in rows))
    events = Event.objects.filter(later, organization_id=organization_of(first), kind=first.row_kind)
    newest = list(events.select_related("actor__user").order_by("-sequence")[: LIMIT * len(rows)])[::-1]
    return [
        [_change(event, wire_names) for event in newest if error.row and _is_since(event, error)]
        for error in errors
    ]


def _is_since(event: Event, error: PreconditionFailed) -> bool:
    return bool(event.row_id == error.row.pk and event.row_version > error.since)


def _change(event: Event, wire_names: Mapping[str, str]) -> dict[str, Any]:
    member = event.actor
    user = {"uuid": str(member.uuid), "full_name": member.full_name} if member else None
    return {
        "at": event.at,
        "user": user,
        "action": event.action,
        "fields": changed_names(names_of(event.changes), wire_names),
    }
