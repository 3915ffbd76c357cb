"""External references: the look-up of rows by their keys, and the write of a row's references with the row."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import F
from django.utils import timezone

from crm_project.changes import change_set
from crm_project.errors import Conflict, DomainError, FieldError
from crm_project.records.bulk_sql import insert_rows
from crm_project.records.instances import fast_instance
from crm_project.records.locks import for_update, hold_keys
from crm_project.records.rules import reference_errors
from crm_project.records.writing.store import Draft

Key = tuple[str, str]

# The kinds whose integer ids a dialect exposes, by the dialect's system. Filled by the dialects at start.
numbered_kinds: dict[str, frozenset[str]] = {}
# Largest id a 32-bit client can hold. Replacement ids for colliding rows are allocated downwards from here.
LARGEST_ID = 2**31 - 1
# An import writes more rows at once than a query can have parameters.
CLASHES_AT_ONCE = 1000


def hold(model: type[Any], organization_id: int, keys: Iterable[Key]) -> None:
    """Lock the keys until the transaction ends: others can neither look them up nor assign them."""
    hold_keys(lock_keys(model, organization_id, keys))


def lock_keys(model: type[Any], organization_id: int, keys: Iterable[Key]) -> list[tuple[Any, ...]]:
    """The names of the keys' locks."""
    return [("reference", model.kind, organization_id, *key) for key in keys]


def holders(model: type[Any], organization_id: int, keys: Iterable[Key]) -> dict[Key, int]:
    """The id of the live row that has each key, visible to the actor or not."""
    keys = set(keys)
    if not keys:
        return {}
    # Filtered by system too: otherwise the index is read for all keys of the organization.
    lists = [sorted({system for system, _ in keys}), sorted({external_id for _, external_id in keys})]
    with connection.cursor() as cursor:
        among = "= ANY(%s)" if connection.vendor == "postgresql" else "IN (SELECT value FROM json_each(%s))"
        cursor.execute(
            f"SELECT system, external_id, row_id FROM {connection.ops.quote_name(model._meta.db_table)}"
            f" WHERE organization_id = %s AND is_live AND system {among} AND external_id {among}",
            [organization_id, *(lists if connection.vendor == "postgresql" else map(json.dumps, lists))],
        )
        rows = cursor.fetchall()
    return {(system, external_id): row for system, external_id, row in rows if (system, external_id) in keys}


def by_row(model: type[Any], row_ids: Sequence[int]) -> dict[int, list[Any]]:
    """Each row's references, the oldest first."""
    result: dict[int, list[Any]] = {row_id: [] for row_id in row_ids}
    for reference in model._default_manager.filter(row_id__in=row_ids).order_by("id"):
        result[reference.row_id].append(reference)
    return result


def taken() -> Conflict:
    """Without details: the other row may be hidden from the actor."""
    return Conflict("This external reference belongs to another row.", code="reference_taken")


def note(model: type[Any], drafts: Iterable[Draft]) -> None:
    """Set the external references of the drafts of existing rows."""
    existing = [draft for draft in drafts if draft.before]
    by_id = by_row(model, [draft.row.pk for draft in existing]) if existing else {}
    for draft in existing:
        keys = [[reference.system, reference.external_id] for reference in by_id[draft.row.pk]]
        draft.lists_before["external_references"], draft.lists["external_references"] = keys, list(keys)


def set_on(draft: Draft, change: Mapping[str, Any], *, add: bool = False) -> list[FieldError]:
    """Replace the draft's references by those of the change, or `add` them to it; returns the errors."""
    if "external_references" not in change:
        return []
    sent = [list(key) for key in dict.fromkeys(tuple(key) for key in change["external_references"] or ())]
    present = draft.lists.get("external_references", []) if add else []
    draft.lists["external_references"] = [*present, *(key for key in sent if key not in present)]
    return reference_errors((system, external_id) for system, external_id in sent)


def keys_of(changes: Iterable[Mapping[str, Any]]) -> list[Key]:
    """The keys that the changes name."""
    return [key for change in changes for key in change.get("external_references") or ()]


def clashes(
    model: type[Any], organization_id: int, drafts: Sequence[Draft], *, without: Collection[int] = ()
) -> dict[int, DomainError]:
    """An error for each draft, by index, that has a key of another live row or of an earlier draft.

    The ids in `without` are those of rows that the same list of writes deletes.
    """
    keys = {tuple(key) for draft in drafts for key in _gained(draft)}
    held = holders(model, organization_id, keys)
    owners: dict[Any, Any] = {key: row_id for key, row_id in held.items() if row_id not in without}
    errors: dict[int, DomainError] = {}
    for index, draft in enumerate(drafts):
        owner = draft.row.pk or f"new {index}"
        for key in draft.lists.get("external_references", ()):
            if owners.setdefault(tuple(key), owner) != owner:
                errors[index] = taken()
    return errors


def _gained(draft: Draft) -> list[Any]:
    """The draft's keys but for those that its live row has, which no other live row can have."""
    held = () if draft.before.get("deleted_at") else draft.lists_before.get("external_references", ())
    return [key for key in draft.lists.get("external_references", ()) if key not in held]


def write(model: type[Any], organization_id: int, drafts: Iterable[Draft]) -> None:
    """Insert and delete references of the written rows, so that they match their drafts."""
    drafts = list(drafts)
    new: list[Any] = []
    removed: set[tuple[int, str, str]] = set()
    for draft in drafts:
        before = [tuple(key) for key in draft.lists_before.get("external_references", ())]
        after = [tuple(key) for key in draft.lists.get("external_references", ())]
        new += [
            fast_instance(
                model,
                organization_id=organization_id,
                row_id=draft.row.pk,
                system=system,
                external_id=external_id,
            )
            for system, external_id in after
            if (system, external_id) not in before
        ]
        removed |= {(draft.row.pk, *key) for key in set(before) - set(after)}
    _delete(model, removed)
    if new:
        insert_rows(new)
    assign_replacement_ids(
        model,
        organization_id,
        new_rows=[draft for draft in drafts if not draft.before],
        new_keys=[(reference.system, reference.external_id) for reference in new],
    )


def _delete(model: type[Any], keys: Collection[tuple[int, str, str]]) -> None:
    if not keys:
        return
    rows = model._default_manager.filter(row_id__in={row_id for row_id, _, _ in keys})
    stored = rows.values_list("pk", "row_id", "system", "external_id")
    model._default_manager.filter(pk__in=[pk for pk, *key in stored if tuple(key) in keys]).delete()


def rows_by_first_key(
    visible: Any, model: type[Any], organization_id: int, changes: Mapping[int, Mapping[str, Any]]
) -> dict[int, tuple[Any, Key]]:
    """For each change the visible row that has its first key, or None, and that key."""
    keys = {index: tuple(change["external_references"][0]) for index, change in changes.items()}
    if not keys:
        return {}
    held = {
        "references__organization_id": organization_id,
        "references__is_live": True,
        "references__system__in": {system for system, _ in keys.values()},
        "references__external_id__in": {external_id for _, external_id in keys.values()},
    }
    key_of = {"key_system": F("references__system"), "key_id": F("references__external_id")}
    # Only the id: a write reads the row again under its lock.
    found = visible.filter(**held).annotate(**key_of).only("pk")
    rows = {(row.key_system, row.key_id): row for row in found}
    return {index: (rows.get(key), key) for index, key in keys.items()}


def assign_replacement_ids(
    model: type[Any], organization_id: int, *, new_rows: Sequence[Draft] = (), new_keys: Iterable[Key] = ()
) -> None:
    """Assign a replacement id to each row whose id is the external id of another row in a system of `numbered_kinds`.

    In such a system a client could not distinguish the two rows. The replacement is an external reference of the row.
    """
    systems = {system for system, kinds in numbered_kinds.items() if model.kind in kinds}
    numbers = {draft.row.pk for draft in new_rows}
    numbers |= {int(key) for system, key in new_keys if system in systems and _is_number(key)}
    if not systems or not numbers:
        return
    clashing: list[tuple[str, int]] = []
    for batch in _batches(sorted(numbers), CLASHES_AT_ONCE):
        keys = [(system, str(number)) for system in systems for number in batch]
        owners = holders(model, organization_id, keys)
        clashing += [(system, int(key)) for (system, key), row_id in owners.items() if row_id != int(key)]
    if clashing:
        _create_replacements(model, organization_id, clashing, {draft.row.pk: draft for draft in new_rows})


def _create_replacements(
    model: type[Any], organization_id: int, clashing: Sequence[tuple[str, int]], new: Mapping[int, Draft]
) -> None:
    rows = model._meta.get_field("row").related_model._default_manager.filter(organization_id=organization_id)
    numbers = {number for _, number in clashing}
    drafts = {row.pk: new.get(row.pk) or Draft.of(row) for row in for_update(rows.filter(pk__in=numbers))}
    note(model, [draft for draft in drafts.values() if draft.before])
    for system, number in clashing:
        draft = drafts.get(number)
        if draft is None or any(key[0] == system for key in draft.lists.get("external_references", ())):
            continue
        key = [system, _unused_id(model, organization_id, system, number)]
        live = getattr(draft.row, "deleted_at", None) is None
        model._default_manager.create(
            organization_id=organization_id, row_id=number, system=system, external_id=key[1], is_live=live
        )
        draft.lists["external_references"] = [*draft.lists.get("external_references", ()), key]
    with change_set(None) as changes:
        for draft in drafts.values():
            if draft.before and draft.changed:
                draft.row.version += 1
                rows.filter(pk=draft.row.pk).update(version=F("version") + 1, updated_at=timezone.now())
                changes.record(draft.row, "updated", draft.changed)


def _unused_id(model: type[Any], organization_id: int, system: str, number: int) -> str:
    """A number that is neither an external id nor an id yet, as far as possible from future ids."""
    rows = model._meta.get_field("row").related_model._default_manager
    taken = model._default_manager.filter(organization_id=organization_id, system=system)
    candidate = LARGEST_ID - number % LARGEST_ID
    while taken.filter(external_id=str(candidate)).exists() or rows.filter(pk=candidate).exists():
        candidate -= 1
    return str(candidate)


def _batches(numbers: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    return (numbers[start : start + size] for start in range(0, len(numbers), size))


def _is_number(key: str) -> bool:
    """An id in decimal: no sign, no leading zero, at most 18 digits."""
    return key.isascii() and key.isdigit() and key[0] != "0" and len(key) < 19


def set_live(model: type[Any], rows: Sequence[Any], *, live: bool) -> None:
    """Set `is_live` of the references of rows of one organization that have been trashed or restored."""
    references = model._default_manager.filter(row__in=[row.pk for row in rows])
    if references.update(is_live=live) and live:
        new_keys = references.values_list("system", "external_id")
        assign_replacement_ids(model, rows[0].organization_id, new_keys=new_keys)


def check_restorable(model: type[Any], row_ids: Sequence[int]) -> None:
    """Raise Conflict if a key of the trashed rows belongs to a live row now."""
    keys = list(
        model._default_manager.filter(row_id__in=row_ids).values_list(
            "organization_id", "system", "external_id"
        )
    )
    for organization_id in {organization_id for organization_id, _, _ in keys}:
        owners = holders(model, organization_id, [(system, external_id) for _, system, external_id in keys])
        # Two trashed rows may have the same key.
        if owners or len(set(keys)) != len(keys):
            raise Conflict("Another row has one of its external references now.", code="restore_conflict")
