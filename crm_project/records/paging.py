"""Keyset pages: rows ordered by (value, id), each row once even if rows are inserted or deleted between two pages."""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import Combinable

from crm_project.changes import plain
from crm_project.errors import FieldError, Invalid
from crm_project.records.expressions import CodePoints
from crm_project.records.rows import bare

SALT = "crm.cursor"
READ_BACK: Mapping[str, Any] = {
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "Decimal": Decimal,
}


class InvalidCursor(Invalid):
    """The cursor was not issued for this list."""

    def __init__(self, template: str) -> None:
        super().__init__(fields=[FieldError("cursor", "invalid", template)])


@dataclass(frozen=True)
class Key:
    """The sort key of a list: a column or an expression. Nulls sort last in both directions.

    `text` sorts by code point, which is the same on every database.
    """

    expression: str | Combinable
    nullable: bool = False
    text: bool = False

    def annotated(self, queryset: QuerySet[Any]) -> tuple[QuerySet[Any], str]:
        """Return the queryset and the name under which it has the value."""
        if isinstance(self.expression, str) and not self.text:
            return queryset, self.expression
        source = F(self.expression) if isinstance(self.expression, str) else self.expression
        return queryset.annotate(sort_key=CodePoints(source) if self.text else source), "sort_key"


@dataclass(frozen=True)
class Cursor:
    """A position between two rows: after (`value`, `row_id`) in the ordering, or before it if `backward`."""

    ordering: str
    backward: bool
    value: Any
    row_id: int

    def encode(self) -> str:
        kind = type(self.value).__name__
        position = [self.ordering, int(self.backward), kind, plain(self.value), self.row_id]
        # Signer and not signing.dumps, which adds the time: the same page has the same links, hence the same ETag.
        return signing.Signer(salt=SALT).sign_object(position)

    @classmethod
    def decode(cls, text: str, ordering: str) -> "Cursor":
        """Read a cursor that this server issued for the same ordering; InvalidCursor for any other text."""
        try:
            issued_for, backward, kind, value, row_id = signing.Signer(salt=SALT).unsign_object(text)
        except (signing.BadSignature, ValueError, UnicodeError):
            raise InvalidCursor("This cursor was not issued by this server.") from None
        if issued_for != ordering:
            raise InvalidCursor("This cursor belongs to another ordering.")
        read_back = READ_BACK.get(kind, lambda same: same) if value is not None else (lambda same: same)
        return cls(ordering, bool(backward), read_back(value), row_id)


@dataclass
class KeysetPage:
    """The rows of one page, and the cursors of its neighbours; None where there is none."""

    rows: list[Any] = field(default_factory=list)
    next: Cursor | None = None
    previous: Cursor | None = None


def page_of(queryset: QuerySet[Any], key: Key, ordering: str, cursor: Cursor | None, size: int) -> KeysetPage:
    """Read at most `size` rows from the cursor on. `ordering` names the key, with a `-` for descending.

    A nullable key is read in two parts, the rows with a value and those without one, so that one ascending index
    serves both directions.
    """
    queryset, name = key.annotated(queryset)
    backward = bool(cursor and cursor.backward)
    descending = ordering.startswith("-") != backward
    rows = _rows(queryset, _parts(name, key.nullable, descending, cursor), size + 1)
    more = len(rows) > size
    rows = rows[:size][::-1] if backward else rows[:size]
    page = KeysetPage(rows)
    if rows and (more or backward):
        page.next = Cursor(ordering, False, *_position(rows[-1], name))
    if rows and (more if backward else cursor is not None):
        page.previous = Cursor(ordering, True, *_position(rows[0], name))
    return page


def all_rows(queryset: QuerySet[Any], key: Key, ordering: str, *, size: int = 500) -> Iterator[Any]:
    """Iterate over the whole list, one query for `size` rows at a time."""
    page = page_of(queryset, key, ordering, None, size)
    yield from page.rows
    while page.next is not None:
        page = page_of(queryset, key, ordering, page.next, size)
        yield from page.rows


def order_of(name: str, nullable: bool, descending: bool) -> list[Any]:
    """The arguments of `order_by` for a list that is not read in pages."""
    if not nullable:
        return _order(name, descending)
    value = F(name)
    valued = value.desc(nulls_last=True) if descending else value.asc(nulls_last=True)
    return [valued, *_order("id", descending)]


def _order(name: str, descending: bool) -> list[str]:
    sign = "-" if descending else ""
    return [f"{sign}{column}" for column in dict.fromkeys((name, "id"))]


@dataclass(frozen=True)
class _Part:
    """Rows that one query reads: those that satisfy `where`, in this order."""

    where: Q
    order: list[str]


def _parts(name: str, nullable: bool, descending: bool, cursor: Cursor | None) -> list[_Part]:
    """The parts of the list in the order of reading, from the cursor on."""
    step, order = ("lt" if descending else "gt"), _order(name, descending)
    behind = None
    if cursor is not None and cursor.value is None:
        behind = Q(**{f"id__{step}": cursor.row_id})
    elif cursor is not None:
        # The first condition follows from the second, and lets the database use an index on the value.
        later = Q(**{f"{name}__{step}": cursor.value})
        tied = Q(**{f"id__{step}": cursor.row_id})
        behind = Q(**{f"{name}__{step}e": cursor.value}) & (later | tied)
    if not nullable:
        return [_Part(behind or Q(), order)]
    # The key is in the order of the rows without a value, too: only so can PostgreSQL read them from the index.
    valued, null = _Part(Q(**{f"{name}__isnull": False}), order), _Part(Q(**{f"{name}__isnull": True}), order)
    backward = bool(cursor and cursor.backward)
    parts = [null, valued] if backward else [valued, null]
    if cursor is None or behind is None:
        return parts
    current = null if cursor.value is None else valued
    rest = parts[parts.index(current) + 1 :]
    return [_Part(current.where & behind, order), *rest]


def _rows(queryset: QuerySet[Any], parts: list[_Part], count: int) -> list[Any]:
    """The first `count` rows of the parts; related rows are read once for all of them."""
    queryset, follow = bare(queryset)
    rows: list[Any] = []
    for part in parts:
        if len(rows) < count:
            rows += _narrowed(queryset, part.where).order_by(*part.order)[: count - len(rows)]
    follow(rows)
    return rows


def _position(row: Any, name: str) -> tuple[Any, int]:
    """(value, id) of a model instance, or of a row of `values()`."""
    return (row[name], row["id"]) if isinstance(row, dict) else (getattr(row, name), row.pk)


def _narrowed(queryset: QuerySet[Any], where: Q) -> QuerySet[Any]:
    """Narrow to the rows of a part.

    The type of the cursor's value may differ from the column's: a custom field may have been declared again with
    another type, or the cursor may be another list's.
    """
    try:
        return queryset.filter(where)
    except (TypeError, ValueError, ArithmeticError, ValidationError):
        raise InvalidCursor("This cursor belongs to another list.") from None
