"""Panels below a form: lists that belong to a row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

NOTHING_YET = gettext_lazy("Nothing here yet.")


@dataclass
class Panel:
    """A table, or a template with its own context."""

    title: str | Promise
    headers: Sequence[str | Promise] = ()
    rows: Sequence[Sequence[Any]] = ()
    empty: str | Promise = NOTHING_YET
    # A text above the table.
    note: str | Promise = ""
    more_url: str = ""
    add_url: str = ""
    # Whether it stands above the form.
    is_first: bool = False
    # Whether it shows the changes of the row: then there is no panel of its history.
    has_changes: bool = False
    template: str = ""
    context: dict[str, Any] = field(default_factory=dict)


# Returns the panel of a row, or None.
PanelFactory = Callable[[HttpRequest, Any], Panel | None]
