"""Readers of written figures, currencies, days and instants: pure functions, without a query and without a clock.

What can be read in several ways is given back with all of its readings. `Evidence` finds the notation of a column.
"""

from collections.abc import Mapping
from typing import Any

from crm_project.errors import message


class Unreadable(Exception):
    """A text is not what it is read as; the message is a template with parameters."""

    def __init__(self, template: str, params: Mapping[str, Any] | None = None) -> None:
        self.template = template
        self.params = params or {}
        super().__init__(message(template, self.params))


def quoted(written: str) -> str:
    """The text in quotation marks and cut, as a parameter of a message."""
    return repr(written if len(written) <= 60 else f"{written[:60]}…")
