"""The headers of fields, the mapping of columns guessed from headers, and the validation of mappings and options."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.translation import get_language, gettext_noop

from crm_project.errors import FieldError
from crm_project.imports.fields import CUSTOM_PREFIX, ImportField
from crm_project.imports.new_fields import new_field
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


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """`E-Mail (work)` → `e mail work`."""
    plain = fold(name)
    # A name in another script has no such letters.
    return WORDS.sub(" ", plain).strip() or plain.strip()


def headers_of(fields: Sequence[ImportField], language: str) -> list[str]:
    """What a file calls each field: by its label in the language, or by its key without a language.

    A label that is the name of another field, too, would be read as that one: such a field keeps its key.
    """
    if not language:
        return [field.key for field in fields]
    keys = {folded(field.key): field.key for field in fields}
    taken: set[str] = set()
    headers = []
    for field in fields:
        label = field.label_in(language)
        name = folded(label)
        is_free = name not in taken and keys.get(name, field.key) == field.key
        taken.add(name)
        headers.append(label if is_free else field.key)
    return headers


def export_language(labels: Sequence[str], fields: Sequence[ImportField]) -> str | None:
    """The language of a file that was exported here, empty if it has keys; None for another file.

    Most of its columns, and the UUID among them, have the names that the export gives them. Columns may be added.
    """
    best, most = None, len(labels) / 2
    for language in ("", *_languages()):
        plain = folded if language else str
        names = [plain(header) for header in headers_of(fields, language)]
        found = set(names).intersection(map(plain, labels))
        uuid = next((name for field, name in zip(fields, names, strict=True) if field.key == "uuid"), None)
        if uuid in found and len(found) > most:
            best, most = language, len(found)
    return best


def _languages() -> list[str]:
    """That of the reader comes first."""
    return sorted(dict(settings.LANGUAGES), key=lambda language: language != get_language())


def guess_mapping(
    labels: Sequence[str], fields: Sequence[ImportField], source: Source | None = None
) -> dict[str, str | None]:
    """The field of each column: that of the source whose file it is, else the one of the header.

    Of several headers of one field the best one has it: the key, else the label in the language of the file, else
    that in another language, else another name. Beside a source only custom fields are found by their names.
    """
    if source is not None:
        own = [field for field in fields if field.key.startswith(CUSTOM_PREFIX)]
        rest = [label for label in labels if label not in source.mapping]
        return {label: source.mapping.get(label) for label in labels} | {
            label: key for label, key in guess_mapping(rest, own).items() if key
        }
    mapping: dict[str, str | None] = dict.fromkeys(labels)
    exported = export_language(labels, fields)
    left_out = _read_only(fields, exported)
    by_label: dict[str, list[str]] = {}
    for label in labels:
        if label not in left_out and folded(label) not in left_out:
            by_label.setdefault(folded(label), []).append(label)
    taken: set[str] = set()
    languages = [exported] if exported else _by_matches(by_label.keys(), fields)
    tiers: list[Callable[[ImportField], Sequence[str]]] = [
        lambda field: [field.key],
        lambda field: _labels(field, languages[:1], exported),
        lambda field: _labels(field, languages, exported),
        lambda field: field.names,
    ]
    for names in tiers:
        for candidate in fields:
            if candidate.is_read_only or candidate.key in taken:
                continue
            found = (label for name in names(candidate) for label in by_label.get(folded(name), ()))
            free = next((label for label in found if mapping[label] is None), None)
            if free is not None:
                mapping[free] = candidate.key
                taken.add(candidate.key)
    return mapping


def _labels(field: ImportField, languages: Sequence[str], exported: str | None) -> list[str]:
    """The labels that name the field. One letter, as Italian has for *To*, does so in an export alone."""
    labels = [field.label_in(language) for language in languages]
    return labels if exported else [label for label in labels if len(label) > 1 or label == field.label]


def _read_only(fields: Sequence[ImportField], exported: str | None) -> set[str]:
    """What an export calls the fields that no import reads: their keys, and in an export the folded labels."""
    keys = {field.key for field in fields if field.is_read_only}
    headers = zip(fields, headers_of(fields, exported) if exported else (), strict=False)
    return keys | {folded(header) for field, header in headers if field.is_read_only}


def _by_matches(names: Iterable[str], fields: Sequence[ImportField]) -> list[str]:
    """The languages; that in which most names are labels comes first."""
    given = set(names)

    def matches(language: str) -> int:
        return len(given & {folded(field.label_in(language)) for field in fields})

    return sorted(_languages(), key=matches, reverse=True)


def habits_of_export(
    labels: Sequence[str], fields: Sequence[ImportField], options: Mapping[str, Any]
) -> tuple[str, str]:
    """The decimal sign and the order of days in an export that a spreadsheet has saved; empty where they are open.

    An export has no groups of digits, and its days are in no doubt. A spreadsheet that separates columns by
    semicolons writes decimal commas, and the day before the month.
    """
    if export_language(labels, fields) is None:
        return "", ""
    return (",", "dmy") if options.get("delimiter") == ";" else (".", "")


def mapping_errors(
    mapping: Mapping[str, Any],
    labels: Sequence[str],
    fields: Sequence[ImportField],
    may_map: Callable[[str], bool],
) -> list[FieldError]:
    """The errors of a mapping: unknown columns, unknown or read-only fields. Several columns may fill one field."""
    writable = {field.key for field in fields if not field.is_read_only}
    errors = []
    for label, key in mapping.items():
        place = f"mapping.{label}"
        if label not in labels:
            errors.append(FieldError(place, "unknown_field", "The file has no such column."))
        elif key is not None and new_field(key) and not may_map(key):
            template = gettext_noop("Custom fields are created by those who may define them.")
            errors.append(FieldError(place, "invalid_choice", template))
        elif key is not None and not may_map(key):
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
