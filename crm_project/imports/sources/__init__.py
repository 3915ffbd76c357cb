"""The systems whose files are recognized: one TOML file each, with the headers and what their columns mean.

A file has a `name`, the `system` of the ids, and a table for each kind of content (`deals`, `contacts`, `companies`),
perhaps with a `system` of its own, if these ids are counted apart:
`recognized_by` are headers that all must be there, `mapping` the field of each header, `also` a field that takes the
value of a header that has another field already, `units` what numbers count (`cents`, `fraction`), `values` the
meaning of values by field, `entered` the forms of headers with the day on which a deal entered a `{stage}`, and
`leave_out_rows = "single_cell"` leaves out rows with one filled cell.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
# Contents of a file by the kind of import that takes it.
CONTENTS: Mapping[str, Sequence[str]] = {
    "deals": ("deals",),
    "contacts": ("contacts", "companies"),
    "activities": (),
}


@dataclass(frozen=True)
class Source:
    """The files of one system with one kind of content."""

    key: str
    name: str
    system: str
    recognized_by: Sequence[str]
    mapping: Mapping[str, str]
    also: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    entered: Sequence[str] = ()
    leave_out_rows: str = ""
    # The system of the ids of companies, which may be counted apart from those of people.
    company_system: str = ""

    def fits(self, labels: Sequence[str]) -> bool:
        return set(self.recognized_by) <= set(labels)


@cache
def sources(kind: str) -> Sequence[Source]:
    """The sources of deals or of contacts; those with more headers to be recognized by come first."""
    found = [
        _source(f"{path.stem}.{content}", document, content)
        for path in sorted(FOLDER.glob("*.toml"))
        for document in [_document(path)]
        for content in CONTENTS[kind]
        if content in document
    ]
    return sorted(found, key=lambda source: -len(source.recognized_by))


def _source(key: str, document: Mapping[str, Any], content: str) -> Source:
    own = {"system": document["system"], **document[content]}
    company_system = document.get("companies", {}).get("system", document["system"])
    return Source(key, document["name"], company_system=company_system, **own)


def source_of(kind: str, labels: Sequence[str]) -> Source | None:
    """The source that writes these headers."""
    return next((source for source in sources(kind) if source.fits(labels)), None)


def source_named(kind: str, key: str) -> Source | None:
    return next((source for source in sources(kind) if source.key == key), None)


def _document(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return tomllib.load(file)
