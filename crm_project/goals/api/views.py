"""`/api/goals`."""

from collections.abc import Sequence
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from crm_project.accounts.rules import Permission
from crm_project.api.filters import DayFilter, MembersFilter, Range, StrictFilterSet
from crm_project.api.views import RowViewSet
from crm_project.goals.api.serializers import GoalSerializer
from crm_project.goals.attainment import attainments
from crm_project.goals.models import Goal
from crm_project.records.paging import Key

EXAMPLE = {"month": "2026-11-01", "amount": "50000.00"}


class MonthFilter(Range):
    """The month itself, and the two bounds `<name>_from` and `<name>_to`."""

    def __init__(self) -> None:
        super().__init__(DayFilter, suffixes=("from", "to"))

    def expanded(self, name: str) -> dict[str, Any]:
        one = DayFilter(name, help_text="The first day of the month, such as `2026-11-01`.")
        return {name: one, **super().expanded(name)}


class GoalFilter(StrictFilterSet):
    month = MonthFilter()
    member = MembersFilter(
        "member__uuid", nullable=True, help_text="`none` finds the goals of the organization."
    )


@extend_schema_view(
    create=extend_schema(examples=[OpenApiExample("The organization's goal", EXAMPLE, request_only=True)])
)
class GoalViewSet(RowViewSet):
    """Sales goals by month: one's own and those of the organization; managers see those of all members."""

    queryset = Goal.objects.none()
    serializer_class = GoalSerializer
    filterset_class = GoalFilter
    edit_permission = Permission.EDIT_PIPELINES
    orderings: ClassVar = {
        "created_at": Key("created_at"),
        "updated_at": Key("updated_at"),
        "month": Key("month"),
    }
    default_ordering = "-month"

    def for_reading(self, rows: Any) -> Any:
        return rows.select_related("member__user")

    def paginate_queryset(self, queryset: Any) -> Any:
        return self._with_attainment(super().paginate_queryset(queryset) or [])

    def read_object(self) -> Any:
        return self._with_attainment([super().read_object()])[0]

    def reread(self, row: Any) -> Any:
        return self._with_attainment([super().reread(row)])[0]

    def _with_attainment(self, goals: Sequence[Any]) -> Sequence[Any]:
        """The goals with what their representation has beside the columns."""
        for one in attainments(self.actor.member, goals):
            one.goal.attainment = one  # type: ignore[attr-defined]
        return goals
