"""Intum's `external_id`: the reference of the application in whose name a token speaks."""

from typing import Any

from crm_project.records.models import DEFAULT_SYSTEM


def app_code(actor: Any) -> str:
    """The application in whose name the token speaks."""
    return (actor.token.app_code if actor.token else "") or DEFAULT_SYSTEM


def external_id(row: Any, system: str) -> str | None:
    """What the application calls the row; what nobody claimed is everybody's."""
    found: dict[str, str] = {}
    for reference in row.references.all():
        found.setdefault(reference.system, reference.external_id)
    return found.get(system, found.get(DEFAULT_SYSTEM))


def with_references(change: dict[str, Any], row: Any, system: str) -> dict[str, Any]:
    """Turn the `external_id` of a change into the row's references: only the application's own is replaced."""
    if "external_references" not in change:
        return change
    named = change["external_references"]
    held = [(kept.system, kept.external_id) for kept in row.references.all()] if row else []
    others = [key for key in held if key[0] != system]
    return {**change, "external_references": [*others, (system, named)] if named else others}
