"""The form of a written file: its columns, their headers, and how figures and instants are written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language

from crm_project.accounts.actors import Actor
from crm_project.languages.figures import csv_signs


@dataclass(frozen=True)
class Layout:
    """`language` is that of the labels in the header; without one the header has the keys of the fields.

    `zone` is that of instants, which are texts in UTC without one. `columns` are the keys of the fields in their
    order; without any the file has all of them.
    """

    language: str = ""
    delimiter: str = ","
    decimal: str = "."
    zone: str = ""
    columns: Sequence[str] = ()

    @property
    def is_plain(self) -> bool:
        """Whether values are written for programs."""
        return not self.zone


# What the API writes.
PLAIN = Layout()


def reader_layout(actor: Actor, *, keys: bool = False, columns: Sequence[str] = ()) -> Layout:
    """As the reader of the page writes figures and instants. The file is written after the request has ended.

    An import reads the times of a file with labels in the zone of whoever uploads it, and those of a file with keys
    in that of the organization.
    """
    delimiter, decimal = csv_signs()
    return Layout(
        "" if keys else get_language() or "",
        delimiter,
        decimal,
        actor.organization.time_zone if keys else timezone.get_current_timezone_name(),
        tuple(columns),
    )


def stored_layout(stored: Mapping[str, Any]) -> Layout:
    return Layout(**stored)
