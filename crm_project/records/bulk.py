"""Lists of mixed writes: the same rules as for single writes, with a fixed number of queries for the list."""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from crm_project.accounts.actors import Actor
from crm_project.changes import attempt, before_storing, change_set, check_only, is_checking
from crm_project.errors import DomainError, Invalid, NotFound, RowsRefused, refuse
from crm_project.records import references
from crm_project.records.writing.columns import Change
from crm_project.records.writing.receipts import HasKey, Receipt, match_key
from crm_project.versions import Versions

OPERATIONS = ("create", "update", "upsert", "delete")
ROW_TWICE = "row_twice"
# The result of one operation of a list.
Result = Receipt[Any] | DomainError


@dataclass(frozen=True)
class Operation:
    """One write of a list. `uuid` names the row of an update or a deletion; the change may hold `if_match`."""

    op: str
    uuid: UUID | None = None
    change: Change = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """The row of an operation, if it exists; operations that would create the same row have the same `key`."""

    row: Any = None
    key: Hashable = None


@dataclass(frozen=True)
class Deletions:
    """The deletions of a list for the write of its other rows, whose checks treat the deleted rows as absent.

    The write calls `carry_out` when its rows are checked, before it stores the first of them.
    """

    ids: frozenset[int] = frozenset()
    carry_out: Callable[[], None] = lambda: None


NO_DELETIONS = Deletions()


class _DeletionsRefused(Exception):
    """Ends the write of the other rows before it stores one."""


class Work(Protocol):
    """The steps of a list that depend on the kind of row. Each takes a fixed number of queries."""

    match_keys: Mapping[str, HasKey]

    def find(
        self, operations: Mapping[int, Operation], keys: Mapping[int, str]
    ) -> dict[int, Found | DomainError]:
        """The row of each operation, under locks. `keys` has the match key of each upsert."""

    def lock(self, ids: Collection[int], changes: Sequence[Change]) -> None:
        """Lock all rows of the list in id order, before deletions and writes lock their parts."""

    def write(
        self, targets: Sequence[tuple[Any, Change]], *, adding: Collection[int], deletions: Deletions
    ) -> Sequence[Receipt[Any]]:
        """Create (None) and change rows; references of the indices in `adding` are added to those of the row."""

    def trash(self, rows: Sequence[Any], *, if_match: Mapping[int, Versions]) -> Sequence[Any]: ...


def carry_out(operations: Sequence[Operation], work: Work) -> list[Receipt[Any]]:
    """Carry out all operations, or raise RowsRefused. Deletions come first, so that their keys can be assigned.

    All operations are checked before the first row is stored. Of two operations on one row, the second is refused.
    """
    refused, keys = _upsert_keys(operations, work.match_keys)
    found = _found(operations, keys, work, refused)
    deletions = [index for index in found if operations[index].op == "delete"]
    rest = [index for index in found if operations[index].op != "delete"]
    existing = {index: found[index].row.pk for index in found if found[index].row is not None}
    if deletions and rest:
        work.lock(set(existing.values()), [operations[index].change for index in rest])
    changes = {index: operations[index].change for index in found}
    conditions = {
        existing[index]: changes[index]["if_match"] for index in deletions if "if_match" in changes[index]
    }

    receipts: dict[int, Receipt[Any]] = {}

    def trash() -> list[Receipt[Any]]:
        rows = work.trash([found[index].row for index in deletions], if_match=conditions)
        return [Receipt(row, "deleted") for row in rows]

    def delete() -> None:
        receipts.update(_part(deletions, trash, refused))
        if refused:
            raise _DeletionsRefused

    def write() -> Sequence[Receipt[Any]]:
        upserts = [place for place, index in enumerate(rest) if index in keys]
        gone = Deletions(frozenset(existing[index] for index in deletions), delete)
        return work.write(
            [(found[index].row, changes[index]) for index in rest], adding=upserts, deletions=gone
        )

    if refused or is_checking():
        _check(rest, write, refused)
        _check(deletions, trash, refused)
    else:
        with suppress(_DeletionsRefused):
            receipts.update(_part(rest, write, refused))
            if not rest:
                delete()
        if refused and refused.keys().isdisjoint(deletions):
            _check(deletions, trash, refused)
    refuse(refused, rows=len(operations))
    before_storing()
    for index, key in keys.items():
        receipts[index].matched_on = None if receipts[index].outcome == "created" else key
    return [receipts[index] for index in range(len(operations))]


def _upsert_keys(
    operations: Sequence[Operation], match_keys: Mapping[str, HasKey]
) -> tuple[dict[int, DomainError], dict[int, str]]:
    """The errors of upserts without a match key, and the match keys of the others."""
    refused: dict[int, DomainError] = {}
    keys: dict[int, str] = {}
    for index, operation in enumerate(operations):
        try:
            if operation.op == "upsert":
                keys[index] = match_key(operation.change, match_keys)
        except DomainError as error:
            refused[index] = error
    return refused, keys


def _found(
    operations: Sequence[Operation], keys: Mapping[int, str], work: Work, refused: dict[int, DomainError]
) -> dict[int, Found]:
    """The row of each operation; the errors of others are added to `refused`."""
    candidates = {index: operation for index, operation in enumerate(operations) if index not in refused}
    rows: dict[int, Found] = {}
    seen: dict[Hashable, int] = {}
    for index, found in sorted(work.find(candidates, keys).items()):
        if isinstance(found, DomainError):
            refused[index] = found
            continue
        name = found.row.pk if found.row is not None else found.key
        if name is not None and seen.setdefault(name, index) != index:
            refused[index] = Invalid(
                "Operation %(first)s of the same list is about this row already.",
                {"first": seen[name]},
                code=ROW_TWICE,
            )
            continue
        rows[index] = found
    return rows


def _part(
    indices: Sequence[int], call: Callable[[], Sequence[Receipt[Any]]], refused: dict[int, DomainError]
) -> dict[int, Receipt[Any]]:
    """Run one part of the list; its errors are added to `refused` by their indices in the list."""
    if not indices:
        return {}
    try:
        return dict(zip(indices, call(), strict=True))
    except RowsRefused as error:
        refused |= {indices[place]: refusal for place, refusal in error.errors.items()}
    except DomainError as error:
        if len(indices) > 1:
            raise
        refused[indices[0]] = error
    return {}


def _check(
    indices: Sequence[int], call: Callable[[], Sequence[Receipt[Any]]], refused: dict[int, DomainError]
) -> None:
    """Add the errors of one part of a list that is refused anyway."""
    with check_only():
        _part(indices, call, refused)


def sort_out(
    operations: Mapping[int, Operation], keys: Mapping[int, str]
) -> defaultdict[str, dict[int, Operation]]:
    """The operations by the key that names their row: `uuid`, a match key of an upsert, or `new`."""
    sorted_out: defaultdict[str, dict[int, Operation]] = defaultdict(dict)
    for index, operation in operations.items():
        name = "uuid" if operation.op in ("update", "delete") else keys.get(index, "new")
        sorted_out[name][index] = operation
    return sorted_out


def by_uuid(rows: Any, operations: Iterable[Operation]) -> dict[UUID, Any]:
    """The rows that the operations name by uuid."""
    uuids = {named for operation in operations if (named := named_uuid(operation))}
    return {row.uuid: row for row in rows.filter(uuid__in=uuids)} if uuids else {}


def named_uuid(operation: Operation) -> UUID | None:
    named = operation.uuid or operation.change.get("uuid")
    return UUID(named) if isinstance(named, str) else named


def found_by_uuid(rows: Mapping[UUID, Any], operation: Operation) -> Found | DomainError:
    row = rows.get(named_uuid(operation))  # type: ignore[arg-type]
    return NotFound() if row is None else Found(row)


def found_by_reference(
    actor: Actor, visible: Any, model: type[Any], operations: Mapping[int, Operation]
) -> dict[int, Found | DomainError]:
    """The visible row that has each upsert's first reference. The write refuses the key of an invisible row."""
    changes = {index: operation.change for index, operation in operations.items()}
    named = references.rows_by_first_key(visible, model, actor.organization_id, changes)
    return {index: Found(row, key) for index, (row, key) in named.items()}


def write_list(
    *,
    actor: Actor,
    operations: Mapping[int, Operation],
    carry_out: Callable[[Sequence[Operation]], Sequence[Receipt[Any]]],
    refused: Mapping[int, DomainError] | None = None,
    atomic: bool,
) -> dict[int, Result]:
    """The result of each operation, by its index. `refused` has the operations of the list that were refused before.

    Atomic: if any is refused, RowsRefused is raised with all errors, and nothing is written. Otherwise the others are
    written as if the refused ones had not been in the list: their side effects are rolled back.
    """
    results: dict[int, Result] = dict(refused or {})
    left = dict(operations)
    with change_set(actor):
        if atomic and results:
            results |= _refusals(left, carry_out) if left else {}
            raise RowsRefused({i: result for i, result in results.items() if isinstance(result, DomainError)})
        while True:
            try:
                with attempt():
                    done = carry_out(list(left.values())) if left else []
                    break
            except DomainError as error:
                bad = _bad_rows(error, list(left))
                if atomic:
                    raise RowsRefused(bad) from None
                # Of two operations on one row the second may go, once the first has been refused for something else.
                bad = _by_themselves(bad) or bad
                results |= bad
                left = {index: left[index] for index in left if index not in bad}
    return results | dict(zip(left, done, strict=True))


def _refusals(
    left: Mapping[int, Operation], carry_out: Callable[[Sequence[Operation]], Sequence[Receipt[Any]]]
) -> dict[int, DomainError]:
    """The errors of the other operations of a list that is refused anyway: they are checked, not carried out."""
    try:
        with check_only():
            carry_out(list(left.values()))
    except DomainError as error:
        return _bad_rows(error, list(left))
    return {}


def _bad_rows(error: DomainError, indices: Sequence[int]) -> dict[int, DomainError]:
    if isinstance(error, RowsRefused):
        return {indices[place]: refusal for place, refusal in error.errors.items()}
    if len(indices) > 1:
        raise error
    return {indices[0]: error}


def _by_themselves(bad: Mapping[int, DomainError]) -> dict[int, DomainError]:
    return {index: error for index, error in bad.items() if error.code != ROW_TWICE}
