"""Errors of a file and of a cell; a row is refused by the services."""

from collections.abc import Mapping
from typing import Any

from crm_project.errors import FieldError, Invalid
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
