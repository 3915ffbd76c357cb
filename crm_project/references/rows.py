"""The external references of all kinds as one list, with the methods of a queryset that the paginator needs."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Q

from crm_project.accounts.actors import Actor
from crm_project.records.kinds import Kind, referable


@dataclass(frozen=True)
class ReferenceRows:
    """One queryset per kind, each with the same columns. Filters and orders apply to each of them."""

    actor: Actor
    parts: dict[str, Any] = field(default_factory=dict)
    order: tuple[Any, ...] = ()

    @classmethod
    def visible_to(cls, actor: Actor) -> "ReferenceRows":
        """The references whose row is visible to the actor."""
        return cls(actor, {name: _part(kind, actor) for name, kind in referable().items()})

    def of_kinds(self, names: Collection[str]) -> "ReferenceRows":
        parts = {kind: part for kind, part in self.parts.items() if kind in names}
        return ReferenceRows(self.actor, parts, self.order)

    def filter(self, *conditions: Q, **lookups: Any) -> "ReferenceRows":
        parts = {name: part.filter(*conditions, **lookups) for name, part in self.parts.items()}
        return ReferenceRows(self.actor, parts, self.order)

    def order_by(self, *order: Any) -> "ReferenceRows":
        return ReferenceRows(self.actor, self.parts, order)

    def count_up_to(self, most: int) -> int:
        counts: list[int] = [part.order_by()[:most].count() for part in self.parts.values()]
        return min(most, sum(counts))

    def __getitem__(self, limits: slice) -> list[Any]:
        """The first rows of the merged parts. Each part is queried for at most as many."""
        first = str(self.order[0])
        backward = first.startswith("-")
        rows = [row for part in self.parts.values() for row in part.order_by(*self.order)[limits]]
        rows.sort(key=lambda row: (getattr(row, first.removeprefix("-")), row.pk), reverse=backward)
        return rows[limits]


def _part(kind: Kind, actor: Actor) -> Any:
    rows = kind.live_rows(actor.member).values("pk")
    references = kind.references.objects.filter(
        organization_id=actor.organization_id, is_live=True, row__in=rows
    )
    return references.annotate(row_name=F(f"row__{kind.named_by}"))
