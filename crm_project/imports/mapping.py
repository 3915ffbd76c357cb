"""The mapping of columns to fields, guessed from headers, and the validation of mappings and options."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_noop

from crm_project.errors import FieldError
from crm_project.imports.fields import CUSTOM_PREFIX, ImportField
from crm_project.imports.sources import Source
from crm_project.imports.tables.texts import ENCODINGS
from crm_project.readers.currencies import CODES
from crm_project.records.text import fold

WORDS = re.compile(r"[^a-z0-9]+")
MATCHES = ("auto", "none", "uuid", "external_reference", "email")
CHOICES: dict[str, Sequence[str]] = {
    "decimal": ("auto", ".", ","),
    "date_order": ("auto", "ymd", "dmy", "mdy"),
    "empty_cells": ("keep", "clear"),
    "bad_rows": ("refuse_all", "skip"),
    "match_on": MATCHES,
    "encoding": ENCODINGS,
    "delimiter": (",", ";", "\t", "|"),
    # Of amounts whose row names none; empty for the organization's.
    "currency": ("", *sorted(CODES)),
}
TEXTS = ("external_system", "sheet")
DEFAULTS = {
    "decimal": "auto",
    "date_order": "auto",
    "empty_cells": "keep",
    "bad_rows": "refuse_all",
    "match_on": "auto",
    "external_system": "default",
    "currency": "",
}


def header_digest(labels: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(list(labels)).encode("utf-8", "surrogatepass")).hexdigest()


def folded(name: str) -> str:
    """`E-Mail (work)` → `e mail work`."""
    return WORDS.sub(" ", fold(name)).strip()


def guess_mapping(
    labels: Sequence[str], fields: Sequence[ImportField], source: Source | None = None
) -> dict[str, str | None]:
    """The field of each column: that of the source whose file it is, else the one of the header.

    Of several headers of one field the best one has it: the key, else the label, else another name. Beside a source
    only custom fields are found by their names.
    """
    if source is not None:
        own = [field for field in fields if field.key.startswith(CUSTOM_PREFIX)]
        rest = [label for label in labels if label not in source.mapping]
        return {label: source.mapping.get(label) for label in labels} | {
            label: key for label, key in guess_mapping(rest, own).items() if key
        }
    mapping: dict[str, str | None] = dict.fromkeys(labels)
    read_only = {field.key for field in fields if field.is_read_only}
    by_label: dict[str, list[str]] = {}
    for label in labels:
        if label not in read_only:
            by_label.setdefault(folded(label), []).append(label)
    taken: set[str] = set()
    for names in (lambda f: [f.key], lambda f: [f.label, f.shown], lambda f: f.names):
        for candidate in fields:
            if candidate.is_read_only or candidate.key in taken:
                continue
            found = (label for name in names(candidate) for label in by_label.get(folded(name), ()))
            free = next((label for label in found if mapping[label] is None), None)
            if free is not None:
                mapping[free] = candidate.key
                taken.add(candidate.key)
    return mapping


def is_export(labels: Sequence[str], fields: Sequence[ImportField]) -> bool:
    """Whether the file is an export of this system: each label is the key of a field, the UUID among them."""
    keys = {field.key for field in fields}
    return "uuid" in labels and all(label in keys or label.startswith(CUSTOM_PREFIX) for label in labels)


def mapping_errors(
    mapping: Mapping[str, Any], labels: Sequence[str], fields: Sequence[ImportField]
) -> list[FieldError]:
    """The errors of a mapping: unknown columns, unknown or read-only fields. Several columns may fill one field."""
    writable = {field.key for field in fields if not field.is_read_only}
    errors = []
    for label, key in mapping.items():
        place = f"mapping.{label}"
        if label not in labels:
            errors.append(FieldError(place, "unknown_field", "The file has no such column."))
        elif key is not None and key not in writable:
            params = {"keys": ", ".join(sorted(writable))}
            errors.append(
                FieldError(place, "invalid_choice", "There is no such field. One of: %(keys)s.", params)
            )
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
            template = gettext_noop("There is no such option. One of: %(names)s.")
            errors.append(FieldError(place, "unknown_field", template, {"names": ", ".join(names)}))
    return errors
