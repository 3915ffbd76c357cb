"""The unit of work: one transaction, one change set, and the events collected in it.

A service opens `change_set(actor)`; a nested call joins the outer one. The journal writes the recorded events just
before the outermost one ends, so that its counter is the last lock taken.
"""

import datetime
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.db import models, transaction

from crm_project.spilling_list import SpillingList
from crm_project.write_queue import write_transaction

if TYPE_CHECKING:
    from crm_project.accounts.actors import Actor

Columns = dict[str, Any]
# Begins the names of values that follow from columns, such as `effective_probability`: an event has them for readers,
# and they stand for the column. An undo restores the columns.
EFFECTIVE = "effective_"
# Most values have one of these types, and a large import has millions of values: tested first.
PLAIN_TYPES = frozenset({str, int, bool})


@dataclass(frozen=True)
class Recorded:
    """The change of one row. `changes` maps a column to its (old, new) values in JSON types."""

    organization_id: int
    kind: str
    action: str
    row_id: int
    row_uuid: UUID
    version: int
    changes: dict[str, tuple[Any, Any]]

    def __reduce__(self) -> Any:
        """Pickle without the class's state dictionary and the UUID object.

        A large import spills its events to disk: this writes them three times as fast, in two thirds of the bytes.
        """
        names = (self.organization_id, self.kind, self.action, self.row_id)
        return _recorded, (*names, self.row_uuid.bytes, self.version, self.changes)


def _recorded(organization_id: int, kind: str, action: str, row_id: int, row_uuid: bytes, *rest: Any) -> Any:
    return Recorded(organization_id, kind, action, row_id, UUID(bytes=row_uuid), *rest)


@dataclass
class ChangeSet:
    """The events of one unit of work. `undoes` is the UUID of the change set that this one reverts, `import_uuid` that
    of the import that writes it.

    `locks` are the advisory locks of the transaction by number, `versions` the catalogue versions by organization,
    read under the catalogue's lock. `writes_catalogue` is set before reference data is written.
    """

    actor: "Actor | None"
    uuid: UUID = field(default_factory=uuid4)
    undoes: UUID | None = None
    import_uuid: UUID | None = None
    recorded: SpillingList[Recorded] = field(default_factory=SpillingList)
    # The number of events of each kind and action.
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    locks: set[int] = field(default_factory=set)
    versions: dict[int, int] = field(default_factory=dict)
    writes_catalogue: bool = False

    def record(self, row: Any, action: str, changes: dict[str, tuple[Any, Any]]) -> None:
        """Add an event: `row` was created, updated, trashed or restored. Written when the change set ends."""
        plain_changes = {
            name: (
                None if old is None else plain(old),
                new if type(new) in PLAIN_TYPES else plain(new),
            )
            for name, (old, new) in changes.items()
        }
        organization_id = organization_of(row)
        self.counts[row.row_kind, action] += 1
        self.recorded.append(
            Recorded(organization_id, row.row_kind, action, row.id, row.uuid, row.version, plain_changes)
        )


def current() -> ChangeSet | None:
    """The change set that is open."""
    return _current.get()


def note_catalogue_write() -> None:
    """Called before reference data is written."""
    changes = _current.get()
    if changes is not None:
        changes.writes_catalogue = True


def writes_catalogue() -> bool:
    """Whether the open change set writes reference data, which others do not see before it is committed."""
    changes = _current.get()
    return changes is not None and changes.writes_catalogue


Writer = Callable[[ChangeSet], None]
_current: ContextVar[ChangeSet | None] = ContextVar("change_set", default=None)
_is_checking: ContextVar[bool] = ContextVar("is_checking", default=False)
_writer: Writer | None = None


def write_events_with(writer: Writer) -> None:
    """Set the function of the journal that stores the events of a finished change set, in its transaction."""
    global _writer
    _writer = writer


@contextmanager
def change_set(actor: "Actor | None") -> Iterator[ChangeSet]:
    """Open a transaction and collect its events, or join the change set that is open."""
    outer = _current.get()
    if outer is not None:
        yield outer
        return
    with write_transaction():
        changes = ChangeSet(actor)
        token = _current.set(changes)
        try:
            yield changes
        finally:
            _current.reset(token)
        if changes.recorded and _writer is not None:
            _writer(changes)


@contextmanager
def attempt() -> Iterator[None]:
    """A savepoint of a change set: on an exception its rows, its events and its locks are removed."""
    changes = _current.get()
    already, locks = (len(changes.recorded), set(changes.locks)) if changes else (0, set())
    counts, versions = (Counter(changes.counts), dict(changes.versions)) if changes else (Counter(), {})
    try:
        with transaction.atomic():
            yield
    except Exception:
        if changes:
            changes.recorded.truncate(already)
            changes.counts = counts
            # A rollback to the savepoint releases the locks that were taken after it.
            changes.locks, changes.versions = locks, versions
        raise


class _Checked(Exception):
    """Ends a service that is only checked."""


@contextmanager
def check_only() -> Iterator[None]:
    """Call a service for its refusals alone: look-ups and rules run without locks, and nothing is stored.

    The call ends where it would store its first row, so that it has no result.
    """
    token = _is_checking.set(True)
    try:
        yield
    except _Checked:
        pass
    finally:
        _is_checking.reset(token)


def is_checking() -> bool:
    return _is_checking.get()


def before_storing() -> None:
    """End the call if it is only checked. Every service passes here before its first INSERT or UPDATE."""
    if is_checking():
        raise _Checked


def organization_of(row: Any) -> int:
    """The id of the organization that the row belongs to, or is."""
    own: int = row.pk if row.row_kind == "organization" else row.organization_id
    return own


def columns(row: models.Model) -> Columns:
    """The stored columns of a row by attribute name, without those derived from others."""
    names, values_of = _stored(type(row))
    return dict(zip(names, values_of(row), strict=True))


@cache
def _stored(model: type[models.Model]) -> tuple[list[str], Callable[[models.Model], tuple[Any, ...]]]:
    """The attribute names, and a getter of all their values."""
    derived: frozenset[str] = getattr(model, "derived", frozenset())
    names = [field.attname for field in model._meta.concrete_fields if field.attname not in derived]
    return names, attrgetter(*names)


def difference(before: Columns, after: Columns) -> dict[str, tuple[Any, Any]]:
    """The columns that differ, each as (old, new)."""
    if not before:  # a new row: most of its columns are empty
        return {name: (None, value) for name, value in after.items() if value is not None}
    return {name: (before.get(name), value) for name, value in after.items() if before.get(name) != value}


def names_of(changes: Iterable[str]) -> set[str]:
    """The names of the columns and lists in the changes of an event."""
    return {name.removeprefix(EFFECTIVE) for name in changes}


def stored(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes of columns and lists alone."""
    return {name: change for name, change in changes.items() if not name.startswith(EFFECTIVE)}


def plain(value: Any) -> Any:
    """Convert a column's value to a JSON type; `Field.to_python` is the inverse."""
    if value is None or type(value) in PLAIN_TYPES:
        return value
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return value
