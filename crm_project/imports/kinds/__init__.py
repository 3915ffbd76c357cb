"""What is imported and exported: deals and contacts, each with its fields and the services that write it."""

from typing import Any

from crm_project.imports.kinds.base import RowKind
from crm_project.imports.kinds.contacts import ContactKind
from crm_project.imports.kinds.deals import DealKind

KINDS: dict[str, type[RowKind[Any]]] = {"deals": DealKind, "contacts": ContactKind}


def kind_for(kind: str, actor: Any, options: dict[str, Any] | None = None) -> RowKind[Any]:
    return KINDS[kind](actor, options or {})
