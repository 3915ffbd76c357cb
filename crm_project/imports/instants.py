"""Instants of a downloaded file, of which spreadsheets cut the fractions of a second or the seconds."""

import datetime
from collections.abc import Sequence
from typing import Any

from crm_project.imports.kinds.base import ImportKind, Values


def leave_out_cut(kind: ImportKind[Any], changes: Sequence[Values], zone: datetime.tzinfo) -> None:
    """Remove the instants that are those of the stored row, as far as they are written."""
    names = {field.attribute for field in kind.fields if field.is_instant}
    cut = [change for change in changes if any(_is_cut(change.get(name)) for name in names)]
    uuids = [change["uuid"] for change in cut if change.get("uuid")]
    if not uuids:
        return
    rows = kind.model.objects.visible_to(kind.actor.member).filter(uuid__in=uuids)
    stored = {row.pop("uuid"): row for row in rows.values("uuid", *names)}
    for change in cut:
        for name in names & change.keys():
            before = stored.get(change.get("uuid"), {}).get(name)
            if before is not None and _is_same(before, change[name], zone):
                del change[name]


def _is_cut(value: Any) -> bool:
    return isinstance(value, datetime.datetime) and not value.microsecond


def _is_same(before: datetime.datetime, written: Any, zone: datetime.tzinfo) -> bool:
    """Compared as the clock shows them: an hour that comes twice is written in the same way."""
    if not _is_cut(written):
        return False
    clock = _clock(before, zone).replace(microsecond=0)
    return _clock(written, zone) == (clock if written.second else clock.replace(second=0))


def _clock(value: datetime.datetime, zone: datetime.tzinfo) -> datetime.datetime:
    return value.astimezone(zone).replace(tzinfo=None)
