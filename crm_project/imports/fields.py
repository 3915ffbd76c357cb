"""The fields that a column can be mapped to: one list for each kind of row, used by the import and by the export."""

import datetime
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import override

from crm_project.imports import cells
from crm_project.imports.cells import Reader
from crm_project.records.models import CustomField

CUSTOM_PREFIX = "custom_"
HEADERS = Path(__file__).parent / "headers.toml"
# One row of an export query: column paths and their values.
ExportRow = Mapping[str, Any]
NOTATIONS: Mapping[Reader, str] = {
    **dict.fromkeys((cells.number, cells.money, cells.whole, cells.percent), "decimal"),
    **dict.fromkeys((cells.day, cells.iso_day, cells.instant), "date_order"),
}

# By the type of a custom field; others are text.
READERS: Mapping[str, Reader] = {
    "number": cells.number,
    "checkbox": cells.boolean,
    "date": cells.iso_day,
    "multiselect": cells.items,
    "select": cells.word,
}


@dataclass(frozen=True)
class ImportField:
    """A column of a table: its key, how a cell of it is read, and its value in an export.

    `read` is None for a field that is exported only, `show` for one that is imported only. `show` is a column path or a
    function of the row. `names` are other headers that mean this field; those of our own fields stand in
    `headers.toml`. An empty cell stands for `clears`, if
    `can_clear`. `attribute` is the name of the value in a service's change, which is the key unless another one is
    given.
    """

    key: str
    label: str
    read: Reader | None
    show: str | Callable[[ExportRow], Any] | None
    names: Sequence[str] = field(default=())
    clears: Any = None
    can_clear: bool = False
    attribute: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "attribute", self.attribute or self.key)

    @property
    def shown(self) -> str:
        """The label in the language of the reader; that of a custom field is a text of a member."""
        return self.label if self.key.startswith(CUSTOM_PREFIX) else _(self.label)

    def label_in(self, language: str) -> str:
        return self.label if self.key.startswith(CUSTOM_PREFIX) else translated(self.label, language)

    @property
    def is_instant(self) -> bool:
        return self.read is cells.instant

    @property
    def is_stored_day(self) -> bool:
        """Whether the value is a day as a text."""
        return self.read is cells.iso_day

    @property
    def is_read_only(self) -> bool:
        """Whether the field is exported but not imported."""
        return self.read is None

    @property
    def asks(self) -> str:
        """The notation that cells of this field have: `decimal`, `date_order`, or none."""
        return NOTATIONS.get(self.read, "") if self.read else ""

    @property
    def is_money(self) -> bool:
        return self.read is cells.money

    @property
    def value_of(self) -> Callable[[ExportRow], Any]:
        assert self.show is not None, "imported only"
        return itemgetter(self.show) if isinstance(self.show, str) else self.show


@cache
def translated(label: str, language: str) -> str:
    with override(language):
        return _(label)


def plain(key: str, label: str, read: Reader, *, can_clear: bool = True) -> ImportField:
    """A field whose key is the name of its column."""
    return ImportField(key, label, read, key, can_clear=can_clear)


def import_only(key: str, label: str, read: Reader, *, attribute: str) -> ImportField:
    return ImportField(key, label, read, None, attribute=attribute)


def export_only(key: str, label: str, show: str = "", *, attribute: str = "") -> ImportField:
    return ImportField(key, label, None, show or key, attribute=attribute)


def with_headers(kind: str, fields: Sequence[ImportField]) -> list[ImportField]:
    """The fields with the headers that mean them in the languages of the files."""
    names = _headers()[kind]
    return [replace(field, names=names.get(field.key, ())) for field in fields]


def patterns(key: str) -> Sequence[str]:
    """The forms of headers that name the field and something else."""
    return _headers()["patterns"][key]


@cache
def _headers() -> dict[str, dict[str, Sequence[str]]]:
    with HEADERS.open("rb") as file:
        return tomllib.load(file)


def custom_fields(definitions: Mapping[str, CustomField]) -> list[ImportField]:
    return [_custom(definition) for definition in definitions.values() if definition.type != "heading"]


def _custom(definition: CustomField) -> ImportField:
    key = definition.key
    is_several = definition.type == "multiselect"
    return ImportField(
        f"{CUSTOM_PREFIX}{key}",
        definition.label,
        cells.some_of(definition.options) if is_several else READERS.get(definition.type, cells.text),
        lambda row: row["custom_fields"].get(key),
        (key,),
        None,
        can_clear=not definition.required,
    )


def cell_of(value: Any) -> str:
    """The text of a value, which an import reads as the same value."""
    return CELLS.get(type(value), _other_cell)(value)


def _other_cell(value: Any) -> str:
    """The text of a value of a derived type, such as a choice, or of an unknown one."""
    base = next((base for base in CELLS if isinstance(value, base)), None)
    return CELLS[base](value) if base else str(value)


def _instant(value: datetime.datetime) -> str:
    return value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")


def _list(value: Sequence[Any]) -> str:
    return "; ".join(map(cell_of, value))


# A derived type has the text of the first of these that it is derived from.
CELLS: Mapping[type, Callable[[Any], str]] = {
    type(None): lambda value: "",
    str: lambda value: value,
    bool: lambda value: "true" if value else "false",
    list: _list,
    tuple: _list,
    Decimal: lambda value: f"{value:f}",
    float: lambda value: f"{Decimal(repr(value)):f}",
    datetime.datetime: _instant,
    datetime.date: datetime.date.isoformat,
    UUID: str,
    int: str,
}


def is_figure(value: Any) -> bool:
    """Whether the value is a number or a date, which is not a formula even if it begins with a minus."""
    return isinstance(value, int | float | Decimal | datetime.date) or value is None
