"""The registry of kinds: one declaration for each model whose rows members read, write, undo and refer to.

An app declares its kinds in its `kinds.py` and registers them in `AppConfig.ready()`. Rooms that treat all rows alike
(the journal, external references, the API's viewsets) read the declaration and import no app. A row whose kind is not
registered is visible to nobody.
"""

import datetime
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from django.db import models
from django.db.models import Exists, OuterRef, Q

from crm_project.accounts.actors import Actor
from crm_project.accounts.models import Member
from crm_project.accounts.rules import Permission
from crm_project.changes import ChangeSet

if TYPE_CHECKING:
    from crm_project.records.writing.store import Draft

# Columns that every row has: an event's own attributes and its action stand for them.
OMITTED_COLUMNS = frozenset({"id", "uuid", "organization_id", "created_at", "deleted_at"})


@dataclass(frozen=True)
class Field:
    """A column or list in the journal: its name in the API and, if it holds ids, the kind of row that they name."""

    name: str
    kind: str = ""
    is_instant: bool = False


@dataclass(frozen=True)
class Everyone:
    """Every member of the organization sees every row. `organization` is the column that holds the organization."""

    organization: str = "organization_id"

    def narrow(self, rows: Any, member: Member) -> Any:
        return rows.filter(**{self.organization: member.organization_id})

    def hidden(self, rows: Any, member: Member) -> Any:
        return rows.none()


@dataclass(frozen=True)
class Private:
    """`rule(rows, member)` narrows rows of any organization to those that the member may see.

    A rule may depend on the member's role or teams. `complement(rows, member)` answers the other rows of the member's
    organization, for queries about many rows of which few are hidden; without it, they are derived from the rule.
    `by_role` declares that the SQL of the rule depends on the member's role alone, and has the ids of the member and of
    the organization as parameters: then it may be compiled once for each role.
    """

    rule: Callable[[Any, Member], Any]
    complement: Callable[[Any, Member], Any] | None = None
    by_role: bool = False

    def narrow(self, rows: Any, member: Member) -> Any:
        return self.rule(rows, member)

    def hidden(self, rows: Any, member: Member) -> Any:
        if self.complement is not None:
            return self.complement(rows, member)
        return _others(rows, member, self)


@dataclass(frozen=True)
class AsParent:
    """A member sees a row only if the member sees its parent, the row of the foreign key `field`."""

    field: str

    def narrow(self, rows: Any, member: Member) -> Any:
        parent = kind_of(rows.model._meta.get_field(self.field).related_model)
        if parent is None:
            return rows.none()
        return rows.filter(
            organization_id=member.organization_id, **{f"{self.field}__in": parent.rows(member).values("pk")}
        )

    def hidden(self, rows: Any, member: Member) -> Any:
        return _others(rows, member, self)


@dataclass(frozen=True)
class AsFirstParent:
    """A member sees a row only if the member sees the first parent that it has, of the foreign keys `fields`.

    A row without any of them is visible to nobody.
    """

    fields: tuple[str, ...]

    def narrow(self, rows: Any, member: Member) -> Any:
        def seen(parent: "Kind", name: str) -> Q:
            return Q(Exists(parent.rows(member).filter(pk=OuterRef(f"{name}_id"))))

        return rows.filter(self._condition(rows.model, seen), organization_id=member.organization_id)

    def hidden(self, rows: Any, member: Member) -> Any:
        def hidden(parent: "Kind", name: str) -> Q:
            return Q(**{f"{name}__in": parent.hidden_rows(member).values("pk")})

        return rows.filter(self._condition(rows.model, hidden), organization_id=member.organization_id)

    def _condition(self, model: Any, of_parent: "Callable[[Kind, str], Q]") -> Q:
        def condition(name: str) -> Q:
            parent = kind_of(model._meta.get_field(name).related_model)
            return of_parent(parent, name) if parent is not None else Q(pk__in=[])

        return _of_first(self.fields, condition)


Visibility = Everyone | Private | AsParent | AsFirstParent


def is_by_role(model: Any) -> bool:
    """Whether the SQL of what a member sees of a kind depends on the member's role alone: see `Private`."""
    kind = kind_of(model)
    match kind and kind.visible:
        case Everyone():
            return True
        case Private(by_role=by_role):
            return by_role
        case AsParent(field=name):
            names: tuple[str, ...] = (name,)
        case AsFirstParent(fields=names):
            pass
        case _:
            return False
    return all(is_by_role(model._meta.get_field(name).related_model) for name in names)


def _of_first(names: Sequence[str], condition: Callable[[str], Q]) -> Q:
    """The rows that satisfy the condition of the first of these foreign keys that they have."""
    found, without = [], Q()
    for name in names:
        found.append(without & Q(**{f"{name}__isnull": False}) & condition(name))
        without &= Q(**{f"{name}__isnull": True})
    return Q(*found, _connector=Q.OR)


def _others(rows: Any, member: Member, visible: Private | AsParent) -> Any:
    seen = visible.narrow(rows.model._default_manager.all(), member)
    return rows.filter(organization_id=member.organization_id).exclude(pk__in=seen.values("pk"))


@dataclass(frozen=True)
class Services:
    """The writes of a kind, each with the same keyword-only parameters for every kind.

    `if_match` maps a row's id to the version that the client expects; an update has it in its change as `if_match`.
    Further keyword arguments (`move_deals_to`, `stage`) are the kind's own.
    """

    # create(*, actor, changes) -> the new rows
    create: Callable[..., Sequence[Any]] | None = None
    # update(*, actor, changes=[(row, change), ...]) -> a Receipt for each
    update: Callable[..., Sequence[Any]] | None = None
    # trash(*, actor, rows, if_match={}, **extra) -> the rows
    trash: Callable[..., Sequence[Any]] | None = None
    # restore(*, actor, rows, if_match={}, **extra) -> the rows
    restore: Callable[..., Sequence[Any]] | None = None
    # carry_out(*, actor, operations) -> a Receipt for each; lists of mixed writes
    carry_out: Callable[..., Sequence[Any]] | None = None


class Undoer(Protocol):
    """How rows of a kind are restored to earlier values. Called in this order, in one transaction."""

    @property
    def lists(self) -> Collection[str]:
        """The lists that `lock` reads and `revert` writes: all those of the kind."""

    def hold(self, actor: Actor, restored: Sequence[Mapping[str, Any]]) -> None:
        """Take the locks that precede row locks. `restored` has the columns and lists to be restored, for each row."""

    def lock(
        self, actor: Actor, ids: Sequence[int], restored: Sequence[Mapping[str, Any]], *, rows: Any = None
    ) -> dict[int, "Draft"]:
        """The current rows, live or not, locked in id order, with their lists in other tables.

        `rows` are those that may be written, instead of those that the actor may see. Other rows of the kind that
        `revert` needs, by the values to be restored, are locked in the same order.
        """

    def revert(self, changes: ChangeSet, actor: Actor, drafts: Sequence["Draft"]) -> None:
        """Write the drafts, which hold the restored values, or refuse them."""


@dataclass(frozen=True)
class Kind:
    """The declaration of one kind of row. `visible` has no default value, so that no kind is visible by omission.

    `rank` is its place in the lock order: an undo locks rows of lower ranks first, so a foreign key leads to a lower
    rank. `crm_project.records.checks` verifies both at start.
    """

    model: Any
    visible: Visibility
    rank: int
    # The permission that its services require, also for its external references and undo.
    permission: Permission = Permission.ADMINISTER
    services: Services = Services()
    # How the API refers to a row: by its "id" or "uuid", and by its name under `label`.
    named_by: str = "id"
    label: str = "name"
    # The relations that a row's name needs.
    related: tuple[str, ...] = ()
    # Its table of external references, if other systems may name its rows.
    references: Any = None
    # Its lists in other tables, each with the kind that its ids name; "" for lists of something else.
    lists: Mapping[str, str] = field(default_factory=dict)
    # The names of lists in the API, where they differ from those of their storage.
    api_names: Mapping[str, str] = field(default_factory=dict)
    # Columns that its events do not contain.
    hidden_columns: frozenset[str] = frozenset()
    # Tables whose rows are parts of its rows and are never read without them.
    parts: tuple[Any, ...] = ()
    # Foreign keys to private rows that are null for members who may not see the row.
    guarded: frozenset[str] = frozenset()
    # The keys of an upsert in the order of their precedence, each with a test whether a change has it.
    match_keys: Mapping[str, Callable[[Mapping[str, Any]], bool]] = field(default_factory=dict)
    # The error code of each constraint that two writers at the same moment may violate.
    constraints: Mapping[str, str] = field(default_factory=dict)
    # Written under the exclusive lock of the catalogue.
    is_reference_data: bool = False
    # Cached by readers until the version of the organization's catalogue changes.
    in_catalogue: bool = False
    # history(row) -> the condition of the events of its history, if those are more than its own.
    history: Callable[[Any], Q] | None = None
    # polish(presented events of this kind): finish their values, for a page of them at once.
    polish: Callable[[Sequence[Any]], None] | None = None
    # clauses(presented event) -> clauses of its sentence, and the names of the fields that they cover.
    clauses: Callable[[Any], tuple[list[str], set[str]]] | None = None
    # What an update may mean beside `updated`, the most specific first: the name of the type of event, and a test of
    # the event's changes.
    event_types: Mapping[str, Callable[[Mapping[str, Any]], bool]] = field(default_factory=dict)
    undoer: Undoer | None = None
    # moves_hidden(changes): whether a change of a row has moved rows to it or from it that the actor may not see. The
    # undo of its change set moves them back.
    moves_hidden: Callable[[Mapping[str, Any]], bool] | None = None
    # check_moved(actor, row ids): refuse rows in the trash that others still refer to, after such an undo.
    check_moved: Callable[[Actor, Sequence[int]], None] = lambda actor, ids: None
    # Whether other rows of the same kind may refer to this one: it is restored before them.
    is_inner: Callable[[Any], bool] | None = None
    # The columns and lists that hold personal data, which redaction erases.
    personal: frozenset[str] = frozenset()
    # expired(before): the condition for rows to be purged, where that is not the time of their or their parent's
    # deletion.
    expired: Callable[[datetime.datetime], Q] | None = None

    @property
    def name(self) -> str:
        return str(self.model.row_kind)

    @property
    def is_private(self) -> bool:
        """Whether some members of the organization may not see some of the rows."""
        return not isinstance(self.visible, Everyone)

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The columns and lists that events show, by the names of their storage."""
        skipped = OMITTED_COLUMNS | self.hidden_columns | getattr(self.model, "derived", frozenset())
        columns = {
            column.attname: Field(
                column.name,
                getattr(column.related_model, "row_kind", ""),
                is_instant=isinstance(column, models.DateTimeField),
            )
            for column in self.model._meta.concrete_fields
            if column.attname not in skipped
        }
        return columns | {
            name: Field(self.api_names.get(name, name), kind) for name, kind in self.lists.items()
        }

    @property
    def all_parts(self) -> set[Any]:
        """Its parts and its external references."""
        return {*self.parts, *([self.references] if self.references else [])}

    @property
    def parents(self) -> tuple[str, ...]:
        """The foreign keys to its parents, the rows that decide who sees its own."""
        if isinstance(self.visible, AsFirstParent):
            return self.visible.fields
        return (self.visible.field,) if isinstance(self.visible, AsParent) else ()

    def expired_rows(self, before: datetime.datetime) -> Any:
        """The rows that are to be purged: those in the trash since before this time, or whose parent is."""
        rows = self.model._default_manager.all()
        if self.expired is not None:
            return rows.filter(self.expired(before))
        return rows.filter(self._trashed(before)) if hasattr(self.model, "deleted_at") else rows.none()

    def _trashed(self, before: datetime.datetime, prefix: str = "") -> Q:
        own = Q(**{f"{prefix}deleted_at__lt": before})
        if not self.parents:
            return own
        return own | self._of_parent(prefix, lambda parent, path: parent._trashed(before, f"{path}__"))

    def with_live_parent(self, rows: Any) -> Any:
        """Without the rows whose parent is in the trash: they return with it."""
        return rows.filter(self._live_parent()) if self.parents else rows

    def _live_parent(self, prefix: str = "") -> Q:
        def is_live(parent: "Kind", path: str) -> Q:
            own = Q(**{f"{path}__deleted_at": None})
            return own & parent._live_parent(f"{path}__") if parent.parents else own

        return self._of_parent(prefix, is_live)

    def _of_parent(self, prefix: str, condition: "Callable[[Kind, str], Q]") -> Q:
        parents = {f"{prefix}{name}": self.model._meta.get_field(name).related_model for name in self.parents}

        def of(path: str) -> Q:
            parent = kind_of(parents[path])
            return condition(parent, path) if parent is not None else Q(pk__in=[])

        return _of_first(list(parents), of)

    def rows(self, member: Member) -> Any:
        """The rows that the member may see, live or not, with the relations of their names."""
        rows = self.visible.narrow(self.model._default_manager.all(), member)
        return rows.select_related(*self.related) if self.related else rows

    def hidden_rows(self, member: Member) -> Any:
        """The rows of the member's organization that the member may not see."""
        return self.visible.hidden(self.model._default_manager.all(), member)

    def live_rows(self, member: Member) -> Any:
        """The rows that the member may see and that are not in the trash, nor is their parent."""
        rows = self.with_live_parent(self.rows(member))
        return rows.filter(deleted_at=None) if hasattr(self.model, "deleted_at") else rows

    def part(self, row: Any) -> dict[str, Any]:
        """A row as others refer to it: its id or uuid, and its name."""
        key = str(row.uuid) if self.named_by == "uuid" else row.pk
        return {
            self.named_by: key,
            self.label: str(row) if self.label == "name" else getattr(row, self.label),
        }


# By name, in the order of their ranks.
kinds: dict[str, Kind] = {}


def register(*declared: Kind) -> None:
    by_rank = sorted([*kinds.values(), *declared], key=lambda kind: kind.rank)
    kinds.clear()
    kinds.update({kind.name: kind for kind in by_rank})


def referable() -> dict[str, Kind]:
    """The kinds that external references may name."""
    return {name: kind for name, kind in kinds.items() if kind.references is not None}


def kind_of(model: Any) -> Kind | None:
    """The declaration of a model, or None if there is none."""
    kind = kinds.get(getattr(model, "row_kind", ""))
    return kind if kind is not None and kind.model is model else None
