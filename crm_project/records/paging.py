"""Keyset pages: rows ordered by (value, id), each row once, whatever is inserted or deleted between two pages."""

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
    """The sort key of a list: a column or an expression. Nulls sort last ascending, first descending.

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
    """Read at most `size` rows from the cursor on. `ordering` names the key, with a `-` for descending."""
    queryset, name = key.annotated(queryset)
    backward = bool(cursor and cursor.backward)
    descending = ordering.startswith("-") != backward
    if cursor is not None:
        queryset = _after(queryset, _behind(name, key.nullable, descending, cursor.value, cursor.row_id))
    rows = list(queryset.order_by(*order_of(name, key.nullable, descending))[: size + 1])
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
    """The arguments of `order_by`."""
    if not nullable:
        return [f"-{name}", "-id"] if descending else [name, "id"]
    if descending:
        return [F(name).desc(nulls_first=True), "-id"]
    return [F(name).asc(nulls_last=True), "id"]


def _position(row: Any, name: str) -> tuple[Any, int]:
    """(value, id) of a model instance, or of a row of `values()`."""
    return (row[name], row["id"]) if isinstance(row, dict) else (getattr(row, name), row.pk)


def _after(queryset: QuerySet[Any], behind: Q) -> QuerySet[Any]:
    """Narrow to the rows behind a cursor.

    The type of the cursor's value may differ from the column's: a custom field may have been declared again with
    another type, or the cursor may be another list's.
    """
    try:
        return queryset.filter(behind)
    except (TypeError, ValueError, ArithmeticError, ValidationError):
        raise InvalidCursor("This cursor belongs to another list.") from None


def _behind(name: str, nullable: bool, descending: bool, value: Any, row_id: int) -> Q:
    """The rows after (value, row_id), where nulls sort as if they were the greatest value."""
    step = "lt" if descending else "gt"
    later_id = Q(**{f"id__{step}": row_id})
    if value is None:
        tied = Q(**{f"{name}__isnull": True}) & later_id
        return tied | Q(**{f"{name}__isnull": False}) if descending else tied
    # The first condition follows from the second, and lets the database use an index on the value.
    behind = Q(**{f"{name}__{step}e": value}) & (Q(**{f"{name}__{step}": value}) | later_id)
    return behind | Q(**{f"{name}__isnull": True}) if nullable and not descending else behind
