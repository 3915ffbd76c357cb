"""Instants as vendors write them: ISO 8601 with a fixed number of digits after the second."""

import datetime
from typing import Any

from rest_framework import serializers

from crm_project.api.fields import DAY


def format_instant(
    instant: datetime.datetime, *, digits: int, zone: datetime.tzinfo = datetime.UTC, utc: str = "Z"
) -> str:
    """`2026-03-01T10:00:00.000Z`. `digits` may exceed the six of a microsecond; `utc` is the offset of zero."""
    text = instant.astimezone(zone).isoformat(timespec="microseconds")
    moment, offset = text[:26], text[26:32]
    return moment[: 20 + digits].ljust(20 + digits, "0") + (utc if offset == "+00:00" else offset)


def parse_instant(data: Any, zone: datetime.tzinfo) -> datetime.datetime | None:
    """The instant, in `zone` if it has no offset, or the beginning of a day; None for anything else."""
    if not isinstance(data, str) or not DAY.match(data):
        return None
    try:
        instant = datetime.datetime.fromisoformat(data)
        return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None


class InstantField(serializers.DateTimeField):
    """A read-only instant, in UTC or, with `local`, in the organization's time zone."""

    def __init__(self, *, digits: int, local: bool = False, utc: str = "Z", **kwargs: Any) -> None:
        self.digits, self.local, self.utc = digits, local, utc
        super().__init__(**{"read_only": True, **kwargs})

    def to_representation(self, value: Any) -> Any:
        zone = self.context["view"].zone if self.local else datetime.UTC
        return format_instant(value, digits=self.digits, zone=zone, utc=self.utc)
