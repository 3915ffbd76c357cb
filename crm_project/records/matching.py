"""Which rows the keys of an upsert name, looked up once for all of its changes."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from crm_project.accounts.actors import Actor
from crm_project.errors import DomainError, Invalid, NotFound, refuse
from crm_project.records.references import holders


def matches(
    actor: Actor,
    visible: Any,
    references: type[Any],
    keys: Sequence[str],
    changes: Sequence[Mapping[str, Any]],
) -> list[Any]:
    """For each change the row that its uuid or its first external reference names, if that is its key.

    An unknown uuid is refused: a row that was named so is gone, and another one is not meant.
    """
    by_key = list(zip(keys, changes, strict=True))
    uuids = {_uuid(change) for key, change in by_key if key == "uuid"}
    held = _held(actor, visible, references, by_key)
    rows = {row.uuid: row for row in visible.filter(uuid__in=uuids)} if uuids else {}
    found: list[Any] = []
    errors: dict[int, DomainError] = {}
    claimed: set[int] = set()
    for index, (key, change) in enumerate(by_key):
        row = rows.get(_uuid(change)) if key == "uuid" else None
        if key == "external_reference":
            row = held.get(tuple(change["external_references"][0]))
        if key == "uuid" and row is None:
            errors[index] = NotFound()
        if row is not None and row.pk in claimed:
            errors[index] = Invalid("The same row comes twice.", code="row_twice")
        claimed.add(row.pk if row is not None else 0)
        found.append(row)
    refuse(errors, rows=len(by_key))
    return found


def _uuid(change: Mapping[str, Any]) -> UUID:
    return UUID(str(change["uuid"]))


def _held(
    actor: Actor, visible: Any, references: type[Any], by_key: Sequence[tuple[str, Mapping[str, Any]]]
) -> dict[Any, Any]:
    """The visible row of each reference; one that the actor must not see is told of when the row is written."""
    wanted = {
        tuple(change["external_references"][0]) for key, change in by_key if key == "external_reference"
    }
    holding = holders(references, actor.organization_id, wanted)
    rows = visible.in_bulk(set(holding.values())) if holding else {}
    return {key: rows[row_id] for key, row_id in holding.items() if row_id in rows}
