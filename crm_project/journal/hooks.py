"""What the journal asks of the apps whose rows it tells of: each registers its kinds of row in its AppConfig."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from django.db import models
from django.db.models import Q

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.accounts.rules import Permission
from crm_project.changes import ChangeSet
from crm_project.records.writing.store import Draft

if TYPE_CHECKING:
    from crm_project.journal.presenting import PresentedEvent

# Every row has these, and nobody asks for them: the event's own fields and its action say it.
OMITTED_COLUMNS = frozenset({"id", "uuid", "organization_id", "created_at", "deleted_at"})


@dataclass(frozen=True)
class Field:
    """How a column or list of an event is shown: its name in the API, the kind of row that its ids name."""

    name: str
    kind: str = ""
    is_instant: bool = False


class Undoer(Protocol):
    """How rows of a kind are brought back to what they were. The calls come in this order, in one transaction."""

    permission: Permission

    def hold(self, actor: Actor, wanted: Sequence[Mapping[str, Any]]) -> None:
        """Take the locks that come before those of rows, for rows that shall get back these columns and lists."""

    def lock(self, actor: Actor, ids: Sequence[int]) -> dict[int, Draft]:
        """The rows as they are now, live or not, locked in id order, with what they hold in other tables."""

    def revert(self, changes: ChangeSet, actor: Actor, drafts: Sequence[Draft]) -> None:
        """Write the drafts, which hold what they shall be, or refuse what cannot stand."""


@dataclass(frozen=True)
class Kind:
    """One kind of row. `private`: some members may not see some of its rows."""

    model: Any
    # The rows that a member may see, live or not, with all that `part` shows of one.
    rows: Callable[[Member], Any]
    # A row as others refer to it: its id or uuid, and its name.
    part: Callable[[Any], dict[str, Any]]
    fields: Mapping[str, Field]
    private: bool = False
    # Reference data, which is written by one at a time.
    catalogue: bool = False
    # The events of a row's history, when they are more than its own.
    history: Callable[[Any], Q] | None = None
    # Finish what is told of this kind's events, for all of a page at once.
    polish: Callable[[Sequence["PresentedEvent"]], None] | None = None
    # What an event says in the app's own words, and the fields that are told by it.
    clauses: Callable[["PresentedEvent"], tuple[list[str], set[str]]] | None = None
    undoer: Undoer | None = None
    # Whether others of the kind refer to such a row: it comes back before them.
    is_inner: Callable[[Any], bool] | None = None
    # The columns and lists that hold a person's data.
    personal: frozenset[str] = field(default_factory=frozenset)

    @property
    def name(self) -> str:
        return str(self.model.row_kind)


kinds: dict[str, Kind] = {}
# A change set is about to be undone from the feed or a row's history: refuse it here if it has an undo of its own.
before_undo: list[Callable[[Actor, UUID], None]] = []
# The first change set was undone there, by the second.
after_undo: list[Callable[[Actor, UUID, UUID], None]] = []
# This row has lost its personal data: erase what was kept of it elsewhere.
after_redaction: list[Callable[[Any], None]] = []


def register(kind: Kind) -> None:
    kinds[kind.name] = kind


def fields_of(
    model: Any, *, lists: Mapping[str, str] | None = None, omit: frozenset[str] = frozenset()
) -> dict[str, Field]:
    """The told columns of a model, each naming the kind that its foreign key leads to, and its lists."""
    skipped = OMITTED_COLUMNS | omit | getattr(model, "derived", frozenset())
    told = {
        column.attname: Field(
            column.name,
            getattr(column.related_model, "row_kind", ""),
            is_instant=isinstance(column, models.DateTimeField),
        )
        for column in model._meta.concrete_fields
        if column.attname not in skipped
    }
    return told | {name: Field(name, kind) for name, kind in (lists or {}).items()}


def named_by_id(row: Any) -> dict[str, Any]:
    return {"id": row.pk, "name": str(row)}


def named_by_uuid(row: Any) -> dict[str, Any]:
    return {"uuid": str(row.uuid), "name": str(row)}


def person_by_uuid(row: Any) -> dict[str, Any]:
    return {"uuid": str(row.uuid), "full_name": row.full_name}
