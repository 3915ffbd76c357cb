"""The kinds of rows that are imported and exported, each with its fields and the services that write it."""

from typing import Any

from crm_project.imports.kinds.activities import ActivityImportKind
from crm_project.imports.kinds.base import ImportKind
from crm_project.imports.kinds.contacts import ContactImportKind
from crm_project.imports.kinds.deals import DealImportKind

# By the values of `Import.Kinds`.
KINDS: dict[str, type[ImportKind[Any]]] = {
    kind.plural: kind for kind in (DealImportKind, ContactImportKind, ActivityImportKind)
}


def import_kind(kind: str, actor: Any, options: dict[str, Any] | None = None) -> ImportKind[Any]:
    return KINDS[kind](actor, options or {})
