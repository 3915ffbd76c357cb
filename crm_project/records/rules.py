"""Rules that hold for every row: what a text or a number may be, and what a custom field takes. No query, no clock."""

import datetime
import re
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any, Protocol

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.translation import gettext_noop

from crm_project.emails import has_domain, has_invisible
from crm_project.errors import FieldError

KEY_PATTERN = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
COLOR_PATTERN = re.compile(r"#[0-9a-f]{6}")
DATE_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
SURROGATES = re.compile("[\ud800-\udfff]")
TEXT_COLUMNS = (models.CharField, models.TextField)
LONG_TEXT = 65_535
# What follows the name of a custom field in the parameters of lists.
FILTER_SUFFIXES = ("_min", "_max", "_after", "_before", "_not", "_empty")
NOTHING: tuple[Any, ...] = (None, "", [])
# Beyond 15 digits a JSON number is not the same number in every reader.
NUMBER_DIGITS = 15


class Definition(Protocol):
    key: str
    label: str
    type: str
    options: list[str]
    required: bool


def text_error(field: str, value: Any, *, limit: int) -> FieldError | None:
    if not isinstance(value, str):
        return FieldError(field, "invalid", "This is not a text.")
    if "\x00" in value or (not value.isascii() and SURROGATES.search(value)):
        return FieldError(field, "invalid", "A text holds no NUL and no lone surrogate.")
    if len(value) > limit:
        return FieldError(field, "max_length", "At most %(limit)s characters.", {"limit": limit})
    return None


def column_errors(model: type[models.Model], values: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with plain values for the model's columns: length, range, choice, type."""
    errors = (_column_error(model._meta.get_field(name), value) for name, value in values.items())
    return [error for error in errors if error]


def _column_error(field: Any, value: Any) -> FieldError | None:
    name = field.name
    if value is None:
        return None if field.null else FieldError(name, "null", "This may not be null.")
    if isinstance(field, TEXT_COLUMNS):
        if not field.blank and value == "":
            return FieldError(name, "blank", "This may not be blank.")
        return (
            text_error(name, value, limit=field.max_length or LONG_TEXT)
            or _choice_error(field, value)
            or _format_error(field, value)
        )
    if isinstance(field, models.BooleanField):
        return None if isinstance(value, bool) else FieldError(name, "invalid", "This is true or false.")
    if isinstance(field, models.IntegerField):
        return _integer_error(field, value)
    return None


def _choice_error(field: Any, value: Any) -> FieldError | None:
    if not field.choices or value in {choice for choice, _ in field.choices}:
        return None
    known = ", ".join(str(choice) for choice, _ in field.choices)
    return FieldError(field.name, "invalid_choice", "One of: %(choices)s.", {"choices": known})


def _format_error(field: Any, value: str) -> FieldError | None:
    if not value or not isinstance(field, models.EmailField):
        return None
    if has_invisible(value):
        return FieldError(field.name, "invalid", "An e-mail address has no invisible characters.")
    try:
        validate_email(value)
        if not has_domain(value):
            raise ValidationError("no domain")
    except ValidationError:
        return FieldError(field.name, "invalid", "This is not an e-mail address.")
    return None


def _integer_error(field: Any, value: Any) -> FieldError | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return FieldError(field.name, "invalid", "This is not a whole number.")
    low, high = INTEGER_RANGES[field.get_internal_type()]
    if not low <= value <= high:
        return FieldError(field.name, "out_of_range", "From %(low)s to %(high)s.", {"low": low, "high": high})
    return None


INTEGER_RANGES = {
    "PositiveSmallIntegerField": (0, 32_767),
    "PositiveIntegerField": (0, 2**31 - 1),
    "PositiveBigIntegerField": (0, 2**63 - 1),
    "IntegerField": (-(2**31), 2**31 - 1),
    "BigIntegerField": (-(2**63), 2**63 - 1),
}


def merge_custom_fields(
    current: Mapping[str, Any],
    sent: Mapping[str, Any],
    definitions: Mapping[str, Definition],
    *,
    free_keys: bool | Collection[str] = False,
    complete: bool = False,
) -> tuple[dict[str, Any], list[FieldError]]:
    """Merge by key; null removes a value that is not required. Returns the merged values and the errors.

    `free_keys` allows keys without a definition, all or the given ones. `complete` refuses a new row without a required
    value; an existing row may be older than the definition.
    """
    merged, errors = dict(current), []
    for key, value in sent.items():
        if key in current and _same(current[key], value):
            continue
        definition = definitions.get(key)
        is_free = free_keys if isinstance(free_keys, bool) else key in free_keys
        if definition is None and not is_free and not (value is None and key in current):
            errors.append(
                FieldError(f"custom_fields.{key}", "unknown_field", "There is no such custom field.")
            )
            continue
        if definition is not None and definition.required and value in NOTHING:
            errors.append(FieldError(f"custom_fields.{key}", "required", "This custom field is required."))
            continue
        if value is None:
            merged.pop(key, None)
            continue
        value, wrong = custom_value(definition, value) if definition else free_value({key: value})
        if wrong:
            errors.append(FieldError(f"custom_fields.{key}", "invalid", wrong.template, wrong.params))
            continue
        merged[key] = value if definition else value[key]
    if complete:
        errors += _missing(merged, definitions.values(), already={error.field for error in errors})
    return merged, errors


def _same(stored: Any, sent: Any) -> bool:
    """Numbers come as Decimal and are stored as JSON has them; true is not 1."""
    sent = _number_value(sent)[0] if isinstance(sent, Decimal) else sent
    return bool(stored == sent) and isinstance(stored, bool) == isinstance(sent, bool)


def _missing(
    merged: Mapping[str, Any], definitions: Iterable[Definition], already: set[str]
) -> list[FieldError]:
    names = [d.key for d in definitions if d.required and merged.get(d.key) in NOTHING]
    fields = [f"custom_fields.{name}" for name in names]
    return [
        FieldError(field, "required", "This custom field is required.")
        for field in fields
        if field not in already
    ]


def custom_value(definition: Definition, value: Any) -> tuple[Any, FieldError | None]:
    """The value as it is stored, and its error, which has no field."""
    match definition.type:
        case "text" | "textarea":
            limit = 255 if definition.type == "text" else LONG_TEXT
            return value, text_error("", value, limit=limit)
        case "number":
            return _number_value(value)
        case "select":
            return value, None if value in definition.options else _invalid(
                gettext_noop("One of: %(options)s."), **_options(definition)
            )
        case "multiselect":
            return _options_value(definition, value)
        case "checkbox":
            return value, None if isinstance(value, bool) else _invalid(
                gettext_noop("This is true or false.")
            )
        case "date":
            return value, None if is_day(value) else _invalid(gettext_noop("A date is YYYY-MM-DD."))
    return value, _invalid(gettext_noop("A heading has no value."))


def _number_value(value: Any) -> tuple[Any, FieldError | None]:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value, _invalid(gettext_noop("This is not a number."))
    number = Decimal(str(value))
    if not number.is_finite() or _digits(number) > NUMBER_DIGITS or abs(number.adjusted()) > 30:
        return value, _invalid(gettext_noop("A number has at most %(limit)s digits."), limit=NUMBER_DIGITS)
    return (int(number) if number == number.to_integral_value() else float(number)), None


def _digits(number: Decimal) -> int:
    """The number of digits without trailing zeros. normalize() would round a long number first."""
    return len("".join(map(str, number.as_tuple().digits)).strip("0"))


def free_value(value: Any) -> tuple[Any, FieldError | None]:
    """A value without a definition, as JSON and both databases can store it, and its error, which has no field."""
    if isinstance(value, str):
        return value, text_error("", value, limit=LONG_TEXT)
    if isinstance(value, float | Decimal):
        return _number_value(value)
    if isinstance(value, list):
        items = [free_value(item) for item in value]
        return [item for item, _ in items], next((error for _, error in items if error), None)
    if isinstance(value, dict):
        names, names_error = free_value(list(value))
        items, error = free_value(list(value.values()))
        return dict(zip(names, items, strict=True)), names_error or error
    return value, None


def _options_value(definition: Definition, value: Any) -> tuple[Any, FieldError | None]:
    if not isinstance(value, list) or any(option not in definition.options for option in value):
        return value, _invalid(gettext_noop("A list; one of: %(options)s."), **_options(definition))
    return list(dict.fromkeys(value)), None


def _options(definition: Definition) -> dict[str, str]:
    return {"options": ", ".join(definition.options)}


def _invalid(template: str, **params: Any) -> FieldError:
    return FieldError("", "invalid", template, params)


def is_day(value: Any) -> bool:
    if not isinstance(value, str) or not DATE_PATTERN.fullmatch(value):
        return False
    try:
        datetime.date.fromisoformat(value)
    except ValueError:
        return False
    return True


def definition_errors(definition: Any, *, is_new: bool = False) -> list[FieldError]:
    """The errors of a custom field's definition. The key of an existing one is not checked for its ending."""
    errors = []
    if not KEY_PATTERN.fullmatch(definition.key) or len(definition.key) > 63:
        errors.append(
            FieldError("key", "invalid", "Lower-case words of a-z and 0-9, joined by single underscores.")
        )
    elif is_new and definition.key.endswith(FILTER_SUFFIXES):
        sentence = gettext_noop(
            "Must not end with one of %(suffixes)s: filters of custom fields have these names."
        )
        errors.append(FieldError("key", "invalid", sentence, {"suffixes": ", ".join(FILTER_SUFFIXES)}))
    options = definition.options
    chooses = definition.type in ("select", "multiselect")
    if not isinstance(options, list) or any(
        text_error("", option, limit=255) or not option for option in options
    ):
        errors.append(FieldError("options", "invalid", "A list of texts that are not empty."))
    elif chooses and not options:
        errors.append(FieldError("options", "required", "A choice needs options."))
    elif not chooses and options:
        errors.append(FieldError("options", "invalid", "Only a choice has options."))
    elif len(set(options)) != len(options):
        errors.append(FieldError("options", "invalid", "Each option once."))
    return errors


def reference_errors(references: Iterable[tuple[str, str]]) -> list[FieldError]:
    """A reference is a system and an id, both short texts that are not blank."""
    errors = []
    for index, (system, external_id) in enumerate(references):
        for name, value in (("system", system), ("external_id", external_id)):
            field = f"external_references.{index}.{name}"
            error = text_error(field, value, limit=255)
            if not error and not value.strip():
                error = FieldError(field, "blank", "This may not be blank.")
            if error:
                errors.append(error)
    return errors
