"""Custom fields that an import creates for columns: the type that suits a column, and the definition.

The field of such a column is `new_field:<type>` until the run, and the new custom field after it.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm_project.accounts.actors import Actor
from crm_project.errors import FieldError, Invalid
from crm_project.imports import cells
from crm_project.imports.fields import CUSTOM_PREFIX, READERS, ImportField
from crm_project.imports.tables import SourceLine
from crm_project.readers import Unreadable
from crm_project.readers.days import read_moment
from crm_project.readers.figures import read_figure
from crm_project.records.custom_field_keys import free_key, taken_keys
from crm_project.records.models import CustomField
from crm_project.records.services import create_custom_field
from crm_project.records.text import fold

PREFIX = "new_field"
TYPES = ("text", "textarea", "number", "date", "checkbox", "select", "multiselect")
CHOOSING = ("select", "multiselect")
LABEL = gettext_noop("New custom field: %(type)s")
# A column of choices repeats a few short texts.
MOST_OPTIONS, OPTION_LENGTH, LONG = 30, 60, 100
# What a column may have as options that were not suggested but chosen.
OPTIONS_LIMIT = 500
TAGS = frozenset(
    "tag,tags,label,labels,etiquette,etiquettes,etiqueta,etiquetas,etichetta,etichette,etykiety".split(",")
)
# The key under which the dialects read and write tags.
TAGS_KEY = "tags"
NUMBER = re.compile(r"[-−(]?[0-9][0-9 '’.,\u00a0\u202f]*\)?")
LEADING_ZERO = re.compile(r"0[0-9]")
DIGITS = 15
# `Deal - Label`
OWNER = re.compile(r"(?:deal|person|organization|contact|company) - (?=.)", re.IGNORECASE)


class NewField(ImportField):
    """A custom field that is still to be created."""

    @property
    def type(self) -> str:
        return self.key.partition(":")[2]

    @property
    def type_name(self) -> str:
        return str(CustomField.Types(self.type).label)

    @property
    def shown(self) -> str:
        return _(self.label) % {"type": self.type_name}


@cache
def new_field(key: str) -> NewField | None:
    prefix, _colon, kind = key.partition(":")
    is_one = prefix == PREFIX and kind in TYPES
    return NewField(key, LABEL, READERS.get(kind, cells.text), None) if is_one else None


def new_fields() -> list[NewField]:
    found = (new_field(f"{PREFIX}:{kind}") for kind in TYPES)
    return [field for field in found if field]


# -- The type that suits a column.


def type_of(label: str, values: Mapping[str, int], *, is_cut: bool = False) -> str:
    """The type for these texts with their counts; `is_cut` if the column has more than these."""
    texts = list(values)
    if not texts:
        return "text"
    if any(len(text) > LONG for text in texts):
        return "textarea"
    if fold(_plain(label)) in TAGS:
        return "multiselect"
    for kind, fits in (("checkbox", _are_booleans), ("date", _are_days), ("number", _are_numbers)):
        if fits(texts):
            return kind
    several = any(";" in text for text in texts)
    parts = [part for text in texts for part in (text.split(";") if several else [text])]
    distinct = {part.strip() for part in parts}
    is_short = len(distinct) <= MOST_OPTIONS and all(len(part) <= OPTION_LENGTH for part in distinct)
    if is_cut or not is_short or sum(values.values()) < 2 * len(distinct):
        return "text"
    return "multiselect" if several else "select"


def _are_booleans(texts: Sequence[str]) -> bool:
    words = {text.lower() for text in texts}
    return words <= cells.YES | cells.NO and (len(words) > 1 or not words & {"0", "1"})


def _are_days(texts: Sequence[str]) -> bool:
    return not any(text.isdigit() and len(text) != 8 for text in texts) and all(map(_is_day, texts))


def _is_day(text: str) -> bool:
    try:
        read_moment(text)
    except Unreadable:
        return False
    return True


def _are_numbers(texts: Sequence[str]) -> bool:
    """Not codes with leading zeros, and no numbers that are too long to be counted with."""
    return all(
        NUMBER.fullmatch(text) and not LEADING_ZERO.match(text) and len(text) <= DIGITS and _is_figure(text)
        for text in texts
    )


def _is_figure(text: str) -> bool:
    try:
        read_figure(text)
    except Unreadable:
        return False
    return True


def _plain(label: str) -> str:
    return OWNER.sub("", label).strip()


# -- The definitions.


def create_fields(
    *, actor: Actor, kind: str, columns: Mapping[str, NewField], options: Mapping[str, Collection[str]]
) -> dict[str, str]:
    """Define a custom field for each column, in order; returns their keys among the fields of the import."""
    live = CustomField.objects.of(actor.organization_id).live().for_kind(kind)
    present = set(live.values_list("key", flat=True))
    taken = taken_keys(actor.organization_id, kind)
    position = len(present)
    created = {}
    for label, field in columns.items():
        key = _key_of(label, field, present, taken)
        taken.add(key)
        present.add(key)
        change: dict[str, Any] = {
            "kind": kind,
            "key": key,
            "label": _plain(label)[:255] or key,
            "type": field.type,
        }
        change |= {"position": position, "options": list(options.get(label, ()))}
        create_custom_field(actor=actor, change=change)
        position += 1
        created[label] = f"{CUSTOM_PREFIX}{key}"
    return created


def _key_of(label: str, field: NewField, present: Collection[str], taken: Collection[str]) -> str:
    """Tags are where the dialects have them; values of a trashed field of another column do not come back."""
    if field.type == "multiselect" and fold(_plain(label)) in TAGS and TAGS_KEY not in present:
        return TAGS_KEY
    return free_key(_plain(label), taken)


def options_of(
    labels: Sequence[str], lines: Iterable[SourceLine], columns: Mapping[str, NewField]
) -> dict[str, list[str]]:
    """The options of the columns of choices: the distinct entries of their cells, in order of appearance."""
    places = {label: index for index, label in enumerate(labels) if label in columns}
    choosing = {label: columns[label] for label in places if columns[label].type in CHOOSING}
    found: dict[str, dict[str, None]] = {label: {} for label in choosing}
    for line in lines if choosing else ():
        for label, field in choosing.items():
            cell = line.cells[places[label]] if places[label] < len(line.cells) else None
            if not cells.is_empty(cell) and len(found[label]) <= OPTIONS_LIMIT:
                several = field.type == "multiselect"
                found[label].update(
                    dict.fromkeys(entries(cell) if several else [cells.word(cell, cells.PLAIN)])
                )
    for label, texts in found.items():
        _refuse_many(label, texts)
    return {label: [text for text in texts if text] for label, texts in found.items()}


def entries(cell: Any) -> list[str]:
    """The entries of a cell, separated by semicolons, else by commas."""
    several = cells.items(cell, cells.PLAIN)
    return several if len(several) != 1 else [part.strip() for part in several[0].split(",") if part.strip()]


def _refuse_many(label: str, texts: Collection[str]) -> None:
    if len(texts) > OPTIONS_LIMIT or any(len(text) > 255 for text in texts):
        template = gettext_noop(
            "%(column)s has too many or too long values for a choice. Make it a field of the type text."
        )
        params = {"column": label}
        raise Invalid(template, params, fields=[FieldError(f"mapping.{label}", "invalid", template, params)])
