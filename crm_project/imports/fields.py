"""The fields a column can be mapped to: one list for each kind of row, used by the import and by the export."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import itemgetter
from typing import Any

from crm_project.imports import cells
from crm_project.imports.cells import Habits, Reader
from crm_project.records.models import CustomField

CUSTOM_PREFIX = "custom_"
# What an export reads of a row: its columns, and what they lead to, by their names in a query.
Shown = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """A column of the table: its name, how a cell of it is read, and what is shown of a row: what a query calls so, or
    what is made of the row.

    `clears` is what an emptied cell means, where the field can be emptied at all; `names` are other words for it.
    """

    key: str
    label: str
    read: Reader | None
    show: str | Callable[[Shown], Any]
    names: Sequence[str] = field(default=())
    clears: Any = None
    can_clear: bool = False

    @property
    def is_read_only(self) -> bool:
        """Shown in an export, and left alone by an import."""
        return self.read is None

    @property
    def value_of(self) -> Callable[[Shown], Any]:
        return itemgetter(self.show) if isinstance(self.show, str) else self.show


def plain(
    key: str, label: str, read: Reader, *names: str, clears: Any = None, can_clear: bool = True
) -> Field:
    """A field that the row has under the same name."""
    return Field(key, label, read, key, names, clears, can_clear)


def shown_only(key: str, label: str, show: str = "") -> Field:
    return Field(key, label, None, show or key)


def custom_fields(definitions: Mapping[str, CustomField]) -> list[Field]:
    return [_custom(definition) for definition in definitions.values() if definition.type != "heading"]


def _custom(definition: CustomField) -> Field:
    key = definition.key
    readers: dict[str, Reader] = {
        "number": cells.number,
        "checkbox": cells.boolean,
        "date": lambda cell, habits: cells.day(cell, habits).isoformat(),
        "multiselect": cells.items,
        "select": cells.word,
    }
    return Field(
        f"{CUSTOM_PREFIX}{key}",
        definition.label,
        readers.get(definition.type, cells.text),
        lambda row: row["custom_fields"].get(key),
        (key,),
        None,
        can_clear=not definition.required,
    )


def cell_of(value: Any) -> str:
    """A value as a cell that is read back as the same value."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "; ".join(cell_of(item) for item in value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value)


def is_figure(value: Any) -> bool:
    """A number or a day is no formula, even with a minus before it."""
    return isinstance(value, int | float | Decimal | datetime.date) or value is None


__all__ = ["CUSTOM_PREFIX", "Field", "Habits", "cell_of", "custom_fields", "is_figure", "plain", "shown_only"]
