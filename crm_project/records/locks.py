"""Row and key locks, for PostgreSQL; SQLite has one writer at a time and needs none.

Order everywhere: the catalogue, keys, contacts, deals in id order, the journal's counter last.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection, models

from crm_project.changes import is_checking

M = TypeVar("M", bound=models.Model)
_keys_are_free: ContextVar[bool] = ContextVar("keys_are_free", default=False)


def share(queryset: "models.QuerySet[M]") -> list[M]:
    """Read rows and keep them as they are until the transaction ends: FOR SHARE, which Django lacks."""
    queryset = queryset.order_by("id")
    if connection.vendor != "postgresql" or is_checking():
        return list(queryset)
    try:
        sql, params = queryset.query.sql_with_params()
    except EmptyResultSet:
        return []
    return list(queryset.model._default_manager.raw(f"{sql} FOR SHARE", params))


def for_update(queryset: "models.QuerySet[M]") -> "models.QuerySet[M]":
    """Lock the rows themselves, in id order, without what is joined to them.

    Rows may be referred to meanwhile, since no id changes: the foreign keys are checked at the end of a transaction,
    which then holds the journal's counter, and would otherwise wait there for whoever waits for the counter.
    """
    queryset = queryset.order_by("id")
    return queryset if is_checking() else queryset.select_for_update(of=("self",), no_key=True)


def hold_catalogue(organization_id: int, *, alone: bool) -> None:
    """Deals are written while the pipelines and stages stand still: many share the catalogue, its writer has it alone.

    An advisory lock, since locking each stage's row for every deal would write to that row.
    """
    if connection.vendor != "postgresql" or is_checking():
        return
    function = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [_number(("catalogue", organization_id))])


def hold_keys(keys: Iterable[tuple[Any, ...]]) -> None:
    """Until the transaction ends, be the only one that looks up or creates what these keys name."""
    if connection.vendor != "postgresql" or _keys_are_free.get() or is_checking():
        return
    numbers = sorted({_number(key) for key in keys})
    if not numbers:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key", [numbers])


@contextmanager
def free_keys() -> Iterator[None]:
    """Hold no keys in here: a hundred thousand would fill the server's table of locks, and stop everybody.

    The unique constraints still let nothing in twice; of two who write the same key at once, the later one waits for
    the earlier one and is refused.
    """
    token = _keys_are_free.set(True)
    try:
        yield
    finally:
        _keys_are_free.reset(token)


def try_key(key: tuple[Any, ...]) -> bool:
    """Be the only one to work on what the key names until the transaction ends; False if somebody else does already.

    SQLite has one writer: whoever gets here is alone.
    """
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_number(key)])
        return bool(cursor.fetchone()[0])


def _number(key: tuple[Any, ...]) -> int:
    digest = hashlib.blake2b(repr(key).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
