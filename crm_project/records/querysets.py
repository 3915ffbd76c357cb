"""Reads that every row shares: what is live, what is in the trash, what a member sees, who holds a reference."""

import datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import models

from crm_project.records.kinds import kind_of
from crm_project.records.rows import Complete, RowIterable
from crm_project.records.text import needles

if TYPE_CHECKING:
    from crm_project.accounts.models import Member

R = TypeVar("R", bound=models.Model)
RESTORABLE_FOR = datetime.timedelta(days=30)


class RowQuerySet(models.QuerySet[R]):
    # What follows the read of `as_rows`.
    complete: Complete | None = None

    def _clone(self) -> Self:
        cloned: Self = super()._clone()  # type: ignore[misc]
        cloned.complete = self.complete
        return cloned

    def as_rows(self, complete: Complete | None = None) -> Self:
        """Read plain rows instead of instances: see `records.rows`."""
        rows = self._chain()  # type: ignore[attr-defined]
        rows._iterable_class, rows.complete = RowIterable, complete
        return rows  # type: ignore[no-any-return]

    def of(self, organization_id: int) -> Self:
        return self.filter(organization_id=organization_id)

    def live(self) -> Self:
        return self.filter(deleted_at=None)

    def visible_to(self, member: "Member") -> Self:
        """The live rows of the member's organization that the member may see, with a live parent: the only door."""
        return self.live().seen_by(member).with_live_parent()

    def trash_visible_to(self, member: "Member", now: datetime.datetime) -> Self:
        """What can still be restored."""
        return self.filter(deleted_at__gt=now - RESTORABLE_FOR).seen_by(member)

    def seen_by(self, member: "Member") -> Self:
        """Live and trashed rows that the member may see, by their kind's declaration; none without one."""
        kind = kind_of(self.model)
        return self.none() if kind is None else kind.visible.narrow(self, member)

    def with_live_parent(self) -> Self:
        """Without the rows whose parent is in the trash, if the kind has parents."""
        kind = kind_of(self.model)
        return self if kind is None else kind.with_live_parent(self)

    def matching(self, text: str) -> Self:
        """Rows whose search text has every word of `text`, in any order, or a phone number in any spelling."""
        rows = self
        for needle in needles(text):
            words = models.Q()
            for word in needle.words:
                words &= models.Q(search_text__contains=word)
            rows = rows.filter(
                words | models.Q(search_text__contains=needle.digits) if needle.digits else words
            )
        return rows

    def holding_reference(self, *, system: str, external_id: str) -> Self:
        return self.filter(
            references__system=system, references__external_id=external_id, references__is_live=True
        )


class CustomFieldQuerySet(RowQuerySet[Any]):
    def for_kind(self, kind: str) -> Self:
        return self.filter(kind=kind).order_by("position", "id")
