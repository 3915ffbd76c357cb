"""External references: who holds which key, and the writing of a row's references together with the row."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

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

# Systems in whose words our integer ids are spoken, each with the kinds of row that it names by them. Whoever speaks
# one fills this in.
spoken: dict[str, frozenset[str]] = {}
# The greatest number that every client can hold: what a row is called whose own number names another one counts down.
LAST_NUMBER = 2**31 - 1
# An import writes more rows at once than one query takes parameters.
CLASHES_AT_ONCE = 1000


def hold(model: type[Any], organization_id: int, keys: Iterable[Key]) -> None:
    """Nobody else looks up or gives away these keys until the transaction ends."""
    hold_keys(("reference", model.kind, organization_id, *key) for key in keys)


def holders(model: type[Any], organization_id: int, keys: Iterable[Key]) -> dict[Key, int]:
    """The id of the live row that holds each key, whoever may see it."""
    wanted = set(keys)
    if not wanted:
        return {}
    # With the system, or the index would be searched from its first key of this organization to the last.
    rows = model._default_manager.filter(
        organization_id=organization_id,
        is_live=True,
        system__in={system for system, _ in wanted},
        external_id__in={external_id for _, external_id in wanted},
    ).values_list("system", "external_id", "row_id")
    return {
        (system, external_id): row for system, external_id, row in rows if (system, external_id) in wanted
    }


def by_row(model: type[Any], row_ids: Sequence[int]) -> dict[int, list[Any]]:
    """Each row's references, the oldest first."""
    found: dict[int, list[Any]] = {row_id: [] for row_id in row_ids}
    for reference in model._default_manager.filter(row_id__in=row_ids).order_by("id"):
        found[reference.row_id].append(reference)
    return found


def taken() -> Conflict:
    """Says nothing more: the other row may be one that the actor must not know of."""
    return Conflict("This external reference belongs to another row.", code="reference_taken")


def note(model: type[Any], drafts: Iterable[Draft]) -> None:
    """Tell the drafts of existing rows which references they hold."""
    existing = [draft for draft in drafts if draft.before]
    held = by_row(model, [draft.row.pk for draft in existing]) if existing else {}
    for draft in existing:
        keys = [[reference.system, reference.external_id] for reference in held[draft.row.pk]]
        draft.lists_before["external_references"], draft.lists["external_references"] = keys, list(keys)


def set_on(draft: Draft, change: Mapping[str, Any], *, add: bool = False) -> list[FieldError]:
    """Put the references that the change sends in place of the draft's, or beside them; answers what is wrong."""
    if "external_references" not in change:
        return []
    sent = [list(key) for key in dict.fromkeys(tuple(key) for key in change["external_references"] or ())]
    kept = draft.lists.get("external_references", []) if add else []
    draft.lists["external_references"] = [*kept, *(key for key in sent if key not in kept)]
    return reference_errors((system, external_id) for system, external_id in sent)


def keys_of(changes: Iterable[Mapping[str, Any]]) -> list[Key]:
    """The keys that changes give to rows."""
    return [key for change in changes for key in change.get("external_references") or ()]


def clashes(model: type[Any], organization_id: int, drafts: Sequence[Draft]) -> dict[int, DomainError]:
    """The drafts, by index, whose keys belong to another live row or to an earlier draft."""
    keys = {tuple(key) for draft in drafts for key in draft.lists.get("external_references", ())}
    owners: dict[Any, Any] = dict(holders(model, organization_id, keys))
    errors: dict[int, DomainError] = {}
    for index, draft in enumerate(drafts):
        owner = draft.row.pk or f"new {index}"
        for key in draft.lists.get("external_references", ()):
            if owners.setdefault(tuple(key), owner) != owner:
                errors[index] = taken()
    return errors


def write(model: type[Any], organization_id: int, drafts: Iterable[Draft]) -> None:
    """Give each written row exactly the keys its draft lists; those it holds already stay as they are."""
    drafts = list(drafts)
    new: list[Any] = []
    gone: set[tuple[int, str, str]] = set()
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
        gone |= {(draft.row.pk, *key) for key in set(before) - set(after)}
    _delete(model, gone)
    if new:
        insert_rows(new)
    keep_apart(
        model,
        organization_id,
        new_rows=[draft for draft in drafts if not draft.before],
        new_keys=[(reference.system, reference.external_id) for reference in new],
    )


def _delete(model: type[Any], gone: Collection[tuple[int, str, str]]) -> None:
    if not gone:
        return
    held = model._default_manager.filter(row_id__in={row_id for row_id, _, _ in gone})
    named = held.values_list("pk", "row_id", "system", "external_id")
    model._default_manager.filter(pk__in=[pk for pk, *key in named if tuple(key) in gone]).delete()


def found(
    visible: Any, model: type[Any], organization_id: int, changes: Mapping[int, Mapping[str, Any]]
) -> dict[int, tuple[Any, Key]]:
    """For each change the visible row that holds its first key, or none, and that key."""
    keys = {index: tuple(change["external_references"][0]) for index, change in changes.items()}
    held = holders(model, organization_id, keys.values())
    # Whoever writes the row reads it anew when it is locked.
    rows = visible.only("pk").in_bulk(set(held.values())) if held else {}
    return {index: (rows.get(held.get(key)), key) for index, key in keys.items()}


def keep_apart(
    model: type[Any], organization_id: int, *, new_rows: Sequence[Draft] = (), new_keys: Iterable[Key] = ()
) -> None:
    """In a spoken system an id means one row: a row whose own number is another one's key gets a key of its own."""
    systems = {system for system, kinds in spoken.items() if model.kind in kinds}
    numbers = {draft.row.pk for draft in new_rows}
    numbers |= {int(key) for system, key in new_keys if system in systems and _is_number(key)}
    if not systems or not numbers:
        return
    clashing: list[tuple[str, int]] = []
    for some in _batches(sorted(numbers), CLASHES_AT_ONCE):
        keys = [(system, str(number)) for system in systems for number in some]
        held = holders(model, organization_id, keys)
        clashing += [(system, int(key)) for (system, key), row_id in held.items() if row_id != int(key)]
    if clashing:
        _give_keys(model, organization_id, clashing, {draft.row.pk: draft for draft in new_rows})


def _give_keys(
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
        key = [system, _free_number(model, organization_id, system, number)]
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


def _free_number(model: type[Any], organization_id: int, system: str, number: int) -> str:
    """A number that names no row yet, as far as possible from those that rows will be given."""
    rows = model._meta.get_field("row").related_model._default_manager
    taken = model._default_manager.filter(organization_id=organization_id, system=system)
    candidate = LAST_NUMBER - number % LAST_NUMBER
    while taken.filter(external_id=str(candidate)).exists() or rows.filter(pk=candidate).exists():
        candidate -= 1
    return str(candidate)


def _batches(numbers: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    return (numbers[start : start + size] for start in range(0, len(numbers), size))


def _is_number(key: str) -> bool:
    """A number as it would be shown: no sign, no leading zero, no wider than an id can be."""
    return key.isascii() and key.isdigit() and key[0] != "0" and len(key) < 19


def set_live(model: type[Any], rows: Sequence[Any], *, live: bool) -> None:
    """The references of an organization's rows follow them to the trash and back."""
    held = model._default_manager.filter(row__in=[row.pk for row in rows])
    if held.update(is_live=live) and live:
        keep_apart(model, rows[0].organization_id, new_keys=held.values_list("system", "external_id"))


def check_restorable(model: type[Any], row_ids: Sequence[int]) -> None:
    """Refuse when a key of the trashed rows has been given to a live one meanwhile."""
    keys = list(
        model._default_manager.filter(row_id__in=row_ids).values_list(
            "organization_id", "system", "external_id"
        )
    )
    for organization_id in {organization_id for organization_id, _, _ in keys}:
        held = holders(model, organization_id, [(system, external_id) for _, system, external_id in keys])
        # Two rows of the trash may have had the same key, one after the other.
        if held or len(set(keys)) != len(keys):
            raise Conflict("Another row has one of its external references now.", code="restore_conflict")
