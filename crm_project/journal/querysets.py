"""Reads of events: those visible to a member, of a row, of a change set."""

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db import models
from django.db.models import Count, Exists, IntegerField, Max, OuterRef, Q, Subquery

from crm_project.records.kinds import kinds

if TYPE_CHECKING:
    from crm_project.accounts.models import Member


# Events of a change set that a list of events counts. A page of an imported row would else read the whole import.
COUNT_LIMIT = 2_000


class CountDistinct(Subquery):
    """The number of different values of a subquery with one column."""

    output_field = IntegerField()

    def __init__(self, queryset: Any) -> None:
        self.template = (
            f"(SELECT COUNT(DISTINCT {queryset.query.values_select[0]}) FROM (%(subquery)s) AS own)"
        )
        super().__init__(queryset)


class EventQuerySet(models.QuerySet[Any]):
    def of(self, organization_id: int) -> Self:
        return self.filter(organization_id=organization_id)

    def visible_to(self, member: "Member", among: Collection[str] | None = None) -> Self:
        """The events of rows that the member may see now; events of unregistered kinds are hidden.

        `among` names the only kinds of interest, for a shorter statement.
        """
        wanted = [kind for name, kind in kinds.items() if among is None or name in among]
        visible = Q(kind__in=[kind.name for kind in wanted if not kind.is_private])
        for kind in wanted:
            if kind.is_private:
                rows = kind.rows(member).order_by().filter(pk=OuterRef("row_id"))
                visible |= Q(Exists(rows), kind=kind.name)
        return self.of(member.organization_id).filter(visible)

    def history_of(self, row: Any) -> Self:
        """The events of a row, and for some kinds those of its parts."""
        kind = kinds[row.row_kind]
        own = Q(kind=kind.name, row_id=row.pk)
        return self.of(row.organization_id).filter(kind.history(row) if kind.history else own)

    def of_change_set(self, organization_id: int, change_set: UUID) -> Self:
        return self.of(organization_id).filter(change_set=change_set).order_by("sequence")

    def rows_written(self, organization_id: int, kind: str, change_sets: Iterable[UUID]) -> Any:
        """The ids of the rows of a kind that these change sets have written, as a subquery."""
        found = self.of(organization_id).filter(change_set__in=list(change_sets), kind=kind)
        return found.order_by().values("row_id")

    def change_sets(self) -> Iterator[tuple[int, UUID, UUID | None]]:
        """The change sets of these events as (last sequence among them, uuid, uuid of the change set that it undid)."""
        sets = self.order_by().values("change_set", "undoes").annotate(last=Max("sequence"))
        return ((entry["last"], entry["change_set"], entry["undoes"]) for entry in sets)

    def rows_by_kind(self) -> dict[str, int]:
        """The number of rows that these events are about, by kind."""
        groups = self.order_by().values_list("kind").annotate(rows=Count("row_id", distinct=True))
        return dict(groups.order_by("kind"))

    def with_reach(self, member: "Member") -> Self:
        """`reach`: the rows of the event's change set that the member may see; `kinds_reached`: their kinds.

        Both consider the first COUNT_LIMIT + 1 events of the change set.
        """
        same: Any = self.model._default_manager.visible_to(member)
        same = same.filter(change_set=OuterRef("change_set")).order_by()
        first = slice(COUNT_LIMIT + 1)
        return self.annotate(
            reach=CountDistinct(same.values("row_uuid")[first]),
            kinds_reached=CountDistinct(same.values("kind")[first]),
        )

    def creators(self, organization_id: int, kind: str, row_ids: Iterable[int]) -> dict[int, "Member | None"]:
        """The members who created these rows, as far as the journal reaches back."""
        found = self.of(organization_id).filter(kind=kind, row_id__in=list(row_ids), action="created")
        related = found.select_related("actor__user", "actor__organization").order_by("-sequence")
        # The first creation comes last and wins.
        return {event.row_id: event.actor for event in related}

    def with_actor(self) -> Self:
        return self.select_related("actor__user")
