"""What the columns of a file show: first values, notations of figures and days, and the distinct values."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any

from crm_project.imports.fields import cell_of
from crm_project.imports.new_fields import type_of
from crm_project.imports.tables import SourceLine
from crm_project.readers import Unreadable
from crm_project.readers.days import ORDERS, read_moment
from crm_project.readers.evidence import Evidence
from crm_project.readers.figures import SIGNS, Figure, read_figure

SAMPLES = 3
SAMPLE_LENGTH = 80
# Rows that are read while somebody waits for the upload; the worker reads the rest before it writes.
ROWS_AT_UPLOAD = 10_000
# A column with more distinct values is not one of choices; a value that is longer is none, either.
MAX_VALUES = 200
VALUE_LENGTH = 100
BLOCK = 2_000
# Only such cells can tell one notation from another.
FIGURE = re.compile(
    r"[^0-9]{0,8}[0-9 '’\u00a0\u202f]*[.,][0-9., '’\u00a0\u202f]*[^0-9]{0,8}"
    r"|[^0-9A-Za-z]{1,8}[0-9 '’\u00a0\u202f]+|[0-9 '’\u00a0\u202f]+[^0-9]{1,8}"
)
DAY = re.compile(r"\s*[0-9]{1,2}[-/] ?[0-9]{1,2}[-/] ?[0-9]{2,4}\b")
LONGEST = 40

Stored = dict[str, Any]


@dataclass
class Profile:
    """One column of a file."""

    label: str
    # The decimal sign and the order of days that are taken for granted.
    habits: tuple[str, str] = ("", "")
    filled: int = 0
    figures: Evidence = field(default_factory=lambda: Evidence(SIGNS))
    days: Evidence = field(default_factory=lambda: Evidence(ORDERS))
    values: Counter[str] | None = field(default_factory=Counter)
    # Signs that several currencies have, with the currencies and a cell.
    signs: dict[str, tuple[list[str], str]] = field(default_factory=dict)
    # The type of a custom field for these values, once they are no longer kept.
    type: str = ""

    def add(self, cells: Sequence[Any]) -> None:
        texts = Counter(text for cell in cells if (text := _text(cell)))
        self.filled += texts.total()
        for text, count in texts.items():
            if len(text) <= LONGEST:
                self._note_notation(text, count)
        if self.values is not None:
            self.values.update(texts)
            if len(self.values) > MAX_VALUES or any(len(text) > VALUE_LENGTH for text in texts):
                self.type = type_of(self.label, self.values, is_cut=True)
                self.values = None

    def _note_notation(self, text: str, count: int) -> None:
        sign, order = self.habits
        figure = _figure(text) if FIGURE.fullmatch(text) else None
        if figure is not None:
            readings = _usual(figure.values, sign if sign and sign in text else "")
            if len(figure.currencies) > 1:
                self.signs.setdefault(figure.unit, (sorted(figure.currencies), text))
            self.figures.add(text, readings, count)
        if DAY.match(text) and (days := _days(text)):
            self.days.add(text, _usual(days, order), count)

    def stored(self) -> Stored:
        return {
            "label": self.label,
            "filled": self.filled,
            "decimal": _stored(self.figures),
            "date_order": _stored(self.days),
            "type": self.type or type_of(self.label, self.values or {}),
            "signs": {sign: list(found) for sign, found in self.signs.items()},
            "values": None if self.values is None else [list(pair) for pair in self.values.most_common()],
        }


def _usual(readings: Mapping[str, Any], notation: str) -> Mapping[str, Any]:
    return {notation: readings[notation]} if notation in readings else readings


def _stored(evidence: Evidence) -> Stored:
    return {
        "choices": evidence.choices,
        "samples": evidence.samples,
        "contradictory": evidence.is_contradictory,
        "votes": {name: evidence.votes[name] for name in evidence.choices},
    }


def profile_of(
    labels: Sequence[str], lines: Iterable[SourceLine], *, habits: tuple[str, str] = ("", "")
) -> list[Stored]:
    """The columns of these rows."""
    profiles = [Profile(label, habits) for label in labels]
    lines = iter(lines)
    samples: list[list[str]] = [[] for _ in labels]
    while block := list(islice(lines, BLOCK)):
        for index, profile in enumerate(profiles):
            cells = [line.cells[index] for line in block if index < len(line.cells)]
            profile.add(cells)
            if len(samples[index]) < SAMPLES:
                found = (text for cell in cells if (text := _sample(cell)))
                samples[index] += islice(found, SAMPLES - len(samples[index]))
    return [profile.stored() | {"samples": few} for profile, few in zip(profiles, samples, strict=True)]


@lru_cache(maxsize=4096)
def _figure(text: str) -> Figure | None:
    try:
        return read_figure(text)
    except Unreadable:
        return None


@lru_cache(maxsize=4096)
def _days(text: str) -> dict[str, Any]:
    try:
        return dict(read_moment(text).days)
    except Unreadable:
        return {}


def _text(cell: Any) -> str:
    text = cell.strip() if isinstance(cell, str) else "" if cell is None else cell_of(cell)
    return text if "\x00" not in text and text.isprintable() else _storable(text)


def _storable(text: str) -> str:
    return " ".join(text.replace("\x00", "\ufffd").split()).encode("utf-8", "replace").decode()


def _sample(cell: Any) -> str:
    text = "" if cell is None else _storable(str(cell))
    return text if len(text) <= SAMPLE_LENGTH else f"{text[:SAMPLE_LENGTH]}…"
