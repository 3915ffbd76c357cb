"""Errors of a file and of a cell; a row is refused by the services."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from crm_project.errors import FieldError, Invalid, message
from crm_project.readers import Unreadable


class UnreadableFile(Invalid):
    """The file cannot be read. The message gives the reason and, if known, the line."""

    def __init__(self, template: str, params: Mapping[str, Any] | None = None) -> None:
        code = "unreadable_file"
        super().__init__(
            template, params, code=code, fields=[FieldError("file", code, template, params or {})]
        )


class UnreadableCell(Unreadable):
    """A cell is not a value of its field."""


# The length of a parameter that is stored.
PARAMETER = 300


def stored(template: str, params: Mapping[str, Any] | None = None, place: str = "") -> dict[str, Any]:
    """An error as JSON: its text in English, which the API answers, and what `shown` makes it of again.

    `place` is what the text begins with and no language translates, such as the name of a field.
    """
    # Not by `message`, which translates.
    text = template % params if params else template
    kept = {name: _storable(value) for name, value in (params or {}).items()}
    return {
        "detail": f"{place}: {text}" if place else text,
        "template": template,
        "params": kept,
        **({"place": place} if place else {}),
    }


def shown(error: Mapping[str, Any]) -> str:
    """The text of a stored error in the language of the reader. Earlier releases stored the English text alone."""
    template = error.get("template", "")
    translated = _(template) if template else ""
    if translated == template:
        return str(error["detail"])
    text = message(translated, error["params"])
    return f"{error['place']}: {text}" if "place" in error else text


def _storable(value: Any) -> Any:
    return value if isinstance(value, int) else str(value)[:PARAMETER]
