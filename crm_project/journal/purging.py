"""Purging: the removal of rows for good, with their parts, once they cannot be restored any more."""

import datetime
from collections.abc import Iterator
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q

from crm_project.changes import change_set
from crm_project.journal.append_only import rewriting
from crm_project.journal.models import Event
from crm_project.records.kinds import Kind
from crm_project.records.locks import for_update

# Rows of one transaction, which locks them and the event counters of their organizations.
BATCH = 200


def purgeable(kind: Kind, before: datetime.datetime) -> Any:
    """The expired rows of a kind that no other row refers to."""
    rows = kind.expired_rows(before)
    for field in _referring_fields(kind):
        referring = field.model._default_manager.filter(**{field.name: OuterRef("pk")})
        if field.model is kind.model:
            # Expired rows may refer to each other, in circles too.
            referring = referring.filter(Q(deleted_at=None) | Q(deleted_at__gte=before))
        rows = rows.filter(~Exists(referring))
    return rows


def purge(kind: Kind, before: datetime.datetime, limit: int = BATCH) -> int:
    """Remove at most `limit` rows in one transaction; returns their number.

    Their events keep member, action and time, and lose all values. Each row gets a last event, `purged`.
    """
    with change_set(None) as changes:
        ids = list(purgeable(kind, before).order_by("pk").values_list("pk", flat=True)[:limit])
        rows = list(for_update(kind.expired_rows(before).filter(pk__in=ids))) if ids else []
        if not rows:
            return 0
        ids = [row.pk for row in rows]
        for field in _fields_of_parts(kind):
            field.model._default_manager.filter(**{f"{field.name}__in": ids}).delete()
        for field in _referring_fields(kind):
            if field.model is kind.model:
                kind.expired_rows(before).filter(**{f"{field.name}__in": ids}).update(**{field.name: None})
        organizations = {row.organization_id for row in rows}
        with rewriting():
            Event.objects.filter(organization_id__in=organizations, kind=kind.name, row_id__in=ids).update(
                changes={}
            )
        for row in rows:
            row.version += 1
            changes.record(row, "purged", {})
        kind.model._default_manager.filter(pk__in=ids).delete()
        return len(rows)


def _referring_fields(kind: Kind) -> Iterator[models.ForeignKey[Any, Any]]:
    """The foreign keys of other rows, and of rows of the same kind."""
    return (field for field in _foreign_keys_to(kind.model) if field.model not in kind.all_parts)


def _fields_of_parts(kind: Kind) -> Iterator[models.ForeignKey[Any, Any]]:
    return (field for field in _foreign_keys_to(kind.model) if field.model in kind.all_parts)


def _foreign_keys_to(model: Any) -> Iterator[models.ForeignKey[Any, Any]]:
    for relation in model._meta.get_fields(include_hidden=True):
        if relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one):
            yield relation.field
