"""Row and key locks, for PostgreSQL; SQLite has one writer at a time and needs none.

The order of all locks is in `crm_project.records.writing`.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection, models, transaction

from crm_project.changes import current, is_checking, note_catalogue_write

M = TypeVar("M", bound=models.Model)
# Names share this many locks for each organization and kind of name: an import has any number of names.
NAME_LOCKS = 256
# A change set remembers about as many of its locks, so as not to take them again.
MOST_REMEMBERED = 10_000
# Django has no FOR SHARE.
FOR_SHARE = " FOR SHARE"
LOCK_KEYS = "SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key"
_keys_are_free: ContextVar[bool] = ContextVar("keys_are_free", default=False)


def share(queryset: "models.QuerySet[M]") -> list[M]:
    """Read rows with FOR SHARE: they cannot be changed until the transaction ends."""
    if connection.vendor != "postgresql" or is_checking():
        return list(queryset.order_by("id"))
    statement = _for_share(queryset)
    return list(queryset.model._default_manager.raw(*statement)) if statement else []


def hold_shared(queryset: "models.QuerySet[Any]") -> None:
    """Lock rows as `share` does, without reading them. SQLite, where nothing is to be locked, gets no statement."""
    if connection.vendor != "postgresql" or is_checking():
        return
    if statement := _for_share(queryset.values_list("pk")):
        with connection.cursor() as cursor:
            cursor.execute(*statement)


def _for_share(queryset: "models.QuerySet[Any]") -> tuple[str, Any] | None:
    """The statement and its parameters, in the order of locks; None if no row can match."""
    try:
        sql, params = queryset.order_by("id").query.sql_with_params()
    except EmptyResultSet:
        return None
    return f"{sql}{FOR_SHARE}", params


def for_update(queryset: "models.QuerySet[M]") -> "models.QuerySet[M]":
    """Lock the rows, but not the rows joined to them, in id order.

    FOR NO KEY UPDATE, since no id changes: deferred foreign keys are checked when a transaction commits. It holds the
    journal's counter then, and would deadlock with the owner of a stronger lock that waits for the counter.
    """
    queryset = queryset.order_by("id")
    return queryset if is_checking() else queryset.select_for_update(of=("self",), no_key=True)


def lock_all(queryset: "models.QuerySet[M]") -> None:
    """Lock the rows in id order, with those that others have added to them until the last one was locked.

    An added row would be locked after rows with higher ids: then all are unlocked, and locked again.
    """
    ids = for_update(queryset).values_list("pk", flat=True)
    if connection.vendor != "postgresql" or is_checking():
        list(ids)
        return
    while True:
        savepoint = transaction.savepoint()
        locked = list(ids.all())
        if queryset.count() == len(locked):
            transaction.savepoint_commit(savepoint)
            return
        transaction.savepoint_rollback(savepoint)


def hold_catalogue(organization_id: int, *, alone: bool) -> None:
    """Lock the reference data of an organization: shared for writes of deals, exclusive (`alone`) for its own writes.

    An advisory lock, since a lock of the stage's row would write to that row for every deal.
    """
    if not alone:
        hold_catalogue_and_keys(organization_id, ())
        return
    if is_checking():
        return
    note_catalogue_write()
    number = _number(("catalogue", organization_id, "alone"))
    if connection.vendor != "postgresql" or not _unheld([number]):
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_number(("catalogue", organization_id))])
    _note_held([number])


def hold_catalogue_and_keys(organization_id: int, keys: Iterable[tuple[Any, ...]]) -> None:
    """`hold_catalogue`, shared, and then `hold_keys`, in one statement."""
    if connection.vendor != "postgresql" or is_checking():
        return
    catalogue = _unheld([_number(("catalogue", organization_id))])
    numbers = set() if _keys_are_free.get() else {_number(key) for key in keys}
    if not catalogue:
        _hold(numbers)
        return
    others = _unheld(numbers)
    with connection.cursor() as cursor:
        # The parts of a union are executed one after the other.
        cursor.execute(
            f"SELECT pg_advisory_xact_lock_shared(%s) UNION ALL {LOCK_KEYS}", [*catalogue, sorted(others)]
        )
    _note_held([*catalogue, *others])


def hold_keys(keys: Iterable[tuple[Any, ...]]) -> None:
    """Lock keys until the transaction ends: others cannot look up or create the rows that have them."""
    if connection.vendor != "postgresql" or _keys_are_free.get() or is_checking():
        return
    _hold({_number(key) for key in keys})


def hold_names(kind: str, organization_id: int, names: Iterable[str]) -> None:
    """Lock names that no constraint makes unique, in an import too: others cannot look up or create their rows."""
    if connection.vendor != "postgresql" or is_checking():
        return
    slots = {_number((name,)) % NAME_LOCKS for name in names}
    _hold({_number((kind, organization_id, slot)) for slot in slots})


def _hold(numbers: Collection[int]) -> None:
    numbers = _unheld(numbers)
    if not numbers:
        return
    with connection.cursor() as cursor:
        cursor.execute(LOCK_KEYS, [sorted(numbers)])
    _note_held(numbers)


def _unheld(numbers: Collection[int]) -> Collection[int]:
    """Those that the open change set has not locked yet."""
    changes = current()
    return numbers if changes is None else [number for number in numbers if number not in changes.locks]


def _note_held(numbers: Collection[int]) -> None:
    changes = current()
    # An import may lock any number of names.
    if changes is not None and len(changes.locks) < MOST_REMEMBERED:
        changes.locks.update(numbers)


@contextmanager
def free_keys() -> Iterator[None]:
    """Make `hold_keys` a no-op: an import of 100,000 rows would exhaust the server's lock table.

    Unique constraints still prevent duplicates: the later of two writers of a key waits for the earlier and is refused.
    """
    token = _keys_are_free.set(True)
    try:
        yield
    finally:
        _keys_are_free.reset(token)


def try_key(key: tuple[Any, ...]) -> bool:
    """Lock the key until the transaction ends without waiting; False if another transaction has it.

    Always True on SQLite, which has one writer.
    """
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_number(key)])
        return bool(cursor.fetchone()[0])


def _number(key: tuple[Any, ...]) -> int:
    digest = hashlib.blake2b(repr(key).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
