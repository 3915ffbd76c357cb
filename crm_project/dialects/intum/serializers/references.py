"""Intum's `external_id`: the external reference for the application of the token."""

from typing import Any

from crm_project.records.models import DEFAULT_SYSTEM


def app_code(actor: Any) -> str:
    """The application of the token."""
    return (actor.token.app_code if actor.token else "") or DEFAULT_SYSTEM


def external_id(row: Any, system: str) -> str | None:
    """The external reference for the application, else the one for the default system."""
    found: dict[str, str] = {}
    for reference in row.references.all():
        found.setdefault(reference.system, reference.external_id)
    return found.get(system, found.get(DEFAULT_SYSTEM))


def with_references(change: dict[str, Any], row: Any, system: str) -> dict[str, Any]:
    """The change with the row's references: `external_id` replaces the one of the application and keeps all others."""
    if "external_references" not in change:
        return change
    external_id_sent = change["external_references"]
    existing = (
        [(reference.system, reference.external_id) for reference in row.references.all()] if row else []
    )
    others = [key for key in existing if key[0] != system]
    return {
        **change,
        "external_references": [*others, (system, external_id_sent)] if external_id_sent else others,
    }
