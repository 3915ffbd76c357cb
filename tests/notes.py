"""A kind of row for the tests of kinds: a note on a deal. It is in no installed app; a fixture makes its table."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

from django.db import models
from django.test.utils import isolate_apps

from crm_project.records import kinds
from crm_project.records.fields import RowForeignKey
from crm_project.records.kinds import AsParent, Kind
from crm_project.records.models import Row
from crm_project.records.querysets import RowQuerySet
from deals.models import Deal

with isolate_apps("deals"):

    class Note(Row):
        row_kind: ClassVar[str] = "note"

        text = models.CharField(max_length=255)
        deal = RowForeignKey(Deal)

        objects: Any = RowQuerySet.as_manager()

        class Meta:
            app_label = "deals"

        def __str__(self) -> str:
            return f"{self.text} on {self.deal}"


NOTE = Kind(Note, visible=AsParent("deal"), rank=90)


@contextmanager
def declared(*declarations: Kind) -> Iterator[None]:
    """These kinds besides, or instead of, those of the product."""
    before = dict(kinds.kinds)
    for kind in declarations:
        kinds.kinds.pop(kind.name, None)
    try:
        kinds.register(*declarations)
        yield
    finally:
        kinds.kinds.clear()
        kinds.kinds.update(before)


def changed(name: str, **attributes: Any) -> Kind:
    """The product's declaration with other attributes."""
    return replace(kinds.kinds[name], **attributes)
