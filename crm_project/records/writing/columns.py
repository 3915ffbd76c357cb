"""Shared steps of services: set columns, merge custom fields, look up rows by id or uuid."""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import models
from django.db.models import Q

from crm_project.accounts.models import Organization
from crm_project.errors import FieldError
from crm_project.records.catalogue_cache import CatalogueCache
from crm_project.records.locks import for_update, share
from crm_project.records.models import CustomField
from crm_project.records.rules import column_errors, merge_custom_fields
from crm_project.records.text import tidy
from crm_project.records.writing import store

# A change maps names of columns and lists to new values; absent ones stay unchanged.
Change = Mapping[str, Any]
RowKey = int | uuid.UUID
BIGGEST_ID = 2**63 - 1
# Names, which are compared without regard to spaces.
NAMES = frozenset({"name", "first_name", "last_name", "label"})


def set_columns(row: models.Model, change: Change, names: Iterable[str]) -> list[FieldError]:
    """Set columns that are no foreign keys, and return the errors; None clears an optional text."""
    values = {name: change[name] for name in names if name in change}
    for name, value in values.items():
        field: Any = row._meta.get_field(name)
        if value is None and field.blank and isinstance(field, models.CharField | models.TextField):
            values[name] = ""
    errors = column_errors(type(row), values)
    wrong = {error.field for error in errors}
    for name in values.keys() - wrong:
        if not (name in NAMES and row.pk is not None and _same_name(getattr(row, name), values[name])):
            setattr(row, name, values[name])
    return errors


def _same_name(stored: str, sent: str) -> bool:
    """Whether the names differ in spaces alone. A tidy spelling still replaces one that is not."""
    return tidy(stored) == tidy(sent) and (sent != tidy(sent) or stored == tidy(stored))


def set_custom_fields(
    row: Any, change: Change, definitions: Mapping[str, CustomField], *, creating: bool
) -> list[FieldError]:
    """Merge custom fields by key. In the change, `free_custom_fields` keeps keys without a definition: all, or those
    that it names, and `incomplete` spares a new row the required ones."""
    if "custom_fields" not in change and not creating:
        return []
    row.custom_fields, errors = merge_custom_fields(
        row.custom_fields,
        change.get("custom_fields") or {},
        definitions,
        free_keys=change.get("free_custom_fields", False),
        complete=creating and not change.get("incomplete", False),
    )
    return errors


def _definitions(organization_id: int) -> dict[str, dict[str, CustomField]]:
    live = CustomField.objects.of(organization_id).live()
    return {kind: {row.key: row for row in live.for_kind(kind)} for kind in CustomField.Kinds.values}


cached_definitions: CatalogueCache[dict[str, dict[str, CustomField]]] = CatalogueCache(_definitions)


def definitions_of(organization_id: int, kind: str) -> dict[str, CustomField]:
    """The live definitions by key, in order, as a write needs them."""
    return dict(cached_definitions.present(organization_id)[kind])


def definitions_for(organization: Organization, kind: str) -> dict[str, CustomField]:
    """The live definitions by key, in order, for a read: no query if the organization was read with the token."""
    return dict(cached_definitions.of(organization)[kind])


def rows_by_key(
    queryset: "models.QuerySet[Any]", keys: Iterable[Any], *, lock: bool = False
) -> dict[Any, Any]:
    """Rows by id and by uuid, each under both keys. `lock` takes a shared lock on them."""
    ids, uuids = split_keys(keys)
    if not ids and not uuids:
        return {}
    named = queryset.filter(Q(pk__in=ids) | Q(uuid__in=uuids))
    rows = share(named) if lock else list(named)
    return {key: row for row in rows for key in (row.pk, row.uuid)}


def found_by_key(
    queryset: "Callable[[], models.QuerySet[Any]]", keys: Iterable[Any], *, lock: bool = False
) -> dict[Any, Any]:
    """`rows_by_key` of a queryset that is made only if there are keys."""
    present = {key for key in keys if key is not None}
    return rows_by_key(queryset(), present, lock=lock) if present else {}


def lock_by_key(queryset: "models.QuerySet[Any]", keys: Sequence[RowKey | None]) -> dict[RowKey, Any]:
    """The rows of the ids and uuids, locked in id order, each under both keys. Raises if a row is named twice.

    No joins: after waiting for a lock, the row is read again, but joined rows are not.
    """
    ids, uuids = split_keys(keys)
    if not ids and not uuids:
        return {}
    named = Q(pk__in=ids) if not uuids else Q(pk__in=ids) | Q(uuid__in=uuids)
    rows = {key: row for row in for_update(queryset.filter(named)) for key in (row.pk, row.uuid)}
    store.refuse_twice([rows[key].pk if key in rows else key for key in keys if key is not None])
    return rows


def without(rows: Mapping[Any, Any], ids: Collection[int]) -> dict[Any, Any]:
    """The rows by their keys, without those that the same list of writes deletes."""
    return {key: row for key, row in rows.items() if row.pk not in ids}


def split_keys(keys: Iterable[Any]) -> tuple[list[int], list[uuid.UUID]]:
    """The keys that can be ids, and those that are uuids."""
    present = {key for key in keys if key is not None}
    ids = [key for key in present if isinstance(key, int) and 0 < key <= BIGGEST_ID]
    return ids, [key for key in present if isinstance(key, uuid.UUID)]


def inactive(field: str) -> FieldError:
    """A member who has been deactivated cannot be given anything new."""
    return FieldError(field, "inactive", "This member has been deactivated.")


def missing(field: str) -> FieldError:
    """The error for an unknown row; rows that are not visible are treated alike."""
    return FieldError(field, "does_not_exist", "There is no such row.")
