"""Lists of mixed writes: each row is treated as a single write of its kind, the rows together set-wise."""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from crm_project.accounts.actors import Actor
from crm_project.changes import attempt, change_set
from crm_project.errors import DomainError, Invalid, NotFound, RowsRefused, refuse
from crm_project.records import references
from crm_project.records.writing.columns import Change
from crm_project.records.writing.receipts import HasKey, Receipt, match_key
from crm_project.versions import Versions

OPERATIONS = ("create", "update", "upsert", "delete")
ROW_TWICE = "row_twice"
# What became of one row of a list.
Result = Receipt[Any] | DomainError


@dataclass(frozen=True)
class Operation:
    """One write of a list. `uuid` names the row of an update or a deletion; the change may hold `if_match`."""

    op: str
    uuid: UUID | None = None
    change: Change = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """The row that an operation is about, if there is one yet; `key` tells two apart that would make the same one."""

    row: Any = None
    key: Hashable = None


class Work(Protocol):
    """What a kind of row does for a list. Every call takes a fixed number of queries, however long the list is."""

    match_keys: Mapping[str, HasKey]

    def find(
        self, operations: Mapping[int, Operation], keys: Mapping[int, str]
    ) -> dict[int, Found | DomainError]:
        """The row of each operation; `keys` names the key that decides an upsert. What must not move is held."""

    def lock(self, ids: Collection[int], changes: Sequence[Change]) -> None:
        """Lock all these rows in one order, before some of them are locked again part by part."""

    def write(
        self, targets: Sequence[tuple[Any, Change]], *, adding: Collection[int]
    ) -> Sequence[Receipt[Any]]:
        """Create (None) and change; of those in `adding` by index, references are added to what the row has."""

    def trash(self, rows: Sequence[Any], *, if_match: Mapping[int, Versions]) -> Sequence[Any]: ...


def carry_out(operations: Sequence[Operation], work: Work) -> list[Receipt[Any]]:
    """Carry out all of them or, naming every bad one, none. Deletions come first: what they free can be given away.

    One list writes a row once: of two operations on one row, the second is refused.
    """
    refused, keys = _upsert_keys(operations, work.match_keys)
    found = _found(operations, keys, work, refused)
    gone = [index for index in found if operations[index].op == "delete"]
    rest = [index for index in found if operations[index].op != "delete"]
    existing = {index: found[index].row.pk for index in found if found[index].row is not None}
    if gone and rest:
        work.lock(set(existing.values()), [operations[index].change for index in rest])
    changes = {index: operations[index].change for index in found}
    conditions = {
        existing[index]: changes[index]["if_match"] for index in gone if "if_match" in changes[index]
    }

    def trash() -> list[Receipt[Any]]:
        rows = work.trash([found[index].row for index in gone], if_match=conditions)
        return [Receipt(row, "deleted") for row in rows]

    def write() -> Sequence[Receipt[Any]]:
        upserts = [place for place, index in enumerate(rest) if index in keys]
        return work.write([(found[index].row, changes[index]) for index in rest], adding=upserts)

    done = _part(gone, trash, refused) | _part(rest, write, refused)
    refuse(refused, rows=len(operations))
    for index, key in keys.items():
        done[index].matched_on = None if done[index].outcome == "created" else key
    return [done[index] for index in range(len(operations))]


def _upsert_keys(
    operations: Sequence[Operation], known: Mapping[str, HasKey]
) -> tuple[dict[int, DomainError], dict[int, str]]:
    """The key that decides each upsert, and the upserts that have none."""
    refused: dict[int, DomainError] = {}
    keys: dict[int, str] = {}
    for index, operation in enumerate(operations):
        try:
            if operation.op == "upsert":
                keys[index] = match_key(operation.change, known)
        except DomainError as error:
            refused[index] = error
    return refused, keys


def _found(
    operations: Sequence[Operation], keys: Mapping[int, str], work: Work, refused: dict[int, DomainError]
) -> dict[int, Found]:
    """What each operation is about; those that are refused for it go to `refused`."""
    known = {index: operation for index, operation in enumerate(operations) if index not in refused}
    rows: dict[int, Found] = {}
    seen: dict[Hashable, int] = {}
    for index, found in sorted(work.find(known, keys).items()):
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
    """Run one part of the list, whose refusals are told by their place in the whole."""
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


def sort_out(
    operations: Mapping[int, Operation], keys: Mapping[int, str]
) -> defaultdict[str, dict[int, Operation]]:
    """The operations by what names their row: `uuid`, a key of an upsert, or nothing yet (`new`)."""
    sorted_out: defaultdict[str, dict[int, Operation]] = defaultdict(dict)
    for index, operation in operations.items():
        name = "uuid" if operation.op in ("update", "delete") else keys.get(index, "new")
        sorted_out[name][index] = operation
    return sorted_out


def by_uuid(rows: Any, operations: Iterable[Operation]) -> dict[UUID, Any]:
    """The rows that operations name."""
    wanted = {named for operation in operations if (named := named_uuid(operation))}
    return {row.uuid: row for row in rows.filter(uuid__in=wanted)} if wanted else {}


def named_uuid(operation: Operation) -> UUID | None:
    named = operation.uuid or operation.change.get("uuid")
    return UUID(named) if isinstance(named, str) else named


def found_by_uuid(rows: Mapping[UUID, Any], operation: Operation) -> Found | DomainError:
    row = rows.get(named_uuid(operation))  # type: ignore[arg-type]
    return NotFound() if row is None else Found(row)


def found_by_reference(
    actor: Actor, visible: Any, model: type[Any], operations: Mapping[int, Operation]
) -> dict[int, Found | DomainError]:
    """The visible row that holds each upsert's first reference. An invisible one is told of when the row is written."""
    changes = {index: operation.change for index, operation in operations.items()}
    named = references.found(visible, model, actor.organization_id, changes)
    return {index: Found(row, key) for index, (row, key) in named.items()}


def write_list(
    *,
    actor: Actor,
    operations: Mapping[int, Operation],
    carry_out: Callable[[Sequence[Operation]], Sequence[Receipt[Any]]],
    refused: Mapping[int, DomainError] | None = None,
    atomic: bool,
) -> dict[int, Result]:
    """What became of each operation, by its index. `refused` are those of the list that were refused beforehand.

    Atomic: any refusal raises RowsRefused, which names all of them, and nothing is written. Otherwise the bad ones are
    left out and the others written as if the bad ones had never been there: what only they wanted is not left behind.
    """
    results: dict[int, Result] = dict(refused or {})
    left = dict(operations)
    with change_set(actor):
        while True:
            try:
                with attempt():
                    done = carry_out(list(left.values())) if left else []
                    break
            except DomainError as error:
                bad = _bad_rows(error, list(left))
                # Of two operations on one row the second may go, once the first has been refused for something else.
                bad = bad if atomic else _by_themselves(bad) or bad
                results |= bad
                left = {index: left[index] for index in left if index not in bad}
                if atomic:
                    break
        refusals = {index: result for index, result in results.items() if isinstance(result, DomainError)}
        if atomic and refusals:
            raise RowsRefused(refusals)
    return results | dict(zip(left, done, strict=True))


def _bad_rows(error: DomainError, indices: Sequence[int]) -> dict[int, DomainError]:
    if isinstance(error, RowsRefused):
        return {indices[place]: refusal for place, refusal in error.errors.items()}
    if len(indices) > 1:
        raise error
    return {indices[0]: error}


def _by_themselves(bad: Mapping[int, DomainError]) -> dict[int, DomainError]:
    return {index: error for index, error in bad.items() if error.code != ROW_TWICE}
