"""The mapping of columns to fields, and the formats of cells: guesses from headers and samples, and validation."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from babel import Locale, UnknownLocaleError

from crm_project.errors import FieldError
from crm_project.imports.fields import CUSTOM_PREFIX, ImportField
from crm_project.imports.tables import SourceLine
from crm_project.imports.tables.texts import ENCODINGS
from crm_project.records.text import fold

SAMPLES = 3
SAMPLE_LENGTH = 80
LOOKED_AT = 200
WORDS = re.compile(r"[^a-z0-9]+")
COMMA = re.compile(r"-?[0-9.\s\u00a0\u202f]*[0-9],([0-9]{1,2}|[0-9]{4,})|-?[0-9]{1,3}(\.[0-9]{3})+,[0-9]+")
POINT = re.compile(r"-?[0-9,\s\u00a0\u202f]*[0-9]\.([0-9]{1,2}|[0-9]{4,})|-?[0-9]{1,3}(,[0-9]{3})+\.[0-9]+")
SLASHED = re.compile(r"([0-9]{1,2})[/-]([0-9]{1,2})[/-][0-9]{4}")

MATCHES = ("auto", "none", "uuid", "external_reference", "email")
CHOICES: dict[str, Sequence[str]] = {
    "decimal": (".", ","),
    "date_order": ("ymd", "dmy", "mdy"),
    "empty_cells": ("keep", "clear"),
    "bad_rows": ("refuse_all", "skip"),
    "match_on": MATCHES,
    "encoding": ENCODINGS,
    "delimiter": (",", ";", "\t", "|"),
}
TEXTS = ("external_system", "sheet")
DEFAULTS = {
    "decimal": ".",
    "date_order": "ymd",
    "empty_cells": "keep",
    "bad_rows": "refuse_all",
    "match_on": "auto",
    "external_system": "default",
}


def header_digest(labels: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(list(labels)).encode("utf-8", "surrogatepass")).hexdigest()


def samples_of(
    labels: Sequence[str], lines: Iterable[SourceLine]
) -> tuple[list[dict[str, Any]], list[SourceLine]]:
    """Each column with its first values, by which people recognise it, and the first LOOKED_AT rows."""
    looked_at = list(islice(lines, LOOKED_AT))
    columns = []
    for index, label in enumerate(labels):
        samples = (_sample(line.cells[index]) for line in looked_at if index < len(line.cells))
        columns.append({"label": label, "samples": list(islice((cell for cell in samples if cell), SAMPLES))})
    return columns, looked_at


def _sample(cell: Any) -> str:
    text = "" if cell is None else " ".join(str(cell).replace("\x00", "\ufffd").split())
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= SAMPLE_LENGTH else f"{text[:SAMPLE_LENGTH]}…"


def folded(name: str) -> str:
    """`E-Mail (work)` → `e mail work`."""
    return WORDS.sub(" ", fold(name)).strip()


def guess_mapping(labels: Sequence[str], fields: Sequence[ImportField]) -> dict[str, str | None]:
    """The field of each column by its header: the key, else the label, else another name. Each field is used once."""
    by_name: dict[str, str] = {}
    for names in (lambda f: [f.key], lambda f: [f.label], lambda f: f.names):
        for candidate in fields:
            if not candidate.is_read_only:
                for name in names(candidate):
                    by_name.setdefault(folded(name), candidate.key)
    taken: set[str] = {field.key for field in fields if field.is_read_only}
    mapping: dict[str, str | None] = {}
    for label in sorted(labels, key=lambda label: label not in by_name.values()):
        key = label if any(f.key == label for f in fields) else by_name.get(folded(label))
        mapping[label] = key if key and key not in taken else None
        taken.add(key or "")
    return {label: mapping[label] for label in labels}


def guess_cell_format(
    labels: Sequence[str], fields: Sequence[ImportField], lines: Sequence[SourceLine], language: str
) -> dict[str, str]:
    """Decimal sign and order of dates: those of an export, else of the samples, else of the language."""
    keys = {field.key for field in fields}
    if all(label in keys or label.startswith(CUSTOM_PREFIX) for label in labels):
        return {"decimal": ".", "date_order": "ymd"}
    cells = [
        cell.strip() for line in lines for cell in line.cells if isinstance(cell, str) and len(cell) < 30
    ]
    decimal, order = _of_language(language)
    commas, points = (sum(bool(sign.fullmatch(cell)) for cell in cells) for sign in (COMMA, POINT))
    if commas != points:
        decimal = "," if commas > points else "."
    days = [match for cell in cells if (match := SLASHED.fullmatch(cell))]
    if any(int(match[1]) > 12 for match in days):
        order = "dmy"
    elif any(int(match[2]) > 12 for match in days):
        order = "mdy"
    return {"decimal": decimal, "date_order": order}


def _of_language(language: str) -> tuple[str, str]:
    try:
        locale = Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return ".", "ymd"
    symbols = locale.number_symbols.get("latn", locale.number_symbols)
    pattern = str(locale.date_formats["short"].pattern).lower()
    order = "".join(dict.fromkeys(letter for letter in pattern if letter in "dmy"))
    return ("," if symbols.get("decimal") == "," else "."), (order if order in ("dmy", "mdy") else "ymd")


def mapping_errors(
    mapping: Mapping[str, Any], labels: Sequence[str], fields: Sequence[ImportField]
) -> list[FieldError]:
    """The errors of a mapping: unknown columns, unknown or read-only fields, a field of two columns."""
    writable = {field.key for field in fields if not field.is_read_only}
    errors, taken = [], set()
    for label, key in mapping.items():
        place = f"mapping.{label}"
        if label not in labels:
            errors.append(FieldError(place, "unknown_field", "The file has no such column."))
        elif key is not None and key not in writable:
            params = {"keys": ", ".join(sorted(writable))}
            errors.append(
                FieldError(place, "invalid_choice", "There is no such field. One of: %(keys)s.", params)
            )
        elif key is not None and key in taken:
            template = "Another column is mapped to %(key)s already."
            errors.append(FieldError(place, "field_twice", template, {"key": key}))
        taken.add(key)
    return errors


def option_errors(options: Mapping[str, Any], file_format: str) -> list[FieldError]:
    errors = []
    for name, value in options.items():
        place = f"options.{name}"
        if name in CHOICES and (file_format == "csv" or name not in ("encoding", "delimiter")):
            if value not in CHOICES[name]:
                params = {"choices": ", ".join(repr(choice) for choice in CHOICES[name])}
                errors.append(FieldError(place, "invalid_choice", "One of: %(choices)s.", params))
        elif name in TEXTS and (file_format == "xlsx" or name != "sheet"):
            if not isinstance(value, str) or "\x00" in value or not len(value.strip()) < 256:
                errors.append(FieldError(place, "invalid", "Must be a string of at most 255 characters."))
            elif name == "external_system" and not value.strip():
                errors.append(FieldError(place, "blank", "This may not be blank."))
        else:
            names = [*DEFAULTS, *(("encoding", "delimiter") if file_format == "csv" else ("sheet",))]
            template = "There is no such option. One of: %(names)s."
            errors.append(FieldError(place, "unknown_field", template, {"names": ", ".join(names)}))
    return errors
